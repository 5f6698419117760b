"""Retries: what is begun again after an outage, after which pause, until it is told to stop; why is said once.

Every loop that waits out an outage is one of these. Not retries are: waiting for a lock of another process (it is asked
again every few milliseconds, up to a limit: events/sql/lock.py, sqlite_file.py, jobs/desk.py), asking once more under
the same keys after a COMMIT of unknown outcome (ledger/ledger.py), a worker's answer that is said until the ledger
takes it (workers/), and what a storage library tries again by itself (tensors/cloud.py).
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

from .errors import LeptonError, Unavailable

PAUSE: Final = 0.5
"""Seconds before work is begun again; for what is no outage doubled each time that it falls soon after."""
LONGEST: Final = 30.0
STEADY: Final = 60.0
"""Seconds after which work that fell again is taken to have fallen for another reason."""
RECOVERED: Final = 5.0
"""Seconds after which work that fell again for the same reason is told again."""
FALLS: Final = 3
"""Falls in a row after which whoever waits is told, for what is no refusal and no outage."""


class Retries:
    """Begins work again whenever it raises `after`; what else it raises ends it."""

    def __init__(self, what: str, log: logging.Logger, after: type[BaseException] = Unavailable) -> None:
        self._what = what
        self._log = log
        self._after = after
        self._falls = 0
        self._said = ""
        self.trouble: LeptonError | None = None
        """Why nothing is done now that would not be mended by waiting a little."""

    def run(self, work: Callable[[], object], stop: threading.Event) -> None:
        """Work until it returns, or is told to stop."""
        while not stop.is_set():
            begun = time.monotonic()
            try:
                work()
                return
            except self._after as error:
                pause = self.fell(error, begun)
            stop.wait(pause)

    async def run_async(self, work: Callable[[], Awaitable[object]], stop: asyncio.Event) -> None:
        """As `run`, on an event loop."""
        while not stop.is_set():
            begun = time.monotonic()
            try:
                await work()
                return
            except self._after as error:
                pause = self.fell(error, begun)
            await elapsed(stop, pause)

    def fell(self, error: BaseException, begun: float) -> float:
        """Note an error of work that was begun then, which whoever has a loop of their own does: the pause to take.

        Each reason is told once while nothing is done, and a fault with its traceback.
        """
        worked = time.monotonic() - begun
        if worked > STEADY:
            self._falls, self.trouble = 0, None
        if worked > RECOVERED:
            self._said = ""
        self._falls += 1
        if isinstance(error, Unavailable):
            self._falls = 1  # it is tried again soon, however long it is away
        elif isinstance(error, LeptonError):
            self.trouble = error
        elif self._falls >= FALLS:
            why = f"{type(error).__name__}: {error}"[:500]
            self.trouble = Unavailable(f"the {self._what} here fell {self._falls} times in a row, last of {why}")
        if (reason := f"{type(error).__name__}: {error}") != self._said:
            self._said = reason
            if isinstance(error, LeptonError):
                self._log.warning("the %s is begun anew: %s", self._what, error)
            else:
                self._log.error("the %s fell, and is begun anew", self._what, exc_info=error)
        return min(LONGEST, PAUSE * 2 ** min(self._falls - 1, 10))


async def elapsed(stop: asyncio.Event, seconds: float) -> None:
    """Wait that long, or until told to stop."""
    with suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)
