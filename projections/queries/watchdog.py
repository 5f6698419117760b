"""The watchdog over queries: one that neither ends nor lets itself be interrupted costs the projector its life."""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from typing import Final

_log = logging.getLogger("lepton.projector")

GRACE: Final = 5.0
"""Seconds behind its time limit that a query may take to let itself be interrupted."""
_LOOKS: Final = 0.5
_SHOWN: Final = 120


class Watchdog:
    """Looks whether a query overran its time by so much that it cannot be stopped, and then tells `stuck`, once."""

    def __init__(self, stuck: Callable[[str], None] | None) -> None:
        self._stuck = stuck or _log.error
        self._lock = threading.Lock()
        self._running: dict[int, tuple[str, float]] = {}
        self._next = 0
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()

    @contextmanager
    def watching(self, sql: str, limit: float) -> Generator[None]:
        """Have a query watched."""
        with self._lock:
            self._next += 1
            mine, end = self._next, time.monotonic() + limit + GRACE
            self._running[mine] = sql, end
        try:
            yield
        finally:
            with self._lock:
                self._running.pop(mine, None)

    def _watch(self) -> None:
        while not self._stopped.wait(_LOOKS):
            now = time.monotonic()
            with self._lock:
                late = [place for place, (_, end) in self._running.items() if now > end]
                queries = [self._running.pop(place)[0] for place in late]
            for sql in queries:
                self._stuck(f"a query cannot be stopped, and holds the projector up: {' '.join(sql.split())[:_SHOWN]}")


def restart(reason: str) -> None:
    """Begin this program anew in its place, as after `kill -9`: nothing else ends a query that DuckDB does not let go.

    Files and sockets close with it, and the kernel gives its locks back; what was committed stands.
    """
    _log.error("%s; the projector starts anew", reason)
    logging.shutdown()
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208 - names are all that is needed
        if int(name) > 2:
            with suppress(OSError):
                os.set_inheritable(int(name), False)
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606 - no shell, and our own words
