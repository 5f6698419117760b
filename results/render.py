"""Descriptions drawn: as lines for a terminal, as bare lines, and as HTML that is readable on light and dark."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from itertools import zip_longest
from typing import Final
from unicodedata import combining, east_asian_width

from ..escapes import escaped
from .description import Block, Grid, Text, Words, dim

SGR: Final = {"bold": 1, "dim": 2, "red": 31, "green": 32, "yellow": 33, "magenta": 35, "cyan": 36}
"""What a terminal is sent for a style (ECMA-48)."""
CSS: Final = {
    "bold": "font-weight:bold", "dim": "opacity:.6", "red": "color:#d9534f", "green": "color:#2e9e5b",
    "yellow": "color:#b8860b", "magenta": "color:#b85cb8", "cyan": "color:#2a9d9d",
}  # fmt: skip
"""Colours that are told from white and from black."""
SHEET: Final = (
    "<style>.lepton.lepton p{margin:0;white-space:pre-wrap}.lepton.lepton p:empty{height:.7em}"
    ".lepton.lepton table{margin:.2em 0;border-collapse:collapse;color:inherit;font:inherit}"
    ".lepton.lepton th,.lepton.lepton td{text-align:left;vertical-align:top;padding:.15em 1em .15em 0}"
    ".lepton.lepton th{font-weight:normal}.lepton.lepton .right{text-align:right}</style>"
)


def terminal(blocks: Iterable[Block]) -> Iterator[str]:
    """Lines with the codes that make a terminal show styles."""
    return _lines(blocks, styled=True)


def plain_text(blocks: Iterable[Block]) -> str:
    """Lines without any style."""
    return "\n".join(_lines(blocks, styled=False))


def html(blocks: Iterable[Block]) -> str:
    """A fragment of HTML, all words escaped."""
    parts = (_html_grid(each) if isinstance(each, Grid) else f"<p>{_span(each)}</p>" for each in blocks)
    return f'<div class="lepton">{SHEET}{"".join(parts)}</div>'


def width(words: str) -> int:
    """The places that words take on a terminal; wide characters take two."""
    return len(words) if words.isascii() else sum(map(_places, words))


def _places(character: str) -> int:
    return 0 if combining(character) else 2 if east_asian_width(character) in "WF" else 1


def _lines(blocks: Iterable[Block], *, styled: bool) -> Iterator[str]:
    for each in blocks:
        if isinstance(each, Grid):
            yield from _aligned(each, styled=styled)
        else:
            yield _drawn(each, styled=styled).rstrip()


def _aligned(grid: Grid, *, styled: bool) -> Iterator[str]:
    rows = _with_head(grid)
    bare = [[_drawn(cell, styled=False) for cell in row] for row in rows]
    widths = [max(map(width, column)) for column in zip_longest(*bare, fillvalue="")]
    for row, words in zip(rows, bare, strict=True):
        cells: list[str] = []
        for place, (cell, wide) in enumerate(zip(row, widths, strict=False)):
            drawn, room = _drawn(cell, styled=styled), " " * (wide - width(words[place]))
            cells.append(room + drawn if place in grid.right else drawn + room)
        yield f"{' ' * grid.indent}{'  '.join(cells)}".rstrip()


def _with_head(grid: Grid) -> Sequence[Sequence[Words]]:
    return [*([tuple(map(dim, grid.head))] if grid.head else []), *grid.rows]


def _drawn(words: Words, *, styled: bool) -> str:
    stretches = ((escaped(each), style) for each, style in _stretches(words))
    return "".join(_coded(each, style) if styled and style and each else each for each, style in stretches)


def _stretches(words: Words) -> tuple[tuple[str, str], ...]:
    return words.stretches if isinstance(words, Text) else ((words, ""),)


def _coded(words: str, style: str) -> str:
    return "".join(f"\x1b[{SGR[each]}m" for each in style.split()) + f"{words}\x1b[0m"


def _html_grid(grid: Grid) -> str:
    head = "".join(_html_cell("th", dim(each), place in grid.right) for place, each in enumerate(grid.head))
    body = "".join(f"<tr>{''.join(_html_row(grid, row))}</tr>" for row in grid.rows)
    return f"<table>{f'<thead><tr>{head}</tr></thead>' if head else ''}<tbody>{body}</tbody></table>"


def _html_row(grid: Grid, row: Sequence[Words]) -> Iterator[str]:
    """Its cells; without a head above them the first is the head of the row."""
    for place, cell in enumerate(row):
        yield _html_cell("td" if place or grid.head else "th", cell, place in grid.right)


def _html_cell(tag: str, words: Words, right: bool) -> str:
    return f"<{tag}{' class=right' if right else ''}>{_span(words)}</{tag}>"


def _span(words: Words) -> str:
    stretches = ((escape(escaped(each)), style) for each, style in _stretches(words))
    return "".join(_css(each, style) if style else each for each, style in stretches)


def _css(words: str, style: str) -> str:
    return f'<span style="{";".join(CSS[name] for name in style.split())}">{words}</span>'
