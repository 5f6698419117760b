"""One attempt from the inside: its order, its store, and its voice."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from threading import Event, Lock
from typing import Any, Final

from ..errors import Malformed
from ..events.run import MetricsLogged
from ..jobs.protocol.messages import LARGEST, Measured, Message, encoded
from ..jobs.protocol.orders import Order
from ..tensors.objects import ObjectStore
from ..tracing import traceparent

FLUSH: Final = 1.0
"""Seconds between two blocks of metrics."""
POINTS: Final = 1000


class Work:
    """What a handler works with."""

    def __init__(self, order: Order, objects: ObjectStore, pipe: int) -> None:
        self.order = order
        self.objects = objects
        self.points = 0
        self.stopping = Event()
        self._pipe = pipe
        self._said = 0
        self._buffer: list[tuple[str, int, float, datetime]] = []
        self._flushed = time.monotonic()
        self._lock = Lock()

    def say(self, message: Message) -> None:
        """Tell the worker, which tells the ledger. Raises `Malformed` where no topic could carry it."""
        raw = encoded(message, self.order.worker, traceparent() or self.order.traceparent) + b"\n"
        if len(raw) > LARGEST:
            raise Malformed(
                f"what the attempt has to say takes {len(raw):,} bytes of {LARGEST:,}; it describes too much"
            )
        with self._lock:
            while raw:
                raw = raw[os.write(self._pipe, raw) :]

    def next(self) -> dict[str, Any]:
        """What every message of this attempt bears, with the number that is its own."""
        self._said += 1
        return {"job": self.order.job, "epoch": self.order.epoch, "n": self._said}

    def measured(self, step: int, figures: Mapping[str, float]) -> None:
        """Note figures of a step; they are told in blocks."""
        now = datetime.now(UTC)
        self._buffer += [(name, step, float(value), now) for name, value in figures.items()]
        if len(self._buffer) >= POINTS - 50 or time.monotonic() - self._flushed > FLUSH:
            self.flush()

    def flush(self) -> None:
        """Tell the figures that were noted."""
        self._flushed = time.monotonic()
        for start in range(0, len(self._buffer), POINTS):
            names, steps, values, times = zip(*self._buffer[start : start + POINTS], strict=True)
            block = MetricsLogged(names=names, steps=steps, values=values, times=times)
            self.say(Measured(**self.next(), block=block))
            self.points += len(names)
        self._buffer.clear()
