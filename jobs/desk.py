"""Serving jobs on one machine: the assigner in a thread of its own, and a worker where there is none."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event
from typing import Any, Final

from ..errors import LeptonError, LockHeld
from ..events.sql.leases import Heard, Leases
from ..events.sql.lock import Held
from ..settings import Terms
from ..workers.worker import Post, Worker
from .assigner import Assigner
from .protocol.identity import Identity
from .protocol.ports import Channel
from .supervised import Supervised

log = logging.getLogger("lepton")

RETRY: Final = 0.5
"""Seconds before it is tried again to be the assigner."""
_GPUS: Final = Path("/dev/nvidia0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Workplace:
    """What it takes to be a worker: the way to the ledger, and the object store."""

    channel: Callable[[Identity], Channel]
    """A worker's way to the ledger."""
    objects: Mapping[str, Any]
    """Where the object store is: what `tensors.address.objects_at` takes."""
    terms: Terms
    secret: str | None = field(default=None, repr=False)
    """What the ledger knows its workers by, where it was given one."""

    def post(self, *, pool: str = "default", slots: int = 1, device: str = "auto") -> Post:
        """What a worker on this machine is. `device` is auto, cpu, or cuda:N for one GPU of several."""
        environment: Mapping[str, str] = {}
        if device == "cpu":
            environment = {"CUDA_VISIBLE_DEVICES": ""}
        elif device.startswith("cuda:"):
            environment = {"CUDA_VISIBLE_DEVICES": device.removeprefix("cuda:")}
        gpu = device.startswith("cuda") or (device == "auto" and _GPUS.exists())
        return Post(
            identity=Identity(),
            secret=self.secret,
            pool=pool,
            capabilities=("train", "evaluate", "verify", "cpu", *(("cuda",) if gpu else ())),
            slots=slots,
            objects=self.objects,
            environment=environment,
        )

    def worker(self, post: Post) -> Worker:
        """A worker that has still to begin."""
        return Worker(post, self.channel(post.identity), self.terms)

    def working(self, post: Post) -> Supervised:
        """Have a worker in this process, and let it leave in good order; each that begins anew is another."""

        def work(stop: Event) -> None:
            self.worker(replace(post, identity=Identity())).run(stop)

        return Supervised(work, "worker", 4 * self.terms.drain)


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Where jobs are given out: what it takes to be the assigner of one ledger."""

    here: bool
    """Whether whoever works or waits also gives the jobs out; beside Kafka that is the intake's."""
    lock: Callable[[], Held]
    """The lock of the one who assigns; raises `LockHeld` at once where another does."""
    assigner: Callable[[], AbstractContextManager[Assigner]]
    leases: Leases
    waiting: Callable[[Post], bool]
    """Whether there is an open job that a worker could take."""
    workplace: Workplace
    """What a worker beside it needs."""
    terms: Terms

    def ready(self) -> int:
        """How many workers were heard of within a lease's term, by this machine's clock."""
        return len(self.heard_of())

    def heard_of(self) -> list[Heard]:
        """The workers that were heard of within a lease's term, by this machine's clock."""
        return self.leases.workers(int((time.time() - self.terms.lease) * 1_000_000))

    def assigning(self) -> Supervised:
        """Have jobs assigned, by this process where no other does."""
        return Supervised(self.assign, "assigner", self.terms.drain)

    def assign(self, stop: Event) -> None:
        """Assign until told to stop; while another process does, wait for it to end. Raises what keeps it from that."""
        other = False
        while not stop.is_set():
            try:
                held = self.lock()
            except LockHeld as error:  # which is as good
                if not other:
                    log.info("%s", error)
                other = True
                stop.wait(RETRY)
                continue
            try:
                with self.assigner() as assigner:
                    while not stop.is_set():
                        held.check()
                        if not assigner.step():
                            stop.wait(self.terms.poll)
            finally:
                held.release()

    def unattended(self) -> bool:
        """Whether nobody gives jobs out now, as far as can be told."""
        try:
            self.lock().release()
        except LeptonError:
            return False
        return True
