"""A way through the graph, ready to be walked: it makes chunks of one version out of what is stored or at hand."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import numpy as np

from ..errors import Damaged
from .codec import Direction, apply_delta, decode_full
from .delta import Pairing, Slot, read_delta_index, verify_delta
from .digest import digest_of
from .manifest import Manifest, chunk_bytes
from .pack import Placement
from .ranges import Range, Readable, read_ranges
from .tensor import Bytes, Tensor

BATCH = 8 << 20  # raw bytes that one thread works on at a time


class AtHandDiffers(Exception):
    """A tensor at hand is not what its manifest says; the way must start elsewhere. Never leaves this room."""


class Placements(Protocol):
    """Tells where the bytes of digests lie; what it leaves out lies nowhere. Asked only in the caller's thread."""

    def find(self, digests: Collection[str]) -> Mapping[str, Placement]: ...


class StoredDelta:
    """A delta where it lies. Its index is read at once, its payloads when they are asked for."""

    def __init__(self, objects: Readable, place: Placement) -> None:
        self._objects = objects
        self.place = place
        self.thing = f"delta {place.digest} in pack {place.pack}"
        self._whole = False
        self.index = read_delta_index(self.thing, place.length, self.read)

    def read(self, offset: int, length: int) -> bytes:
        return self._objects.get(self.place.pack, self.place.offset + offset, length)

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


@dataclass
class Job:
    """A chunk to be made: where it begins, the legs that change it, and what must come out."""

    slot: Slot
    digest: str
    into: Bytes
    start: Placement | Bytes | None  # a stored chunk, a view of one at hand, or nothing that could be found
    legs: list[int] = field(default_factory=list[int])


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

    objects: Readable
    manifests: Sequence[Manifest]
    legs: Sequence[Leg]
    at_hand: Live | None = None

    @property
    def target(self) -> Manifest:
        return self.manifests[-1]

    def batches(self, places: Placements, chunks: Iterable[tuple[Slot, Bytes]]) -> Iterator[list[Job]]:
        """Plan chunks of the target, in batches of a few megabytes. Placements are asked for in this thread."""
        batch: list[tuple[Slot, Bytes]] = []
        size = 0
        for slot, into in chunks:
            batch.append((slot, into))
            size += into.nbytes
            if size >= BATCH:
                yield self.plan(places, batch)
                batch, size = [], 0
        if batch:
            yield self.plan(places, batch)

    def make(self, jobs: list[Job]) -> list[Job]:
        """Make the planned chunks and check each digest; `Damaged` names what is to blame. Any thread may do it."""
        try:
            self._start(jobs)
            for number, leg in enumerate(self.legs):
                touched = [job for job in jobs if number in job.legs]
                slots = [Slot(leg.pairing.name_for(job.slot.name), job.slot.chunk) for job in touched]
                for job, payload in zip(touched, leg.delta.payloads(slots), strict=True):
                    apply_delta(payload, job.into, leg.direction)
        except Damaged:
            for job in jobs:
                self._blame(job)
            raise
        for job in jobs:
            if digest_of(job.into) != job.digest:
                self._blame(job)
                raise Damaged(_thing(job), expected=job.digest, found=digest_of(job.into))
        return jobs

    def plan(self, places: Placements, batch: Sequence[tuple[Slot, Bytes]]) -> list[Job]:
        """Find where each chunk of the target begins and which legs lead to it, all in one question to `places`."""
        digests = {digest for slot, _ in batch for digest in self._digests(slot)}
        placed = places.find(digests)
        return [self._job(slot, into, placed) for slot, into in batch]

    def _digests(self, slot: Slot) -> Iterator[str]:
        """The digests that this chunk had along the way, as far back as a delta can be followed."""
        for number in range(len(self.manifests) - 1, -1, -1):
            yield self.manifests[number].owner(slot.name).chunks[slot.chunk]
            if number == 0 or not self.legs[number - 1].pairing.relates(slot.name):
                return

    def _job(self, slot: Slot, into: Bytes, placed: Mapping[str, Placement]) -> Job:
        """Go back from the target until the chunk is found: at hand, unchanged since what is at hand, or stored."""
        legs: list[int] = []
        digests = list(self._digests(slot))
        last = len(self.manifests) - 1
        live = digests[last] if self.at_hand is not None and len(digests) > last else None
        for back, digest in enumerate(digests):
            if self.at_hand is not None and digest == live:
                return Job(slot, digests[0], into, self.at_hand.chunk(slot), legs[::-1])
            if digest in placed:
                return Job(slot, digests[0], into, placed[digest], legs[::-1])
            if back + 1 < len(digests) and digests[back + 1] != digest:
                legs.append(last - 1 - back)
        return Job(slot, digests[0], into, None)

    def _start(self, jobs: list[Job]) -> None:
        for job in jobs:
            if job.start is None:
                raise Damaged(f"{_thing(job)}, {job.digest},", expected="a pack that holds it", found="none")
        stored = [(job, job.start) for job in jobs if isinstance(job.start, Placement)]
        ranges = [Range(place.pack, place.offset, place.length) for _, place in stored]
        for (job, _), payload in zip(stored, read_ranges(self.objects, ranges), strict=True):
            decode_full(payload, job.into)
        for job in jobs:
            if isinstance(job.start, np.ndarray):
                self._copy_at_hand(job, job.start)

    def _copy_at_hand(self, job: Job, live: Bytes) -> None:
        if live.nbytes != job.into.nbytes:
            raise AtHandDiffers(job.slot.name)
        job.into[:] = live
        if digest_of(job.into) != self.manifests[0].owner(job.slot.name).chunks[job.slot.chunk]:
            raise AtHandDiffers(job.slot.name)

    def _blame(self, job: Job) -> None:
        """Find which stored thing made a chunk come out wrong, and raise its `Damaged`."""
        if isinstance(job.start, Placement):
            check_chunk(self.objects, job.start)
        for number in job.legs:
            self.legs[number].delta.verify()


def check_chunk(objects: Readable, place: Placement) -> None:
    """Decode a stored chunk and compare it with the digest it bears; raises `Damaged`, naming its pack."""
    thing = f"chunk {place.digest} in pack {place.pack}"
    stored = objects.get(place.pack, place.offset, place.length)
    try:
        found = digest_of(decode_full(stored))
    except Damaged as error:
        raise Damaged(thing, expected=error.expected, found=error.found) from error
    if found != place.digest:
        raise Damaged(thing, expected=place.digest, found=found)


def _thing(job: Job) -> str:
    return f"chunk {job.slot.chunk} of tensor {job.slot.name!r}"
