"""Bytes kept for a while: in memory up to a bound, beyond it in a temporary file that nobody else sees."""

from __future__ import annotations

import os
import tempfile
import threading
from contextlib import ExitStack
from types import TracebackType
from typing import Self

from ..errors import Damaged, Unavailable
from .threads import WORKERS

HELD = WORKERS * (24 << 20)  # bytes held in memory: a part of the 64 MB a thread that restoring may take


class Spill:
    """Where bytes are put and taken back from; what the disk has no room for stays in memory. Any thread may use it."""

    def __init__(self) -> None:
        self._files = ExitStack()
        self._file: int | None = None
        self._end = 0
        self._room = HELD
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._files.close()

    def put(self, data: bytes | memoryview) -> SpilledBytes:
        """Keep a copy of some bytes."""
        size = len(data)
        with self._lock:
            in_memory = size <= self._room
            if in_memory:
                self._room -= size
        if in_memory:
            return SpilledBytes(bytes(data), None, 0, size)
        try:
            file, offset = self._place(size)
            _write(file, data, offset)
        except OSError:
            return SpilledBytes(bytes(data), None, 0, size)
        return SpilledBytes(None, file, offset, size)

    def granted(self, size: int, unit: int) -> int:
        """Bytes of memory for who keeps them elsewhere: all of `size`, or as many whole units as there is room for."""
        with self._lock:
            taken = size if size <= self._room else self._room // unit * unit
            self._room -= taken
        return taken

    def _place(self, size: int) -> tuple[int, int]:
        """A place in the file that is nobody else's."""
        with self._lock:
            if self._file is None:
                file = self._files.enter_context(tempfile.TemporaryFile(buffering=0))  # noqa: SIM115
                self._file = file.fileno()
            offset, self._end = self._end, self._end + size
            return self._file, offset


class SpilledBytes:
    """Bytes that were put into a spill, which must still be open."""

    def __init__(self, held: bytes | None, file: int | None, offset: int, size: int) -> None:
        self._held = held
        self._file = file
        self._offset = offset
        self.size = size

    def get(self, offset: int, length: int) -> bytes:
        """Some of them; raises `Unavailable` or `Damaged` where the file does not give them back."""
        if self._held is not None:
            return self._held[offset : offset + length]
        assert self._file is not None
        try:
            data = os.pread(self._file, length, self._offset + offset)
        except OSError as error:
            raise Unavailable(f"the temporary file cannot be read ({error.strerror}); try again") from error
        if len(data) != length:
            raise Damaged("a temporary file", expected=f"{length} bytes", found=f"{len(data)}")
        return data


def _write(file: int, data: bytes | memoryview, offset: int) -> None:
    left = memoryview(data)
    while left:
        written = os.pwrite(file, left, offset)
        left, offset = left[written:], offset + written
