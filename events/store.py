"""The event store: where a decision becomes facts, under the head's lock, and where readers find them."""

from __future__ import annotations

import json
import time
from collections.abc import Generator, Iterable, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, NamedTuple, TypeVar

from ..errors import Damaged, LeptonError, Unavailable
from .batch import BATCH_BYTES, RECORD_OVERHEAD
from .database import Database
from .log import CommandRow, Row
from .mail import COMMANDS
from .merkle import TILE_HEIGHT, Frontier, Tile
from .statements import Statements

POLL: Final = 0.01
"""Seconds between two looks at the table for what is new."""
MOST_EVENTS: Final = BATCH_BYTES // RECORD_OVERHEAD
"""No command of more events is relayed whole, however small they are."""

MANY: Final = 10_000
"""Events behind which it is not looked up any more which streams others wrote to."""

R = TypeVar("R", Row, CommandRow)


class Placement(NamedTuple):
    """Where the bytes of a digest lie: a range of a pack."""

    digest: str
    pack: str
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class Head:
    """The end of the log: last `seq`, its time in microseconds since 1970, and the tree's frontier."""

    seq: int
    recorded: int
    frontier: Frontier


class Pulse(NamedTuple):
    """What moves when there is anything to relay: the last event, order and refused message; None where none was."""

    seq: int
    order: int | None
    rejected: int | None


class Known(NamedTuple):
    """A command that was admitted before: the range of its events and the digest of its content."""

    first: int
    last: int
    digest: str


class NewRow(NamedTuple):
    """A row of the event table; the first of a command bears its key, digest and length."""

    seq: int
    stream: str
    version: int
    type: str
    leaf: bytes
    envelope: bytes
    key: str | None = None
    digest: str | None = None
    span: int | None = None


class Rejected(NamedTuple):
    """An outside message that was refused; `received` in microseconds since 1970."""

    topic: str
    part: int
    position: int
    received: int
    reason: str
    raw: bytes
    headers: tuple[tuple[str, str], ...] = ()
    """Names, and values in base64."""

    def row(self) -> tuple[Any, ...]:
        """Its columns behind its id."""
        return (*self[:-1], json.dumps(self.headers).encode(), None)


class OutcomeUnknown(Exception):
    """COMMIT failed in a way that does not tell whether it took place."""


class Store:
    """The event table of one ledger, on SQLite or PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self.database = database

    @cached_property
    def sql(self) -> Statements:
        """The statements as the database's driver takes them."""
        return Statements(self.database.mark)

    @property
    def ledger_id(self) -> str:
        """The id of the ledger, which `source` bears."""
        return self._ledger_id

    @cached_property
    def _ledger_id(self) -> str:
        with self.database.connection() as connection:
            return connection.execute(self.sql.head).fetchone()[3]

    @contextmanager
    def admission(self, keys: Sequence[str], since: int | None = None) -> Generator[Admission]:
        """One transaction under the head's lock, committed at the end if anything was appended, else undone.

        `since` is the `seq` behind which the caller is going to ask what others wrote: it is asked with the rest then.
        Raises `OutcomeUnknown` where COMMIT fails without saying what became of it.
        """
        with self.database.connection() as connection:
            admission = None
            try:
                admission = Admission.begun(connection, self.database, self.sql, keys, since)
                with admission.writing:
                    yield admission
                    admission.end()
            except LeptonError:
                connection.execute("ROLLBACK")
                raise
            except BaseException as error:
                _undo(connection)
                committing = admission is not None and admission.committing
                if committing and isinstance(error, Exception) and not self.database.undone(error):
                    raise OutcomeUnknown(str(self.database.translate(error) or error)) from error
                raise

    def head(self) -> Head:
        """The end of the log as last committed."""
        with self.database.connection() as connection:
            return _head(connection.execute(self.sql.head).fetchone())

    def known(self, key: str) -> Known | None:
        """What became of a command, None where it was never admitted."""
        with self.database.connection() as connection:
            row = connection.execute(self.sql.known, (key,)).fetchone()
            return _known(*row) if row else None

    def end(self) -> int:
        """The last `seq`, 0 where there is none."""
        return self.head().seq

    def read(self, after: int, limit: int) -> Sequence[Row]:
        """At most `limit` rows behind `seq` `after`, in order."""
        with self.database.connection() as connection:
            return _rows(connection.execute(self.sql.rows, (after, after + limit)))

    def commands(self, after: int, limit: int) -> list[CommandRow]:
        """As `read`, and on to the end of the last command, which is there: its events were committed together.

        One of more events than a batch holds may be cut.
        """
        with self.database.connection() as connection:
            rows = _made(CommandRow, connection.execute(self.sql.command_rows, (after, after + limit)))
            first = next((row for row in reversed(rows) if row.span is not None), None)
            if first is not None and first.span is not None:
                last, whole = rows[-1].seq, first.seq + min(first.span, MOST_EVENTS) - 1
                if whole > last:
                    rows += _made(CommandRow, connection.execute(self.sql.command_rows, (last, whole)))
            return rows

    def pulse(self) -> Pulse:
        """How far everything is that goes onto Kafka: one look instead of three."""
        with self.database.connection() as connection:
            return Pulse(*connection.execute(self.sql.pulse, (COMMANDS,)).fetchone())

    def wait(self, seconds: float) -> bool:
        """Wait a moment for more to read, `seconds` at most: the table rings no bell. False, for nothing is known."""
        time.sleep(min(seconds, POLL))
        return False

    def stream(self, stream: str, after: int = 0, types: tuple[str, ...] | None = None) -> tuple[int, list[Row]]:
        """The last version of a stream, and its rows behind version `after`, of the types named or of all."""
        with self.database.connection() as connection:
            return _stream(connection, self.sql, stream, after, types)

    def streams(self, prefix: str) -> list[str]:
        """The names of the streams that begin so, in order."""
        with self.database.connection() as connection:
            rows = connection.execute(self.sql.streams, (prefix, prefix + "\U0010ffff"))
            return sorted(row[0] for row in rows)

    def streams_holding(self, prefix: str, type: str) -> list[str]:
        """The names of the streams that begin so and hold an event of that type, in order."""
        with self.database.connection() as connection:
            rows = connection.execute(self.sql.streams_holding, (prefix, prefix + "\U0010ffff", type, type))
            return sorted(row[0] for row in rows)

    def newest_streams(self, prefix: str, most: int) -> list[str]:
        """The streams that begin so and were begun last, the newest first."""
        with self.database.connection() as connection:
            asked = (prefix, prefix + "\U0010ffff", most)
            return [row[0] for row in connection.execute(self.sql.newest_streams, asked)]

    def streams_without(self, prefix: str, types: tuple[str, ...]) -> list[str]:
        """The streams that begin so and hold none of these types of event, the oldest first."""
        with self.database.connection() as connection:
            asked = (prefix, prefix + "\U0010ffff", *types)
            return [row[0] for row in connection.execute(self.sql.of_many(self.sql.streams_without, len(types)), asked)]

    def place(self, placements: Sequence[Placement]) -> None:
        """Note where digests lie, beside the log: for a restore, which finds out from the packs."""
        with self.database.connection() as connection:
            connection.cursor().executemany(self.sql.insert_placements, placements)

    def tiles(self) -> list[Tile]:
        """The filled tiles, in order."""
        with self.database.connection() as connection:
            rows = connection.execute(self.sql.tiles)
            return [Tile._make(row) for row in rows]

    def tile(self, level: int, place: int) -> bytes | None:
        """The hash of one tile, None where it is not kept."""
        with self.database.connection() as connection:
            row = connection.execute(self.sql.tile, (level, place)).fetchone()
            return row[0] if row else None

    def frontier(self, size: int) -> Frontier:
        """The tree's frontier when the log had `size` events: from its tiles, and from fewer than 256 leaves."""
        frontier = Frontier()
        with self.database.connection() as connection:
            for level in reversed(range((size.bit_length() + TILE_HEIGHT - 1) // TILE_HEIGHT)):
                height = TILE_HEIGHT * (level + 1)
                span = (level, frontier.size >> height, size >> height)
                frontier, _ = frontier.extended(
                    (row[0] for row in connection.execute(self.sql.tiles_from, span)), height
                )
            rest = (row[0] for row in connection.execute(self.sql.leaves, (frontier.size, size)))
            frontier, _ = frontier.extended(rest)
        if frontier.size != size:
            raise Damaged("the log", expected=f"{size} events and their tiles", found=f"{frontier.size}")
        return frontier

    def rows_of_type(self, kind: str, after: int, last: int) -> list[Row]:
        """The rows of one type from behind `after` to `last`."""
        with self.database.connection() as connection:
            return _rows(connection.execute(self.sql.rows_of_type, (kind, after, last)))

    def rows_of_types(self, types: tuple[str, ...], after: int, last: int) -> list[Row]:
        """The rows of some types from behind `after` to `last`."""
        with self.database.connection() as connection:
            statement = self.sql.of_many(self.sql.rows_of_types, len(types))
            return _rows(connection.execute(statement, (after, last, *types)))

    def last_tiles(self) -> list[tuple[int, int]]:
        """Of each level of tiles its last place."""
        with self.database.connection() as connection:
            return [(level, place) for level, place in connection.execute(self.sql.last_tiles)]

    def position(self, topic: str, part: int) -> int | None:
        """How far a topic's partition was taken in, None where nobody did."""
        with self.database.connection() as connection:
            row = connection.execute(self.sql.position, (topic, part)).fetchone()
            return row[0] if row else None

    def rejected(self, after: int = 0, limit: int = 1000) -> list[tuple[int, Rejected, int | None]]:
        """Refused messages by id, each with the time it was admitted after all, None where it was not."""
        with self.database.connection() as connection:
            rows = connection.execute(self.sql.rejected, (after, limit)).fetchall()
        return [(row[0], Rejected._make((*row[1:7], _headers(row[7]))), row[8]) for row in rows]

    def rejected_count(self) -> int:
        """How many outside messages stand refused."""
        with self.database.connection() as connection:
            return connection.execute(self.sql.rejected_count).fetchone()[0]

    def last_row(self) -> int:
        """The `seq` of the last row, whatever the head says; 0 where there is none."""
        with self.database.connection() as connection:
            return connection.execute(self.sql.last_row).fetchone()[0] or 0

    def whole_rows(self, after: int, limit: int) -> list[NewRow]:
        """As `read`, with all columns."""
        with self.database.connection() as connection:
            rows = connection.execute(self.sql.whole_rows, (after, after + limit))
            return [NewRow._make(row) for row in rows]

    def stream_gaps(self) -> list[tuple[int, str, int, int]]:
        """The events that do not follow their stream's event before: (seq, stream, version, version before)."""
        with self.database.connection() as connection:
            return [tuple(row) for row in connection.execute(self.sql.stream_gaps)]

    def find(self, digests: Iterable[str]) -> dict[str, Placement]:
        """Where digests lie; those that lie nowhere are left out."""
        wanted, found = sorted(set(digests)), dict[str, Placement]()
        with self.database.connection() as connection:
            for start in range(0, len(wanted), 500):
                batch = tuple(wanted[start : start + 500])
                rows = connection.execute(self.sql.of_many(self.sql.find_placements, len(batch)), batch)
                found.update((row[0], Placement(*row)) for row in rows)
        return found

    def places_any(self) -> bool:
        """Whether there is a placement at all."""
        with self.database.connection() as connection:
            return connection.execute(self.sql.any_placement).fetchone() is not None

    def placements(self) -> list[Placement]:
        """All placements, by pack and place."""
        with self.database.connection() as connection:
            return [Placement(*row) for row in connection.execute(self.sql.placements)]


@dataclass(slots=True)
class Admission:
    """A transaction that holds the head's lock: what it saw, and the one chance to append."""

    head: Head
    known: dict[str, Known]
    """What became of those of the commands that were admitted before, by key."""
    _connection: Any
    _database: Database
    _sql: Statements
    _touched: set[str] | None = None
    changed: bool = field(default=False, init=False)
    committing: bool = field(default=False, init=False)
    """Whether COMMIT has been asked for."""
    writing: ExitStack = field(default_factory=ExitStack, init=False)
    """Open until the end, so that what is appended goes there together with COMMIT."""

    @classmethod
    def begun(
        cls, connection: Any, database: Database, sql: Statements, keys: Sequence[str], since: int | None
    ) -> Admission:
        """The lock, and the head read together with what became of the commands before."""
        asked = tuple(keys) or ("",)
        with database.together(connection):
            database.begun(connection)
            told = connection.execute(sql.of_many(sql.head_and_known, len(asked)), asked)
            newer = None if since is None else connection.execute(sql.touched, (since, MANY))
            rows = told.fetchall()
            touched = None if newer is None else _names(newer)
        known = {key: _known(seq, span, digest) for *_, key, seq, span, digest in rows if key is not None}
        return cls(_head(rows[0]), known, connection, database, sql, touched)

    def end(self) -> None:
        """Commit what was appended, if anything was, else undo."""
        self.committing = self.changed
        self._connection.execute("COMMIT" if self.changed else "ROLLBACK")

    def touched(self, after: int) -> set[str]:
        """The streams that were written to behind `seq` `after`, which is at most `MANY` before the head."""
        if self._touched is None:
            self._touched = _names(self._connection.execute(self._sql.touched, (after, MANY)))
        return self._touched

    def stream(self, stream: str, after: int, types: tuple[str, ...] | None) -> tuple[int, list[Row]]:
        """As `Store.stream`, as of this transaction."""
        return _stream(self._connection, self._sql, stream, after, types)

    def read(self, first: int, last: int) -> list[Row]:
        """The rows from `seq` `first` to `last`."""
        return _rows(self._connection.execute(self._sql.rows, (first - 1, last)))

    def append(
        self, rows: Sequence[NewRow], head: Head, tiles: Sequence[Tile], placements: Sequence[Placement]
    ) -> None:
        """Insert the rows and move the head."""
        self.writing.enter_context(self._database.together(self._connection))
        self._database.insert_events(self._connection, self._sql, rows)
        cursor = self._connection.cursor()
        if tiles:
            cursor.executemany(self._sql.insert_tiles, tiles)
        if placements:
            cursor.executemany(self._sql.insert_placements, placements)
        cursor.execute(self._sql.move_head, (head.seq, head.recorded, head.frontier.encode()))
        self.changed = True

    def seen(self, source: str, id: str) -> str | None:
        """The digest of an outside event that was taken in before, None where it was not."""
        row = self._connection.execute(self._sql.seen, (source, id)).fetchone()
        return row[0] if row else None

    def see(self, messages: Sequence[tuple[str, str, str]]) -> None:
        """Remember outside events by (source, id, digest of their bytes)."""
        if messages:
            self._connection.cursor().executemany(self._sql.insert_seen, messages)
            self.changed = True

    def reject(self, rejected: Sequence[Rejected]) -> None:
        """Keep messages that were refused, with the reason."""
        if rejected:
            reject(self._connection, self._sql, rejected)
            self.changed = True

    def retried(self, id: int, microseconds: int) -> None:
        """Note that a rejected message was admitted after all."""
        self._connection.execute(self._sql.retry_rejected, (microseconds, id))
        self.changed = True

    def move(self, topic: str, part: int, expected: int | None, position: int) -> None:
        """Note how far a topic was taken in. `Unavailable` where another intake was faster: nothing is written then."""
        if expected is None:
            moved = self._connection.execute(self._sql.insert_position, (topic, part, position)).fetchall()
        else:
            moved = self._connection.execute(self._sql.move_position, (position, topic, part, expected)).fetchall()
        if not moved:
            raise Unavailable(f"another process takes in {topic} too and was faster; let one of them do it")
        self.changed = True


def reject(connection: Any, sql: Statements, rejected: Sequence[Rejected]) -> None:
    """Keep messages that were refused, under the writers' lock, numbered in their order."""
    last = connection.execute(sql.last_rejected).fetchone()[0] or 0
    rows = [(n, *each.row()) for n, each in enumerate(rejected, last + 1)]
    connection.cursor().executemany(sql.insert_rejected, rows)


def _undo(connection: Any) -> None:
    """Undo a transaction on a connection that may be broken and is about to be closed.

    Closing is not enough: a cursor that the error's traceback holds would keep SQLite's lock alive.
    """
    with suppress(Exception):
        connection.execute("ROLLBACK")


def _head(row: Sequence[Any]) -> Head:
    return Head(row[0], row[1], Frontier.decode(row[0], row[2]))


def _known(seq: int, span: int, digest: str) -> Known:
    return Known(seq, seq + span - 1, digest)


def _rows(rows: Iterable[Sequence[Any]]) -> list[Row]:
    return _made(Row, rows)


def _made(kind: type[R], rows: Iterable[Sequence[Any]]) -> list[R]:
    made = [kind._make(row) for row in rows]
    for row in made:
        # SQLite gives back what the file says, and a damaged file may say that bytes are text
        if not type(row.leaf) is type(row.envelope) is bytes:
            raise Damaged(f"event {row.seq}", expected="bytes", found="text")
    return made


def _stream(
    connection: Any, sql: Statements, stream: str, after: int, types: tuple[str, ...] | None
) -> tuple[int, list[Row]]:
    if types is None:
        rows = _rows(connection.execute(sql.stream, (stream, after)))
        return after + len(rows), rows
    version = connection.execute(sql.stream_version, (stream,)).fetchone()[0] or 0
    if not types:
        return version, []
    # bounded by the version just read, else a reader outside a transaction would be shown later rows twice
    chosen = connection.execute(sql.of_many(sql.stream_of_types, len(types)), (stream, after, version, *types))
    return version, _rows(chosen)


def _names(found: Any) -> set[str]:
    return {row[0] for row in found.fetchall()}


def _headers(raw: bytes) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in json.loads(raw))
