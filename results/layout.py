"""How words are fitted to a screen: the cells that they take, lines folded, columns of a grid in blocks that fit."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

Seam: TypeAlias = tuple[int, int]
"""Where in a text one line ends, and where the next begins."""

LEAST: Final = 20
"""Cells of the narrowest screen that anything is fitted to."""
GAP: Final = 2
"""Cells between two columns."""
FLOOR: Final = 20
"""Cells that a column of several words is not folded below, where the screen has them."""
WORD: Final = 32
"""Cells that a column of long words is not folded below: half of a digest's digits."""
WIDE: Final = 2
"""Cells of a character whose script is broken anywhere."""
SEAMS: Final = "./_-,:;|"
"""Behind which a long word is rather broken than elsewhere."""

_NARROW: Final = re.compile("[ -~\u00a0-\u00ac\u00ae-\u02ff\u2010-\u2015\u2018-\u2027\u2190-\u2193]*")
"""What takes one cell a character on every terminal: Latin letters, dashes, quotes, dots and arrows."""
_IDEOGRAPH: Final = re.compile("[\u3001-\u3029\u4e00-\u9fff\uff01-\uff60]")
"""What takes two: Chinese as it is mostly written."""
_RUN: Final = re.compile("[!-\u10ff]+")
"""Characters of one word; scripts that put no spaces between words are broken anywhere."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Columns of a grid that stand beside each other: their places, and the cells that each takes."""

    places: tuple[int, ...]
    widths: tuple[int, ...]


def width(words: str) -> int:
    """The cells that words take on a terminal: wide characters take two, combining marks none."""
    if (words.isascii() and words.isprintable()) or _NARROW.fullmatch(words):
        return len(words)
    rest, wide = _IDEOGRAPH.subn("", words)
    if _NARROW.fullmatch(rest):
        return len(words) + wide
    from rich.cells import cell_len

    return cell_len(words)


def folds(words: str, room: int) -> list[tuple[int, int]]:
    """Where the lines of words begin and end that take no more cells than there is room.

    A line ends at a space, else behind a dot or the like in its second half, else wherever it is full.
    """
    if width(words) <= room:
        return [(0, len(words))]
    lines, start, used = list[tuple[int, int]](), 0, 0
    seam: Seam | None = None
    for begin, end in _characters(words):
        blank, cells = words[begin:end] == " ", width(words[begin:end])
        if blank and lines and begin == start:
            start = end  # spaces that a line was broken at
            continue
        if used + cells > room and begin > start:
            stop, resumed = (begin, end) if blank else (seam if seam and cells < WIDE else None) or (begin, begin)
            lines.append((start, stop))
            start, seam, used = resumed, None, width(words[resumed:begin])
            if blank:
                continue
        seam = _seam(words, (begin, end), seam, late=used >= room // 2) if begin > start else seam
        used += cells
    return [*lines, (start, len(words))] if start < len(words) else lines


def _seam(words: str, character: tuple[int, int], seam: Seam | None, *, late: bool) -> Seam | None:
    """Where a line would rather end, and the next begin, with one character more: spaces come before all else."""
    begin, end = character
    spaced = seam is not None and words[seam[1] - 1] == " "
    if words[begin:end] == " ":
        return (seam[0] if seam and spaced and seam[1] == begin else begin), end
    return (end, end) if late and not spaced and words[begin] in SEAMS else seam


def fitted(columns: Sequence[Sequence[str]], room: int | None, unbroken: frozenset[int]) -> list[Columns]:
    """Blocks of columns that fit, the first column in each. Those `unbroken` are folded only where nothing else helps.

    Without a `room` all of them stand in one block.
    """
    natural = [max(map(width, column)) for column in columns]
    everything = tuple(range(len(columns)))
    if room is None or sum(natural) + GAP * (len(natural) - 1) <= room:
        return [Columns(everything, tuple(natural))]
    least = [
        wide if place in unbroken else min(wide, max(FLOOR, min(WORD, _longest(column))))
        for place, (wide, column) in enumerate(zip(natural, columns, strict=True))
    ]
    if len(columns) > 1:
        rest = room - GAP - min(FLOOR, max(natural[1:]))
        key = min(least[0], max(room // 2 - GAP, rest))
        least = [key, *(min(wide, room - key - GAP) for wide in least[1:])]
    else:
        least = [min(least[0], room)]
    return [_widened(block, natural, least, room) for block in _blocks(least, room)]


def _blocks(least: Sequence[int], room: int) -> Iterator[tuple[int, ...]]:
    block = [0]
    for place in range(1, len(least)):
        if len(block) > 1 and sum(least[each] for each in block) + least[place] + GAP * len(block) > room:
            yield tuple(block)
            block = [0]
        block.append(place)
    yield tuple(block)


def _widened(block: Sequence[int], natural: Sequence[int], least: Sequence[int], room: int) -> Columns:
    """Columns with what room is left given to the narrowest of those that are folded, and so on."""
    room -= GAP * (len(block) - 1)

    def widths(cap: int) -> tuple[int, ...]:
        return tuple(max(least[place], min(natural[place], cap)) for place in block)

    caps = (cap for cap in range(room, 0, -1) if sum(widths(cap)) <= room)
    return Columns(tuple(block), widths(next(caps, 0)))


def _longest(cells: Sequence[str]) -> int:
    return max((len(run) for cell in cells for run in _RUN.findall(cell)), default=0)


def _characters(words: str) -> Iterator[tuple[int, int]]:
    """Where each character begins and ends that is shown as one: with its marks, and what joiners join."""
    if words.isascii():
        yield from ((at, at + 1) for at in range(len(words)))
        return
    begin = 0
    for at in range(1, len(words) + 1):
        if at == len(words) or not _joined(words[begin:at], words[at]):
            yield begin, at
            begin = at


def _joined(before: str, character: str) -> bool:
    if _NARROW.fullmatch(before + character):
        return False
    alone = width(character)
    return alone == 0 or width(before + character) != width(before) + alone
