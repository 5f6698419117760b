"""What stands in the tables of the event store: a row of each, and how it is read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, TypeVar, cast

from ...errors import Damaged
from ..log import CommandRow, Row
from ..merkle import Frontier, Tile
from .statements import Statements

_LAST_VERSION: Final = 2**31 - 2
"""Of a stream: the column is an INTEGER, and one more must fit."""

R = TypeVar("R", Row, CommandRow)
T = TypeVar("T")
LATEST: Final = 253_402_300_799_999_999
"""The last microsecond of the year 9999, since 1970."""
_WORDS: Final[dict[type, str]] = {int: "a whole number", str: "text", bytes: "bytes", float: "a real number"}


class PlacementRow(NamedTuple):
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
    trusted: int | None = None
    """When the last event was recorded before time jumped ahead, None where it never did."""


class LedgerIdentity(NamedTuple):
    """Which ledger it is: what LEPTON_LEDGER calls it, and the id that its events bear."""

    name: str
    id: str


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


class Since(NamedTuple):
    """The leaf at a `seq`, None where there is none or it is too long ago, and the streams written to behind it."""

    leaf: bytes | None
    streams: frozenset[str]


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
    """A message that was refused; `received` in microseconds since 1970, `headers` as JSON: names, values in base64."""

    topic: str
    part: int
    position: int
    received: int
    reason: str
    raw: bytes
    headers: bytes = b"[]"
    sealed_by: str | None = None
    """Under which actor's key `raw` and `headers` are sealed; None where they are not."""


def there(row: Sequence[Any] | None, thing: str) -> Sequence[Any]:
    """A row that every ledger has, or `Damaged`."""
    if row is None:
        raise Damaged(thing, expected="one row", found="none")
    return row


def head_of(found: Sequence[Any] | None) -> Head:
    """The head, from its columns."""
    row = there(found, "the head of the log")
    seq = counted(row[0], "the number of events in the head of the log")
    recorded = counted(row[1], "the time in the head of the log", LATEST)
    trusted = None if row[3] is None else counted(row[3], "the time before it jumped in the head of the log", LATEST)
    return Head(seq, recorded, Frontier.decode(seq, typed(row[2], bytes, "the tree in the head of the log")), trusted)


def known_of(seq: int, span: int, digest: str) -> Known:
    """A command's place in the log, from its first row."""
    first = counted(seq, "the number of an event")
    thing = f"the command of event {first}"
    return Known(first, first + counted(span, thing) - 1, typed(digest, str, thing))


def placement_of(row: Sequence[Any]) -> PlacementRow:
    """A placement, from its columns."""
    digest = typed(row[0], str, "a digest among the placements")
    thing = f"the placement of {digest}"
    return PlacementRow(digest, typed(row[1], str, thing), counted(row[2], thing), counted(row[3], thing))


def tile_of(row: Sequence[Any]) -> Tile:
    """A tile, from its columns."""
    level, place = counted(row[0], "the level of a tile"), counted(row[1], "the place of a tile")
    return Tile(level, place, typed(row[2], bytes, f"tile {place} of level {level}"))


def rows_of(rows: Iterable[Sequence[Any]]) -> list[Row]:
    """Rows as a reader of the log has them. Raises `Damaged` as `made_of` does."""
    return made_of(Row, rows)


def made_of(kind: type[R], rows: Iterable[Sequence[Any]]) -> list[R]:
    """Rows of a kind. Raises `Damaged` where a file says that bytes are text."""
    made = [kind._make(row) for row in rows]
    for row in made:
        # SQLite gives back what the file says, and a damaged file may say that bytes are text
        thing = f"event {counted(row.seq, 'the number of an event')}"
        typed(row.leaf, bytes, thing)
        typed(row.envelope, bytes, thing)
    return made


def stream_of(
    connection: Any, sql: Statements, stream: str, after: int, types: tuple[str, ...] | None
) -> tuple[int, list[Row]]:
    """The last version of a stream, and its rows behind version `after`, of the types named or of all."""
    if types is None:
        rows = rows_of(connection.execute(sql.stream, (stream, after)))
        return after + len(rows), rows
    last = connection.execute(sql.stream_version, (stream,)).fetchone()[0] or 0
    version = counted(last, f"the last version of {stream}", _LAST_VERSION)
    if not types:
        return version, []
    # bounded by the version just read, else a reader outside a transaction would be shown later rows twice
    chosen = connection.execute(sql.of_many(sql.stream_of_types, len(types)), (stream, after, version, *types))
    return version, rows_of(chosen)


def since_of(found: Any) -> Since:
    """What was written behind a `seq`: its own row is the one with a leaf."""
    rows = found.fetchall()
    leaf = next((bytes(leaf) for _, leaf in rows if leaf is not None), None)
    return Since(leaf, frozenset(stream for stream, leaf in rows if leaf is None))


def typed(value: Any, kind: type[T], thing: str) -> T:
    """A column's value, or `Damaged` naming what it is a part of."""
    if type(value) is kind:
        return value
    found = "nothing" if value is None else _WORDS.get(cast("type[object]", type(value)), type(value).__name__)
    raise Damaged(thing, expected=_WORDS.get(kind, kind.__name__), found=found)


def counted(value: Any, thing: str, most: int = 2**63 - 1) -> int:
    """A column's number from 0, or `Damaged`."""
    number = typed(value, int, thing)
    if not 0 <= number <= most:
        raise Damaged(thing, expected=f"a number from 0 to {most}", found=str(number))
    return number
