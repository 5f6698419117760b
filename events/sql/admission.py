"""Admission: the transaction in which a decision becomes facts, under the head's lock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from ...errors import Damaged, Refused, Unavailable
from ..bookmark import Bookmark
from ..ledger import checked_format
from ..log import Row
from ..merkle import Tile
from .database import Database
from .rows import (
    Head,
    Known,
    LedgerIdentity,
    NewRow,
    PlacementRow,
    Rejected,
    Since,
    known_of,
    rows_of,
    since_of,
    stream_of,
)
from .statements import Statements

MANY: Final = 10_000
"""Events behind which it is not looked up any more what others wrote."""


@dataclass(slots=True)
class Admission:
    """A transaction that holds the head's lock: what it saw, and the one chance to append."""

    head: Head
    leaf: bytes | None
    """The leaf of the last event, None where there is none."""
    known: dict[str, Known]
    """What became of those of the commands that were admitted before, by key."""
    connection: Any
    _database: Database
    sql: Statements
    _since: Since | None = None
    now: int | None = None
    """What the database's clock says, None where it has none but this machine's."""
    changed: bool = field(default=False, init=False)
    committing: bool = field(default=False, init=False)
    """Whether COMMIT has been asked for."""
    _appended: tuple[Sequence[NewRow], Head, Sequence[Tile], Sequence[PlacementRow]] | None = field(
        default=None, init=False
    )

    @classmethod
    def begun(
        cls, connection: Any, database: Database, identity: LedgerIdentity, keys: Sequence[str], since: int | None
    ) -> Admission:
        """The lock, and the head read together with what became of the commands before.

        Raises `Refused` where the head is that of another ledger: the database was swapped under a living process.
        """
        sql, asked = database.sql, tuple(keys) or ("",)
        with database.together(connection):
            database.begun(connection)
            statement = sql.of_many(sql.head_and_known, len(asked), database.clock)
            told = connection.execute(statement, asked)
            newer = None if since is None else connection.execute(sql.since, (since, since, MANY))
            rows = told.fetchall()
            written = None if newer is None else since_of(newer)
        if not rows:
            raise Damaged(database.name, expected="a head of the log", found="none")
        if (found := LedgerIdentity(rows[0][6], rows[0][5])) != identity:
            raise Refused(
                f"{database.name} holds the ledger {found.name!r} ({found.id}) now, not {identity.name!r} "
                f"({identity.id}), which this process opened; start anew on the ledger that is meant"
            )
        checked_format(rows[0][7])  # under the lock: the ledger may have been upgraded since it was opened
        known = {key: known_of(seq, span, digest) for *_, key, seq, span, digest in rows if key is not None}
        return cls(database.head_of(rows[0][:4]), rows[0][4], known, connection, database, sql, written, rows[0][8])

    def end(self) -> None:
        """Commit what was appended or written beside, if anything was, else undo."""
        if not self.changed:
            self.connection.execute("ROLLBACK")
            return
        with self._database.together(self.connection):
            self.write()
            self.committing = True
            self.connection.execute("COMMIT")

    def since(self, seq: int) -> Since:
        """What stands at a `seq`, and which streams were written to behind it, if that is at most `MANY` events ago."""
        if self._since is None:
            self._since = since_of(self.connection.execute(self.sql.since, (seq, seq, MANY)))
        return self._since

    def stream(self, stream: str, after: int, types: tuple[str, ...] | None) -> tuple[int, list[Row]]:
        """As `Store.stream`, as of this transaction."""
        return stream_of(self.connection, self.sql, stream, after, types)

    def read(self, first: int, last: int) -> list[Row]:
        """The rows from `seq` `first` to `last`."""
        return rows_of(self.connection.execute(self.sql.rows, (first - 1, last)))

    def append(
        self, rows: Sequence[NewRow], head: Head, tiles: Sequence[Tile], placements: Sequence[PlacementRow]
    ) -> None:
        """Have the rows inserted and the head moved at the end: they go there together with COMMIT."""
        self._appended = rows, head, tiles, placements
        self.changed = True

    def write(self) -> None:
        """Insert what was appended and move the head."""
        if self._appended is None:
            return
        rows, head, tiles, placements = self._appended
        columns = (head.seq, head.recorded, head.frontier.encode(), head.trusted)
        self._database.insert_events(self.connection, self.sql, rows, columns)
        if tiles:
            self.connection.cursor().executemany(self.sql.insert_tiles, tiles)
        if placements:
            self.connection.cursor().executemany(self.sql.insert_placements, placements)
        self._database.note_head(columns, head)

    def seen(self, source: str, id: str, digest: str) -> str | None:
        """The digest of what was taken in before under an id of that source, None where nothing was.

        `digest` itself where these bytes were, were it under another pseudonym of their source: a ledger that is
        restored without its actors knows them by new ones.
        """
        row = self.connection.execute(self.sql.seen, (id, source, digest, digest)).fetchone()
        return row[0] if row else None

    def see(self, messages: Sequence[tuple[str, str, str]]) -> None:
        """Remember outside events by (source, id, digest of their bytes)."""
        if messages:
            self.connection.cursor().executemany(self.sql.insert_seen, messages)
            self.changed = True

    def reject(self, rejected: Sequence[Rejected]) -> None:
        """Keep messages that were refused, with the reason, numbered in their order."""
        if rejected:
            last = self.connection.execute(self.sql.last_rejected).fetchone()[0] or 0
            rows = [(n, *each) for n, each in enumerate(rejected, last + 1)]
            self.connection.cursor().executemany(self.sql.insert_rejected, rows)
            self.changed = True

    def retried(self, id: int, microseconds: int) -> None:
        """Note that a rejected message was admitted after all."""
        self.connection.execute(self.sql.retry_rejected, (microseconds, id))
        self.changed = True

    def move(self, topic: str, part: int, expected: int | None, to: Bookmark) -> None:
        """Note how far a topic was taken in. `Unavailable` where another intake was faster: nothing is written then."""
        if expected is None:
            moved = self.connection.execute(self.sql.insert_position, (topic, part, *to)).rowcount
        else:
            moved = self.connection.execute(self.sql.move_position, (*to, topic, part, expected)).rowcount
        if moved != 1:
            raise Unavailable(f"another process takes in {topic} too and was faster; let one of them do it")
        self.changed = True
