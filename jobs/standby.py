"""Standing by: a worker in this process for as long as jobs wait that no other worker is there to take."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Event
from typing import Final

from ..errors import LeptonError
from .desk import Desk, WorkerProfile

LOOKS: Final = 0.25
"""Seconds between two looks at the log, and at work that is under way."""
LINGERS: Final = 120
"""Looks for which the worker stays when no job is left: the next one often comes soon."""
AGAIN: Final = 40
"""Looks after which it is looked for workers that went away, though nothing was recorded."""


@dataclass(frozen=True, slots=True)
class StandingBy:
    """What a process does that is no worker, where a ledger on one machine has none: as `jobs.wait` does."""

    desk: Desk
    profile: WorkerProfile
    """What a worker of this process could do."""

    def run(self, stop: Event) -> None:
        """Do the jobs that wait, until told to stop. Raises what keeps the worker from working."""
        end, idle = -1, 0
        while not stop.wait(LOOKS):
            grown, idle = self.desk.end(), idle + 1
            if grown == end and idle < AGAIN:
                continue
            end, idle = grown, 0
            if self.desk.waiting(self.profile) and self._alone():
                self._work(stop)

    def _work(self, stop: Event) -> None:
        with self.desk.assigning() as assigner, self.desk.work(self.profile.pool) as worker:
            idle = 0
            while idle < LINGERS and not stop.wait(LOOKS):
                idle = 0 if self.desk.waiting(self.profile) else idle + 1
                for part in (assigner, worker):
                    if isinstance(trouble := part.trouble, LeptonError):
                        raise trouble

    def _alone(self) -> bool:
        """Whether no worker of the pool is there. One that was heard of has ended where nobody gives jobs out."""
        return all(each.pool != self.profile.pool for each in self.desk.heard_of()) or self.desk.unattended()
