"""Lost runs: whoever writes to the ledger next finds the runs that are not heard of any more, and says so."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field
from typing import Final

from ...errors import LeptonError
from ...events.clock import moment
from ...events.sql.actors import Actors
from ...events.sql.heartbeats import Heartbeats
from ...ledger import Ledger

OFTEN: Final = 10.0
"""Seconds between two looks of a process, where a run's term is long."""
log = logging.getLogger("lepton")


@dataclass
class LostRuns:
    """Looks for them now and then, before a command is sent; a run's attempts at jobs have leases instead."""

    ledger: Ledger
    actors: Actors
    term: float
    """Seconds for which a run may be silent."""
    _next: float = field(default=0.0, init=False)

    def note(self) -> None:
        """Append `run.lost` for each run whose term is over, if it is time to look."""
        if (now := time.monotonic()) < self._next:
            return
        self._next = now + min(OFTEN, self.term / 4)
        beats = Heartbeats(self.ledger.store)
        try:
            for run, heard in beats.stale(self.term):
                from ...domain.commands import LoseRun

                command = LoseRun(run=run, heard=moment(heard))
                if self.ledger.admit(command, self.actors.named("lepton")).events:
                    log.warning("run %s is lost: it was heard of last at %s", run, moment(heard).isoformat())
                beats.end(run, heard)
        except LeptonError as error:
            log.debug("lost runs were not looked for: %s", error)
