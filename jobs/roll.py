"""The roll: which workers there are, by what they say of themselves and can prove."""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from ..errors import Refused
from ..events.inbox import Letter
from ..events.sql.leases import Change, Heard
from .intake.results import Stranger
from .protocol.identity import seal, vouched
from .protocol.messages import Left, Said, WorkerReady

DAY: Final = 86_400_000_000
"""Microseconds: an announcement older than that when it first comes is an old one said again, or of a wrong clock."""
REMEMBERED: Final = 2 * DAY
"""For so long every worker is remembered, so that none of its announcements counts a second time."""


class Roll:
    """Takes announcements in: each counts once, and with a secret only those that prove to know it."""

    def __init__(self, secret: str | None, term: float) -> None:
        self._secret = secret
        self._term = int(term * 1_000_000)
        """Microseconds that a lease lasts from what was heard of its worker."""

    def renew(self, change: Change, worker: str, attempts: Iterable[tuple[str, int]], heard: int) -> None:
        """Prolong a worker's leases of attempts, since it was heard of."""
        change.renew(worker, attempts, heard + self._term)

    def take(self, change: Change, place: str, letter: Letter, told: Said) -> None:
        """Note a worker that announces itself, and prolong its leases of what it is at. Raises `Refused`."""
        ready = told.message
        assert isinstance(ready, WorkerReady)
        known = change.heard(told.by)
        if known is None or not known.key:
            self._first(place, letter, told, ready)
        elif known.left or ready.beat <= known.beat:
            return  # said again
        skills = frozenset(ready.capabilities)
        change.hear(Heard(told.by, ready.pool, skills, ready.slots, letter.sent, told.key, ready.beat))
        running = set(ready.running)
        attempts = [(each.job, each.epoch) for each in change.held() if (each.job, each.epoch) in running]
        self.renew(change, told.by, attempts, letter.sent)

    def leave(self, change: Change, told: Said) -> bool:
        """Note that a worker is gone for good; whether it was ever there. Said again it says the same."""
        assert isinstance(told.message, Left)
        known = change.heard(told.by)
        if known is None:
            return False
        if not known.left:
            change.hear(known._replace(left=True))
        return True

    def _first(self, place: str, letter: Letter, told: Said, ready: WorkerReady) -> None:
        if self._secret is not None and not hmac.compare_digest(ready.vouched, vouched(told.by, self._secret, place)):
            raise Stranger(
                f"worker {told.by} does not know the ledger's secret; set LEPTON_WORKER_SECRET where it runs"
            )
        apart = abs(letter.sent - _microseconds(told.time))
        if apart > DAY:
            raise Refused(
                f"worker {told.by} announced itself {apart / DAY * 24:,.0f} h off by its clock: that is an old message "
                "said again, or the clock is wrong"
            )
        seal(b"", b"", told.key)  # which refuses a key that nothing can be sealed for


def _microseconds(time: datetime) -> int:
    return int(time.timestamp() * 1_000_000)
