"""One DuckDB file that follows a log: made where it is missing, made anew where it is not of this log."""

# pyright: reportUnknownParameterType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# (pyarrow ships no types)

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import Damaged
from ..events.forks import abandon
from ..events.log import EventLog, Row
from . import batch
from .instance import foreign, moved_aside, opened
from .schema import schema
from .translation import FILE, is_of_file, of_file
from .views_folder import OtherLedger, keep_usable, own_files, put_aside

if TYPE_CHECKING:
    import pyarrow as pa
    from duckdb import DuckDBPyConnection

_TOLD = """
    SELECT id, (SELECT max(seq) FROM store.position), (SELECT arg_max(leaf, seq) FROM store.position)
    FROM store.ledger
"""
"""Whose events a file holds, and how far: asked in one, for each question to a file just opened costs a millisecond."""
_READ = 2_000
_BATCH_ROWS = 50_000
_BATCH_BYTES = 48 << 20

_log = logging.getLogger("lepton")


class ViewsFile:
    """The open file at `path`. Whoever makes one holds the lock. Not for several threads at once, but its cursors are.

    `position` is the last `seq` applied. Without `ordered` rows may come out in another order than they went in, which
    lets both of two cores fill a table. Raises `Unavailable` where the file cannot be opened or made.
    """

    def __init__(self, path: Path, log: EventLog, memory_limit: str, *, ordered: bool = True) -> None:
        self.path = path
        self._ordered = ordered
        self._log = log
        self._memory_limit = memory_limit
        keep_usable(path)
        self.replaced: Damaged | None = None
        """What was wrong with the file that stood here before, where it could not be used."""
        try:
            self._open()
        except Damaged as damage:
            if not is_of_file(damage):  # it is the log that is damaged
                raise
            self._replace(damage)

    def _replace(self, damage: Damaged) -> None:
        """Begin a new file in the place of one that cannot be used, which is kept under another name."""
        aside = put_aside(self.path) if isinstance(damage, OtherLedger) else moved_aside(self.path, "damaged")
        self.replaced = damage
        _log.warning("%s; it was moved to %s and is built anew from the log", damage, aside.name)
        self._open()

    def follow(self, end: int | None = None) -> int:
        """Apply all that the log holds by now, or up to `end`, and return the position."""
        end = self._log.end() if end is None else end
        if self.position < end:
            self._follow(end)
        return self.position

    def apply(self, rows: Sequence[Row]) -> None:
        """Apply rows that follow the position; those before it are skipped, a gap is `Damaged`."""
        if fresh := batch.checked(rows, self.position):
            self._put(fresh, batch.staged(self._connection, fresh, self._log.ledger_id))

    def _follow(self, end: int) -> None:
        # One batch is read, hashed and parsed by a thread of its own while the one before it is written.
        with closing(self.cursor()) as cursor, ThreadPoolExecutor(1, "read-ahead") as ahead:
            rows, parsed = self._read(cursor, self.position, end)
            while rows[-1].seq < end:
                later = ahead.submit(self._read, cursor, rows[-1].seq, end)
                self._put(rows, parsed)
                rows, parsed = later.result()
            self._put(rows, parsed)

    def _read(self, cursor: DuckDBPyConnection, after: int, end: int) -> tuple[Sequence[Row], pa.Table]:
        rows = batch.checked(self._next(after, end), after)
        return rows, batch.staged(cursor, rows, self._log.ledger_id)

    def _put(self, rows: Sequence[Row], parsed: pa.Table) -> None:
        batch.apply(self._connection, rows, parsed)
        self.position = rows[-1].seq
        own_files(self.path)

    def stands(self) -> bool:
        """Whether the file that is open is the one at its path."""
        try:
            return os.path.samestat(self.path.stat(), self._made_as)
        except FileNotFoundError:
            return False

    def cursor(self) -> DuckDBPyConnection:
        """A connection of one's own to the same closed instance."""
        try:
            return self._connection.cursor()
        except foreign() as error:
            raise of_file(error) from error

    def unreadable(self) -> Damaged | None:
        """What is wrong with the file, found by reading all of it; None where all of it can be read."""
        try:
            with closing(self.cursor()) as cursor:
                for table in schema().tables:
                    cursor.execute(f"SELECT count(*), sum(hash(t)) FROM store.{table.name} AS t").fetchall()
                for view in schema().views:
                    cursor.execute(f"FROM {view.name} LIMIT 0")
        except foreign() as error:
            fault = of_file(error)
            return fault if isinstance(fault, Damaged) else None
        except Damaged as damage:
            return damage
        return None

    def close(self) -> None:
        """Put all into the file itself and close it; cursors must be closed by then."""
        with suppress(*foreign()):  # what it cannot write any more it applies anew when it is opened
            self._connection.close()

    def leave(self) -> None:
        """In a forked child: keep the parent's instance untouched for as long as the child lives."""
        abandon(self._connection)

    def _open(self) -> None:
        import duckdb

        self._connection = opened(self.path, self._memory_limit, ordered=self._ordered)
        try:
            try:
                told = self._connection.execute(_TOLD).fetchall()
            except duckdb.CatalogException:
                if self._connection.execute("SELECT count(*) FROM duckdb_tables()").fetchall() != [(0,)]:
                    raise Damaged(FILE, expected="the tables of a read model", found="others") from None
                told = self._made()
            self.position = self._verified(told)
            own_files(self.path)
            self._made_as = self.path.stat()
        except BaseException as error:
            self._connection.close()
            if isinstance(error, foreign()):
                raise of_file(error) from error
            raise

    def _made(self) -> list[tuple[str, int | None, bytes | None]]:
        """Fill a fresh file with empty tables: all of them, or none if the process dies meanwhile."""
        self._connection.execute("BEGIN")
        for statement in schema().creation:
            self._connection.execute(statement)
        self._connection.execute("INSERT INTO store.ledger VALUES (?)", [self._log.ledger_id])
        self._connection.execute("COMMIT")
        return [(self._log.ledger_id, None, None)]

    def _verified(self, told: Sequence[tuple[str, int | None, bytes | None]]) -> int:
        """The position, once the file is known to tell of this log: the same ledger, and the same last leaf."""
        if [id for id, *_ in told] != [self._log.ledger_id]:
            raise OtherLedger(expected=self._log.ledger_id, found=", ".join(str(id) for id, *_ in told) or "nobody")
        ((_, seq, leaf),) = told
        if seq is None or leaf is None:
            return 0
        rows = self._log.read(seq - 1, 1)
        if not rows or rows[0].leaf != leaf:
            held = f"sha256:{rows[0].leaf.hex()}" if rows else "nothing"
            expected = f"event {seq} of the log, sha256:{leaf.hex()}"
            raise Damaged(FILE, expected=expected, found=f"{held} in the log")
        return seq

    def _next(self, after: int, end: int) -> list[Row]:
        """The rows behind `after`, as many as a batch may hold: at least one, for the log has more."""
        rows: list[Row] = []
        size = 0
        while size < _BATCH_BYTES and (room := min(end - after, _BATCH_ROWS) - len(rows)):
            more = self._log.read(after + len(rows), min(room, _READ))
            if not more:
                break
            rows += more
            size += sum(len(row.envelope) for row in more)
        if not rows:
            raise Damaged(f"event {after + 1}", expected="present", found="nothing in the log")
        return rows
