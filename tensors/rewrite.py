"""Writing a version into live memory: all of it, or on any error nothing."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import NamedTuple, Protocol

import numpy as np

from .delta import Slot
from .manifest import CHUNK, Manifest
from .spill import Spill, SpilledBytes
from .tensor import LiveTensor
from .threads import in_order
from .way import ChunkPlan, Placements, Way


class _Interrupted(Exception):
    """The caller was interrupted."""


class Undo(Protocol):
    """The way back from what was written."""

    def note(self, plan: ChunkPlan) -> None:
        """Told before a chunk is written, by the thread that will write it."""
        ...

    def lead_back(self, error: BaseException) -> None:
        """Make live memory what it was before; may raise an error that says more than this one."""
        ...


class Rewrite:
    """The writing itself, in a thread of its own: signals reach the caller's thread, which only waits.

    Each chunk is made and checked beside the live one, then copied over it, so what is written is known to be right.
    """

    def __init__(self, way: Way, plans: Sequence[list[ChunkPlan]], live: Mapping[str, LiveTensor], undo: Undo) -> None:
        self._way = way
        self._plans = plans
        self._live = live
        self._undo = undo
        self._awaited = threading.Event()
        self._stop = threading.Event()

    def run(self) -> None:
        with ThreadPoolExecutor(1, thread_name_prefix="lepton-apply") as thread:
            try:
                outcome = thread.submit(self._all_or_nothing)
                interrupt = self._await(outcome)
            except BaseException:  # an interrupt before it was waited for: then nothing is written
                self._stop.set()
                raise
            finally:
                self._awaited.set()
        if interrupt is not None and outcome.exception() is not None:
            raise interrupt
        outcome.result()

    def _await(self, outcome: Future[None]) -> BaseException | None:
        """Wait to the end, however often a signal's exception interrupts the waiting; returns the first."""
        interrupt: BaseException | None = None
        while True:
            try:
                self._awaited.set()
                wait([outcome])
                return interrupt
            except BaseException as error:  # noqa: BLE001 - whatever a signal handler raises
                interrupt = interrupt or error
                self._stop.set()

    def _all_or_nothing(self) -> None:
        self._awaited.wait()
        try:
            for _ in in_order(self._write, self._plans):
                pass
        except BaseException as error:
            self._undo.lead_back(error)
            raise

    def _write(self, plans: list[ChunkPlan]) -> None:
        for plan, made in zip(plans, self._way.chunks(plans), strict=True):
            if self._stop.is_set():
                raise _Interrupted
            self._undo.note(plan)
            self._live[plan.slot.name].write(plan.slot.chunk * CHUNK, made)


class _Overwritten(NamedTuple):
    """What a chunk was before it was written."""

    plan: ChunkPlan
    before: SpilledBytes


class _UndoLog:
    """The bytes that were overwritten, led back the last first: places may overlap."""

    def __init__(self, live: Mapping[str, LiveTensor], spill: Spill) -> None:
        self._live = live
        self._spill = spill
        self._overwritten: list[_Overwritten] = []

    def note(self, plan: ChunkPlan) -> None:
        start = plan.slot.chunk * CHUNK
        before = self._live[plan.slot.name].read(start, start + plan.nbytes)
        self._overwritten.append(_Overwritten(plan, self._spill.put(before.data)))

    def lead_back(self, error: BaseException) -> None:  # noqa: ARG002 - it says all already
        for plan, before in reversed(self._overwritten):
            data = np.frombuffer(before.get(0, before.size), np.uint8)
            self._live[plan.slot.name].write(plan.slot.chunk * CHUNK, data)


def overwrite(way: Way, places: Placements, live: Mapping[str, LiveTensor]) -> None:
    """Write the target's tensors over live ones that others may see; on any error each is what it was before.

    All that is to be read is planned first, in this thread.
    """
    with Spill() as spill:
        plans = list(way.batches(places, slots(way.target, live)))
        Rewrite(way, plans, live, _UndoLog(live, spill)).run()


def fill(way: Way, places: Placements, fresh: Mapping[str, LiveTensor]) -> None:
    """Write the target's tensors into memory that nobody else sees; what it holds after an error is worth nothing."""

    def write(plans: list[ChunkPlan]) -> None:
        for plan, made in zip(plans, way.chunks(plans), strict=True):
            fresh[plan.slot.name].write(plan.slot.chunk * CHUNK, made)

    for _ in in_order(write, way.batches(places, slots(way.target, fresh))):
        pass


def slots(manifest: Manifest, tensors: Mapping[str, LiveTensor]) -> Iterator[Slot]:
    """Every chunk that tensors of a manifest have; what has several names here is written under the first."""
    seen: set[int] = set()
    for name, tensor in tensors.items():
        if id(tensor) not in seen:
            seen.add(id(tensor))
            yield from (Slot(name, index) for index in range(len(manifest.owner(name).chunks)))
