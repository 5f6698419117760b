"""Following: a read model kept up with its log, by one thread, for as long as the process runs."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Final, Protocol, Self

from ..errors import LeptonError, Unavailable
from ..events.envelope import age
from ..events.log import EventLog, Row
from ..retries import Retries, elapsed
from .projector import Projection

_ROWS: Final = 10_000
"""Events a batch at most; a batch is what came since the last one, so it is small while the model is up to date."""
_PATIENCE: Final = 2.0
"""Seconds before whoever waits for an event is told that none will come, where that is known."""
_REST: Final = 5.0
"""Times as long as a small batch took, for which others have the machine: by then more came, and a batch of it costs
little more than an event alone. Whoever waits for an event does not wait for that."""
_LONGEST_REST: Final = 0.25
"""Seconds."""
_LOOKS: Final = 0.5
"""Seconds between two looks whether following has ended."""

_log = logging.getLogger("lepton.projector")


class Feed(EventLog, Protocol):
    """A log that can be waited for."""

    def wait(self, seconds: float) -> bool:
        """Wait that long at most for more to read."""
        ...


class Follower:
    """Applies what the log holds, and then what comes. What is away for a while is waited for.

    `feed` opens the log; it is opened anew after each error. `strangers` counts the records in it that are no events of
    the ledger, `silence` says why nothing comes, where that is known and waiting would not mend it.
    """

    def __init__(
        self,
        projection: Projection,
        feed: Callable[[], AbstractContextManager[Feed]],
        strangers: Callable[[], int] = lambda: 0,
        silence: Callable[[], str | None] = lambda: None,
    ) -> None:
        self.projection = projection
        self.strangers = strangers
        self._silence = silence
        self._feed = feed
        self._away: tuple[float, Unavailable] | None = None
        """Since when the log has been away, and why."""
        self._at_end = False
        """Whether the log had nothing more when it was read last."""
        self._moved = threading.Condition()
        self._waiting = 0
        self._awaited = threading.Event()
        self._stopped = threading.Event()
        self._process = os.getpid()
        self._thread = threading.Thread(target=self._run, name="projector", daemon=True)
        self.delay = 0.0
        """Seconds that the last event took from its commit until it was in the views."""
        self.failure: LeptonError | None = None
        """What ended it: bytes that are damaged, or events that only a newer Lepton understands."""

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        if os.getpid() != self._process:  # a forked child has no such thread
            return
        self._stopped.set()
        self._thread.join()

    def reach(self, seq: int, deadline: float) -> None:
        """Wait until event `seq` is applied; raises what ended the following, and `Unavailable` after `deadline`
        seconds, or as soon as it is known that nothing will come meanwhile."""
        end = time.monotonic() + deadline
        while not self._reached(seq, min(_PATIENCE, max(0.0, end - time.monotonic()))):
            stands = f"which stands at event {self.projection.position}"
            if (why := self._hindrance()) is not None:
                raise Unavailable(f"event {seq} does not reach the read model, {stands}: {why}")
            if time.monotonic() >= end:
                raise Unavailable(
                    f"event {seq} did not reach the read model within {deadline:g} s, {stands}; try again"
                )

    def _reached(self, seq: int, seconds: float) -> bool:
        """Whether event `seq` is applied, or is so within these seconds; raises what ended the following."""
        with self._moved:
            self._waiting += 1
            self._awaited.set()
            self._moved.wait_for(lambda: self.projection.position >= seq or self.failure is not None, seconds)
            self._waiting -= 1
            if self.projection.position >= seq:
                return True
            if self.failure is not None:
                raise self.failure
            return False

    def _hindrance(self) -> str | None:
        """Why nothing will come for a while."""
        away = self._away
        if away is not None:
            return str(away[1]) if time.monotonic() - away[0] >= _PATIENCE else None
        return self._silence() if self._at_end else None

    async def ended(self, stop: asyncio.Event) -> None:
        """Wait until told to stop; raises what ended the following before."""
        while not stop.is_set() and self.failure is None:
            await elapsed(stop, _LOOKS)
        if self.failure is not None:
            raise self.failure

    def _run(self) -> None:
        try:
            Retries("projector", _log).run(self._follow, self._stopped)
        except LeptonError as error:
            _log.error("%s", error)
            self._fail(error)
        except BaseException as error:
            self._fail(Unavailable(f"following ended by a fault of its own ({error!r}); start the projector again"))
            raise

    def _fail(self, failure: LeptonError) -> None:
        with self._moved:
            self.failure = failure
            self._moved.notify_all()

    def _apply(self, rows: Sequence[Row]) -> None:
        if rows[0].seq <= self.projection.position + 1:  # else the file was opened anew meanwhile, at an earlier place
            self.projection.apply(rows)

    def _follow(self) -> None:
        try:
            self._follow_feed()
        except Unavailable as error:
            self._away = (time.monotonic() if self._away is None else self._away[0], error)
            raise

    def _follow_feed(self) -> None:
        with self._feed() as feed:
            while not self._stopped.is_set():
                rows = feed.read(self.projection.position, _ROWS)
                self._away, self._at_end = None, not rows
                if not rows:
                    feed.wait(0.25)
                    continue
                begun = time.monotonic()
                self.projection.mended(lambda rows=rows: self._apply(rows))
                with self._moved:
                    self.delay = age(rows[-1].envelope)
                    self._moved.notify_all()
                if len(rows) < _ROWS:
                    self._rest(_REST * (time.monotonic() - begun))

    def _rest(self, seconds: float) -> None:
        self._awaited.clear()
        if not self._waiting:
            self._awaited.wait(min(seconds, _LONGEST_REST))
