"""The lock of whoever delivers a spool: the kernel's own, or on systems without `fcntl` the library filelock's."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from ...errors import LockHeld


class HeldSpool(Protocol):
    """A spool's lock that is held."""

    def check(self) -> None:
        """Raise `Unavailable` where it is held no more."""
        ...

    def release(self) -> None:
        """Give it back; a second call does nothing."""
        ...


def locked(path: Path, what: str, wait: float) -> HeldSpool:
    """The lock on a file, waited for `wait` seconds. Raises `LockHeld`."""
    try:
        from ...events.sql.lock import FileLock
    except ImportError:  # Windows has no fcntl
        return PortableLock(path, what, wait)
    return FileLock(path, what, wait)


class PortableLock:
    """An exclusive lock on a file of a system that has no `fcntl`: msvcrt's on Windows.

    filelock has been tried on such systems for years; `FileLock`, which is used elsewhere, names its holder and notices
    where its file was replaced.
    """

    def __init__(self, path: Path, what: str, wait: float) -> None:
        import filelock

        self._lock = filelock.FileLock(path)
        try:
            self._lock.acquire(timeout=wait, poll_interval=0.01)
        except filelock.Timeout:
            raise LockHeld(f"{what} is held by another process; try again when it is done") from None

    def check(self) -> None:
        """Nothing: no other can remove a file that is open on Windows."""

    def release(self) -> None:
        """Give it back; a second call does nothing."""
        self._lock.release()
