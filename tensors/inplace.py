"""Turning live tensors into another version where they lie, or leaving them bit for bit as they were."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future, wait
from itertools import pairwise

import numpy as np

from ..errors import Refused
from .codec import apply_delta
from .delta import Slot, verify_delta
from .digest import digest_of
from .manifest import CHUNK, Manifest, chunk_bytes
from .pack import Placement
from .rewrite import Rewrite
from .spill import Spill, SpilledBytes
from .tensor import Bytes, LiveTensor, Tensor
from .threads import pool
from .way import AtHandDiffers, ChunkPlan, Leg, StoredDelta, Way

_REMEDY = "load the version instead"
_PIECE = 4 << 20
_SLICE = 16  # chunks compared by one task


class SpilledDelta:
    """A delta's copy: once the first byte of a live tensor changes, no store can fail us."""

    def __init__(self, held: memoryview, pieces: Sequence[SpilledBytes]) -> None:
        self._held = held
        self._pieces = pieces

    def get(self, key: str, offset: int = 0, length: int | None = None) -> bytes | memoryview:  # noqa: ARG002
        """Bytes of the copy, whatever the key: those held in memory as they lie there."""
        assert length is not None
        if offset + length <= len(self._held):
            return self._held[offset : offset + length]
        parts: list[bytes | memoryview] = [self._held[offset:]]
        length, offset = length - len(parts[0]), max(0, offset - len(self._held))
        while length > 0:
            piece, start = self._pieces[offset // _PIECE], offset % _PIECE
            taken = min(length, piece.size - start)
            parts.append(piece.get(start, taken))
            offset, length = offset + taken, length - taken
        return b"".join(parts)

    def read_into(self, key: str, offset: int, into: memoryview) -> None:
        into[:] = self.get(key, offset, len(into))


def spilled(delta: StoredDelta, spill: Spill) -> StoredDelta:
    """Copy a delta, verified against its digest on the way; raises `Damaged`."""
    size = delta.place.length
    held = np.empty(spill.granted(size, _PIECE), np.uint8).data
    pieces: list[SpilledBytes] = []

    def read(offset: int, length: int) -> bytes | memoryview:
        if offset < len(held):
            delta.read_into(offset, into := held[offset : offset + length])
            return into
        pieces.append(spill.put(data := delta.read(offset, length)))
        return data

    verify_delta(delta.thing, delta.place.digest, size, read)
    copy = StoredDelta(SpilledDelta(held, pieces), delta.place._replace(offset=0), delta.between)
    _ = copy.index  # a delta between other versions is found before anything is written, too
    return copy


def apply_way(way: Way, live: Mapping[str, LiveTensor]) -> None:
    """Walk `way` over the live tensors of its first manifest. Changes all of them, or on any error none.

    Raises `Refused` where that cannot be done in place or the tensors are not what their manifest says, `Damaged` and
    `Unavailable` as the deltas give cause.
    """
    _check_fit(way)
    memory = _memory(way.manifests[0], live)
    with Spill() as spill:
        verified = _verifying(way.manifests[0], memory)
        try:
            legs = [Leg(leg.pairing, spilled(leg.delta, spill), leg.direction) for leg in way.legs]
        finally:
            wait(verified)
        for name in filter(None, (each.result() for each in verified)):
            raise Refused(f"live tensor {name!r} is not what its version says: it was changed since; {_REMEDY}")
        way = Way(way.objects, way.manifests, legs, _Live(way.manifests[0], memory))
        plans = list(way.batches(_Nowhere(), _changing(way)))
        Rewrite(way, plans, live, _Backwards(way, live)).run()


class _Live:
    """The live memory as the start of a way."""

    def __init__(self, manifest: Manifest, memory: Mapping[str, Bytes]) -> None:
        self._manifest = manifest
        self._memory = memory

    def chunk(self, slot: Slot) -> Bytes:
        return chunk_bytes(self._memory[self._manifest.owner(slot.name).name], slot.chunk)


class _Nowhere:
    """No placements: what is live is the only place to start from."""

    def find(self, digests: Collection[str]) -> Mapping[str, Placement]:  # noqa: ARG002
        return {}


def _changing(way: Way) -> Iterator[Slot]:
    start, target = way.manifests[0], way.target
    for entry in target.owners:
        for index, digest in enumerate(entry.chunks):
            if start.owner(entry.name).chunks[index] != digest:
                yield Slot(entry.name, index)


class _Backwards:
    """Leads each chunk that was begun back by the deltas that were to change it."""

    def __init__(self, way: Way, live: Mapping[str, LiveTensor]) -> None:
        self._way = way
        self._live = live
        self._begun: list[ChunkPlan] = []

    def note(self, plan: ChunkPlan) -> None:
        self._begun.append(plan)

    def lead_back(self, error: BaseException) -> None:
        for plan in self._begun:
            self._undo(plan)
        if isinstance(error, AtHandDiffers):
            raise _written_meanwhile(str(error)) from error

    def _undo(self, plan: ChunkPlan) -> None:
        """Lead one chunk back, if it was written at all."""
        tensor, slot = self._live[plan.slot.name], plan.slot
        start = slot.chunk * CHUNK
        before = self._way.manifests[0].owner(slot.name).chunks[slot.chunk]
        back = tensor.read(start, start + plan.nbytes).copy()
        if digest_of(back) == before:
            return
        for turn in reversed(plan.turns):
            leg = self._way.legs[turn.leg]
            (payload,) = leg.delta.payloads([turn.slot])
            apply_delta(payload, back, -leg.direction)
        if digest_of(back) != before:
            raise _written_meanwhile(slot.name)
        tensor.write(start, back)


def _check_fit(way: Way) -> None:
    """Refuse a way whose ends differ in names, dtypes, shapes or sharing, or that loses a tensor in between."""
    start, target = way.manifests[0], way.target
    ends = [[(entry.name, entry.dtype, entry.shape, entry.same_as) for entry in m.tensors] for m in (start, target)]
    if ends[0] != ends[1]:
        raise Refused(f"the live tensors differ from the version's in names, shapes, dtypes or sharing; {_REMEDY}")
    for name, *_ in ends[0]:
        if not all(leg.pairing.relates(name) for leg in way.legs):
            raise Refused(f"tensor {name!r} is missing or reshaped in a version between; {_REMEDY}")


def _memory(manifest: Manifest, live: Mapping[str, Tensor]) -> dict[str, Bytes]:
    """The live bytes of each owner; `Refused` unless they can be written and are shared as the manifest says."""
    if sorted(live) != [entry.name for entry in manifest.tensors]:
        raise Refused(f"the live tensors' names are not those of the version they should be; {_REMEDY}")
    memory = {name: _writable(name, tensor) for name, tensor in live.items()}
    for entry in manifest.tensors:
        tensor = live[entry.name]
        if (tensor.dtype, tuple(tensor.shape), memory[entry.name].nbytes) != (entry.dtype, entry.shape, entry.nbytes):
            raise Refused(f"live tensor {entry.name!r} is not of the version's dtype and shape; {_REMEDY}")
        if entry.same_as is not None and _address(memory[entry.name]) != _address(memory[entry.same_as]):
            raise Refused(f"live tensors {entry.same_as!r} and {entry.name!r} are no longer shared; {_REMEDY}")
    owned = sorted((_address(memory[e.name]), memory[e.name].nbytes, e.name) for e in manifest.owners if e.nbytes)
    for (start, nbytes, one), (following, _, other) in pairwise(owned):
        if start + nbytes > following:
            raise Refused(f"live tensors {one!r} and {other!r} overlap, but are not shared in the version; {_REMEDY}")
    return {entry.name: memory[entry.name] for entry in manifest.owners}


def _writable(name: str, tensor: Tensor) -> Bytes:
    raw, again = tensor.raw(), tensor.raw()
    if raw.nbytes and (_address(raw) != _address(again) or not raw.flags.writeable):
        raise Refused(f"live tensor {name!r} cannot be written in place; {_REMEDY}")
    return raw


def _address(raw: Bytes) -> int:
    return raw.__array_interface__["data"][0]


def _verifying(manifest: Manifest, memory: Mapping[str, Bytes]) -> list[Future[str | None]]:
    """Begin to compare live tensors with their manifest, a few megabytes a task; gives a name that differs."""

    def differing(slots: Sequence[Slot]) -> str | None:
        for name, index in slots:
            if digest_of(chunk_bytes(memory[name], index)) != manifest.owner(name).chunks[index]:
                return name
        return None

    slots = [Slot(entry.name, index) for entry in manifest.owners for index in range(len(entry.chunks))]
    return [pool().submit(differing, slots[start : start + _SLICE]) for start in range(0, len(slots), _SLICE)]


def _written_meanwhile(name: str) -> Refused:
    return Refused(f"tensor {name!r} was written by someone else meanwhile; {_REMEDY} when nothing writes to it")
