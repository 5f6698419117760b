"""A SQLite file that may only be read: on a read-only mount, or another user's.

Where its writers' log is there it is read as it goes on. Else the file is read as it stands, and where a log was left
behind by a writer that was killed, from a copy in a temporary folder: what a writer elsewhere commits meanwhile is then
seen by whoever opens it next.
"""

from __future__ import annotations

import logging
import os
import shutil
import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import quote

from .sqlite_file import Connection, Files

log = logging.getLogger("lepton")


class _ReadOnly(Connection):
    """A connection that brings nothing into the database, and deletes no log of it."""

    def _leave(self, opened: Files, now: Files | None) -> bool:  # noqa: ARG002
        return True


class _Still(_ReadOnly):
    """A connection that takes the file for one that nobody writes: it is made anew for each use."""

    def stands(self) -> bool:
        return False


class _Copy(_ReadOnly):
    """A connection to a copy, which goes when it is closed."""

    folder: TemporaryDirectory[str] | None = None

    def close(self) -> None:
        super().close()
        if self.folder is not None:
            self.folder.cleanup()


def writable(path: Path) -> bool:
    """Whether a database can be written: SQLite needs its folder too, for the write-ahead log."""
    return os.access(path, os.R_OK | os.W_OK) and os.access(path.parent, os.W_OK | os.X_OK)


def uri(path: Path) -> str:
    """A path as SQLite's URIs have it."""
    return f"file:{quote(str(path))}"


def read_only(path: Path, options: dict[str, Any]) -> Connection:
    """A connection that reads. Raises `sqlite3.Error` where the file may not even be read."""
    with suppress(sqlite3.OperationalError):
        return _reading(_ReadOnly(f"{uri(path)}?mode=ro", path, **options))
    if not _size(Path(f"{path}-wal")):
        return _reading(_Still(f"{uri(path)}?mode=ro&immutable=1", path, **options))
    return _copied(path, options)


def ledger_without_log(path: Path) -> str | None:
    """The ledger's id in the file itself, None where only the write-ahead log beside it knows one, or there is none.

    Raises nothing: a file that cannot be read so is read with its log all the same.
    """
    if not _size(Path(f"{path}-wal")):
        return None
    with (
        suppress(sqlite3.Error),
        closing(sqlite3.connect(f"{uri(path)}?mode=ro&immutable=1", uri=True)) as connection,
    ):
        found = connection.execute("SELECT ledger FROM head").fetchone()
        return found and found[0]
    return None


def _reading(connection: Connection) -> Connection:
    try:
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except BaseException:
        connection.close()
        raise
    return connection


def _copied(path: Path, options: dict[str, Any]) -> Connection:
    """A connection to a copy of the file and its log, which SQLite puts together there."""
    folder = TemporaryDirectory(prefix="lepton-read-")
    try:
        copy = Path(folder.name) / path.name
        for end in ("", "-wal"):
            shutil.copyfile(f"{path}{end}", f"{copy}{end}")
        connection = _Copy(f"{uri(copy)}?mode=rw", path, **options)
        connection.folder = folder
        connection.execute("PRAGMA query_only = ON")
        log.info("%s may only be read and its writers' log is not in use; it is read from a copy", path)
        return _reading(connection)
    except OSError as error:
        folder.cleanup()
        raise sqlite3.OperationalError(f"it cannot be copied ({error.strerror})") from error


def _size(path: Path) -> int:
    with suppress(OSError):
        return path.stat().st_size
    return 0
