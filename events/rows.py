"""What stands in the tables of the event store: a row of each, and how it is read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

from ..errors import Damaged
from .log import CommandRow, Row
from .merkle import Frontier
from .statements import Statements

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
    trusted: int | None = None
    """When the last event was recorded before time jumped ahead, None where it never did."""


class Identity(NamedTuple):
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


def head_of(row: Sequence[Any]) -> Head:
    """The head, from its columns."""
    return Head(row[0], row[1], Frontier.decode(row[0], row[2]), row[3])


def known_of(seq: int, span: int, digest: str) -> Known:
    """A command's place in the log, from its first row."""
    return Known(seq, seq + span - 1, digest)


def rows_of(rows: Iterable[Sequence[Any]]) -> list[Row]:
    """Rows as a reader of the log has them. Raises `Damaged` as `made_of` does."""
    return made_of(Row, rows)


def made_of(kind: type[R], rows: Iterable[Sequence[Any]]) -> list[R]:
    """Rows of a kind. Raises `Damaged` where a file says that bytes are text."""
    made = [kind._make(row) for row in rows]
    for row in made:
        # SQLite gives back what the file says, and a damaged file may say that bytes are text
        if not type(row.leaf) is type(row.envelope) is bytes:
            raise Damaged(f"event {row.seq}", expected="bytes", found="text")
    return made


def stream_of(
    connection: Any, sql: Statements, stream: str, after: int, types: tuple[str, ...] | None
) -> tuple[int, list[Row]]:
    """The last version of a stream, and its rows behind version `after`, of the types named or of all."""
    if types is None:
        rows = rows_of(connection.execute(sql.stream, (stream, after)))
        return after + len(rows), rows
    version = connection.execute(sql.stream_version, (stream,)).fetchone()[0] or 0
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
