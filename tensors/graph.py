"""The graph of versions: keyframes to start from, deltas to walk along.

A new version's delta starts from an older one, so every version rests only on older ones: a head that hangs on
one-way edges can be lost without endangering its past. Two-way edges add ways back; they are never needed for one.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeAlias

from ..errors import Damaged

if TYPE_CHECKING:
    from .codec import Direction  # which needs numpy: a path is found without it

# The two bounds on a restore, as in Bhattacherjee et al., "Principles of Dataset Versioning: Exploring the
# Recreation/Storage Tradeoff" (VLDB 2015): least storage such that no version costs more than so much to recreate.
# Decision record 0003 has the measured curve: without the bound on cost, fp32 takes 2 % less room, and its slowest
# restore half as long again.
MAX_DEPTH = 8
MAX_COST = 4.0  # bytes read for a restore, in multiples of the keyframe it starts from


@dataclass(frozen=True)
class Edge:
    """A delta of so many bytes between two manifests; walked back only if `two_way`."""

    base: str
    new: str
    digest: str
    bytes: int
    two_way: bool


Step: TypeAlias = "tuple[Edge, Direction]"


class Route(NamedTuple):
    """Deltas to apply to `start`, in order: +1 from base to new, −1 from new to base. `cost` is bytes to read."""

    start: str
    steps: tuple[Step, ...]
    cost: int


class _Link(NamedTuple):
    """A way to reach a version: apply `step` to `source`."""

    source: str
    step: Step


class Deltas(Protocol):
    """All deltas of a model, however many there are."""

    def around(self, *manifests: str) -> Graph:
        """The graph of what these rest on: the deltas that lead to them and to what those lead from."""
        ...


@dataclass(frozen=True)
class Graph:
    """Keyframes (manifest digest to the bytes a restore of it reads) and deltas."""

    keyframes: Mapping[str, int]
    edges: Collection[Edge]

    def around(self, *manifests: str) -> Graph:  # noqa: ARG002 - it is small already
        """All of it."""
        return self

    @cached_property
    def _links(self) -> Mapping[str, list[_Link]]:
        links: dict[str, list[_Link]] = {}
        for edge in self.edges:
            links.setdefault(edge.new, []).append(_Link(edge.base, (edge, 1)))
            if edge.two_way:
                links.setdefault(edge.base, []).append(_Link(edge.new, (edge, -1)))
        return links

    def __contains__(self, manifest: str) -> bool:
        return manifest in self.keyframes or any(edge.new == manifest for edge in self.edges)

    def cheapest(self, target: str, at_hand: Collection[str] = ()) -> Route:
        """The path to `target` with the fewest bytes to read (Dijkstra, from the target back).

        What is at hand costs nothing to start from. Raises `Damaged` if no path leads there.
        """
        best: Route | None = None
        done: set[str] = set()
        count = itertools.count()  # decides between equals, which steps cannot
        queue: list[tuple[int, int, int, str, tuple[Step, ...]]] = [(0, 0, 0, target, ())]
        while queue and (best is None or queue[0][0] < best.cost):
            cost, depth, _, version, steps = heapq.heappop(queue)
            if version in done:
                continue
            done.add(version)
            start = 0 if version in at_hand else self.keyframes.get(version)
            if start is not None and (best is None or cost + start < best.cost):
                best = Route(version, steps, cost + start)
            for source, step in self._links.get(version, ()):
                if source not in done:
                    heapq.heappush(queue, (cost + step[0].bytes, depth + 1, next(count) + 1, source, (step, *steps)))
        if best is None:
            raise Damaged(f"manifest {target}", expected="a path of deltas from a keyframe", found="none")
        return best

    def may_extend(self, base: str) -> bool:
        """Whether a delta from `base` keeps the restore of its result within both bounds.

        The coming delta is taken to be as large as the last one on the way.
        """
        try:
            path = self.cheapest(base)
        except Damaged:
            return False
        coming = path.steps[-1][0].bytes if path.steps else 0
        start = self.keyframes[path.start]
        return len(path.steps) < MAX_DEPTH and path.cost + coming <= MAX_COST * start
