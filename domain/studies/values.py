"""Values as an event has them: JSON, and which of its texts stand for numbers that JSON has no word for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from ...plain import plain, scalar


def in_words(values: Mapping[str, Any], what: str) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Values as plain JSON, and the JSON pointers (RFC 6901) of the texts in it that stand for numbers."""
    told = plain(values, what)
    return told, tuple(_numbers(values, told, ""))


def in_numbers(told: Mapping[str, Any], numbers: Sequence[str]) -> dict[str, Any]:
    """Values as they were before `in_words`; what is told stays as it is."""
    values = dict(told)
    for pointer in numbers:
        first, *rest = (_unescaped(part) for part in pointer.split("/")[1:])
        if first in values:
            values[first] = _with_number(values[first], rest)
    return values


def _numbers(given: Any, told: Any, pointer: str) -> Iterator[str]:
    if isinstance(told, dict) and isinstance(given, Mapping):
        pairs = zip(cast("Mapping[Any, Any]", given).values(), cast("dict[str, Any]", told).items(), strict=True)
        for value, (name, each) in pairs:
            yield from _numbers(value, each, f"{pointer}/{_escaped(name)}")
    elif isinstance(told, list) and isinstance(given, Sequence):
        pairs = zip(cast("Sequence[Any]", given), cast("list[Any]", told), strict=True)
        for place, (value, each) in enumerate(pairs):
            yield from _numbers(value, each, f"{pointer}/{place}")
    elif isinstance(told, str) and isinstance(scalar(given), int | float):
        yield pointer


def _with_number(told: Any, path: Sequence[str]) -> Any:
    if not path:
        return _number(told) if isinstance(told, str) else told
    if isinstance(told, dict):
        members = cast("dict[str, Any]", told)
        return {name: _with_number(each, path[1:]) if name == path[0] else each for name, each in members.items()}
    if isinstance(told, list):
        items = cast("list[Any]", told)
        return [_with_number(each, path[1:]) if str(n) == path[0] else each for n, each in enumerate(items)]
    return told


def _number(text: str) -> int | float:
    return int(text, 0) if text.lstrip("-")[:1].isdigit() else float(text)


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def _unescaped(part: str) -> str:
    return part.replace("~1", "/").replace("~0", "~")
