"""What time it is by the clock that stamps workers' messages."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from . import messages
from .ports import Results


class BrokerClock:
    """Reads the broker's clock, or the database's, by saying something on each partition of results."""

    def __init__(self, results: Sequence[Results], clock: Callable[[], float] = time.monotonic) -> None:
        self._results = results
        self._clock = clock
        self._ahead = self._asked = 0
        self._ask()

    def now(self) -> int:
        """What time it is by that clock, in microseconds: never later than it is there."""
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
        for each in self._results:
            self._ahead = each.say(messages.clock()) - self._own()

    def _own(self) -> int:
        return int(self._clock() * 1_000_000)
