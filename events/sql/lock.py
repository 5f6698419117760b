"""A lock between processes that names its holder, is waited for and dies with it."""

from __future__ import annotations

import fcntl
import os
import time
import weakref
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from ...errors import LockHeld, Unavailable
from ...permissions import denied, open_file

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

    Waits at most `wait` seconds, then raises `LockHeld` naming the holder's process id. The kernel gives the lock
    back when its holder dies, however it dies. A lock on a file that was removed or replaced meanwhile shuts nobody
    out: it is taken anew on what stands at the path.
    """

    def __init__(self, path: Path, what: str, wait: float) -> None:
        self._path = path
        self._what = what
        self._descriptor = -1
        end = time.monotonic() + wait
        try:
            while not self._taken():
                if time.monotonic() >= end:
                    raise LockHeld(f"{what} is held by process {self._holder()}; try again when it is done")
                time.sleep(_PAUSE)
            with suppress(OSError):  # a full disk: the lock holds all the same, only its holder is not named
                os.ftruncate(self._descriptor, 0)
                os.pwrite(self._descriptor, str(os.getpid()).encode(), 0)
        except BaseException as error:
            self.release()
            if isinstance(error, OSError):
                raise denied(error, path, "locked") from error
            raise

    def check(self) -> None:
        """Raise `Unavailable` where the file was removed or replaced, so that another may hold the lock too."""
        if self._descriptor < 0 or not self._stands():
            raise Unavailable(f"{self._what} is held no more, for the file of its lock was removed; start again")

    def release(self) -> None:
        """Give the lock back; a second call does nothing."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            _HELD.discard(self)
            os.close(descriptor)

    def _taken(self) -> bool:
        if self._descriptor < 0 or not self._stands():
            self.release()
            self._descriptor = open_file(self._path, os.O_RDWR)
            _HELD.add(self)  # from the first on: a fork meanwhile must not carry it into the child
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return self._stands()

    def _stands(self) -> bool:
        """Whether the file that is open is the one at the path."""
        try:
            return os.path.samestat(os.fstat(self._descriptor), self._path.lstat())
        except FileNotFoundError:
            return False

    def _holder(self) -> str:
        with suppress(OSError):
            return os.pread(self._descriptor, 20, 0).decode("ascii", "replace").strip() or "unknown"
        return "unknown"


def _let_go() -> None:
    # A forked child shares the open file and would keep the lock alive after its parent's death; closing the child's
    # copy leaves the parent's hold untouched.
    for lock in tuple(_HELD):
        with suppress(OSError):
            lock.release()


os.register_at_fork(after_in_child=_let_go)
