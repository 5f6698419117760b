"""A lock between processes that names its holder, is waited for and dies with it."""

from __future__ import annotations

import fcntl
import os
import time
import weakref
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from ..errors import Unavailable

_HELD: weakref.WeakSet[FileLock] = weakref.WeakSet()
_PAUSE = 0.005


class Held(Protocol):
    """A lock that is held."""

    def check(self) -> None:
        """Raise `Unavailable` where it is held no more."""
        ...

    def release(self) -> None:
        """Give it back; a second call does nothing."""
        ...


class FileLock:
    """An exclusive lock on `path`, held from construction to `release`.

    Waits at most `wait` seconds, then raises `Unavailable` naming the holder's process id. The kernel gives the lock
    back when its holder dies, however it dies.
    """

    def __init__(self, path: Path, what: str, wait: float) -> None:
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        _HELD.add(self)
        try:
            self._take(what, wait)
        except BaseException:
            self.release()
            raise

    def _take(self, what: str, wait: float) -> None:
        end = time.monotonic() + wait
        while not self._taken():
            if time.monotonic() >= end:
                holder = os.pread(self._descriptor, 20, 0).decode("ascii", "replace").strip() or "unknown"
                raise Unavailable(f"{what} has been held by process {holder} for {wait:g} s; try again when it is done")
            time.sleep(_PAUSE)
        # who holds it is only told to others: where there is no room left to write it, the lock is held all the same
        with suppress(OSError):
            os.ftruncate(self._descriptor, 0)
            os.pwrite(self._descriptor, str(os.getpid()).encode(), 0)

    def _taken(self) -> bool:
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def check(self) -> None:
        """Nothing: only its holder can let it go."""

    def release(self) -> None:
        """Give the lock back; a second call does nothing."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            _HELD.discard(self)
            os.close(descriptor)


def _let_go() -> None:
    # A forked child shares the open file and would keep the lock alive after its parent's death; closing the child's
    # copy leaves the parent's hold untouched.
    for lock in tuple(_HELD):
        with suppress(OSError):
            lock.release()


os.register_at_fork(after_in_child=_let_go)
