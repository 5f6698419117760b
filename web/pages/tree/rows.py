"""The rows of a tree: which lines pass each, and how they lead from a version to its parents, as paths of an SVG.

A row depends on nothing but its place, so that pages of a history, put together, show what one page of all would.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from .lanes import MOST, Lanes

WIDE: Final = 14
"""Units of a lane's width; a row is `HIGH` units high, and stretched to the height of its text."""
HIGH: Final = 32
HALF: Final = HIGH // 2


@dataclass(frozen=True)
class TreeRow:
    """What is drawn beside one row: lines as SVG paths with their lanes, the lane of its version, and hidden lines."""

    lines: tuple[tuple[int, str], ...] = ()
    node: int | None = None
    """A version whose lane is not drawn stands to the right of all that are."""
    hidden: int = 0
    parent: int | None = None
    """The version that it came from."""
    child: int | None = None
    """A version that came from it."""

    @property
    def dot(self) -> str:
        """Where the version stands, as a path without length, which a round cap makes a dot."""
        return "" if self.node is None else f"M{_x(self.node)} {HALF}h.01"


def width(rows: Iterable[TreeRow]) -> int:
    """Units of the lanes that some rows take."""
    lanes = [lane for row in rows for lane in (*(lane for lane, _ in row.lines), row.node or 0)]
    return WIDE * (max(lanes, default=0) + 1)


def row_of(lanes: Lanes, number: int) -> TreeRow:
    """The row of a version."""
    own = lanes.line_of(number)
    line, node = lanes.lines[own], min(lanes.lane[own], MOST)
    lane = lanes.lane
    drawn = [(lane[each], lane[each], lane[each], 0, HIGH) for each in lanes.beside(number) if each != own]
    if line.end > number:
        drawn.append((lane[own], node, node, 0, HALF))
    drawn += [(lane[each], lane[each], node, 0, HALF) for each in lanes.forks(number)]
    if line.start < number:
        drawn.append((lane[own], node, node, HALF, HIGH))
    drawn += [(lane[each], node, lane[each], HALF, HIGH) for each in lanes.merges(number)]
    lines = tuple((lane, _path(*rest)) for lane, *rest in drawn if lane < MOST)
    parent = next(iter(lanes.parents(number)), None)
    return TreeRow(lines, node, lanes.hidden_beside(number), parent, lanes.child(number))


def row_behind(lanes: Lanes, number: int) -> TreeRow:
    """A row that made no version, between a version and the next."""
    passing = (lanes.lane[each] for each in lanes.behind(number))
    lines = tuple((lane, _path(lane, lane, 0, HIGH)) for lane in passing)
    return TreeRow(lines, hidden=lanes.hidden_behind(number))


def _path(start: int, end: int, top: int, bottom: int) -> str:
    if start == end:
        return f"M{_x(start)} {top}V{bottom}"
    middle = (top + bottom) // 2
    return f"M{_x(start)} {top}C{_x(start)} {middle} {_x(end)} {middle} {_x(end)} {bottom}"


def _x(lane: int) -> int:
    return WIDE * lane + WIDE // 2
