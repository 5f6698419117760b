"""A ledger in a PostgreSQL, in a schema of its own."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from select import POLLIN, poll
from typing import TYPE_CHECKING, Any, Final

from ..errors import Malformed, Refused, Unavailable
from .database import Database
from .statements import Statements

if TYPE_CHECKING:
    from .copies import Schemas

HUNG: Final = 10.0
"""Seconds after which the server cuts off a writer that stopped in the middle of its transaction."""

_PAUSE: Final = 0.05

_FOREIGN: Final = """
    WITH ours AS (
        SELECT c.oid, c.relname, c.relkind
        FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE n.nspname = %(schema)s
    )
    SELECT 'trigger', tgname || ' on ' || relname FROM pg_trigger JOIN ours ON tgrelid = ours.oid WHERE NOT tgisinternal
    UNION ALL
    SELECT 'rule', rulename || ' on ' || relname FROM pg_rewrite JOIN ours ON ev_class = ours.oid WHERE relkind = 'r'
    UNION ALL
    SELECT 'policy', polname || ' on ' || relname FROM pg_policy JOIN ours ON polrelid = ours.oid
    UNION ALL
    SELECT 'view', relname::text FROM ours WHERE relkind IN ('v', 'm')
    UNION ALL
    SELECT 'rows inherited by', relname::text FROM pg_inherits JOIN ours ON inhparent = ours.oid
    WHERE relkind IN ('r', 'p')
    ORDER BY 1, 2
"""


def _told_already(record: logging.LogRecord) -> bool:
    """Not what psycopg logs of a pipeline that an error ended: the error itself is raised, and told by Lepton."""
    return "error ignored terminating" not in str(record.msg)


logging.getLogger("psycopg").addFilter(_told_already)


class PostgreSQL(Database):
    """A schema of a database that `postgresql://user@host/name` names, as libpq reads it."""

    dialect = "postgresql+psycopg"
    mark = "%s"
    now = "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint"
    exists = "SELECT count(*) FROM pg_tables WHERE tablename = 'head' AND schemaname = %s"

    def __init__(self, url: str, ledger: str, *, wait: float) -> None:
        self.address = _parsed(url)
        """libpq's keywords: host, port, user, dbname, …"""
        told = self.address
        name = f"postgresql://{told.get('user', '')}@{told.get('host', '')}:{told.get('port', 5432)}/"
        secrets = tuple(str(told[word]) for word in told if "password" in word and told[word])
        super().__init__(url, ledger, wait=wait, name=name + str(told.get("dbname", "")), secrets=secrets)

    @property
    def begin(self) -> tuple[str, ...]:
        """The lock is a statement of its own: one that waits for it would read what was committed before the wait."""
        lock = f"SELECT pg_advisory_xact_lock(hashtext('{self.schema}'), hashtext('head'))"
        return ("BEGIN ISOLATION LEVEL READ COMMITTED", lock)

    @property
    def begin_creation(self) -> tuple[str, ...]:
        """A lock by the schema's name, for there is no head to lock yet."""
        lock = f"SELECT pg_advisory_xact_lock(hashtext('{self.schema}'))"
        return ("BEGIN", lock, f'CREATE SCHEMA IF NOT EXISTS "{self.schema}"')

    def connect(self) -> Any:
        """A new connection, its path set to the ledger's schema."""
        import psycopg

        milliseconds = max(1, int(self.wait * 1000))
        waits: dict[str, Any] = {
            "connect_timeout": max(2, int(self.wait)),
            "tcp_user_timeout": max(2000, milliseconds),
        }
        connection: Any = psycopg.connect(**(waits | self.address), autocommit=True)
        connection.execute(
            f'SET search_path TO "{self.schema}"; SET lock_timeout = {milliseconds};'
            f"SET idle_in_transaction_session_timeout = {max(milliseconds, int(HUNG * 1000))}"
        )
        return connection

    def alive(self, connection: Any) -> bool:
        """Not where the server hung up on it: what says something unasked has been told good-bye."""
        if connection.closed:
            return False
        poller = poll()
        poller.register(connection.fileno(), POLLIN)
        if poller.poll(0):
            connection.close()
            return False
        return True

    def together(self, connection: Any) -> AbstractContextManager[object]:
        """libpq's pipeline: the lock is held for as many ways there and back as there are answers to wait for."""
        return connection.pipeline()

    def insert_events(self, connection: Any, sql: Statements, rows: Sequence[tuple[Any, ...]]) -> None:
        """Insert a row as it is; many as arrays, which are one statement."""
        if len(rows) == 1:
            connection.execute(sql.insert_events, rows[0])
        else:
            connection.execute(sql.insert_event_arrays, [list(column) for column in zip(*rows, strict=True)])

    def undone(self, error: Exception) -> bool:
        """Where the server itself says no, and not good-bye, it has aborted the transaction."""
        told = getattr(error, "diag", None)
        return told is not None and told.severity_nonlocalized == "ERROR"

    def erase(self, connection: Any) -> None:
        """Write the table anew."""
        connection.execute("VACUUM (FULL) actors")

    def foreign(self, connection: Any) -> list[str]:
        """Triggers, rules and policies on the ledger's tables, views in its schema, tables that inherit from them."""
        return [f"{kind} {name}" for kind, name in connection.execute(_FOREIGN, {"schema": self.schema})]

    @property
    def copies(self) -> Schemas:
        """Schemas beside the ledger's."""
        from .copies import Schemas

        return Schemas(self.schema, self.name)

    def lock(self, what: str) -> AdvisoryLock:
        """A lock by the schema's name and `what`, held by a connection of its own."""
        return AdvisoryLock(self, what)


class AdvisoryLock:
    """PostgreSQL's own lock between sessions: it is gone when its connection is."""

    def __init__(self, database: PostgreSQL, what: str) -> None:
        self._database = database
        self._what = f"the {what} of {database.name}"
        with database.translated():
            self._connection = database.connect()
            try:
                self._await((database.schema, what))
            except BaseException:
                self._connection.close()
                raise

    def _await(self, names: tuple[str, str]) -> None:
        end = time.monotonic() + self._database.wait
        ask = "SELECT pg_try_advisory_lock(hashtext(%s), hashtext(%s))"
        while not self._connection.execute(ask, names).fetchone()[0]:
            if time.monotonic() >= end:
                raise Unavailable(
                    f"{self._what} has been held by another process for {self._database.wait:g} s; "
                    "try again when it is done"
                )
            time.sleep(_PAUSE)

    def check(self) -> None:
        """Ask the server, which forgets the lock when it loses the connection. Raises `Unavailable`."""
        with self._database.translated():
            self._connection.execute("SELECT 1")

    def release(self) -> None:
        """Give it back, by closing the connection; a second call does nothing."""
        self._connection.close()


def _parsed(url: str) -> dict[str, Any]:
    try:
        from psycopg import ProgrammingError
        from psycopg.conninfo import conninfo_to_dict
    except ModuleNotFoundError as error:
        raise Refused("PostgreSQL needs the extra: pip install 'lepton-ai-sdk[postgres]'") from error
    try:
        told = conninfo_to_dict(url)
        int(told.get("port") or 5432)
    except (ProgrammingError, ValueError):
        # what libpq says of a bad URL may quote a part of the password
        raise Malformed("LEPTON_DATABASE is no database URL; write postgresql://user@host/name") from None
    return told
