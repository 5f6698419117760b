"""Reading in order: what is read from front to back comes by one long request, which goes on while it is worked on."""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from .connections import Download

LONG: Final = 8 << 20
"""Bytes from which it is worth to read in order."""
_PATIENCE: Final = 0.25
"""Seconds for which whoever comes too early waits for those whose bytes come before; then they are left out."""
Opens = Callable[[int, int], Download]
"""Asks for the bytes from one place to before another."""


class InOrder:
    """Bytes of one object in streams, each read from front to back, which end where the next begins.

    The threads that need the bytes read them, one after another: one reads while others work on what they have read.
    Whoever asks for bytes that have gone by gets them by a request of their own.
    """

    def __init__(self, open: Opens, starts: Sequence[int], size: int) -> None:
        self._open = open
        self._streams = [_Stream(open, start, stop) for start, stop in zip(starts, (*starts[1:], size), strict=True)]
        weakref.finalize(self, _close, self._streams)

    def read_into(self, offset: int, into: memoryview) -> None:
        """Bytes from a place on; raises what reading them does."""
        stop = offset + len(into)
        stream = next((each for each in self._streams if each.start <= offset and stop <= each.stop), None)
        if stream is None or not stream.read_into(offset, into):
            with self._open(offset, stop) as download:
                download.read_into(into)


class _Stream:
    """The bytes from `start` to before `stop`."""

    def __init__(self, open: Opens, start: int, stop: int) -> None:
        self.start = start
        self.stop = stop
        self._open = open
        self._at = -1
        self._reading = False
        self._idle = time.monotonic()
        """When the last read ended."""
        self._waiting: list[int] = []
        self._turn = threading.Condition()
        self._download: Download | None = None

    def read_into(self, offset: int, into: memoryview) -> bool:
        """Read bytes of it when it is their turn; False where they have gone by."""
        with self._turn:
            since = time.monotonic()
            self._waiting.append(offset)
            try:
                while not self._is_turn(offset, since):
                    self._turn.wait(_PATIENCE)
            finally:
                self._waiting.remove(offset)
            if self._at > offset:
                return False
            self._reading, skips, self._at = True, self._at < offset, offset
        after = self.stop  # where reading fails nobody waits for what comes next
        try:
            if skips or self._download is None:
                self.close()
                self._download = self._open(offset, self.stop)
            self._download.read_into(into)
            after = offset + len(into)
        finally:
            with self._turn:
                self._at, self._reading, self._idle = after, False, time.monotonic()
                self._turn.notify_all()
        return True

    def _is_turn(self, offset: int, since: float) -> bool:
        if self._reading:
            return False
        late = time.monotonic() - max(since, self._idle) > _PATIENCE
        return self._at >= offset or (offset == min(self._waiting) and (self._at < 0 or late))

    def close(self) -> None:
        """Give up what was not read."""
        if self._download is not None:
            self._download.close()


def _close(streams: Sequence[_Stream]) -> None:
    for each in streams:
        each.close()


def empty(length: int) -> memoryview:
    """Memory for so many bytes."""
    return np.empty(length, np.uint8).data
