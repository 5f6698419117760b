"""A ledger in a SQLite file."""

from __future__ import annotations

import os
import sqlite3
import time
from pathlib import Path
from typing import Any, ClassVar, Final

from ..errors import LeptonError, Malformed, Refused, Unavailable
from . import forks
from .database import Database
from .lock import FileLock
from .mounts import network_file_system

_PREFIX: Final = "sqlite:///"


class SQLite(Database):
    """One file, write-ahead, synced at every commit. `sqlite:///` and a path; all behind it is the path."""

    dialect = "sqlite"
    mark = "?"
    qualifies = False
    exists: ClassVar[str] = "SELECT count(*) FROM sqlite_master WHERE name = 'head' AND ? IS NOT NULL"

    def __init__(self, url: str, ledger: str, *, wait: float) -> None:
        path = url.removeprefix(_PREFIX)
        if path in ("", ":memory:", url):
            raise Malformed("LEPTON_DATABASE names no file; write sqlite:///path")
        super().__init__(url, ledger, wait=wait, name=url)
        self.path = Path(path)
        forks.guard(self)

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

    def alive(self, connection: Any) -> bool:
        """Not one that is closed, or still within a transaction that could not be undone."""
        try:
            if not connection.in_transaction:
                return True
            connection.close()
        except sqlite3.Error:
            pass
        return False

    def translate(self, error: Exception) -> LeptonError | None:
        """As ever; but where nothing forbids to write, what failed to open passes: descriptors that ran out, say."""
        ours = super().translate(error)
        if type(ours) is Refused and isinstance(error, sqlite3.Error) and self._may_be_written():
            return Unavailable(f"{self.name} cannot be written now ({error}); try again when it can")
        return ours

    def _may_be_written(self) -> bool:
        """Whether rights allow it, and only the moment does not: a file system may be read-only for a while."""
        folder = self.path.parent
        if not folder.is_dir() or self.path.is_dir():
            return False
        if os.statvfs(folder).f_flag & os.ST_RDONLY:
            return True
        return os.access(folder, os.W_OK | os.X_OK) and (not self.path.exists() or os.access(self.path, os.W_OK))

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

    def before_fork(self) -> None:
        """Close idle connections: the library's own state would have the child wait for its parent's locks."""
        self.close()

    def after_fork(self, *, child: bool) -> None:
        """Nothing: connections are opened as they are asked for."""


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
