"""How single values are written: times, sizes, figures, steps from one to another, digests in short."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from ..escapes import escaped_json
from .answer import plain
from .words import language, word

HEADLINES: Final = ("f1", "macro_f1", "roc_auc", "accuracy", "r2", "loss", "rmse")
"""The metrics that stand for a version where there is room for one."""
ABSENT: Final = "-"
CUT: Final = "[…]"
"""What stands where words were left out."""

_UNITS: Final = ("B", "kB", "MB", "GB", "TB", "PB")


def when(moment: datetime, *, seconds: bool = False) -> str:
    """A moment in UTC, to the minute or second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ" if seconds else "%Y-%m-%d %H:%MZ")


def size(count: float) -> str:
    """Bytes in steps of 1000: 1.2 MB."""
    unit = 0
    while count >= 999.5 and unit < len(_UNITS) - 1:
        count, unit = count / 1000, unit + 1
    return f"{count:.0f} {_UNITS[unit]}" if unit == 0 or count >= 99.5 else f"{count:.1f} {_UNITS[unit]}"


def figure(value: Any) -> str:
    """A value of a record: numbers to five figures, nothing as a dash, lists and dictionaries in short.

    Columns of data are told by name and type; their digests are in `to_dict()`.
    """
    match value:
        case None:
            return ABSENT
        case bool():
            return "true" if value else "false"
        case float():
            return f"{value:.5g}"
        case str() | int():
            return str(value)
        case [{"name": _, "type": _}, *_]:
            return ", ".join(f"{column.get('name')} {column.get('type')}" for column in value)
        case _:
            return encoded(value)


def pairs(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Names and values in order, nested ones by dotted names."""
    for name, value in sorted(values.items()):
        if isinstance(value, Mapping) and value:
            yield from pairs(value, f"{prefix}{name}.")  # pyright: ignore[reportUnknownArgumentType]
        else:
            yield f"{prefix}{name}", figure(value)


def change(before: Any, after: Any) -> str:
    """The step from one number to another with its sign; empty where there is none."""
    numbers = [value for value in (before, after) if isinstance(value, int | float) and not isinstance(value, bool)]
    return f"{numbers[1] - numbers[0]:+.4g}" if len(numbers) == 2 and before != after else ""


def count(number: int, noun: str) -> str:
    """1 tensor, 12 tensors, 1,200 tensors."""
    if language() == "zh":
        from .chinese import NOUNS

        return f"{number:,} {NOUNS[noun]}"
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def short(digest: str) -> str:
    """As many of a digest's digits as still name it: twelve, or up to the first letter."""
    digits = digest.partition(":")[2] or digest
    letter = next((place for place, digit in enumerate(digits) if digit.isalpha()), len(digits))
    return digits[: max(12, letter + 1)]


def first_line(words: str) -> str:
    """The first line of a message or description, marked where more follow."""
    first, _, rest = words.strip().partition("\n")
    return f"{first} {CUT}" if rest else first


def headline(metrics: Mapping[str, float]) -> str:
    """The metric that stands for a version, or nothing."""
    name = next((name for name in (*HEADLINES, *sorted(metrics)) if name in metrics), None)
    return f"{name} {metrics[name]:.4g}" if name else ""


def told(rows: Mapping[str, Any] | None) -> str:
    """Rows that figures were measured on: how many, and as much of their digest as names them."""
    if rows is None:
        return word("rows that nobody named")
    many = "" if rows["rows"] is None else f"{count(rows['rows'], 'row')} "
    return f"{many}{short(rows['digest'])}"


def encoded(value: Any) -> str:
    """JSON on one line; numbers that it has no word for as text, as in the ledger's events."""
    return escaped_json(json.dumps(plain(value), ensure_ascii=False, allow_nan=False, default=str))
