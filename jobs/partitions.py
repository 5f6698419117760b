"""Hearing: what workers say, read partition by partition, and what time it is by the clock that stamps it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from ..events.sql.queue import Posted
from ..events.sql.store import Store
from .protocol import messages
from .protocol.ports import Results


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
