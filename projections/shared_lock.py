"""A lock that many readers share and one change of the file holds alone."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from threading import Condition


class SharedLock:
    """Readers share it; `alone` keeps new ones out and waits for those inside."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._readers = 0
        self._closed = False

    @contextmanager
    def shared(self) -> Generator[None]:
        """Be one of many."""
        with self._changed:
            self._changed.wait_for(lambda: not self._closed)
            self._readers += 1
        try:
            yield
        finally:
            with self._changed:
                self._readers -= 1
                self._changed.notify_all()

    @contextmanager
    def alone(self) -> Generator[None]:
        """Be the only one."""
        with self._changed:
            self._changed.wait_for(lambda: not self._closed)
            self._closed = True
            self._changed.wait_for(lambda: self._readers == 0)
        try:
            yield
        finally:
            with self._changed:
                self._closed = False
                self._changed.notify_all()
