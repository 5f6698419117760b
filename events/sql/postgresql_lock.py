"""Which one process does a task of a ledger in a PostgreSQL, such as relaying: a lock of its session, else a lease."""

from __future__ import annotations

import logging
import os
import threading
import time
import uuid
from collections.abc import Callable
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any, Final

from ...errors import LeptonError, LockHeld, Refused, Unavailable

if TYPE_CHECKING:
    from .postgresql import PostgreSQL

TERM: Final = 15.0
"""Seconds after which a lease that was not renewed may be taken by another."""
RENEWAL: Final = 3.0
"""Seconds between two renewals."""
_PAUSE: Final = 0.05

log = logging.getLogger("lepton.postgresql")


class SessionLock:
    """PostgreSQL's own lock between sessions, on a connection of its own: it is gone when its connection is.

    Where a lease of the same task is running, which a process behind a pooler holds, it is waited for.
    """

    def __init__(self, database: PostgreSQL, what: str, connection: Any) -> None:
        self._database, self._what, self._connection = database, what, connection
        self._session = _backend(connection)
        # an idle session is what this lock is made of; before PostgreSQL 14 none is ended for that
        connection.execute("SELECT set_config(name, '0', false) FROM pg_settings WHERE name = 'idle_session_timeout'")
        _await(database, what, self._taken)

    def _taken(self) -> bool:
        names = (self._database.schema, self._what)
        ask = "SELECT pg_try_advisory_lock(hashtext(%s), hashtext(%s))"
        if not self._connection.execute(ask, names).fetchone()[0]:
            return False
        if not _has_leases(self._database, self._connection):
            return True
        if self._connection.execute(self._database.sql.held, (self._what,)).fetchone() is None:
            return True
        self._connection.execute("SELECT pg_advisory_unlock(hashtext(%s), hashtext(%s))", names)
        return False

    def check(self) -> None:
        """Ask the server, which forgets the lock when it loses the session. Raises `Unavailable`."""
        with self._database.translated():
            session = _backend(self._connection)
        if session != self._session:
            raise Unavailable(f"the {self._what} of {self._database.name} lost its session; it takes its lock anew")

    def release(self) -> None:
        """Give it back, by closing the connection; a second call does nothing."""
        self._connection.close()


class LeaseLock:
    """A row that its holder renews, for connections that have no session of their own; it ends `TERM` s after the last.

    The term is counted by the database's clock, and by the holder from before it asked, so that the holder is the
    first to know that it ended. Taking it excludes whoever holds the lock of a session.
    """

    def __init__(self, database: PostgreSQL, what: str) -> None:
        self._database, self._what = database, what
        self._holder = str(uuid.uuid4())
        self._process = os.getpid()
        self._end = 0.0
        """When, by this process's own clock, the lease may have ended."""
        self._released = threading.Event()
        _await(database, what, self._taken)
        threading.Thread(target=self._renew, name=f"lepton-{what}", daemon=True).start()

    def _taken(self) -> bool:
        asked = time.monotonic()
        with closing(self._database.connect()) as connection:
            self._database.begin_transaction(connection)
            names = (self._database.schema, self._what)
            ask = "SELECT pg_try_advisory_xact_lock(hashtext(%s), hashtext(%s))"
            free = connection.execute(ask, names).fetchone()[0]
            row = (self._what, self._holder, int(TERM * 1_000_000))
            taken = bool(free) and connection.execute(self._database.sql.hold, row).rowcount == 1
            connection.execute("COMMIT")
        if taken:
            self._end = asked + TERM
        return taken

    def _renew(self) -> None:
        """Until it is given back; what is away for a moment is asked again, as long as nobody else took the lease."""
        while not self._released.wait(RENEWAL):
            try:
                with self._database.translated():
                    if not self._taken():
                        log.warning("another process took the %s of %s", self._what, self._database.name)
            except LeptonError as error:
                log.info("a lease was not renewed: %s", error)

    def check(self) -> None:
        """Raise `Unavailable` where the lease may have ended."""
        if time.monotonic() >= self._end:
            raise Unavailable(
                f"the {self._what} of {self._database.name} could not renew its lease for {TERM:g} s; it takes it anew"
            )

    def release(self) -> None:
        """Give it back; a second call does nothing, nor does a forked child's."""
        if self._released.is_set() or os.getpid() != self._process:
            return
        self._released.set()
        with suppress(LeptonError), self._database.translated(), closing(self._database.connect()) as connection:
            self._database.begin_transaction(connection)
            connection.execute(self._database.sql.let_go, (self._what, self._holder))
            connection.execute("COMMIT")


def held_lock(database: PostgreSQL, what: str) -> SessionLock | LeaseLock:
    """The lock of a task, taken. Raises `Unavailable` where another process holds it for longer than the database's
    `wait`.
    """
    with database.translated():
        connection = database.connect()
        try:
            if not database.pooled:
                return SessionLock(database, what, connection)
            if not _has_leases(database, connection):
                raise Refused(
                    f"{database.name} is behind a pooler of transactions and of an older format; upgrade it by an "
                    "address that leads to the server itself"
                )
        except BaseException:
            connection.close()
            raise
        connection.close()
        return LeaseLock(database, what)


def _has_leases(database: PostgreSQL, connection: Any) -> bool:
    """Whether there is a table of leases: a ledger of format 1, which is about to be upgraded, has none."""
    found = connection.execute("SELECT to_regclass(%s)", (f'"{database.schema}".holders',)).fetchone()
    return found[0] is not None


def _await(database: PostgreSQL, what: str, taken: Callable[[], bool]) -> None:
    end = time.monotonic() + database.wait
    while not taken():
        if time.monotonic() >= end:
            raise LockHeld(
                f"the {what} of {database.name} has been held by another process for {database.wait:g} s; "
                "try again when it is done"
            )
        time.sleep(_PAUSE)


def _backend(connection: Any) -> int:
    return connection.execute("SELECT pg_backend_pid()").fetchone()[0]
