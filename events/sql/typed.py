"""What a row's columns hold, held to their types: a damaged SQLite file may give back anything in any of them."""

from __future__ import annotations

from typing import Any, Final, TypeVar, cast

from ...errors import Damaged

T = TypeVar("T")

LATEST: Final = 253_402_300_799_999_999
"""The last microsecond of the year 9999, since 1970."""

_WORDS: Final[dict[type, str]] = {int: "a whole number", str: "text", bytes: "bytes", float: "a real number"}


def typed(value: Any, kind: type[T], thing: str) -> T:
    """A column's value, or `Damaged` naming what it is a part of."""
    if type(value) is kind:
        return value
    found = "nothing" if value is None else _WORDS.get(cast("type[object]", type(value)), type(value).__name__)
    raise Damaged(thing, expected=_WORDS.get(kind, kind.__name__), found=found)


def counted(value: Any, thing: str, most: int = 2**63 - 1) -> int:
    """A column's number from 0, or `Damaged`."""
    number = typed(value, int, thing)
    if not 0 <= number <= most:
        raise Damaged(thing, expected=f"a number from 0 to {most}", found=str(number))
    return number
