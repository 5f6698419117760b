"""Descriptions drawn: as lines for a terminal, as bare lines, and as HTML that is readable on light and dark."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from html import escape
from itertools import zip_longest
from typing import Final, TextIO, TypeAlias

from ..escapes import escaped
from .description import Block, Grid, Text, Words, dim, joined, text
from .layout import GAP, LEAST, Columns, fitted, folds, width

SGR: Final = {"bold": 1, "dim": 2, "red": 31, "green": 32, "yellow": 33, "magenta": 35, "cyan": 36}
"""What a terminal is sent for a style (ECMA-48)."""
CSS: Final = {
    "bold": "font-weight:bold", "dim": "opacity:.6", "red": "color:#d9534f", "green": "color:#2e9e5b",
    "yellow": "color:#b8860b", "magenta": "color:#b85cb8", "cyan": "color:#2a9d9d",
}  # fmt: skip
"""Colours that are told from white and from black."""
SHEET: Final = (
    "<style>.lepton.lepton p{margin:0;white-space:pre-wrap;overflow-wrap:break-word}"
    ".lepton.lepton p:empty{height:.7em}.lepton.lepton div{overflow-x:auto}"
    ".lepton.lepton table{margin:.2em 0;border-collapse:collapse;color:inherit;font:inherit;table-layout:auto}"
    ".lepton.lepton th,.lepton.lepton td{text-align:left;vertical-align:top;padding:.15em 1em .15em 0;"
    "white-space:pre;font-weight:normal;font-variant-numeric:tabular-nums}"
    ".lepton.lepton .right{text-align:right}.lepton.lepton .long{white-space:pre-wrap;min-width:16em}</style>"
)
USUAL: Final = 80
"""Columns of a terminal that does not know how many it has."""
NOTEBOOK: Final = 100
"""Columns of what a notebook shows of `print`."""
FEW: Final = 4
"""Rows that are turned into columns where their own columns do not fit beside each other."""
MANY: Final = 12
"""Columns that a page shows of so few rows."""
LONG: Final = 32
"""Cells of what is folded on a page, and not below half of that."""
Styled: TypeAlias = Callable[[str, str], str]
"""Makes HTML that stands out of escaped words and their style."""


def screen(stream: TextIO | None = None) -> int | None:
    """The columns of the screen that a stream, stdout if left out, writes to; None where it is none: a line a row.

    COLUMNS says it first, as everywhere (POSIX), of pipes too.
    """
    told = os.environ.get("COLUMNS", "")
    if told.isdecimal() and int(told):
        return int(told)
    stream = stream or sys.stdout
    if stream is not None and stream.isatty():  # pyright: ignore[reportUnnecessaryComparison] - pythonw has none
        with suppress(OSError, ValueError):
            return os.get_terminal_size(stream.fileno()).columns or USUAL
        return USUAL
    return NOTEBOOK if type(stream).__module__.partition(".")[0] == "ipykernel" else None


def terminal(blocks: Iterable[Block], room: int | None = None) -> Iterator[str]:
    """Lines with the codes that make a terminal show styles, none wider than the room."""
    return _lines(blocks, room, styled=True)


def plain_text(blocks: Iterable[Block], room: int | None = None) -> str:
    """Lines without any style, none wider than the room."""
    return "\n".join(_lines(blocks, room, styled=False))


def html(blocks: Iterable[Block]) -> str:
    """A fragment of HTML, all words escaped; what is wider than the page scrolls in its own box."""
    return f'<div class="lepton">{SHEET}{"".join(elements(blocks, _css, "<div>"))}</div>'


def elements(blocks: Iterable[Block], styled: Styled, box: str) -> Iterator[str]:
    """A paragraph a line and a table a grid, all words escaped; `box` begins the `div` that a table scrolls in."""
    for each in blocks:
        yield _html_grid(each, styled, box) if isinstance(each, Grid) else f"<p>{_span(each, styled)}</p>"


def _lines(blocks: Iterable[Block], room: int | None, *, styled: bool) -> Iterator[str]:
    room = room and max(LEAST, room)
    for each in blocks:
        if isinstance(each, Grid):
            yield from _aligned(each, room, styled=styled)
        else:
            words = _escaped(each)
            yield from (_drawn(line, styled=styled).rstrip() for line in _folded(words, room, _indent(str(words))))


def _indent(line: str) -> str:
    """What a line goes on behind: its own indent, and a little more."""
    return " " * (min(len(line) - len(line.lstrip(" ")), LEAST // 2) + GAP)


def _folded(words: Text, room: int | None, indent: str = "") -> list[Text]:
    """Words line by line; behind the first line each begins with the indent."""
    if room is None or width(str(words)) <= room:
        return [words]
    (begin, end), *others = folds(str(words), room)
    if not indent:
        return [_part(words, *each) for each in ((begin, end), *others)]
    rest = _part(words, end, None)
    rest = _part(rest, len(str(rest)) - len(str(rest).lstrip(" ")), None)
    more = (_part(rest, *each) for each in folds(str(rest), room - len(indent)))
    return [_part(words, begin, end), *(text(indent, each) for each in more)]


def _part(words: Text, begin: int, end: int | None) -> Text:
    """Characters of words from a place on up to another, each in its style."""
    parts, at = list[tuple[str, str]](), 0
    for stretch, style in words.stretches:
        parts.append((stretch[max(0, begin - at) : None if end is None else max(0, end - at)], style))
        at += len(stretch)
    return Text(tuple(part for part in parts if part[0]))


def _aligned(grid: Grid, room: int | None, *, styled: bool) -> Iterator[str]:
    """The lines of a grid: where it is too wide one block of its columns below the other."""
    room = room and room - grid.indent
    blocks = _blocks(grid, room)
    if len(blocks) > 1 and (other := turned(grid) if grid.head else _running_on(grid)):
        fewer = _blocks(other, room)
        grid, blocks = (other, fewer) if len(fewer) < len(blocks) else (grid, blocks)
    rows = _cells(grid)
    for place, block in enumerate(blocks):
        yield from [""] if place else []
        for number, row in enumerate(rows):
            below = grid.below[number] if number < len(grid.below) else ""
            for line in _row(row, below, block, grid.right):
                yield f"{' ' * grid.indent}{'  '.join(_drawn(cell, styled=styled) for cell in line)}".rstrip()


def _blocks(grid: Grid, room: int | None) -> list[Columns]:
    columns = _columns(_cells(grid))
    return fitted(columns, room, grid.right) if columns else []


def _columns(rows: Iterable[Sequence[Text]]) -> list[tuple[str, ...]]:
    return list(zip_longest(*([str(cell) for cell in row] for row in rows), fillvalue=""))


def _cells(grid: Grid) -> list[list[Text]]:
    head = [tuple(map(dim, grid.head))] if grid.head else []
    return [[_escaped(cell) for cell in row] for row in (*head, *grid.rows)]


def _row(row: Sequence[Text], below: Words, block: Columns, right: frozenset[int]) -> Iterator[list[Text]]:
    """The lines that a row takes within a block."""
    present = [(at, wide) for at, wide in zip(block.places, block.widths, strict=True) if at < len(row)]
    folded = [_folded(row[at], wide) for at, wide in present]
    for number in range(max(map(len, folded), default=1)):
        line: list[Text] = []
        for (at, wide), lines in zip(present, folded, strict=True):
            cell = lines[number] if number < len(lines) else _part(_escaped("" if at else below), 0, wide)
            line.append(_padded(cell, wide, right=at in right))
        yield line


def _padded(cell: Text, wide: int, *, right: bool) -> Text:
    pad = " " * (wide - width(str(cell)))
    return text(pad, cell) if right else text(cell, pad)


def _running_on(grid: Grid) -> Grid:
    """A grid without a head as one of two columns: what a row is of, and all else of it behind that."""
    cells = _cells(grid)
    natural = [max(map(width, column)) for column in _columns(cells)]
    rows: list[tuple[Words, ...]] = []
    for row in cells:
        others = [_padded(cell, natural[at], right=at in grid.right) for at, cell in enumerate(row) if at]
        rows.append((*row[:1], joined(" " * GAP, [*others[:-1], *row[1:][-1:]])))
    return replace(grid, rows=tuple(rows), right=grid.right & {0})


def turned(grid: Grid) -> Grid | None:
    """A grid of few rows as one whose columns stand below each other, a name and its values a row; else None."""
    if not 0 < len(grid.rows) <= FEW or any(len(row) > len(grid.head) for row in grid.rows):
        return None
    values = zip_longest(*grid.rows, fillvalue="")
    return Grid(tuple((dim(name), *each) for name, each in zip(grid.head, values, strict=False)), indent=grid.indent)


def _escaped(words: Words) -> Text:
    return Text(tuple((escaped(each), style) for each, style in _stretches(words)))


def _drawn(words: Words, *, styled: bool) -> str:
    return "".join(_coded(each, style) if styled and style and each else each for each, style in _stretches(words))


def _stretches(words: Words) -> tuple[tuple[str, str], ...]:
    return words.stretches if isinstance(words, Text) else ((words, ""),)


def _coded(words: str, style: str) -> str:
    return "".join(f"\x1b[{SGR[each]}m" for each in style.split()) + f"{words}\x1b[0m"


def _html_grid(grid: Grid, styled: Styled, box: str) -> str:
    grid = (turned(grid) if len(grid.head) > MANY else None) or grid
    head = "".join(
        _html_cell("th", "col", dim(each), place in grid.right, styled) for place, each in enumerate(grid.head)
    )
    body = "".join(f"<tr>{''.join(_html_row(grid, row, styled))}</tr>" for row in grid.rows)
    table = f"<table>{f'<thead><tr>{head}</tr></thead>' if head else ''}<tbody>{body}</tbody></table>"
    return f"{box}{table}</div>"


def _html_row(grid: Grid, row: Sequence[Words], styled: Styled) -> Iterator[str]:
    """Its cells, the first as the head of the row."""
    for place, cell in enumerate(row):
        yield _html_cell("td" if place else "th", "row", cell, place in grid.right, styled)


def _html_cell(tag: str, scope: str, words: Words, right: bool, styled: Styled) -> str:
    kind = "right" if right else "long" if width(str(words)) > LONG else ""
    scope = f" scope={scope}" if tag == "th" else ""
    return f"<{tag}{scope}{f' class={kind}' if kind else ''}>{_span(words, styled)}</{tag}>"


def _span(words: Words, styled: Styled) -> str:
    stretches = ((escape(escaped(each)), style) for each, style in _stretches(words))
    return "".join(styled(each, style) if style else each for each, style in stretches)


def _css(words: str, style: str) -> str:
    return f'<span style="{";".join(CSS[name] for name in style.split())}">{words}</span>'
