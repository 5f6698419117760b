"""Turning live tensors into another version where they lie, or leaving them bit for bit as they were."""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from itertools import pairwise
from typing import IO, cast

import numpy as np

from ..errors import Damaged, Refused, Unavailable
from .codec import apply_delta
from .delta import Slot
from .digest import digest_of
from .manifest import Manifest, chunk_bytes
from .pack import Placement
from .tensor import Bytes, Tensor
from .threads import in_order
from .way import AtHandDiffers, ChunkPlan, Leg, StoredDelta, Way

_REMEDY = "load the version instead"
_PIECE = 4 << 20


class _Stopped(Exception):
    """The caller was interrupted."""


class DeltaFile:
    """Deltas copied to a temporary file: once the first byte of a live tensor changes, no store can fail us."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def add(self, delta: StoredDelta) -> StoredDelta:
        """Copy a delta and verify the copy against its digest; raises `Damaged`."""
        start = self._file.seek(0, os.SEEK_END)
        try:
            for offset in range(0, delta.place.length, _PIECE):
                self._file.write(delta.read(offset, min(_PIECE, delta.place.length - offset)))
            self._file.flush()
        except OSError as error:
            raise Unavailable(f"deltas cannot be copied to a temporary file ({error.strerror}); make room") from error
        place = Placement(delta.place.digest, delta.place.pack, start, delta.place.length)
        copy = StoredDelta(self, place, delta.between)
        copy.verify()
        _ = copy.index  # a delta between other versions is found before anything is written, too
        return copy

    def get(self, key: str, offset: int = 0, length: int | None = None) -> bytes:
        """Bytes of the file, whatever the key."""
        try:
            data = os.pread(self._file.fileno(), cast("int", length), offset)
        except OSError as error:
            raise Unavailable(f"the temporary file cannot be read ({error.strerror}); try again") from error
        if len(data) != length:
            raise Damaged(f"the copy of pack {key}", expected=f"{length} bytes", found=f"{len(data)}")
        return data


def apply_way(way: Way, live: Mapping[str, Tensor]) -> None:
    """Walk `way` over the live tensors of its first manifest. Changes all of them, or on any error none.

    Raises `Refused` where that cannot be done in place or the tensors are not what their manifest says, `Damaged` and
    `Unavailable` as the deltas give cause.
    """
    _check_fit(way)
    memory = _memory(way.manifests[0], live)
    with tempfile.TemporaryFile() as file:
        spool = DeltaFile(file)
        legs = [Leg(leg.pairing, spool.add(leg.delta), leg.direction) for leg in way.legs]
        _verify(way.manifests[0], memory)
        _Rewrite(Way(spool, way.manifests, legs, _Live(way.manifests[0], memory)), memory).run()


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


class _Rewrite:
    """The writing itself, in a thread of its own: signals reach the caller's thread, which only waits.

    Each chunk is made and checked beside the live one, then copied over it, so what is written is known to be right.
    """

    def __init__(self, way: Way, memory: Mapping[str, Bytes]) -> None:
        self._way = way
        self._memory = memory
        self._begun: list[ChunkPlan] = []
        self._stop = threading.Event()

    def run(self) -> None:
        with ThreadPoolExecutor(1, thread_name_prefix="lepton-apply") as thread:
            outcome = thread.submit(self._all_or_nothing)
            interrupt = self._await(outcome)
        if interrupt is not None and outcome.exception() is not None:
            raise interrupt
        outcome.result()

    def _await(self, outcome: Future[None]) -> BaseException | None:
        """Wait to the end, however often a signal's exception interrupts the waiting; returns the first."""
        interrupt: BaseException | None = None
        while not outcome.done():
            try:
                wait([outcome])
            except BaseException as error:  # noqa: BLE001 - whatever a signal handler raises
                interrupt = interrupt or error
                self._stop.set()
        return interrupt

    def _all_or_nothing(self) -> None:
        try:
            for _ in in_order(self._write, self._way.batches(_Nowhere(), self._changing())):
                pass
        except BaseException as error:
            for plan in self._begun:
                self._undo(plan)
            if isinstance(error, AtHandDiffers):
                raise _written_meanwhile(str(error)) from error
            raise

    def _changing(self) -> Iterator[tuple[Slot, Bytes]]:
        start, target = self._way.manifests[0], self._way.target
        for entry in target.owners:
            for index, digest in enumerate(entry.chunks):
                if start.owner(entry.name).chunks[index] != digest:
                    live = chunk_bytes(self._memory[entry.name], index)
                    yield Slot(entry.name, index), np.empty(live.nbytes, np.uint8)

    def _write(self, plans: list[ChunkPlan]) -> None:
        if self._stop.is_set():
            raise _Stopped
        for plan in self._way.make(plans):
            self._begun.append(plan)
            self._live(plan)[:] = plan.into
            plan.into = plan.into[:0]  # the list of what was begun must not hold the model a second time

    def _undo(self, plan: ChunkPlan) -> None:
        """Lead one chunk back, if it was written at all."""
        live, slot = self._live(plan), plan.slot
        before = self._way.manifests[0].owner(slot.name).chunks[slot.chunk]
        if digest_of(live) == before:
            return
        back = live.copy()
        for turn in reversed(plan.turns):
            leg = self._way.legs[turn.leg]
            (payload,) = leg.delta.payloads([turn.slot])
            apply_delta(payload, back, -leg.direction)
        if digest_of(back) != before:
            raise _written_meanwhile(slot.name)
        live[:] = back

    def _live(self, plan: ChunkPlan) -> Bytes:
        return chunk_bytes(self._memory[plan.slot.name], plan.slot.chunk)


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


def _verify(manifest: Manifest, memory: Mapping[str, Bytes]) -> None:
    """Compare every live tensor with its manifest; raises `Refused` before anything is written."""

    def differs(name: str) -> str | None:
        return name if digest_of(memory[name]) != manifest.owner(name).digest else None

    for name in in_order(differs, memory):
        if name is not None:
            raise Refused(f"live tensor {name!r} is not what its version says: it was changed since; {_REMEDY}")


def _written_meanwhile(name: str) -> Refused:
    return Refused(f"tensor {name!r} was written by someone else meanwhile; {_REMEDY} when nothing writes to it")
