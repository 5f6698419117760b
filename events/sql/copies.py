"""Copies of a ledger's tables as an older format left them, made by an upgrade and kept until somebody deletes them."""

from __future__ import annotations

import os
import sqlite3
from abc import ABC, abstractmethod
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from ...errors import Refused
from .sqlite_readonly import uri

_LEDGER: Final = "SELECT ledger FROM head"


class Copies(ABC):
    """The copies of one ledger, in its own database or beside its file."""

    @abstractmethod
    def place(self, format: int) -> str:
        """Where the copy of a format is, in words."""

    @abstractmethod
    def size(self, connection: Any) -> int:
        """About how many bytes a copy takes."""

    @abstractmethod
    def make(self, connection: Any, format: int, ledger: str) -> None:
        """Copy all tables as the transaction finds them, which holds the writers' lock and has written nothing yet.

        A copy of the same ledger that an upgrade left when it was killed is replaced, that of another is `Refused`.
        """

    @abstractmethod
    def forget(self, connection: Any, name: str) -> None:
        """Delete an actor's name and key from every copy."""


class FileCopies(Copies):
    """Copies of a SQLite file, beside it: `main.db.format-1`. Each is a whole ledger by itself."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def place(self, format: int) -> str:
        return str(self._file(format))

    def size(self, connection: Any) -> int:
        pages, page = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "page_size"))
        return pages * page

    def make(self, connection: Any, format: int, ledger: str) -> None:  # noqa: ARG002 - what it locks holds still
        place = self._file(format)
        if place.exists() and (found := _ledger_in(place)) != ledger:
            raise Refused(f"{place} is a copy of another ledger, {found}; move it away and upgrade again")
        fresh = place.with_name(f"{place.name}.new")
        fresh.unlink(missing_ok=True)
        os.close(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, self._path.stat().st_mode & 0o777))
        with closing(_read_only(self._path)) as source, closing(sqlite3.connect(fresh)) as target:
            source.backup(target)
            target.execute("PRAGMA journal_mode=DELETE")  # one file is a whole ledger
        _synced(fresh)
        fresh.replace(place)
        _synced(place.parent)

    def forget(self, connection: Any, name: str) -> None:  # noqa: ARG002 - the copies are files of their own
        for place in self._path.parent.glob(f"{self._path.name}.format-*[0-9]"):
            with closing(sqlite3.connect(place, isolation_level=None)) as copy:
                copy.execute("PRAGMA secure_delete=ON")
                copy.execute("DELETE FROM actors WHERE name = ?", (name,))

    def _file(self, format: int) -> Path:
        return self._path.with_name(f"{self._path.name}.format-{format}")


class SchemaCopies(Copies):
    """Copies of a PostgreSQL schema, beside it in the same database: `lepton_main.format-1`."""

    def __init__(self, schema: str, database: str) -> None:
        self._schema = schema
        self._database = database

    def place(self, format: int) -> str:
        return f'schema "{self._name(format)}" of {self._database}'

    def size(self, connection: Any) -> int:
        of_tables = "sum(pg_total_relation_size((quote_ident(schemaname) || '.' || quote_ident(tablename))::regclass))"
        found = connection.execute(f"SELECT {of_tables} FROM pg_tables WHERE schemaname = %s", (self._schema,))
        return int(found.fetchone()[0] or 0)

    def make(self, connection: Any, format: int, ledger: str) -> None:
        name = self._name(format)
        if connection.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", (name,)).fetchone():
            if (found := connection.execute(f'SELECT ledger FROM "{name}".head').fetchone()[0]) != ledger:
                raise Refused(f"{self.place(format)} is of another ledger, {found}; rename it and upgrade again")
            connection.execute(f'DROP SCHEMA "{name}" CASCADE')
        connection.execute(f'CREATE SCHEMA "{name}"')
        tables = "SELECT tablename FROM pg_tables WHERE schemaname = %s ORDER BY tablename"
        for (table,) in connection.execute(tables, (self._schema,)).fetchall():
            connection.execute(f'CREATE TABLE "{name}"."{table}" (LIKE "{self._schema}"."{table}" INCLUDING ALL)')
            if table == "actors":  # names and keys must not stay in the planner's statistics
                columns = "ALTER name SET STATISTICS 0, ALTER key SET STATISTICS 0"
                connection.execute(f'ALTER TABLE "{name}".actors {columns}')
            connection.execute(f'INSERT INTO "{name}"."{table}" SELECT * FROM "{self._schema}"."{table}"')

    def forget(self, connection: Any, name: str) -> None:
        copies = "SELECT nspname FROM pg_namespace WHERE starts_with(nspname, %s)"
        for (copy,) in connection.execute(copies, (f"{self._schema}.format-",)).fetchall():
            connection.execute(f'DELETE FROM "{copy}".actors WHERE name = %s', (name,))
            connection.execute(f'VACUUM (FULL) "{copy}".actors')

    def _name(self, format: int) -> str:
        # no ledger's name holds a dot: the copy can be taken for none
        return f"{self._schema}.format-{format}"


def _read_only(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{uri(path)}?mode=ro", uri=True, isolation_level=None)


def _synced(path: Path) -> None:
    """Have a file's bytes, or a folder's names, survive power loss."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _ledger_in(path: Path) -> str:
    with closing(_read_only(path)) as copy:
        return copy.execute(_LEDGER).fetchone()[0]
