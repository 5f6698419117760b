"""The event store: where readers find the facts, and where a decision begins to become some."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Final

from ...errors import Damaged, LeptonError, Unavailable
from ..batch import BATCH_BYTES, RECORD_OVERHEAD
from ..bookmark import Bookmark, SentMark
from ..log import CommandRow, Row
from ..merkle import TILE_HEIGHT, Frontier, Tile
from .admission import Admission
from .database import Database
from .queue import COMMANDS
from .rows import (
    Head,
    Known,
    LedgerIdentity,
    NewRow,
    PlacementRow,
    Pulse,
    Rejected,
    counted,
    head_of,
    known_of,
    made_of,
    placement_of,
    rows_of,
    stream_of,
    there,
    tile_of,
    typed,
)
from .statements import Statements

POLL: Final = 0.01
"""Seconds between two looks at the table for what is new."""
MOST_EVENTS: Final = BATCH_BYTES // RECORD_OVERHEAD
"""No command of more events is relayed whole, however small they are."""


class OutcomeUnknown(Unavailable):
    """COMMIT failed in a way that does not tell whether it took place."""


class Store:
    """The event table of one ledger, on SQLite or PostgreSQL."""

    def __init__(self, database: Database, ledger_id: str | None = None) -> None:
        self.database = database
        if ledger_id is not None:
            self._ledger_id = ledger_id

    @property
    def sql(self) -> Statements:
        """The statements as the database's driver takes them."""
        return self.database.sql

    @property
    def ledger_id(self) -> str:
        """The id of the ledger, which `source` bears."""
        return self._ledger_id

    @cached_property
    def _ledger_id(self) -> str:
        with self.database.connection() as connection:
            row = there(connection.execute(self.sql.head).fetchone(), "the head of the log")
            return typed(row[4], str, "the ledger's id in the head of the log")

    @contextmanager
    def admission(self, keys: Sequence[str], since: int | None = None) -> Generator[Admission]:
        """One transaction under the head's lock, committed at the end if anything was appended, else undone.

        `since` is the `seq` behind which the caller is going to ask what others wrote: it is asked with the rest then.
        Raises `OutcomeUnknown` where COMMIT fails without saying what became of it, and `Refused` where the database
        holds another ledger than the one that was opened.
        """
        identity = LedgerIdentity(self.database.ledger, self.ledger_id)
        with self.database.connection() as connection:
            admission = None
            try:
                admission = Admission.begun(connection, self.database, identity, keys, since)
                yield admission
                admission.end()
            except Exception as error:
                if admission is None or self._is_undone(admission, error):
                    self.database.undo(connection)
                    raise
                self.database.abandon(connection, admission.head.seq, admission.leaf)
                raise OutcomeUnknown(str(self.database.translate(error) or error)) from error
            except BaseException:
                self.database.undo(connection)
                raise

    def _is_undone(self, admission: Admission, error: Exception) -> bool:
        return not admission.committing or isinstance(error, LeptonError) or self.database.undone(error)

    def head(self) -> Head:
        """The end of the log as last committed."""
        with self.database.connection() as connection:
            return head_of(connection.execute(self.sql.head).fetchone())

    def known(self, key: str) -> Known | None:
        """What became of a command, None where it was never admitted."""
        with self.database.connection() as connection:
            row = connection.execute(self.sql.known, (key,)).fetchone()
            return known_of(*row) if row else None

    def is_empty(self) -> bool:
        """Whether nothing was ever recorded, by the one column of the head that tells."""
        with self.database.connection() as connection:
            row = there(connection.execute(self.sql.last_seq).fetchone(), "the head of the log")
            return typed(row[0], int, "the head's last event") == 0

    def end(self) -> int:
        """The last `seq`, 0 where there is none."""
        return self.head().seq

    def read(self, after: int, limit: int) -> Sequence[Row]:
        """At most `limit` rows behind `seq` `after`, in order."""
        with self.database.connection() as connection:
            return rows_of(connection.execute(self.sql.rows, (after, after + limit)))

    def commands(self, after: int, limit: int) -> list[CommandRow]:
        """As `read`, and on to the end of the last command, which is there: its events were committed together.

        One of more events than a batch holds may be cut.
        """
        with self.database.connection() as connection:
            rows = made_of(CommandRow, connection.execute(self.sql.command_rows, (after, after + limit)))
            first = next((row for row in reversed(rows) if row.span is not None), None)
            if first is not None and first.span is not None:
                last, whole = rows[-1].seq, first.seq + min(first.span, MOST_EVENTS) - 1
                if whole > last:
                    rows += made_of(CommandRow, connection.execute(self.sql.command_rows, (last, whole)))
            return rows

    def pulse(self) -> Pulse:
        """How far everything is that goes onto Kafka: one look instead of three."""
        with self.database.connection() as connection:
            return Pulse(*there(connection.execute(self.sql.pulse, (COMMANDS,)).fetchone(), "the head of the log"))

    def wait(self, seconds: float) -> bool:
        """Wait a moment for more to read, `seconds` at most: the table rings no bell. False, for nothing is known."""
        time.sleep(min(seconds, POLL))
        return False

    def stream(self, stream: str, after: int = 0, types: tuple[str, ...] | None = None) -> tuple[int, list[Row]]:
        """The last version of a stream, and its rows behind version `after`, of the types named or of all."""
        with self.database.connection() as connection:
            return stream_of(connection, self.sql, stream, after, types)

    def leaf(self, stream: str, version: int) -> bytes | None:
        """The leaf of one event of a stream, None where it is not there."""
        with self.database.connection() as connection:
            row = connection.execute(self.sql.leaf, (stream, version)).fetchone()
            return typed(row[0], bytes, f"the leaf of version {version} of {stream}") if row else None

    def streams(self, prefix: str) -> list[str]:
        """The names of the streams that begin so, in order."""
        with self.database.connection() as connection:
            last = prefix + "\U0010ffff"
            rows = connection.execute(self.sql.streams, (prefix, last, last))
            return sorted(row[0] for row in rows)

    def streams_holding(self, prefix: str, type: str) -> list[str]:
        """The names of the streams that begin so and hold an event of that type, in order."""
        with self.database.connection() as connection:
            last = prefix + "\U0010ffff"
            rows = connection.execute(self.sql.streams_holding, (prefix, last, last, type, type))
            return sorted(row[0] for row in rows)

    def newest_streams(self, prefix: str, most: int, before: str | None = None) -> list[str]:
        """The streams that begin so and were begun last, the newest first; `before` another was begun, if one is named:
        none where there is no such."""
        with self.database.connection() as connection:
            end = "\U0010ffff"
            if before is None:
                return [row[0] for row in connection.execute(self.sql.newest_streams, (prefix, prefix + end, most))]
            begun = connection.execute(self.sql.seq_of, (before, 1)).fetchone()
            asked = (prefix, prefix + end, begun[0] - 1 if begun else 0, most)
            return [row[0] for row in connection.execute(self.sql.newest_streams_until, asked)]

    def streams_without(self, prefix: str, types: tuple[str, ...]) -> list[str]:
        """The streams that begin so and hold none of these types of event, the oldest first."""
        with self.database.connection() as connection:
            asked = (prefix, prefix + "\U0010ffff", *types)
            return [row[0] for row in connection.execute(self.sql.of_many(self.sql.streams_without, len(types)), asked)]

    def place(self, placements: Sequence[PlacementRow]) -> None:
        """Note where digests lie, beside the log: for a restore, which finds out from the packs."""
        with self.database.transaction() as connection:
            connection.cursor().executemany(self.sql.insert_placements, placements)

    def tiles(self) -> list[Tile]:
        """The filled tiles, in order."""
        with self.database.connection() as connection:
            rows = connection.execute(self.sql.tiles)
            return [tile_of(row) for row in rows]

    def tile(self, level: int, place: int) -> bytes | None:
        """The hash of one tile, None where it is not kept."""
        with self.database.connection() as connection:
            row = connection.execute(self.sql.tile, (level, place)).fetchone()
            return typed(row[0], bytes, f"tile {place} of level {level}") if row else None

    def frontier(self, size: int) -> Frontier:
        """The tree's frontier when the log had `size` events: from its tiles, and from fewer than 256 leaves."""
        frontier = Frontier()
        with self.database.connection() as connection:
            for level in reversed(range((size.bit_length() + TILE_HEIGHT - 1) // TILE_HEIGHT)):
                height = TILE_HEIGHT * (level + 1)
                span = (level, frontier.size >> height, size >> height)
                found = connection.execute(self.sql.tiles_from, span)
                frontier, _ = frontier.extended((typed(row[0], bytes, "a tile of the tree") for row in found), height)
            rest = (
                typed(row[0], bytes, "the leaf of an event")
                for row in connection.execute(self.sql.leaves, (frontier.size, size))
            )
            frontier, _ = frontier.extended(rest)
        if frontier.size != size:
            raise Damaged("the log", expected=f"{size} events and their tiles", found=f"{frontier.size}")
        return frontier

    def root(self, size: int) -> bytes:
        """The root over the first `size` events: 32 bytes."""
        return self.frontier(size).root()

    def subtree(self, height: int, place: int) -> bytes:
        """The root of the `place`th perfect subtree of 2^height leaves: one read, of at most 128 tiles or leaves."""
        level, rest = divmod(height, TILE_HEIGHT)
        first, last = place << rest, place + 1 << rest
        with self.database.connection() as connection:
            if level:
                found = connection.execute(self.sql.tiles_from, (level - 1, first, last))
            else:
                found = connection.execute(self.sql.leaves, (first, last))
            hashes = [typed(row[0], bytes, "a hash of the tree") for row in found]
        if len(hashes) != last - first:
            thing = f"the tree over events {(place << height) + 1} to {place + 1 << height}"
            raise Damaged(thing, expected=f"{last - first} hashes", found=f"{len(hashes)}")
        return Frontier().extended(hashes)[0].root()

    def rows_of_type(self, kind: str, after: int, last: int) -> list[Row]:
        """The rows of one type from behind `after` to `last`."""
        with self.database.connection() as connection:
            return rows_of(connection.execute(self.sql.rows_of_type, (kind, after, last)))

    def rows_of_types(self, types: tuple[str, ...], after: int, last: int) -> list[Row]:
        """The rows of some types from behind `after` to `last`."""
        with self.database.connection() as connection:
            statement = self.sql.of_many(self.sql.rows_of_types, len(types))
            return rows_of(connection.execute(statement, (after, last, *types)))

    def matching(
        self, after: int, last: int, most: int, stream: str | None = None, types: Sequence[str] = ()
    ) -> Sequence[Row]:
        """The first rows behind `after`, up to `last`, at most `most`: of a stream, of some types, of both, or all."""
        if stream is None and not types:
            return self.read(after, min(most, last - after)) if after < last else []
        asked = (after, last, *((stream,) if stream is not None else ()), *types, most)
        statement = self.sql.rows_of_stream
        if types:
            named = self.sql.rows_of_stream_and_types if stream is not None else self.sql.some_rows_of_types
            statement = self.sql.of_many(named, len(types))
        with self.database.connection() as connection:
            return rows_of(connection.execute(statement, asked))

    def last_tiles(self) -> list[tuple[int, int]]:
        """Of each level of tiles its last place."""
        with self.database.connection() as connection:
            rows = connection.execute(self.sql.last_tiles).fetchall()
        return [(counted(level, "a tile's level"), counted(place, "a tile's place")) for level, place in rows]

    def position(self, topic: str, part: int) -> int | None:
        """How far a topic's partition was taken in, None where nobody did."""
        bookmark = self.bookmark(topic, part)
        return bookmark and bookmark.position

    def bookmark(self, topic: str, part: int) -> Bookmark | None:
        """As `position`, with what tells which topic that was."""
        with self.database.connection() as connection:
            row = connection.execute(self.sql.position, (topic, part)).fetchone()
            return Bookmark(*row) if row else None

    def sent(self, topic: str) -> SentMark | None:
        """How far the relay knows a topic that it writes, None where it never did."""
        with self.database.connection() as connection:
            row = connection.execute(self.sql.sent, (topic,)).fetchone()
            return SentMark(Bookmark(*row[:3]), *row[3:]) if row else None

    def note_sent(self, topic: str, mark: SentMark) -> None:
        """Keep how far the relay knows a topic."""
        with self.database.connection() as connection:
            connection.execute(self.sql.set_sent, (topic, *mark[0], *mark[1:]))

    def leaves(self, seqs: Iterable[int]) -> dict[int, bytes]:
        """The leaf hashes of events; those that are not there are left out."""
        wanted, found = sorted(set(seqs)), dict[int, bytes]()
        with self.database.connection() as connection:
            for start in range(0, len(wanted), 500):
                some = tuple(wanted[start : start + 500])
                found.update(connection.execute(self.sql.of_many(self.sql.leaves_of, len(some)), some).fetchall())
        return found

    def rejected(self, after: int = 0, limit: int = 1000) -> list[tuple[int, Rejected, int | None]]:
        """Refused messages by id, each with the time it was admitted after all, None where it was not."""
        with self.database.connection() as connection:
            rows = connection.execute(self.sql.rejected, (after, limit)).fetchall()
        return [(row[0], Rejected._make(row[1:9]), row[9]) for row in rows]

    def expire_rejected(self, before: int) -> int:
        """Throw away the bytes of messages that were refused before a moment: of how many. Their reasons stay."""
        with self.database.connection() as connection:
            return connection.execute(self.sql.expire_rejected, (b"", b"[]", before, b"")).rowcount

    def rejected_count(self) -> int:
        """How many outside messages stand refused."""
        with self.database.connection() as connection:
            return connection.execute(self.sql.rejected_count).fetchone()[0]

    def last_row(self) -> int:
        """The `seq` of the last row, whatever the head says; 0 where there is none."""
        with self.database.connection() as connection:
            return counted(connection.execute(self.sql.last_row).fetchone()[0] or 0, "the number of the last event")

    def whole_rows(self, after: int, limit: int) -> list[NewRow]:
        """As `read`, with all columns."""
        with self.database.connection() as connection:
            rows = connection.execute(self.sql.whole_rows, (after, after + limit))
            return [NewRow._make(row) for row in rows]

    def stream_gaps(self) -> list[tuple[int, str, int, int]]:
        """The events that do not follow their stream's event before: (seq, stream, version, version before)."""
        with self.database.connection() as connection, self.database.patient(connection):
            return [tuple(row) for row in connection.execute(self.sql.stream_gaps)]

    def find(self, digests: Iterable[str]) -> dict[str, PlacementRow]:
        """Where digests lie; those that lie nowhere are left out."""
        wanted, found = sorted(set(digests)), dict[str, PlacementRow]()
        with self.database.connection() as connection:
            for start in range(0, len(wanted), 500):
                batch = tuple(wanted[start : start + 500])
                rows = connection.execute(self.sql.of_many(self.sql.find_placements, len(batch)), batch)
                found.update((row[0], placement_of(row)) for row in rows)
        return found

    def places_any(self) -> bool:
        """Whether there is a placement at all."""
        with self.database.connection() as connection:
            return connection.execute(self.sql.any_placement).fetchone() is not None

    def placements(self) -> list[PlacementRow]:
        """All placements, by pack and place."""
        with self.database.connection() as connection:
            return [placement_of(row) for row in connection.execute(self.sql.placements)]
