"""Front matter: what a model card says to programs, as YAML above its Markdown."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, cast

_PLAIN: Final = re.compile(r"(?!true|false|null)[a-z][a-z_-]{3,}")
"""Names that every reader takes for text without marks."""


def front_matter(facts: Mapping[str, Any]) -> str:
    """Facts as a block of YAML between its marks; every text is quoted, so that no reader takes it for another type."""
    return "\n".join(["---", *_mapping(facts, ""), "---"]) + "\n"


def _mapping(facts: Mapping[str, Any], indent: str) -> Iterator[str]:
    for name, value in facts.items():
        key = name if _PLAIN.fullmatch(name) else _scalar(name)
        yield from _entry(f"{indent}{key}:", value, indent)


def _entry(begun: str, value: Any, indent: str) -> Iterator[str]:
    """A line that ends in its value, or is followed by the lines of it."""
    if isinstance(value, Mapping) and value:
        yield begun
        yield from _mapping(cast("Mapping[str, Any]", value), f"{indent}  ")
    elif isinstance(value, list | tuple) and value:
        yield begun
        for each in cast("Sequence[Any]", value):
            yield from _item(each, f"{indent}  ")
    else:
        yield f"{begun} {_scalar(value)}"


def _item(value: Any, indent: str) -> Iterator[str]:
    if isinstance(value, Mapping) and value:
        first, *others = _mapping(cast("Mapping[str, Any]", value), f"{indent}  ")
        yield from (f"{indent}- {first.lstrip(' ')}", *others)
    else:
        yield f"{indent}- {_scalar(value)}"


def _scalar(value: Any) -> str:
    """A value as JSON has it, which YAML reads too; a float with a point, a text without what steers a reader."""
    if isinstance(value, float):
        mantissa, mark, exponent = repr(value).partition("e")
        return repr(value) if not mark or "." in mantissa else f"{mantissa}.0e{exponent}"
    if isinstance(value, str):
        return "".join(map(_letter, json.dumps(value, ensure_ascii=False)))
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_scalar, cast('Sequence[Any]', value)))}]"
    if isinstance(value, Mapping):
        pairs = cast("Mapping[str, Any]", value).items()
        return f"{{{', '.join(f'{_scalar(name)}: {_scalar(each)}' for name, each in pairs)}}}"
    return json.dumps(value)


def _letter(letter: str) -> str:
    if letter.isprintable():
        return letter
    return f"\\u{ord(letter):04x}" if ord(letter) < 0x10000 else f"\\U{ord(letter):08x}"
