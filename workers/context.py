"""One attempt from the inside: its order, its store, what it keeps there, and its voice."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from threading import Event, Lock
from typing import Any, Final

from ..errors import Malformed
from ..events.objects import packs_written
from ..events.run import MetricsLogged
from ..jobs.protocol.messages import (
    LARGEST,
    REMARK,
    REMARKS,
    Checkpointed,
    Finished,
    KeptDelta,
    KeptTensors,
    MadeEvaluation,
    MadeVersion,
    Measured,
    Message,
    encoded,
)
from ..jobs.protocol.orders import Base, Order, RestorePlan
from ..tensors.graph import Graph
from ..tensors.keep import SavedTensors
from ..tensors.objects import ObjectStore
from ..tensors.pack import KnownPlacements, told_by
from ..tensors.tensor import Tensor
from ..tensors.vault import Vault
from ..tracing import traceparent

FLUSH: Final = 1.0
"""Seconds between two blocks of metrics."""
POINTS: Final = 1000


class Context:
    """What a task works with."""

    def __init__(self, order: Order, objects: ObjectStore, pipe: int) -> None:
        self.order = order
        self.objects = objects
        self.points = 0
        self.stopping = Event()
        self._pipe = pipe
        self._said = 0
        self._buffer: list[tuple[str, int, float, datetime]] = []
        self._flushed = time.monotonic()
        self._lock = Lock()

    # ── what it keeps ────────────────────────────────────────────────────────────────────────────────────────────────

    def restored(self, plan: RestorePlan) -> Mapping[str, Tensor]:
        """The tensors that the order names, verified."""
        return self._vault(plan).restore(plan.tensors, plan.graph())

    def keep(self, tensors: Mapping[str, Tensor]) -> SavedTensors:
        """Write tensors to the object store, as a delta from the order's base where that is smaller."""
        plan = self.order.base.way if self.order.base else None
        vault = self._vault(plan)
        base = vault.manifest(plan.tensors) if plan else None
        return vault.keep(tensors, base=base, graph=plan.graph() if plan else Graph({}, ()))

    def keep_arrays(self, arrays: Mapping[str, Any]) -> KeptTensors | None:
        """Write arrays to the object store, apart from any version; None where there are none."""
        from ..models.state import tensors_of

        if not arrays:
            return None
        return kept_tensors(self._vault(None).keep(tensors_of(arrays), base=None, graph=Graph({}, ())))

    def version(self, kept: SavedTensors, **recorded: Any) -> MadeVersion:
        """What was kept as the version that it becomes, with what is recorded of it."""
        return made_version(kept, self.order.base, **recorded)

    def checkpoint(self, step: int, tensors: Mapping[str, Tensor]) -> None:
        """Keep what the attempt has come to, and tell it; another attempt goes on from it."""
        kept = self._vault(None).keep(tensors, base=None, graph=Graph({}, ()))
        self.flush()
        self.say(Checkpointed(**self.next(), step=step, kept=kept_tensors(kept)))

    def _vault(self, plan: RestorePlan | None) -> Vault:
        """The object store, with what the packs of a plan hold."""
        return Vault(self.objects, KnownPlacements(lambda: told_by(self.objects, plan.packs if plan else ())))

    # ── what it says ─────────────────────────────────────────────────────────────────────────────────────────────────

    def finished(
        self, made: MadeVersion | MadeEvaluation | None, result: Mapping[str, Any], remarks: Sequence[str] = ()
    ) -> Finished:
        """The final answer; `remarks` are what was suspicious about the rows, those kept that there is room for."""
        some = tuple(remark[:REMARK] for remark in remarks[:REMARKS])
        return Finished(job=self.order.job, epoch=self.order.epoch, n=0, made=made, result=dict(result), remarks=some)

    def say(self, message: Message) -> None:
        """Tell the worker, which tells the ledger. Raises `Malformed` where no topic could carry it."""
        raw = encoded(message, self.order.worker, traceparent() or self.order.traceparent) + b"\n"
        if len(raw) > LARGEST:
            raise Malformed(
                f"what the attempt has to say takes {len(raw):,} bytes of {LARGEST:,}; it describes too much"
            )
        with self._lock:
            while raw:
                raw = raw[os.write(self._pipe, raw) :]

    def next(self) -> dict[str, Any]:
        """What every message of this attempt bears, with the number that is its own."""
        self._said += 1
        return {"job": self.order.job, "epoch": self.order.epoch, "n": self._said}

    def measured(self, step: int, figures: Mapping[str, float]) -> None:
        """Note figures of a step; they are told in blocks."""
        now = datetime.now(UTC)
        self._buffer += [(name, step, float(value), now) for name, value in figures.items()]
        if len(self._buffer) >= POINTS - 50 or time.monotonic() - self._flushed > FLUSH:
            self.flush()

    def flush(self) -> None:
        """Tell the figures that were noted."""
        self._flushed = time.monotonic()
        for start in range(0, len(self._buffer), POINTS):
            names, steps, values, times = zip(*self._buffer[start : start + POINTS], strict=True)
            block = MetricsLogged(names=names, steps=steps, values=values, times=times)
            self.say(Measured(**self.next(), block=block))
            self.points += len(names)
        self._buffer.clear()


def made_version(kept: SavedTensors, base: Base | None, **recorded: Any) -> MadeVersion:
    """What was kept, in the words in which the ledger is told of a version."""
    delta = kept.delta
    return MadeVersion(
        kept=kept_tensors(kept),
        base=base.version if base else None,
        keyframe=kept.keyframe,
        delta=None if delta is None else KeptDelta(**{name: getattr(delta, name) for name in KeptDelta.model_fields}),
        **recorded,
    )


def kept_tensors(kept: SavedTensors) -> KeptTensors:
    """What was kept, in the words in which the ledger is told of bytes."""
    return KeptTensors(
        tensors=kept.manifest.digest, packs=packs_written(kept.packs), relies_on=tuple(sorted(kept.relies_on))
    )
