"""How answers are written: for people times, sizes, figures and columns that line up, for programs JSON."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final
from unicodedata import combining, east_asian_width

import click

from ..results import Version, VersionRecord, plain

HEADLINES: Final = ("f1", "roc_auc", "accuracy", "r2", "loss", "rmse")
"""The metrics that stand for a version where there is room for one."""
ABSENT: Final = "-"

_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")


def colourful() -> bool:
    """Whether stdout shows colours: a terminal, unless NO_COLOR (no-color.org) or TERM=dumb says otherwise."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


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
    """A value of a record: numbers to five figures, nothing as a dash, lists and dictionaries in short."""
    match value:
        case None:
            return ABSENT
        case bool():
            return "true" if value else "false"
        case float():
            return f"{value:.5g}"
        case str() | int():
            return str(value)
        case _:
            return encoded(value)


def unprojected(events: int) -> str:
    """That there are events which the views cannot hold, and how to list them."""
    return f"{count(events, 'event')} set aside, for the views cannot hold a value in it: lepton sql 'from unprojected'"


def change(before: Any, after: Any) -> str:
    """The step from one number to another with its sign; empty where there is none."""
    numbers = [value for value in (before, after) if isinstance(value, int | float) and not isinstance(value, bool)]
    return f"{numbers[1] - numbers[0]:+.4g}" if len(numbers) == 2 and before != after else ""


def count(number: int, noun: str) -> str:
    """1 tensor, 12 tensors, 1,200 tensors."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def short(digest: str) -> str:
    """As many of a digest's digits as still name it: twelve, or up to the first letter."""
    digits = digest.partition(":")[2] or digest
    letter = next((place for place, digit in enumerate(digits) if digit.isalpha()), len(digits))
    return digits[: max(12, letter + 1)]


def headline(metrics: Mapping[str, float]) -> str:
    """The metric that stands for a version, or nothing."""
    name = next((name for name in (*HEADLINES, *sorted(metrics)) if name in metrics), None)
    return f"{name} {metrics[name]:.4g}" if name else ""


def names(entry: Any) -> str:
    """The branches, tags and aliases on a version, as git shows them; from a log's entry or a version's record."""
    parts = [
        *(click.style(branch, fg="green", bold=True) for branch in entry.branches),
        *(click.style(f"alias {alias}", fg="magenta", bold=True) for alias in entry.aliases),
        *(click.style(f"tag {tag}", fg="yellow", bold=True) for tag in entry.tags),
    ]
    return f"({', '.join(parts)})" if parts else ""


def version(number: Version | VersionRecord | int) -> str:
    """A version's number as it is coloured everywhere."""
    shown = number.version if isinstance(number, VersionRecord) else number
    return click.style(str(int(shown)), fg="yellow", bold=True)


def arrow() -> str:
    """An arrow that stdout can print."""
    return "→" if (sys.stdout.encoding or "").lower().replace("-", "") in ("utf8", "utf8sig") else "->"


def title(words: str) -> str:
    """A heading above lines that belong together."""
    return click.style(words, bold=True)


def dim(words: str) -> str:
    """What the eye may skip."""
    return click.style(words, dim=True) if words else words


def section(heading: str, rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """A heading and its rows below, or nothing where there are none."""
    if shown := list(rows):
        yield ""
        yield title(heading)
        yield from columns(shown, indent=2)


def columns(
    rows: Iterable[Sequence[str]], *, head: Sequence[str] = (), right: Iterable[int] = (), indent: int = 0
) -> Iterator[str]:
    """Rows with their columns aligned, those in `right` at the right; wide characters count as two."""
    shown = [[*map(dim, head)], *map(list, rows)] if head else [*map(list, rows)]
    widths = [max(width(row[place]) for row in shown) for place in range(len(shown[0]))] if shown else []
    aligned = set(right)
    for row in shown:
        cells = [
            " " * (wide - width(cell)) + cell if place in aligned else cell + " " * (wide - width(cell))
            for place, (cell, wide) in enumerate(zip(row, widths, strict=True))
        ]
        yield f"{' ' * indent}{'  '.join(cells)}".rstrip()


def width(text: str) -> int:
    """The places that a text takes on a terminal."""
    bare = click.unstyle(text)
    return len(bare) if bare.isascii() else sum(map(_places, bare))


def _places(character: str) -> int:
    return 0 if combining(character) else 2 if east_asian_width(character) in "WF" else 1


def encoded(found: Any) -> str:
    """JSON on one line; numbers that it has no word for as text, as in the ledger's events."""
    return json.dumps(plain(found), ensure_ascii=False, allow_nan=False, default=str)
