"""The tree beside a history: which lines pass a row, and how they lead from each version to its parents.

Rows come newest first. A line in a lane waits for the version that it leads to; main has the first lane, and beyond
`MOST` lanes are told by their count.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

MOST: Final = 12
"""Lanes that are drawn."""
WIDE: Final = 14
"""Units of a lane's width; a row is `HIGH` units high, and stretched to the height of its text."""
HIGH: Final = 32
MAIN: Final = "main"


@dataclass(frozen=True)
class TreeEntry:
    """A version of a history."""

    number: int
    branch: str
    parents: tuple[int, ...]


@dataclass(frozen=True)
class TreeRow:
    """What is drawn beside one row: lines as SVG paths with their lanes, the lane of its version, and hidden lanes."""

    lines: tuple[tuple[int, str], ...]
    node: int | None = None
    hidden: int = 0

    @property
    def dot(self) -> str:
        """Where the version stands, as a path without length, which a round cap makes a dot."""
        return "" if self.node is None else f"M{_x(self.node)} {HIGH // 2}h.01"


@dataclass(frozen=True)
class HistoryTree:
    """The rows, and how wide they are."""

    rows: tuple[TreeRow, ...]

    @property
    def width(self) -> int:
        """Units of all lanes."""
        lanes = [lane for row in self.rows for lane, _ in row.lines] + [row.node or 0 for row in self.rows]
        return WIDE * (max(lanes, default=0) + 1)


def tree(entries: Iterable[TreeEntry | None]) -> HistoryTree:
    """The tree of some entries, newest first; None for one that made no version."""
    lanes: list[int | None] = []
    return HistoryTree(tuple(_row(entry, lanes) for entry in entries))


def _row(entry: TreeEntry | None, lanes: list[int | None]) -> TreeRow:
    above = list(lanes)
    if entry is None:
        return _drawn(((lane, lane, 0, HIGH) for lane in _taken(above)), None)
    node = next((lane for lane in _taken(above) if above[lane] == entry.number), None)
    node = _free(lanes, entry.branch) if node is None else node
    lanes[:] = [None if number == entry.number else number for number in lanes]
    lanes += [None] * (node + 1 - len(lanes))
    targets: list[int] = []
    for place, parent in enumerate(entry.parents):
        lane = next((lane for lane in _taken(lanes) if lanes[lane] == parent), None)
        if lane is None or (place == 0 and lane > node):  # the leftmost goes on, and others come to it
            lane = node if place == 0 else _free(lanes, "")
            lanes += [None] * (lane + 1 - len(lanes))
            lanes[lane] = parent
        targets.append(lane)
    half = HIGH // 2
    passing = ((lane, lane, 0, HIGH) for lane in _taken(above) if above[lane] != entry.number)
    coming = ((lane, node, 0, half) for lane in _taken(above) if above[lane] == entry.number)
    going = ((node, lane, half, HIGH) for lane in targets)
    return _drawn((*passing, *coming, *going), node)


def _taken(lanes: Sequence[int | None]) -> Iterator[int]:
    return (lane for lane, number in enumerate(lanes) if number is not None)


def _free(lanes: Sequence[int | None], branch: str) -> int:
    """The first lane that nothing waits in; the very first is for main."""
    if branch == MAIN and (not lanes or lanes[0] is None):
        return 0
    return next((lane for lane in range(1, len(lanes)) if lanes[lane] is None), max(1, len(lanes)))


def _drawn(lines: Iterable[tuple[int, int, int, int]], node: int | None) -> TreeRow:
    found = list(lines)
    shown = [line for line in found if max(line[0], line[1]) < MOST]
    seen = None if node is None else min(node, MOST - 1)
    return TreeRow(tuple((max(line[0], line[1]), _path(*line)) for line in shown), seen, len(found) - len(shown))


def _path(start: int, end: int, top: int, bottom: int) -> str:
    if start == end:
        return f"M{_x(start)} {top}V{bottom}"
    middle = (top + bottom) // 2
    return f"M{_x(start)} {top}C{_x(start)} {middle} {_x(end)} {middle} {_x(end)} {bottom}"


def _x(lane: int) -> int:
    return WIDE * lane + WIDE // 2
