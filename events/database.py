"""The connection to a ledger's database: SQLite or PostgreSQL, its settings, its schema, its errors in our words."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy import create_engine, event, make_url
from sqlalchemy.engine import URL, Engine
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.pool import QueuePool

from ..errors import Damaged, LeptonError, Malformed, Refused, Unavailable

NETWORK_FILE_SYSTEMS: Final = frozenset(
    ("nfs", "nfs4", "cifs", "smb3", "smbfs", "fuse.sshfs", "9p", "afs", "ceph", "glusterfs")
)


class Database:
    """An engine on one ledger's database. It survives a fork: the child opens connections of its own."""

    def __init__(self, url: str, ledger: str, *, wait: float) -> None:
        self.url = _parsed(url)
        self.ledger = ledger
        self.wait = wait
        self.sqlite = self.url.get_backend_name() == "sqlite"
        self._engine: Engine | None = None
        self._pid = os.getpid()

    @property
    def engine(self) -> Engine:
        """The engine, made on first use and made again after a fork."""
        if self._engine is None or self._pid != os.getpid():
            if self._engine is not None:
                self._engine.dispose(close=False)
            self._engine, self._pid = (self._open_sqlite() if self.sqlite else self._open_postgresql()), os.getpid()
        return self._engine

    @property
    def name(self) -> str:
        """What messages call the database: never a password."""
        return f"the database {self.url.render_as_string(hide_password=True)}"

    @contextmanager
    def connection(self) -> Generator[Any]:
        """The driver's own connection, in autocommit: callers say BEGIN. Foreign errors come out as ours."""
        with self.translated():
            pooled = self.engine.raw_connection()
            try:
                yield pooled.driver_connection
            except LeptonError:
                raise
            except BaseException:
                pooled.invalidate()
                raise
            finally:
                pooled.close()

    @contextmanager
    def translated(self) -> Generator[None]:
        """Turns what the driver raises into Lepton's errors."""
        try:
            yield
        except LeptonError:
            raise
        except (sqlite3.Error, DBAPIError) as error:
            raise self._translate(error.orig if isinstance(error, DBAPIError) and error.orig else error) from error
        except Exception as error:
            if type(error).__module__.split(".")[0] == "psycopg":
                raise self._translate(error) from error
            raise

    def close(self) -> None:
        """Give the connections back."""
        if self._engine is not None:
            self._engine.dispose(close=self._pid == os.getpid())
            self._engine = None

    def _open_sqlite(self) -> Engine:
        path = Path(self.url.database or "")
        if kind := network_file_system(path.parent):
            raise Refused(
                f"{path.parent} is on a network file system ({kind}), where SQLite loses data; "
                "put the home on a local disk or set LEPTON_DATABASE to a PostgreSQL"
            )
        engine = create_engine(
            self.url,
            poolclass=QueuePool,
            connect_args={"timeout": self.wait, "isolation_level": None, "check_same_thread": False},
            pool_reset_on_return=None,
        )

        @event.listens_for(engine, "connect")
        def settings(connection: sqlite3.Connection, _: object) -> None:  # pyright: ignore[reportUnusedFunction]
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=FULL")

        return engine

    def _open_postgresql(self) -> Engine:
        try:
            engine = create_engine(
                self.url.set(drivername="postgresql+psycopg"),
                paramstyle="format",
                isolation_level="AUTOCOMMIT",
                connect_args={"connect_timeout": max(1, int(self.wait))},
                pool_reset_on_return=None,
            )
        except ModuleNotFoundError as error:
            raise Refused("PostgreSQL needs the extra: pip install 'lepton-ai-sdk[postgres]'") from error

        @event.listens_for(engine, "connect")
        def settings(connection: Any, _: object) -> None:  # pyright: ignore[reportUnusedFunction]
            connection.autocommit = True
            connection.execute(f'SET search_path TO "{self.schema}"')
            connection.execute(f"SET lock_timeout = {int(self.wait * 1000)}")

        return engine

    @property
    def schema(self) -> str:
        """The PostgreSQL schema that holds the ledger."""
        return f"lepton_{self.ledger}"

    def _translate(self, error: BaseException) -> LeptonError:
        text = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        if password := self.url.password:
            text = text.replace(str(password), "***")
        if isinstance(error, sqlite3.Error):
            return self._translate_sqlite(error, text)
        return Unavailable(f"{self.name} does not answer ({text}); try again when it does")

    def _translate_sqlite(self, error: sqlite3.Error, text: str) -> LeptonError:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            return Damaged(self.name, expected="a SQLite database", found=text)
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            return Unavailable(f"{self.name} stayed locked by another writer for {self.wait:g} s; try again")
        if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH):
            return Refused(f"{self.name} cannot be opened for writing ({text}); check the folder and its permissions")
        return Unavailable(f"{self.name} failed ({text}); try again when that is mended")


def network_file_system(folder: Path) -> str | None:
    """The kind of network file system that a folder lies on, None where it is local or cannot be told."""
    try:
        mounts = Path("/proc/self/mounts").read_text().splitlines()
    except OSError:
        return None
    best, kind = "", ""
    resolved = str(folder.resolve()) + "/"
    for line in mounts:
        _, point, fstype, *_ = line.split(" ")
        point = point.encode().decode("unicode_escape").rstrip("/") + "/"
        if resolved.startswith(point) and len(point) >= len(best):
            best, kind = point, fstype
    return kind if kind in NETWORK_FILE_SYSTEMS else None


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
        parsed.get_backend_name()
        if parsed.get_backend_name() not in ("sqlite", "postgresql"):
            raise Malformed(
                f"LEPTON_DATABASE names {parsed.get_backend_name()!r}; a ledger lives in sqlite:/// or postgresql://"
            )
    except (ArgumentError, NoSuchModuleError, ValueError) as error:
        raise Malformed("LEPTON_DATABASE is no database URL; write sqlite:///path or postgresql://host/name") from error
    return parsed
