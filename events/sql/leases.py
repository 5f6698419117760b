"""Who is ready to work, and which worker holds which job until when: tables that a restart or a restore may lose."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from typing import Any, NamedTuple, Self

from .admission import Admission
from .database import Database
from .statements import Statements


class Heard(NamedTuple):
    """A worker as it last announced itself, and when that was by the broker's clock."""

    incarnation: str
    pool: str
    capabilities: frozenset[str]
    slots: int
    heard: int
    key: str = ""
    """Its public keys; empty where it announced itself to a Lepton that asked for none."""
    beat: int = 0
    """The number of that announcement."""
    left: bool = False
    """Whether it is gone for good; it is remembered so that nothing it ever said brings it back."""


class Lease(NamedTuple):
    """An attempt that a worker may take its time for, until a moment of the broker's clock."""

    job: str
    epoch: int
    worker: str
    until: int


class Leases:
    """The tables of workers and leases of one ledger; written by the one assigner."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = database.sql

    @contextmanager
    def change(self) -> Generator[Change]:
        """One transaction on the tables: all that is changed within, or nothing."""
        with self._database.transaction() as connection:
            yield Change(connection, self._sql)

    def held(self) -> list[Lease]:
        """All leases, the one that ends first first."""
        with self._database.connection() as connection:
            return Change(connection, self._sql).held()

    def workers(self, since: int) -> list[Heard]:
        """The workers that were heard of since a moment, have keys and have not left."""
        with self._database.connection() as connection:
            rows = connection.execute(self._sql.workers, (since,)).fetchall()
        return [each for row in rows if (each := _heard(*row)).key and not each.left]


class Change:
    """What is written in one transaction."""

    @classmethod
    def within(cls, admission: Admission) -> Self:
        """In a transaction of the ledger's, which commits it."""
        admission.changed = True
        return cls(admission.connection, admission.sql)

    def __init__(self, connection: Any, sql: Statements) -> None:
        self._connection = connection
        self._sql = sql

    def held(self) -> list[Lease]:
        """All leases, the one that ends first first."""
        return [Lease(*row) for row in self._connection.execute(self._sql.leases)]

    def hear(self, worker: Heard) -> None:
        """Note a worker's announcement."""
        told = {"capabilities": sorted(worker.capabilities), "slots": worker.slots}
        told |= {"key": worker.key, "beat": worker.beat, "left": worker.left}
        ready = json.dumps(told).encode()
        row = (worker.incarnation, worker.pool, ready, worker.heard)
        self._connection.execute(self._sql.hear_worker, row)

    def heard(self, incarnation: str) -> Heard | None:
        """A worker as it last announced itself; None where it never did, or long ago."""
        row = self._connection.execute(self._sql.worker, (incarnation,)).fetchone()
        return _heard(*row) if row else None

    def forget(self, before: int) -> None:
        """Forget the workers that were last heard of before a moment."""
        self._connection.execute(self._sql.forget_workers, (before,))

    def lease(self, lease: Lease) -> None:
        """Give a lease, in place of any that an earlier attempt had."""
        self._connection.execute(self._sql.give_lease, lease)

    def renew(self, worker: str, attempts: Iterable[tuple[str, int]], until: int) -> None:
        """Prolong a worker's leases of attempts; those that hold none get none."""
        for job, epoch in attempts:
            self._connection.execute(self._sql.renew_lease, (until, job, epoch, worker, until))

    def renew_all(self, until: int) -> None:
        """A fresh term for everybody: nobody could be heard while nobody listened."""
        self._connection.execute(self._sql.renew_leases, (until, until))

    def end(self, job: str, epoch: int) -> None:
        """End a job's lease, if it is of that attempt or an earlier one."""
        self._connection.execute(self._sql.end_lease, (job, epoch))


def _heard(incarnation: str, pool: str, ready: bytes, heard: int) -> Heard:
    told = json.loads(bytes(ready))
    place = (told.get("key", ""), told.get("beat", 0), told.get("left", False))
    return Heard(incarnation, pool, frozenset(told["capabilities"]), told["slots"], heard, *place)
