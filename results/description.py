"""How an answer is described, once for terminal, text and HTML: lines of words, and grids; some words stand out."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias


@dataclass(frozen=True, slots=True)
class Text:
    """Words of one line, stretch by stretch, each with the style it stands out by: colour and weight, or nothing."""

    stretches: tuple[tuple[str, str], ...]

    def __bool__(self) -> bool:
        return any(words for words, _ in self.stretches)

    def __str__(self) -> str:
        return "".join(words for words, _ in self.stretches)


Words: TypeAlias = "str | Text"
WHOLE: Final = "--all, or .whole in Python, shows them"
"""How to see what was left out of an answer."""


@dataclass(frozen=True, slots=True)
class Grid:
    """Rows of cells whose columns align, those in `right` at the right; the first says what a row is of."""

    rows: tuple[tuple[Words, ...], ...]
    head: tuple[str, ...] = ()
    right: frozenset[int] = frozenset()
    indent: int = 0
    below: tuple[Words, ...] = ()
    """What stands in the first column of a row's further lines, where the row takes several."""


Block: TypeAlias = "Words | Grid"
"""A line, or a grid; an answer is described by some of them, one below the other."""


def text(*parts: Words, style: str = "") -> Text:
    """Parts behind one another; `style` is that of the parts that have none of their own."""
    spread = (part.stretches if isinstance(part, Text) else ((part, style),) for part in parts)
    return Text(tuple((words, own or style) for stretches in spread for words, own in stretches))


def joined(separator: str, parts: Iterable[Words]) -> Text:
    """Parts with a separator between them; those that are empty are left out."""
    shown = [part for part in parts if part]
    return text(*[each for part in shown for each in (separator, part)][1:])


def grid(
    rows: Iterable[Iterable[Words]], *, head: Iterable[str] = (), right: Iterable[int] = (), indent: int = 0
) -> Grid:
    """A grid of whatever rows there are."""
    return Grid(tuple(map(tuple, rows)), tuple(head), frozenset(right), indent)


def section(heading: Words, rows: Iterable[Iterable[Words]]) -> Iterator[Block]:
    """A heading and its rows below, or nothing where there are none."""
    if (below := grid(rows, indent=2)).rows:
        yield from ("", title(heading), below)


def title(words: Words) -> Text:
    """A heading above lines that belong together, or a name to be found at a glance."""
    return text(words, style="bold")


def dim(words: str) -> Text:
    """What the eye may skip."""
    return text(words, style="dim")


def number(version: int) -> Text:
    """A version's number."""
    return text(str(version), style="yellow bold")


def arrow() -> str:
    """An arrow that stdout can print."""
    return "→" if (sys.stdout.encoding or "").lower().replace("-", "") in ("utf8", "utf8sig") else "->"
