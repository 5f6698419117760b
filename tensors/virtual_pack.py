"""A virtual pack: the stored payloads that a restore rests on, one after another, as if they were one object.

Whoever has its index and can read ranges of it restores as its ledger does: over the same deltas, verifying all.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, chain
from typing import Any, Final

from ..errors import Damaged
from .canonical import canonical
from .delta import Slot
from .digest import digest_of, is_digest
from .graph import Edge, Graph, Route
from .objects import ObjectStore, Range, read_ranges
from .pack import Placement
from .way import Placements, Way

FORMAT: Final = "lepton.restoring.v1"


@dataclass(frozen=True)
class VirtualPack:
    """Payloads in the order in which a restore reads them: manifests first, then deltas, then chunks."""

    route: Route
    entries: tuple[Placement, ...]
    """Where each really lies."""
    manifests: int
    """How many of the entries are manifests."""

    @cached_property
    def ends(self) -> Sequence[int]:
        """Where each entry ends in the virtual pack."""
        return tuple(accumulate(entry.length for entry in self.entries))

    @property
    def size(self) -> int:
        """Bytes of all payloads."""
        return self.ends[-1] if self.entries else 0

    @cached_property
    def etag(self) -> str:
        """A digest over the index: parts that were read under one belong together."""
        return digest_of(canonical(self.index))

    @cached_property
    def index(self) -> dict[str, Any]:
        """Where payloads lie in this pack, and the deltas to walk, as JSON. A `head` of so many bytes has manifests."""
        steps = self.route.steps
        return {
            "format": FORMAT,
            "size": self.size,
            "head": self.ends[self.manifests - 1],
            "start": self.route.start,
            "cost": self.route.cost - sum(edge.bytes for edge, _ in steps),
            "edges": [[edge.base, edge.new, edge.digest, edge.bytes, edge.two_way] for edge, _ in steps],
            "entries": [
                [entry.digest, start, entry.length]
                for entry, start in zip(self.entries, chain((0,), self.ends), strict=False)
            ],
        }

    def pieces(self, objects: ObjectStore, start: int, stop: int) -> Iterator[memoryview]:
        """The bytes from `start` to `stop`, as many at a time as the store reads at once. Raises `Damaged`,
        `Unavailable`."""
        for each in _joined(self._ranges(start, stop, objects.block), objects.block):
            yield from read_ranges(objects, (each,))

    def _ranges(self, start: int, stop: int, most: int) -> Iterator[Range]:
        """Where the bytes from `start` to `stop` really lie, entry by entry, none of more than `most` bytes."""
        for number in range(bisect_right(self.ends, start), len(self.entries)):
            _, key, offset, length = self.entries[number]
            begin = self.ends[number] - length
            if begin >= stop:
                return
            for at in range(max(start, begin), min(stop, begin + length), most):
                yield Range(key, offset + at - begin, min(most, stop - at, begin + length - at))


def laid_out(route: Route, way: Way, places: Placements) -> VirtualPack:
    """All that a restore over a route reads. Raises `Damaged` where some of it is not stored."""
    slots = (Slot(owner.name, index) for owner in way.target.owners for index in range(len(owner.chunks)))
    chunks: dict[str, Placement] = {}
    for plans in way.batches(places, slots):
        for plan in plans:
            if not isinstance(plan.start, Placement):
                thing = f"chunk {plan.slot.chunk} of tensor {plan.slot.name!r}, {plan.digest},"
                raise Damaged(thing, expected="a pack that holds it", found="none")
            chunks.setdefault(plan.start.digest, plan.start)
    return _pack(route, way, places, chunks.values())


def laid_out_deltas(route: Route, way: Way, places: Placements) -> VirtualPack:
    """What a walk from tensors at hand reads: manifests and deltas, no chunk."""
    return _pack(route, way, places, ())


def read_index(index: Mapping[str, Any], pack: str) -> tuple[Graph, dict[str, Placement], int]:
    """The graph, the placements in a pack of that key and the bytes of its head. Raises `Damaged`."""
    try:
        if index["format"] != FORMAT:
            raise ValueError(f"format {index['format']!r}")
        places = [Placement(digest, pack, *map(_count, span)) for digest, *span in index["entries"]]
        edges = [Edge(base, new, digest, _count(size), bool(both)) for base, new, digest, size, both in index["edges"]]
        digests = (*(each.digest for each in places), *(edge.digest for edge in edges), index["start"])
        if wrong := next((each for each in digests if not is_digest(each)), None):
            raise ValueError(f"digest {wrong!r}")
        graph = Graph({index["start"]: _count(index["cost"])}, edges)
        return graph, {each.digest: each for each in places}, _count(index["head"])
    except (KeyError, TypeError, ValueError) as error:
        raise Damaged("the index of what is restored", expected=FORMAT, found=f"{error}"[:100]) from error


def _pack(route: Route, way: Way, places: Placements, chunks: Iterable[Placement]) -> VirtualPack:
    digests = dict.fromkeys(manifest.digest for manifest in way.manifests)
    placed = places.find(digests)
    if missing := next((digest for digest in digests if digest not in placed), None):
        raise Damaged(f"manifest {missing}", expected="a pack that holds it", found="none")
    deltas = (leg.delta.place for leg in way.legs)
    return VirtualPack(route, (*(placed[digest] for digest in digests), *deltas, *chunks), len(digests))


def _joined(ranges: Iterable[Range], most: int) -> Iterator[Range]:
    """Ranges with neighbours made one, as long as none becomes longer than `most`."""
    last: Range | None = None
    for each in ranges:
        if last is None:
            last = each
        elif each[:2] == (last.key, last.offset + last.length) and last.length + each.length <= most:
            last = last._replace(length=last.length + each.length)
        else:
            yield last
            last = each
    if last is not None:
        yield last


def _count(value: object) -> int:
    if type(value) is not int or value < 0:
        raise ValueError(f"{value!r} is no count")
    return value
