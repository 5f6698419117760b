"""What must survive power loss: bytes and names, synced to the disk."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Final, Literal, Self

from ..permissions import file_mode, set_mode

_ENOUGH: Final = 8 << 20
"""Bytes that are worth a sync of their own while more are made."""
_TOGETHER: Final = 1 << 20
"""Bytes written by one call, which takes them from where they lie."""
_PIECES: Final = 512
"""Pieces written by one call, which may take no more than 1024."""


def write_synced(path: Path, pieces: Iterable[bytes], mode: Literal["wb", "xb"] = "xb") -> int:
    """Write a file, a new one unless `mode` says otherwise, and sync its bytes; returns how many."""
    written = 0
    with path.open(mode, buffering=0) as file, _Ahead(file.fileno()) as ahead:
        set_mode(file.fileno(), file_mode(path.parent), path.parent)
        for together in _gathered(pieces):
            size = _write(file.fileno(), together)
            written += size
            ahead.wrote(size)
        ahead.finish()
        os.fsync(file.fileno())
    return written


def _gathered(pieces: Iterable[bytes]) -> Iterator[list[memoryview]]:
    """Pieces by the megabyte, to be written by one call each."""
    together: list[memoryview] = []
    size = 0
    for piece in pieces:
        if piece:
            together.append(memoryview(piece))
            size += len(piece)
        if size >= _TOGETHER or len(together) == _PIECES:
            yield together
            together, size = [], 0
    if together:
        yield together


def _write(file: int, pieces: list[memoryview]) -> int:
    """Write all of some pieces, none of them empty; returns their bytes."""
    size, first = sum(map(len, pieces)), 0
    while first < len(pieces):
        written = os.writev(file, pieces[first:])
        while first < len(pieces) and written >= len(pieces[first]):
            written -= len(pieces[first])
            first += 1
        if written:  # the system took a part of one
            pieces[first] = pieces[first][written:]
    return size


class _Ahead:
    """Syncs a long file while more of it is being made, so that little is left to wait for at its end."""

    def __init__(self, file: int) -> None:
        self._file = file
        self._unsynced = 0
        self._threads = ExitStack()
        self._thread: ThreadPoolExecutor | None = None
        self._syncing: Future[None] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._threads.close()

    def wrote(self, size: int) -> None:
        """Note bytes written; raises what the last sync did, for the system tells an error once."""
        self._unsynced += size
        if self._unsynced >= _ENOUGH and (self._syncing is None or self._syncing.done()):
            self.finish()
            self._thread = self._thread or self._threads.enter_context(ThreadPoolExecutor(1, "lepton-sync"))
            self._syncing, self._unsynced = self._thread.submit(os.fsync, self._file), 0

    def finish(self) -> None:
        """Wait for what is being synced; raises its error."""
        if self._syncing is not None:
            self._syncing.result()


def sync_folder(folder: Path) -> None:
    """Sync the names in a folder, else power loss could forget one."""
    file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(file)
    finally:
        os.close(file)
