"""The heart of an open run: a thread that lets the ledger know, every few seconds, that the run is alive."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from threading import Event, Lock, Thread
from typing import Final

from ...errors import LeptonError
from ...events import forks

PATIENCE: Final = 1.0
"""Seconds that a fork, or the run's end, waits for a beat under way."""
log = logging.getLogger("lepton")


class Heart:
    """Calls `beat` at once and then every so many seconds, until it is stopped or `beat` says that it was the last.

    It is a daemon: it dies with its process, and is not there in a forked child, which is no part of the run. A beat
    that fails is skipped, for the ledger may be away.
    """

    def __init__(self, beat: Callable[[], bool], every: float) -> None:
        self._beat = beat
        self._every = every
        self._stopped = Event()
        self._beating = Lock()
        self._process = os.getpid()
        self._thread = Thread(target=self._run, name="lepton-run", daemon=True)
        self.ended = False
        """Whether the last beat said that the run is not this process's any more."""

    def start(self) -> None:
        """Begin to beat."""
        forks.guard(self)
        self._thread.start()

    def stop(self) -> None:
        """Beat no more; a beat under way is waited for, for a moment."""
        self._stopped.set()
        if os.getpid() == self._process and self._thread.is_alive():
            self._thread.join(PATIENCE)

    def before_fork(self) -> None:
        """Let no beat be under way, lest the child inherit a connection in use."""
        self._held = self._beating.acquire(timeout=PATIENCE)

    def after_fork(self, *, child: bool) -> None:
        """Go on; a child has no such thread."""
        if child:
            self._beating = Lock()
        elif self._held:
            self._beating.release()

    def _run(self) -> None:
        while not self._stopped.is_set():
            with self._beating:
                self._once()
            self._stopped.wait(self._every)

    def _once(self) -> None:
        try:
            self.ended = not self._beat()
        except LeptonError as error:
            log.debug("a heartbeat was skipped: %s", error)
        except Exception:  # whatever it is, the training goes on
            log.debug("a heartbeat was skipped", exc_info=True)
        if self.ended:
            self._stopped.set()
