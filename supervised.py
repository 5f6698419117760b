"""Supervised work: in a thread of its own, begun anew when it falls, and whoever depends on it learns why it does."""

from __future__ import annotations

import logging
from collections.abc import Callable
from threading import Event, Thread
from typing import Self

from .errors import LeptonError
from .retries import Retries

log = logging.getLogger("lepton")


class Supervised:
    """Work that goes on in a thread until the context ends. `work` is given the event that ends it.

    Nothing that it raises ends the thread: it is logged, and begun anew after a pause. What is away is waited for;
    what it cannot do, and a fault that comes again and again, is `trouble` until it works again.
    """

    def __init__(self, work: Callable[[Event], None], name: str, patience: float) -> None:
        self._patience = patience
        self._stop = Event()
        self._retries = Retries(name, log, after=BaseException)
        self._thread = Thread(
            target=self._retries.run, args=(lambda: work(self._stop), self._stop), name=name, daemon=True
        )

    @property
    def trouble(self) -> LeptonError | None:
        """Why nothing is done now that would not be mended by waiting a little."""
        return self._retries.trouble

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(self._patience)
