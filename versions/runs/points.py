"""The points of a run that wait to be recorded, cut into commands of columns; several threads may log at once."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from threading import Lock, RLock
from typing import Final, NamedTuple

from ...domain.commands import LogMetrics
from ...domain.names import checked_label, figure
from ...events.run import MetricsLogged

POINTS: Final = 1000
"""Points an event holds at most."""
BLOCK_BYTES: Final = 192 * 1024
"""What an event's points may take of the 256 KiB that it holds."""
BUFFERED: Final = 5000
POINT_BYTES: Final = 80
"""What a point takes beside its name: step, value and time."""
LOGGED_BYTES: Final = 640 * 1024
"""What the points of one command may take of the 768 KiB that its events may."""
SECONDS: Final = 5.0

Point = tuple[str, int | None, float, float]
"""A metric's name, step, value, and when it was logged."""


class Resumed(NamedTuple):
    """A run that is gone on with: how many points it had logged, and their greatest step."""

    run: str
    points: int
    step: int | None


class Points:
    """The buffer of one run. A forked child begins with an empty one: its parent records what was buffered before."""

    def __init__(self, run: str, logged: int) -> None:
        self._run = run
        self.logged = logged
        """Points that were cut into commands so far."""
        self._names: set[str] = set()
        self._longest = 0
        """Bytes of the longest of them, as JSON."""
        self._begin()

    def _begin(self) -> None:
        self._process = os.getpid()
        self._points: list[Point] = []
        self._unsent: list[tuple[str, LogMetrics]] = []
        """Points that nobody took, each under the key it was sent under."""
        self._lock, self._sending = Lock(), RLock()
        self._flushed = time.monotonic()

    def own(self) -> None:
        """Begin anew in a child."""
        if os.getpid() != self._process:
            self._begin()
            self.logged = 0

    def add(self, metrics: Mapping[str, float], step: int | None) -> bool:
        """Note figures: whether it is time to record them. Raises `Malformed`, and then notes none of them."""
        now = time.time()
        points = [(self._name(name), step, figure(name, value), now) for name, value in metrics.items()]
        with self._lock:
            self._points += points
            return len(self._points) >= BUFFERED or time.monotonic() - self._flushed > SECONDS

    def send(self, send: Callable[[str, LogMetrics], None], key: Callable[[], str], *, patient: bool) -> None:
        """Send what waits, in order, each under a key that it keeps. What is not sent goes on waiting.

        Where another thread is at it, it is waited for only if `patient`.
        """
        self._cut_up(key)
        if not self._sending.acquire(blocking=patient):
            return
        try:
            while self._unsent:
                send(*self._unsent[0])
                del self._unsent[0]
        finally:
            self._sending.release()

    def _cut_up(self, key: Callable[[], str]) -> None:
        with self._lock:
            points, self._points, self._flushed = self._points, [], time.monotonic()
            weight = self._longest + POINT_BYTES
            for some in _cut(points, min(BUFFERED, LOGGED_BYTES // weight)):
                blocks = tuple(map(_block, _cut(some, min(POINTS, BLOCK_BYTES // weight))))
                self._unsent.append((key(), LogMetrics(run=self._run, blocks=blocks)))
            self.logged += len(points)

    def _name(self, name: str) -> str:
        if name not in self._names:
            checked_label(name, "metric")
            with self._lock:
                self._names.add(name)
                self._longest = max(self._longest, len(json.dumps(name, ensure_ascii=False).encode()))
        return name


def _cut(points: list[Point], most: int) -> Iterator[list[Point]]:
    return (points[start : start + most] for start in range(0, len(points), most))


def _block(points: list[Point]) -> MetricsLogged:
    names, steps, values, times = zip(*points, strict=True)
    moments = tuple(datetime.fromtimestamp(each, UTC) for each in times)
    return MetricsLogged(names=names, steps=steps, values=values, times=moments)
