"""Supervised work: in a thread of its own, begun anew when it falls, and whoever depends on it learns why it does."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from threading import Event, Thread
from typing import Final, Self

from .errors import LeptonError, Unavailable

RETRY: Final = 0.5
"""Seconds before work that fell is begun again; doubled each time that it falls soon after."""
LONGEST: Final = 30.0
STEADY: Final = 60.0
"""Seconds after which work that fell again is taken to have fallen for another reason."""
FALLS: Final = 3
"""Falls in a row after which whoever waits is told, for what is no refusal and no outage."""

log = logging.getLogger("lepton")


class Supervised:
    """Work that goes on in a thread until the context ends. `work` is given the event that ends it.

    Nothing that it raises ends the thread: it is logged, and begun anew after a pause. What is away is waited for;
    what it cannot do, and a fault that comes again and again, is `trouble` until it works again.
    """

    def __init__(self, work: Callable[[Event], None], name: str, patience: float) -> None:
        self._work = work
        self._name = name
        self._patience = patience
        self._stop = Event()
        self._thread = Thread(target=self._run, name=name, daemon=True)
        self._falls = 0
        self._told = ""
        self.trouble: LeptonError | None = None
        """Why nothing is done now that would not be mended by waiting a little."""

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(self._patience)

    def _run(self) -> None:
        while not self._stop.is_set():
            begun = time.monotonic()
            try:
                self._work(self._stop)
                return
            except BaseException as error:  # noqa: BLE001 - a thread that ended would leave everybody waiting
                if time.monotonic() - begun > STEADY:
                    self._falls, self._told, self.trouble = 0, "", None
                self._fell(error)
            self._stop.wait(min(LONGEST, RETRY * 2 ** min(self._falls - 1, 10)))

    def _fell(self, error: BaseException) -> None:
        """Tell it, each reason once in a row, and with its traceback where it is a fault."""
        self._falls += 1
        if isinstance(error, Unavailable):
            self._falls = 1  # it is tried again soon, however long it is away
        elif isinstance(error, LeptonError):
            self.trouble = error
        elif self._falls >= FALLS:
            why = f"{type(error).__name__}: {error}"[:500]
            self.trouble = Unavailable(f"the {self._name} here fell {self._falls} times in a row, last of {why}")
        if (told := f"{type(error).__name__}: {error}") == self._told:
            return
        self._told = told
        if isinstance(error, LeptonError):
            log.warning("the %s is begun anew: %s", self._name, error)
        else:
            log.error("the %s fell, and is begun anew", self._name, exc_info=error)
