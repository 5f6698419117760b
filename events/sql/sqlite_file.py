"""The file behind a SQLite connection: which one was opened, where and by whom, and whether it still stands there."""

from __future__ import annotations

import ctypes
import fcntl
import os
import sqlite3
import struct
import sys
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
    _left_open = False
    """Whether it was to be closed, and is not."""

    def __init__(self, uri: str, path: Path, **options: Any) -> None:
        super().__init__(uri, uri=True, **options)
        self._patience = float(options.get("timeout", 0))
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

        What stands in a log that was removed, or that may not follow its database, is brought into the database first.
        Where another log of the same database holds anything, to close would delete that one, or write over what it
        tells: such a connection is never closed, not even when the process ends.
        """
        now, opened, self.opened = files_at(self.path), self.opened, None
        if self._left_open:
            return
        if opened is not None and now != opened and not self._leave(opened, now):
            self._left_open = True
            _lost.add(opened[:2])
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(self))
        else:
            super().close()

    def _leave(self, opened: Files, now: Files | None) -> bool:
        """Bring its log into its database, which is not what stands at the path; whether it may be closed then."""
        if now is None or now[:2] != opened[:2]:
            self._checkpointed()
            _left[self.path] = opened
            return True  # SQLite deletes no log of a database that was moved
        if now.log not in (None, opened.log):
            return not _holds_any(self.path)
        return self._checkpointed()

    def _checkpointed(self) -> bool:
        """Bring all that its log holds into its database: whether that is done. Another may be at it just now."""
        end = time.monotonic() + self._patience
        with suppress(sqlite3.Error):
            if self.in_transaction:
                _execute(self, "ROLLBACK")
            while True:
                busy, pages, copied = _execute(self, "PRAGMA wal_checkpoint(FULL)").fetchone()
                if not busy and pages == copied:
                    return True
                if time.monotonic() > end:
                    break
                time.sleep(_PAUSE)
        return False


def _holds_any(path: str) -> bool:
    try:
        return os.stat(f"{os.path.realpath(path)}-wal").st_size > 0  # noqa: PTH116
    except OSError:
        return False


def replaced(path: str) -> bool:
    """Whether another database stands at a path than the one that was open there and moved away; it may be of any."""
    return _replaced(path) is not None


def has_log(path: str) -> bool:
    """Whether the log beside a database holds anything of that one: it is not what another left behind."""
    return _holds_any(path) and log_left_behind(path) is None


def log_left_behind(path: str) -> Files | None:
    """The files that were at a path before, where their write-ahead log is there still and the database another.

    SQLite would read that log into the other database.
    """
    opened, now = _replaced(path) or (None, None)
    return opened if opened and now and now.log is not None and now.log == opened.log else None


def _replaced(path: str) -> tuple[Files, Files] | None:
    """What was open at a path and what stands there, where that is another database; nothing is looked at else."""
    if (opened := _left.get(path)) is None or (now := files_at(path)) is None:
        return None
    return (opened, now) if now[:2] != opened[:2] else None


def stands_for_good(path: str) -> None:
    """Forget what was moved away from a path: what stands there is what is worked on."""
    _left.pop(path, None)


def alone(path: str, name: str, wait: float) -> None:
    """Hold that nobody has the same database open with another log than whoever opens it now will have.

    SQLite shares the index of the log within a process, so one that was left open would have the others use a removed
    one: those of this process are closed. Of other processes one that has the database open while there is no log
    works with a removed one, and what it was acknowledged stands in that alone: it is waited for.

    Raises `Unavailable` where one is at work for longer than `wait` seconds, or where one can never be closed.
    """
    end = time.monotonic() + wait
    while (now := files_at(path)) is not None:
        stale, other = _stale(now), None
        for each in stale:
            if not each.in_transaction:
                each.close()
        if now[:2] in _lost:
            raise Unavailable(
                f"the write-ahead log of {name} was replaced while this process used it; start the process anew, and "
                "never remove or replace files of a home that is in use"
            )
        if not stale:
            other = holder(path) if now.log is None or now.shared is None else None
            if other is None:
                return
        if time.monotonic() > end:
            who = f"process {other}" if other else "it"
            raise Unavailable(f"files of {name} were removed while {who} is at work; try again when that is done")
        time.sleep(_PAUSE if other or any(each.in_transaction for each in stale) else 0)


def _stale(now: Files) -> list[Connection]:
    process = os.getpid()
    return [
        each
        for each in _open.all()
        if each.opened is not None and each.process == process and each.opened[:2] == now[:2] and each.opened != now
    ]


_FIRST: Final = 0x40000002


_MANY: Final = 510


_LAYOUTS: Final = {"linux": "@hhqqi0q", "darwin": "@qqihh"}
"""`struct flock` of 64-bit systems: type, whence, start, length, pid; on macOS the first two come last."""


def holder(path: str) -> int | None:
    """The process id of another that has the database open, None where nobody has, or nobody can tell.

    Not for a process that has it open itself: to close the file here gives the locks of all its openings back.
    """
    layout = _LAYOUTS.get(sys.platform)
    if layout is None or sys.maxsize < 2**32:
        return None
    last = sys.platform == "darwin"
    kind = (fcntl.F_WRLCK, os.SEEK_SET)
    place = (_FIRST, _MANY, 0)
    with suppress(OSError):
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            asked = struct.pack(layout, *((*place, *kind) if last else (*kind, *place)))
            told = struct.unpack(layout, fcntl.fcntl(file, fcntl.F_GETLK, asked))
        finally:
            os.close(file)
        found, process = (told[3], told[2]) if last else (told[0], told[4])
        return None if found == fcntl.F_UNLCK else process
    return None


NETWORK_FILE_SYSTEMS: Final = frozenset(
    ("nfs", "nfs4", "cifs", "smb3", "smbfs", "fuse.sshfs", "9p", "afs", "ceph", "glusterfs", "fuse.glusterfs", "lustre")
)


def network_file_system(folder: Path, mounts: Path = Path("/proc/self/mounts")) -> str | None:
    """The kind of network file system that a folder lies on, None where it is local or cannot be told."""
    try:
        lines = mounts.read_text().splitlines()
    except OSError:
        return None
    best, kind = "", ""
    resolved = str(folder.resolve()) + "/"
    for line in lines:
        _, point, fstype, *_ = line.split(" ")
        # blanks and the like stand there as octal escapes
        point = point.encode("latin-1", "backslashreplace").decode("unicode_escape").rstrip("/") + "/"
        if resolved.startswith(point) and len(point) >= len(best):
            best, kind = point, fstype
    return kind if kind in NETWORK_FILE_SYSTEMS else None
