"""One DuckDB file that follows a log: made where it is missing, made anew where it is not of this log."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import Damaged
from ..events.log import Log, Row
from . import batch
from .instance import opened, removed, translated
from .schema import schema

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_READ = 2_000
_BATCH_ROWS = 20_000
_BATCH_BYTES = 32 << 20

_log = logging.getLogger(__name__)


class File:
    """The open file at `path`. Whoever makes one holds the lock. Not for several threads at once, but its cursors are.

    `position` is the last `seq` applied. Raises `Unavailable` where the file cannot be opened or made.
    """

    def __init__(self, path: Path, log: Log, memory_limit: str) -> None:
        self.path = path
        self._log = log
        self._memory_limit = memory_limit
        try:
            self._open()
        except Damaged as damage:
            _log.warning("%s; it is built anew from the log", damage)
            removed(path)
            self._open()

    def follow(self, end: int | None = None) -> int:
        """Apply all that the log holds by now, or up to `end`, and return the position."""
        end = self._log.end() if end is None else end
        while self.position < end:
            self.apply(self._next(end))
        return self.position

    def apply(self, rows: Sequence[Row]) -> None:
        """Apply rows that follow the position; those before it are skipped, a gap is `Damaged`."""
        if fresh := batch.checked(rows, self.position):
            batch.apply(self._connection, fresh, self._log.ledger_id)
            self.position = fresh[-1].seq

    def cursor(self) -> DuckDBPyConnection:
        """A connection of one's own to the same closed instance."""
        return self._connection.cursor()

    def close(self) -> None:
        """Put all into the file itself and close it; cursors must be closed by then."""
        self._connection.close()

    def _open(self) -> None:
        import duckdb

        self._connection = opened(self.path, self._memory_limit)
        try:
            if not self._made():
                self._make()
            self.position = self._verified()
        except BaseException as error:
            self._connection.close()
            if isinstance(error, duckdb.Error):
                raise translated(error) from error
            raise

    def _made(self) -> bool:
        found = self._connection.execute("SELECT count(*) FROM duckdb_schemas() WHERE schema_name = 'store'").fetchall()
        return found[0][0] > 0

    def _make(self) -> None:
        self._connection.execute("BEGIN")
        for statement in schema().creation:
            self._connection.execute(statement)
        self._connection.execute("INSERT INTO store.ledger VALUES (?)", [self._log.ledger_id])
        self._connection.execute("COMMIT")

    def _verified(self) -> int:
        """The position, once the file is known to tell of this log: the same ledger, and the same last leaf."""
        ((ledger, seq, leaf),) = self._connection.execute(
            "SELECT id, coalesce(max(seq), 0), arg_max(leaf, seq) "
            "FROM store.ledger LEFT JOIN store.position ON true GROUP BY id"
        ).fetchall()
        if ledger != self._log.ledger_id:
            raise Damaged("the read model", expected=f"ledger {self._log.ledger_id}", found=f"ledger {ledger}")
        if seq:
            rows = self._log.read(seq - 1, 1)
            if not rows or rows[0].leaf != leaf:
                found = f"sha256:{rows[0].leaf.hex()}" if rows else "nothing"
                raise Damaged(
                    f"event {seq} of the read model", expected=f"sha256:{leaf.hex()}", found=f"{found} in the log"
                )
        return seq

    def _next(self, end: int) -> list[Row]:
        """The rows behind the position, as many as a batch may hold: at least one, for the log has more."""
        rows: list[Row] = []
        size = 0
        while size < _BATCH_BYTES and (room := min(end - self.position, _BATCH_ROWS) - len(rows)):
            more = self._log.read(self.position + len(rows), min(room, _READ))
            if not more:
                break
            rows += more
            size += sum(len(row.envelope) for row in more)
        if not rows:
            raise Damaged(f"event {self.position + 1}", expected="present", found="nothing in the log")
        return rows
