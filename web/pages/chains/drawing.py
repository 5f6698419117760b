"""A drawing of what waits for what: boxes from left to right, each in the column behind the last one that it needs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from ....results.work.jobs import COLOURS

WIDTH: Final = 188
"""Of a box and the way to the next."""
HEIGHT: Final = 56
LONGEST: Final = 20
"""Characters that fit into a box."""
BOX: Final = (148, 40)


class Node(NamedTuple):
    """Something that may wait for others of its kind."""

    key: str
    needs: Sequence[str]
    kind: str
    status: str
    name: str


class Box(NamedTuple):
    """A node in the drawing, by the corner at its top and left."""

    node: Node
    x: int
    y: int

    @property
    def style(self) -> str:
        """How its status is coloured everywhere."""
        return COLOURS.get(self.node.status, "")

    @property
    def name(self) -> str:
        """Its name as far as it fits."""
        name = self.node.name
        return name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…"


@dataclass(frozen=True)
class NeedsDrawing:
    """Nodes laid out."""

    boxes: Sequence[Box]
    ways: Sequence[str]
    """The paths from a node to those that wait for it."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        return max(box.x for box in self.boxes) + BOX[0] + 2, max(box.y for box in self.boxes) + BOX[1] + 2


def drawing(nodes: Iterable[Node]) -> NeedsDrawing:
    """Nodes laid out, each given behind those that it needs; a need that is not among them is not drawn."""
    columns: dict[str, int] = {}
    rows: Counter[int] = Counter()
    boxes: dict[str, Box] = {}
    for node in nodes:
        column = max((columns[name] + 1 for name in node.needs if name in columns), default=0)
        columns[node.key] = column
        boxes[node.key] = Box(node, 1 + column * WIDTH, 1 + rows[column] * HEIGHT)
        rows[column] += 1
    ways = [_way(boxes[name], box) for box in boxes.values() for name in box.node.needs if name in boxes]
    return NeedsDrawing(tuple(boxes.values()), ways)


def _way(start: Box, end: Box) -> str:
    x, y, to, down = start.x + BOX[0], start.y + BOX[1] // 2, end.x, end.y + BOX[1] // 2
    middle = (x + to) // 2
    return f"M{x} {y}C{middle} {y} {middle} {down} {to} {down}"
