"""A way through the graph, ready to be walked: it makes chunks of one version out of what is stored or at hand."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import NamedTuple, Protocol

import numpy as np

from ..errors import Damaged
from .codec import Direction, apply_delta
from .delta import DeltaIndex, Pairing, Slot, read_delta_index, verify_delta
from .digest import digest_of
from .manifest import Manifest, chunk_bytes
from .objects import Range, ReadableObjects, read_ranges
from .pack import Placement
from .stored_content import chunk_of
from .tensor import Bytes, Tensor
from .threads import scratch

BATCH = 4 << 20  # raw bytes whose payloads one thread reads at a time
_CHUNK_SLOT = 5  # of a thread's scratch memory; the codec has others
_BYTE = np.dtype(np.uint8)


class AtHandDiffers(Exception):
    """A tensor at hand is not what its manifest says; the way must start elsewhere. Never leaves this room."""


class Placements(Protocol):
    """Tells where the bytes of digests lie; what it leaves out lies nowhere. Asked only in the caller's thread."""

    def find(self, digests: Collection[str]) -> Mapping[str, Placement]: ...


class StoredDelta:
    """A delta where it lies. Its index and its payloads are read when they are asked for.

    A version whose chunks were all stored again does not need the deltas that once led to it, nor that they are there.
    """

    def __init__(self, objects: ReadableObjects, place: Placement, between: tuple[str, str] | None = None) -> None:
        self._objects = objects
        self.place = place
        self.thing = f"delta {place.digest} in pack {place.pack}"
        self.between = between
        """The manifests that the delta must say it leads from and to, where they are known."""
        self._whole = False
        self._index: DeltaIndex | None = None
        self._reading = Lock()

    @property
    def index(self) -> DeltaIndex:
        """What the delta holds, and where; raises `Damaged`."""
        with self._reading:  # threads that make chunks ask at once; one of them reads
            if self._index is None:
                index = read_delta_index(self.thing, self.place.length, self.read)
                if self.between not in (None, (index.base, index.new)):
                    expected = "a delta from {} to {}".format(*self.between or ())
                    raise Damaged(self.thing, expected=expected, found=f"{index.base} to {index.new}")
                self._index = index
            return self._index

    def read(self, offset: int, length: int) -> bytes | memoryview:
        return self._objects.get(self.place.pack, self.place.offset + offset, length)

    def read_into(self, offset: int, into: memoryview) -> None:
        self._objects.read_into(self.place.pack, self.place.offset + offset, into)

    def payloads(self, slots: Sequence[Slot]) -> list[memoryview]:
        """The payloads of some chunks; `Damaged` if the delta has none for one of them."""
        missing = next((slot for slot in slots if slot not in self.index.spans), None)
        if missing is not None:
            raise Damaged(self.thing, expected=f"chunk {missing.chunk} of {missing.name!r}", found="none")
        spans = [self.index.spans[slot] for slot in slots]
        key, start, _ = self.place[1:]
        return read_ranges(self._objects, [Range(key, start + span.offset, span.length) for span in spans])

    def verify(self) -> None:
        """Compare the whole delta with its digest; raises `Damaged`."""
        if not self._whole:
            verify_delta(self.thing, self.place.digest, self.place.length, self.read)
            self._whole = True  # asked again for every chunk that comes out wrong


class Leg(NamedTuple):
    """One delta of the way, and the direction in which it is walked."""

    pairing: Pairing
    delta: StoredDelta
    direction: Direction


class LiveChunk(NamedTuple):
    """A chunk at hand: what it should be, and a view of what it is."""

    digest: str
    live: Bytes


class Turn(NamedTuple):
    """A leg that changes a chunk, and the place of its payload in that leg's delta."""

    leg: int
    slot: Slot


@dataclass
class ChunkPlan:
    """A chunk to be made: where it begins, what changes it on the way, and what must come out."""

    slot: Slot
    digest: str
    nbytes: int
    start: Placement | LiveChunk | None  # None where it could not be found
    turns: list[Turn] = field(default_factory=list[Turn])


class Live(Protocol):
    """Where a way may start without reading: chunks of its first manifest in memory."""

    def chunk(self, slot: Slot) -> Bytes:
        """A view of a chunk, not yet compared with anything."""
        ...


class AtHand:
    """Live tensors. The last one's bytes are kept while its chunks are planned, for they may be a copy."""

    def __init__(self, manifest: Manifest, tensors: Mapping[str, Tensor]) -> None:
        self._manifest = manifest
        self._tensors = tensors
        self._last: tuple[str, Bytes] | None = None

    def chunk(self, slot: Slot) -> Bytes:
        name = self._manifest.owner(slot.name).name
        if self._last is None or self._last[0] != name:
            if name not in self._tensors:
                raise AtHandDiffers(name)
            self._last = (name, self._tensors[name].raw())
        return chunk_bytes(self._last[1], slot.chunk)


@dataclass(frozen=True)
class Way:
    """From manifests[0] over each leg to manifests[-1]. `at_hand` holds the tensors of manifests[0], if any."""

    objects: ReadableObjects
    manifests: Sequence[Manifest]
    legs: Sequence[Leg]
    at_hand: Live | None = None

    @property
    def target(self) -> Manifest:
        return self.manifests[-1]

    @property
    def rests_on(self) -> set[str]:
        """The digests of all that is read on the way: manifests, deltas, and the chunks it begins with or adds."""
        needed = {*(version.digest for version in self.manifests), *(leg.delta.place.digest for leg in self.legs)}
        added = (leg.pairing.added for leg in self.legs if leg.direction > 0)
        for entries in (self.manifests[0].owners, *added):
            needed |= {digest for entry in entries for digest in entry.chunks}
        return needed

    def batches(self, places: Placements, slots: Iterable[Slot]) -> Iterator[list[ChunkPlan]]:
        """Plan chunks of the target, in batches of a few megabytes. Placements are asked for in this thread."""
        batch: list[Slot] = []
        size = 0
        for slot in slots:
            batch.append(slot)
            size += self.target.owner(slot.name).chunk_nbytes(slot.chunk)
            if size >= BATCH:
                yield self.plan(places, batch)
                batch, size = [], 0
        if batch:
            yield self.plan(places, batch)

    def chunks(self, plans: Sequence[ChunkPlan]) -> Iterator[Bytes]:
        """Make the planned chunks, one after the other; each has its digest, or `Damaged` names what is to blame.

        What is stored is read for all of them at once. Any thread may do it; a chunk lies in that thread's scratch
        memory until the next is asked for.
        """
        for number in {turn.leg for plan in plans for turn in plan.turns}:
            _ = self.legs[number].delta.index  # what is wrong with an index tells more than a digest that differs
        try:
            starts, payloads = self._starts(plans), self._payloads(plans)
        except Damaged:
            for plan in plans:
                self._blame(plan)
            raise
        for plan, start, changes in zip(plans, starts, payloads, strict=True):
            yield self._made(plan, start, changes)

    def plan(self, places: Placements, batch: Sequence[Slot]) -> list[ChunkPlan]:
        """Find where each chunk of the target begins and which legs lead to it, all in one question to `places`."""
        trails = [list(self._trail(slot)) for slot in batch]
        placed = places.find({digest for trail in trails for _, digest in trail})
        return [self._plan_of(slot, trail, placed) for slot, trail in zip(batch, trails, strict=True)]

    def _trail(self, slot: Slot) -> Iterator[tuple[str, str]]:
        """The owners and digests that this chunk had along the way, from the target as far back as deltas lead.

        It is the owner's name that is followed: where tensors were tied once, their deltas are the owner's.
        """
        name = slot.name
        for number in range(len(self.manifests) - 1, -1, -1):
            owner = self.manifests[number].owner(name)
            name = owner.name
            yield name, owner.chunks[slot.chunk]
            if number == 0 or not self.legs[number - 1].pairing.relates(name):
                return

    def _plan_of(self, slot: Slot, trail: Sequence[tuple[str, str]], placed: Mapping[str, Placement]) -> ChunkPlan:
        """Go back from the target until the chunk is found: at hand, unchanged since what is at hand, or stored."""
        plan = ChunkPlan(slot, trail[0][1], self.target.owner(slot.name).chunk_nbytes(slot.chunk), None)
        turns: list[Turn] = []
        last = len(self.manifests) - 1
        first, live = trail[last] if self.at_hand is not None and len(trail) > last else ("", "")
        for back, (name, digest) in enumerate(trail):
            if self.at_hand is not None and digest == live:
                plan.start = LiveChunk(digest, self.at_hand.chunk(Slot(first, slot.chunk)))
            elif digest in placed:
                plan.start = placed[digest]
            if plan.start is not None:
                plan.turns = turns[::-1]
                break
            if back + 1 < len(trail) and trail[back + 1][1] != digest:
                leg = last - 1 - back
                turns.append(Turn(leg, Slot(self.legs[leg].pairing.name_for(name), slot.chunk)))
        return plan

    def _starts(self, plans: Sequence[ChunkPlan]) -> list[memoryview | None]:
        """The stored payload that each chunk begins with; None where it is at hand."""
        for plan in plans:
            if plan.start is None:
                raise Damaged(f"{_thing(plan)}, {plan.digest},", expected="a pack that holds it", found="none")
        places = [plan.start for plan in plans if isinstance(plan.start, Placement)]
        read = iter(read_ranges(self.objects, [Range(place.pack, place.offset, place.length) for place in places]))
        return [next(read) if isinstance(plan.start, Placement) else None for plan in plans]

    def _payloads(self, plans: Sequence[ChunkPlan]) -> list[list[memoryview]]:
        """The payloads of each chunk's turns, in their order."""
        payloads: list[list[memoryview]] = [[] for _ in plans]
        for number, leg in enumerate(self.legs):
            touched = [
                (which, turn.slot) for which, plan in enumerate(plans) for turn in plan.turns if turn.leg == number
            ]
            found = leg.delta.payloads([slot for _, slot in touched])
            for (which, _), payload in zip(touched, found, strict=True):
                payloads[which].append(payload)
        return payloads

    def _made(self, plan: ChunkPlan, start: memoryview | None, changes: Sequence[memoryview]) -> Bytes:
        into = scratch(_CHUNK_SLOT, _BYTE, plan.nbytes)
        live = _held(plan, plan.start) if isinstance(plan.start, LiveChunk) else None
        try:
            if start is not None:
                chunk_of(start, into)
            elif live is not None and not changes:
                into[:] = live
            for turn, payload in zip(plan.turns, changes, strict=True):
                apply_delta(payload, into, self.legs[turn.leg].direction, live)
                live = None  # the first change is made of it
        except Damaged:
            self._blame(plan)
            raise
        if (digest := digest_of(into)) != plan.digest:
            self._blame(plan)
            raise Damaged(_thing(plan), expected=plan.digest, found=digest)
        return into

    def _blame(self, plan: ChunkPlan) -> None:
        """Find what made a chunk come out wrong, and raise its `Damaged`, or `AtHandDiffers`."""
        match plan.start:
            case Placement():
                check_chunk(self.objects, plan.start)
            case LiveChunk(digest, live) if digest_of(live) != digest:
                raise AtHandDiffers(plan.slot.name)
            case _:
                pass
        for turn in plan.turns:
            self.legs[turn.leg].delta.verify()


def check_chunk(objects: ReadableObjects, place: Placement) -> None:
    """Decode a stored chunk and compare it with the digest it bears; raises `Damaged`, naming its pack."""
    thing = f"chunk {place.digest} in pack {place.pack}"
    stored = objects.get(place.pack, place.offset, place.length)
    try:
        found = digest_of(chunk_of(stored))
    except Damaged as error:
        raise Damaged(thing, expected=error.expected, found=error.found) from error
    if found != place.digest:
        raise Damaged(thing, expected=place.digest, found=found)


def _held(plan: ChunkPlan, held: LiveChunk) -> Bytes:
    """What is at hand, trusted for now: what comes of it has the digest that it should, or it is blamed."""
    if held.live.nbytes != plan.nbytes:
        raise AtHandDiffers(plan.slot.name)
    return held.live


def _thing(plan: ChunkPlan) -> str:
    return f"chunk {plan.slot.chunk} of tensor {plan.slot.name!r}"
