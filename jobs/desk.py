"""The desk: where a ledger's jobs are given out, by an assigner in a thread of its own."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from functools import partial
from threading import Event
from typing import Final, Protocol

from ..domain.job.decide import taken_by
from ..domain.job.state import JobState
from ..errors import LeptonError, LockHeld
from ..events.sql.leases import Heard, Leases
from ..events.sql.lock import Held
from ..settings import Terms
from ..supervised import Supervised
from .assigner import Assigner

log = logging.getLogger("lepton")

RETRY: Final = 0.5
"""Seconds before it is tried again to be the assigner."""


class WorkerProfile(Protocol):
    """What of a worker decides which jobs it could take."""

    @property
    def pool(self) -> str:
        """Whose jobs it takes."""
        ...

    @property
    def capabilities(self) -> tuple[str, ...]:
        """What it can do."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Where jobs are given out: what it takes to be the assigner of one ledger."""

    here: bool
    """Whether whoever works or waits also gives the jobs out; beside Kafka that is the intake's."""
    lock: Callable[[], Held]
    """The lock of the one who assigns; raises `LockHeld` at once where another does."""
    assigner: Callable[[], AbstractContextManager[Assigner]]
    leases: Leases
    waiting: Callable[[WorkerProfile], bool]
    """Whether there is an open job that a worker could take."""
    work: Callable[[str], Supervised]
    """Has a worker of that pool in this process."""
    search: Callable[[], Supervised]
    """Has the searches that are asked for run by this process."""
    terms: Terms
    end: Callable[[], int]
    """The seq of the last event."""

    def ready(self) -> int:
        """How many workers were heard of within a lease's term, by this machine's clock."""
        return len(self.heard_of())

    def heard_of(self) -> list[Heard]:
        """The workers that were heard of within a lease's term, by this machine's clock."""
        return self.leases.workers(int((time.time() - self.terms.lease) * 1_000_000))

    def serves(self, job: JobState) -> bool:
        """Whether a worker that could take the job was heard of within its term."""
        return any(taken_by(job, each.pool, each.capabilities) for each in self.heard_of())

    def assigning(self, tell: Callable[..., None] = log.info) -> Supervised:
        """Have jobs assigned, by this process where no other does, which it can `tell`."""
        return Supervised(partial(self.assign, tell=tell), "assigner", self.terms.drain)

    def assign(self, stop: Event, *, tell: Callable[..., None] = log.info) -> None:
        """Assign until told to stop; while somebody else does, which it can `tell`, wait for them to end.

        Raises what keeps it from that.
        """
        other = False
        while not stop.is_set():
            try:
                held = self.lock()
            except LockHeld as error:  # which is as good
                if not other:
                    tell("%s", error)
                other = True
                stop.wait(RETRY)
                continue
            try:
                with self.assigner() as assigner, ExitStack() as searching:
                    searches = False
                    while not stop.is_set():
                        held.check()
                        if not assigner.step():
                            stop.wait(self.terms.poll)
                        if not searches and assigner.searches():
                            searching.enter_context(self.search())
                            searches = True
            finally:
                held.release()

    def unattended(self) -> bool:
        """Whether nobody gives jobs out now, as far as can be told."""
        try:
            self.lock().release()
        except LeptonError:
            return False
        return True
