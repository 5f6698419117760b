"""A ledger in a SQLite file."""

from __future__ import annotations

import sqlite3
import stat
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar, Final

from ..errors import Malformed, Refused, Unavailable
from . import forks
from .database import Database
from .lock import FileLock
from .mounts import network_file_system

_PREFIX: Final = "sqlite:///"
_LONGEST: Final = 60.0
"""Seconds that a fork waits for transactions to end: a child that took one along would write without its locks."""
_USES: Final = forks.Uses()
"""The threads that are within the library, whichever database they are at: its locks are the process's."""


class SQLite(Database):
    """One file, write-ahead, synced at every commit. `sqlite:///` and a path; all behind it is the path."""

    dialect = "sqlite"
    mark = "?"
    exists: ClassVar[str] = "SELECT count(*) FROM sqlite_master WHERE name = 'head' AND ? IS NOT NULL"

    def __init__(self, url: str, ledger: str, *, wait: float) -> None:
        path = url.removeprefix(_PREFIX)
        if path in ("", ":memory:", url):
            raise Malformed("LEPTON_DATABASE names no file; write sqlite:///path")
        super().__init__(url, ledger, wait=wait, name=url)
        self.path = Path(path)
        _LIVING.add(self)

    @property
    def begin(self) -> tuple[str, ...]:
        """SQLite has one writer at a time."""
        return ("BEGIN IMMEDIATE",)

    @property
    def begin_creation(self) -> tuple[str, ...]:
        """The lock of every writer."""
        return self.begin

    def connect(self) -> sqlite3.Connection:
        """A new connection. `Refused` on a network file system."""
        if kind := network_file_system(self.path.parent):
            raise Refused(
                f"{self.path.parent} is on a network file system ({kind}), where SQLite loses data; "
                "put the home on a local disk or set LEPTON_DATABASE to a PostgreSQL"
            )
        _check_regular(self.path)
        connection = sqlite3.connect(self.path, timeout=self.wait, isolation_level=None, check_same_thread=False)
        try:
            _write_ahead(connection, self.wait)
            connection.execute("PRAGMA synchronous=FULL")
            # a forgotten actor's name and key leave no trace in the pages they stood on
            connection.execute("PRAGMA secure_delete=ON")
        except BaseException:
            connection.close()
            raise
        return connection

    def erase(self, connection: Any) -> None:
        """Clear the write-ahead log. `Unavailable` where a reader keeps it."""
        if connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
            raise Unavailable(
                f"the name is forgotten, but a reader kept traces in the write-ahead log of {self.name} "
                f"for {self.wait:g} s; forget again when it is done"
            )

    def lock(self, what: str) -> FileLock:
        """A lock on a file beside the ledger's."""
        return FileLock(Path(f"{self.path}.{what}"), f"the {what} of {self.name}", self.wait)

    @contextmanager
    def connection(self) -> Generator[Any]:
        """As ever; a fork waits until it is given back."""
        if _USES.unsafe:
            raise Unavailable(
                f"this process was forked while a thread of its parent was at {self.name}, whose locks it cannot tell "
                "from its own; start it by spawn, or fork again"
            )
        with _USES.use(), super().connection() as connection:
            yield connection

    @contextmanager
    def migrating(self) -> Generator[None]:
        """A fork waits until it is done."""
        with _USES.use():
            yield


class _AtForks:
    """No connection goes into a child: it would take its parent's locks for its own, and write without any."""

    def before_fork(self) -> None:
        """Wait for the threads that are at a database, and close all connections."""
        if _USES.rest(_LONGEST):
            for database in _LIVING.all():
                database.close()

    def after_fork(self, *, child: bool) -> None:
        """Let threads in again; connections are opened as they are asked for."""
        _USES.resume(child=child)
        if child:
            _LIVING.renew()


_LIVING: forks.Living[SQLite] = forks.Living()
_AT_FORKS = _AtForks()
forks.guard(_AT_FORKS, last=True)


def _check_regular(path: Path) -> None:
    """Hold that there is a file or nothing: what reads from a pipe or a device may never come to its end."""
    for place in (path, Path(f"{path}-wal"), Path(f"{path}-shm")):
        try:
            mode = place.stat().st_mode
        except OSError:
            continue  # it is not there, or SQLite says what is wrong with it
        if not stat.S_ISREG(mode):
            raise Refused(f"{place} is no file, but a ledger's database is one; move it away or set LEPTON_DATABASE")


def _write_ahead(connection: sqlite3.Connection, wait: float) -> None:
    """Put the file in WAL mode. Where two processes do so at once SQLite answers busy whatever its timeout."""
    deadline = time.monotonic() + wait
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
