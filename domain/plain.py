"""What an event can hold: JSON that reads back as it was written, so that replaying gives what live operation gave."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final, cast

from ..errors import Malformed
from ..events.bounds import FREE

DEEPEST: Final = 64
"""Levels of nesting; parsers of JSON give up somewhere behind."""


def plain(value: Mapping[str, Any], what: str) -> dict[str, Any]:
    """A mapping as plain JSON: tuples become lists, numbers and text lose subclasses.

    Raises `Malformed`, naming the place, where a value has no JSON form: NaN and infinities, keys that are no text,
    lone surrogates, objects, whole numbers of more than 64 bits.
    """
    return cast("dict[str, Any]", _plain(value, what, 0))


def plain_text(text: str, what: str) -> str:
    """Text that UTF-8 can hold, or `Malformed`."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise Malformed(
            f"{what} has half a character ({error.object[error.start]!r}), which UTF-8 cannot hold"
        ) from error
    return str(text)


def whole(value: int, what: str, bounds: tuple[int, int] = FREE) -> int:
    """A whole number of 64 bits, or `Malformed`: more than that no column holds."""
    least, greatest = bounds
    if not least <= value <= greatest:
        raise Malformed(f"{what} has more than 64 bits; give a number from {least} to {greatest}, or write it as text")
    return int(value)


def scalar(value: Any) -> Any:
    """A numpy scalar, such as a search draws, as the Python number that it is; anything else as it came."""
    return value.item() if hasattr(value, "item") and getattr(value, "ndim", None) == 0 else value


def same(one: object, other: object) -> bool:
    """Whether two plain scalars are the same in JSON, where true is not 1."""
    return type(one) is type(other) and one == other


def _plain(value: object, what: str, depth: int) -> object:
    if depth > DEEPEST:
        raise Malformed(f"{what[:80]}... is nested more than {DEEPEST} levels deep; keep it as a file of the version")
    match value := scalar(value):
        case None | bool():
            return value
        case str():
            return plain_text(value, what)
        case int():
            return whole(value, what)
        case float() if math.isfinite(value):
            return float(value)
        case list() | tuple():
            return [_plain(each, f"{what}[{n}]", depth + 1) for n, each in enumerate(cast("list[object]", value))]
        case Mapping():
            return {_key(k, what): _plain(v, f"{what}.{k}", depth + 1) for k, v in cast("Any", value).items()}
        case _:
            kind = value if isinstance(value, float) else f"a {type(value).__name__}"
            raise Malformed(
                f"{what} is {kind}, which JSON cannot hold; write it as text, a number, a list or a mapping"
            )


def _key(key: object, what: str) -> str:
    if not isinstance(key, str):
        raise Malformed(f"{what} has the key {key!r}, which is no text; keys of JSON are")
    return plain_text(key, what)
