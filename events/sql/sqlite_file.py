"""The file behind a SQLite connection: which one was opened, and whether it still is what stands at its path."""

from __future__ import annotations

import ctypes
import os
import sqlite3
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NamedTuple

from ...errors import Unavailable
from .. import forks

_PAUSE: Final = 0.01
_TICK: Final = 50_000_000
"""Nanoseconds; the clocks of file systems tick every few milliseconds."""
_left: Final[dict[str, Files]] = {}
"""By path, what was open there last when it was moved away."""
_execute: Final = sqlite3.Connection.execute
opening: Final = threading.RLock()
"""Held by the thread that opens a connection."""
_open: Final[forks.Living[Connection]] = forks.Living()
_lost: Final[set[tuple[int, int]]] = set()
"""Files whose write-ahead log was replaced under this process: it cannot open them again without harm."""


class Files(NamedTuple):
    """The three files of a database in WAL mode, by what the system calls them."""

    device: int
    main: int
    log: int | None
    """The write-ahead log, None where there is none."""
    shared: int | None
    """The log's index, by whose locks its writers know of each other."""


def files_at(path: str) -> Files | None:
    """What stands at a path, None where no database does."""
    try:
        main = os.stat(path)  # noqa: PTH116 - the cheapest
    except (FileNotFoundError, NotADirectoryError):
        return None
    beside = os.path.realpath(path)  # SQLite follows a link first
    return Files(main.st_dev, main.st_ino, _inode(f"{beside}-wal"), _inode(f"{beside}-shm"))


def _inode(path: str) -> int | None:
    try:
        return os.stat(path).st_ino  # noqa: PTH116
    except OSError:
        return None


class Connection(sqlite3.Connection):
    """A connection that knows which files it opened, and looks after each COMMIT whether they are there still."""

    opened: Files | None = None
    """What it opened; None where that is not followed."""

    def __init__(self, uri: str, path: Path, **options: Any) -> None:
        super().__init__(uri, uri=True, **options)
        self.path = str(path)
        self.process = os.getpid()
        self._folder = str(path.parent)
        self._quiet: tuple[int, int] | None = None
        """The folder and its time of change, when the files were last looked at; None where that says nothing."""
        _open.add(self)

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        """Run a statement. A COMMIT into files that were removed or replaced meanwhile is an error: it is lost."""
        try:
            done = _execute(self, sql, parameters)
        except (UnicodeEncodeError, OverflowError) as error:  # half a character, or more than 64 bits
            raise sqlite3.DataError(str(error)) from error
        if sql == "COMMIT" and not self.stands():
            raise sqlite3.OperationalError("its file was removed or replaced while it was written")
        return done

    def stands(self) -> bool:
        """Whether what it opened is what stands at its path.

        A folder whose time of change is the same has had no file made, moved or removed: one look instead of three.
        """
        if self.opened is None:
            return True
        try:
            folder = os.stat(self._folder)  # noqa: PTH116
        except OSError:
            return False
        if self._quiet == (folder.st_ino, folder.st_mtime_ns):
            return True
        if files_at(self.path) != self.opened:
            return False
        self._note(folder)
        return True

    def _note(self, folder: os.stat_result) -> None:
        # what happens within one tick of the file system's clock leaves the time as it is
        settled = time.time_ns() - folder.st_mtime_ns > _TICK and not os.path.islink(self.path)  # noqa: PTH114
        self._quiet = (folder.st_ino, folder.st_mtime_ns) if settled else None

    def follow(self) -> bool:
        """Note what was opened; False where it was replaced while it was opened."""
        self.opened = files_at(self.path)
        return self.opened is not None

    def close(self) -> None:
        """Close it, without harm to what stands at its path by now.

        A database that was moved is made whole first: its log may not follow it. Where only the log was removed,
        closing brings what stands in it into the database, if no other process has that open. Where another log that
        holds anything stands in its place, closing would delete that one: such a connection is never closed.
        """
        now, opened = files_at(self.path), self.opened
        if opened and (now is None or now[:2] != opened[:2]):
            with suppress(sqlite3.Error):
                if self.in_transaction:
                    _execute(self, "ROLLBACK")
                _execute(self, "PRAGMA wal_checkpoint(FULL)")
            _left[self.path] = opened
        if opened and now and now[:2] == opened[:2] and now.log not in (None, opened.log) and _holds_any(self.path):
            _lost.add(opened[:2])
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(self))  # not even when the process ends
        else:
            super().close()
        self.opened = None


def _holds_any(path: str) -> bool:
    try:
        return os.stat(f"{os.path.realpath(path)}-wal").st_size > 0  # noqa: PTH116
    except OSError:
        return False


def log_left_behind(path: str) -> Files | None:
    """The files that were at a path before, where their write-ahead log is there still and the database another.

    SQLite would read that log into the other database.
    """
    opened, now = _left.get(path), files_at(path)
    if opened is None or now is None:
        return None
    if now[:2] != opened[:2] and now.log is not None and now.log == opened.log:
        return opened
    del _left[path]
    return None


def alone(path: str, name: str, wait: float) -> None:
    """Close all connections of this process that opened the same database with another log, before it is opened anew.

    SQLite shares the index of the log within a process, so one that was left open would have the others use a removed
    one. Raises `Unavailable` where one is at work for longer than `wait` seconds, or where one can never be closed.
    """
    now = files_at(path)
    end = time.monotonic() + wait
    while now is not None and (stale := _stale(now)):
        for each in stale:
            if not each.in_transaction:
                each.close()
        if now[:2] in _lost:
            break
        if time.monotonic() > end:
            raise Unavailable(f"files of {name} were removed while it is written; try again when that is done")
        time.sleep(_PAUSE if any(each.in_transaction for each in stale) else 0)
        now = files_at(path)
    if now is not None and now[:2] in _lost:
        raise Unavailable(
            f"the write-ahead log of {name} was replaced while this process used it; start the process anew, and never "
            "remove or replace files of a home that is in use"
        )


def _stale(now: Files) -> list[Connection]:
    process = os.getpid()
    return [
        each
        for each in _open.all()
        if each.opened is not None and each.process == process and each.opened[:2] == now[:2] and each.opened != now
    ]
