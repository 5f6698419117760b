"""Hearing workers: what they say, partition by partition and by whose clock, and which of them there are by it."""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from ..errors import Refused
from ..events.sql.leases import Change, Heard, Lease
from ..events.sql.queue import Posted
from ..events.sql.store import Store
from .protocol import messages
from .protocol.identity import seal, vouched
from .protocol.messages import Left, Said, WorkerReady
from .protocol.ports import Results
from .results import Stranger

DAY: Final = 86_400_000_000
"""Microseconds: an announcement older than that when it first comes is an old one said again, or of a wrong clock."""
REMEMBERED: Final = 2 * DAY
"""For so long every worker is remembered, so that none of its announcements counts a second time."""


class Ear:
    """One partition: where reading stands, and until when all that was said has been read."""

    def __init__(self, results: Results, position: int) -> None:
        self.results = results
        self.position = position
        self.read_to = 0

    def taken(self, letters: Sequence[Posted]) -> None:
        """Go on behind letters that were taken in."""
        self.position, self.read_to = letters[-1].position + 1, letters[-1].sent
        self.results.discard(self.position)


class Hearing:
    """All partitions of one ledger's results."""

    def __init__(self, store: Store, results: Sequence[Results], clock: Callable[[], float] = time.monotonic) -> None:
        self.ears = [Ear(each, store.position(each.topic, each.part) or 0) for each in results]
        self._clock = clock
        self._ahead = self._asked = 0
        self._ask()

    @property
    def read_to(self) -> int:
        """Until when all that was said has been read, in microseconds by the messages' own clock."""
        return min(ear.read_to for ear in self.ears)

    def now(self) -> int:
        """What time it is by that clock: never later than it is there."""
        return self._own() + self._ahead

    def heard(self, sent: int) -> None:
        """A message says that it is later than we thought."""
        self._ahead = max(self._ahead, sent - self._own())

    def keep_time(self, every: float) -> None:
        """Once in so many seconds say something behind all others: when it comes by all that was said before has.

        When it got there tells the time, too, however the clock that stamps it was set meanwhile.
        """
        if self._own() - self._asked > every * 1_000_000:
            self._ask()

    def _ask(self) -> None:
        self._asked = self._own()
        for ear in self.ears:
            self._ahead = ear.results.say(messages.clock()) - self._own()

    def _own(self) -> int:
        return int(self._clock() * 1_000_000)


class Roll:
    """Takes announcements in: each counts once, and with a secret only those that prove to know it."""

    def __init__(self, secret: str | None) -> None:
        self._secret = secret

    def take(self, change: Change, place: str, letter: Posted, told: Said, held: list[Lease], until: int) -> None:
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
        change.renew(told.by, [(each.job, each.epoch) for each in held if (each.job, each.epoch) in running], until)

    def leave(self, change: Change, told: Said) -> bool:
        """Note that a worker is gone for good; whether it was there."""
        assert isinstance(told.message, Left)
        known = change.heard(told.by)
        if known is None or known.left:
            return False
        change.hear(known._replace(left=True))
        return True

    def _first(self, place: str, letter: Posted, told: Said, ready: WorkerReady) -> None:
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
