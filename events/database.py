"""The connection to a ledger's database, SQLite or PostgreSQL."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Generator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from select import POLLIN, poll
from typing import Any, Final

from sqlalchemy import create_engine, event, make_url
from sqlalchemy.engine import URL, Engine
from sqlalchemy.exc import ArgumentError, NoSuchModuleError
from sqlalchemy.pool import NullPool

from ..errors import LeptonError, Malformed, Refused
from . import forks
from .mounts import network_file_system
from .translation import Translator

_HUNG: Final = 10.0
"""Seconds after which a PostgreSQL cuts off a writer that stopped in the middle of its transaction."""


class Database:
    """An engine on one ledger's database. It survives a fork: the child opens connections of its own."""

    def __init__(self, url: str, ledger: str, *, wait: float) -> None:
        self.url = _parsed(url)
        self.ledger = ledger
        self.wait = wait
        self.sqlite = self.url.get_backend_name() == "sqlite"
        # by process: a child keeps what is its parent's untouched, for closing it would hang up on the parent
        self._engines: dict[int, Engine] = {}
        self._idle: dict[int, list[Any]] = {}
        forks.guard(self)

    @property
    def engine(self) -> Engine:
        """This process's engine, made on first use."""
        pid = os.getpid()
        if (engine := self._engines.get(pid)) is None:
            engine = self._engines.setdefault(pid, self._open_sqlite() if self.sqlite else self._open_postgresql())
        return engine

    @cached_property
    def name(self) -> str:
        """What messages call the database: never a password."""
        return f"the database {self.url.set(query={}).render_as_string(hide_password=True)}"

    @property
    def schema(self) -> str:
        """The PostgreSQL schema that holds the ledger."""
        return f"lepton_{self.ledger}"

    @contextmanager
    def connection(self) -> Generator[Any]:
        """The driver's own connection, in autocommit: callers say BEGIN. Foreign errors come out as ours.

        After any error but Lepton's the connection is thrown away, which undoes what was not committed. It is kept
        here for the next caller: a pool that counts, times and resets connections would cost an append 60 µs.
        """
        idle = self._idle.setdefault(os.getpid(), [])
        try:
            connection = self._from(idle)
            try:
                yield connection
            except LeptonError:
                idle.append(connection)
                raise
            except BaseException:
                connection.close()
                raise
            idle.append(connection)
        except Exception as error:
            if ours := self.translate(error):
                raise ours from error
            raise

    def _from(self, idle: list[Any]) -> Any:
        """A connection that was given back, else a new one."""
        while idle:
            try:
                connection = idle.pop()
            except IndexError:  # another thread was faster
                break
            if self.sqlite or not _hung_up(connection):
                return connection
        pooled = self.engine.raw_connection()
        connection = pooled.driver_connection
        pooled.detach()
        return connection

    @contextmanager
    def translated(self) -> Generator[None]:
        """Turns what the driver raises into Lepton's errors."""
        try:
            yield
        except Exception as error:
            if ours := self.translate(error):
                raise ours from error
            raise

    def translate(self, error: Exception) -> LeptonError | None:
        """Lepton's error for what the driver raised; None for what is Lepton's already, or nobody's here."""
        return None if isinstance(error, LeptonError) else self._translator.translate(error)

    def close(self) -> None:
        """Give this process's connections back."""
        for connection in self._idle.pop(os.getpid(), ()):
            connection.close()
        if engine := self._engines.pop(os.getpid(), None):
            engine.dispose()

    def before_fork(self) -> None:
        """Close idle SQLite connections: the library's own state would have the child wait for its parent's locks."""
        if self.sqlite:
            self.close()

    def after_fork(self, *, child: bool) -> None:
        """Nothing: connections are opened as they are asked for."""

    @cached_property
    def _translator(self) -> Translator:
        query = self.url.query.get("password", ())
        given = (self.url.password, *((query,) if isinstance(query, str) else query))
        return Translator(self.name, self.wait, [str(secret) for secret in given if secret])

    def _open_sqlite(self) -> Engine:
        folder = Path(self.url.database or "").parent
        if kind := network_file_system(folder):
            raise Refused(
                f"{folder} is on a network file system ({kind}), where SQLite loses data; "
                "put the home on a local disk or set LEPTON_DATABASE to a PostgreSQL"
            )
        engine = create_engine(
            self.url,
            poolclass=NullPool,
            pool_reset_on_return=None,
            connect_args={"timeout": self.wait, "isolation_level": None, "check_same_thread": False},
        )

        @event.listens_for(engine, "connect")
        def settings(connection: sqlite3.Connection, _: object) -> None:  # pyright: ignore[reportUnusedFunction]
            _write_ahead(connection, self.wait)
            connection.execute("PRAGMA synchronous=FULL")
            # a forgotten actor's name and key leave no trace in the pages they stood on
            connection.execute("PRAGMA secure_delete=ON")

        return engine

    def _open_postgresql(self) -> Engine:
        milliseconds = max(1, int(self.wait * 1000))
        try:
            engine = create_engine(
                self.url.set(drivername="postgresql+psycopg"),
                paramstyle="format",
                isolation_level="AUTOCOMMIT",
                poolclass=NullPool,
                pool_reset_on_return=None,
                connect_args={"connect_timeout": max(2, int(self.wait)), "tcp_user_timeout": max(2000, milliseconds)},
            )
        except ModuleNotFoundError as error:
            raise Refused("PostgreSQL needs the extra: pip install 'lepton-ai-sdk[postgres]'") from error

        @event.listens_for(engine, "connect")
        def settings(connection: Any, _: object) -> None:  # pyright: ignore[reportUnusedFunction]
            connection.autocommit = True
            connection.execute(
                f'SET search_path TO "{self.schema}"; SET lock_timeout = {milliseconds};'
                f"SET idle_in_transaction_session_timeout = {max(milliseconds, int(_HUNG * 1000))}"
            )

        return engine


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


def _hung_up(connection: Any) -> bool:
    """Whether the server hung up on an idle connection: what says something unasked has been told good-bye."""
    if connection.closed:
        return True
    poller = poll()
    poller.register(connection.fileno(), POLLIN)
    if poller.poll(0):
        connection.close()
        return True
    return False


def _parsed(url: str) -> URL:
    # what SQLAlchemy says of a bad URL may quote a part of the password
    try:
        parsed = make_url(url)
        backend = parsed.get_backend_name()
    except (ArgumentError, NoSuchModuleError, ValueError):
        raise Malformed(
            "LEPTON_DATABASE is no database URL; write sqlite:///path or postgresql://user@host/name"
        ) from None
    if backend not in ("sqlite", "postgresql"):
        raise Malformed(f"LEPTON_DATABASE names {backend!r}; a ledger lives in sqlite:/// or postgresql://")
    if backend == "sqlite" and parsed.database in (None, "", ":memory:"):
        raise Malformed("LEPTON_DATABASE names no file; write sqlite:///path")
    return parsed
