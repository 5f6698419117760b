"""The statements of the event store, written once in SQLAlchemy Core and compiled once a dialect."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from sqlalchemy import Dialect, and_, bindparam, func, insert, literal_column, select, update

from . import tables


class Statements:
    """Each attribute is the text of a statement as the driver takes it; names in brackets give its parameters' order.

    The driver runs them directly: `exec_driver_sql` would cost an append 200 µs more.
    """

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._made: dict[tuple[str, int], str] = {}
        e, h, p, t = tables.events.c, tables.head.c, tables.placements.c, tables.tiles.c
        behind = e.seq > bindparam("after")
        stream = e.stream == bindparam("stream")
        moved = {name: cast(Any, bindparam(f"new_{name}")) for name in ("seq", "recorded", "frontier")}
        on_conflict = _upsert(dialect)
        self._rows = select(e.seq, e.leaf, e.envelope).order_by(e.seq)

        # Both begin the transaction with the writers' lock held. On PostgreSQL that is two statements in one message:
        # a statement that itself waits for the lock would then read what was committed before the wait.
        self.begin = (
            "BEGIN IMMEDIATE"
            if dialect.name == "sqlite"
            else "BEGIN ISOLATION LEVEL READ COMMITTED; " + self._text(select(h.id).with_for_update())
        )
        self.head = self._text(select(h.seq, h.recorded, h.frontier, h.ledger))
        self.move_head = self._text(update(tables.head).values(moved), "new_seq", "new_recorded", "new_frontier")
        self.insert_events = self._text(insert(tables.events), *tables.events.c.keys())
        self.insert_tiles = self._text(insert(tables.tiles), *tables.tiles.c.keys())
        placing: Any = on_conflict(tables.placements)
        # a digest kept anew has moved: where it lay before may be condemned
        moved_to = {name: placing.excluded[name] for name in ("pack", "start", "length")}
        self.insert_placements = self._text(
            placing.on_conflict_do_update(index_elements=["digest"], set_=moved_to), *tables.placements.c.keys()
        )
        self.known = self._text(select(e.seq, e.span, e.digest).where(e.key == bindparam("key")), "key")
        self.rows = self._text(self._rows.where(behind, e.seq <= bindparam("last")), "after", "last")
        self.whole_rows = self._text(
            select(tables.events).where(behind, e.seq <= bindparam("last")).order_by(e.seq), "after", "last"
        )
        self.last_row = self._text(select(func.max(e.seq)))
        self.stream = self._text(self._rows.where(stream, e.version > bindparam("after")), "stream", "after")
        self.stream_version = self._text(select(func.max(e.version)).where(stream), "stream")
        self.stream_gaps = self._text(_stream_gaps())
        self.streams = self._text(
            select(e.stream).where(
                e.version == literal_column("1"), e.stream >= bindparam("low"), e.stream < bindparam("high")
            ),
            "low",
            "high",
        )
        self.tiles = self._text(select(tables.tiles).order_by(t.level, t.place))
        self.tile = self._text(
            select(t.hash).where(t.level == bindparam("level"), t.place == bindparam("place")), "level", "place"
        )
        self.last_tiles = self._text(select(t.level, func.max(t.place)).group_by(t.level).order_by(t.level))
        self.placements = self._text(select(p.digest, p.pack, p.start, p.length).order_by(p.pack, p.start))

    def head_and_known(self, count: int) -> str:
        """The head, beside it what became of the commands under `count` keys; a row for each key known, or one."""
        e, h = tables.events.c, tables.head.c
        return self._of_many(
            "key",
            count,
            lambda keys: select(h.seq, h.recorded, h.frontier, e.key, e.seq, e.span, e.digest).select_from(
                tables.head.outerjoin(tables.events, e.key.in_(keys))
            ),
        )

    def stream_of_types(self, count: int) -> str:
        """The rows of a stream that are of `count` types: [stream, after, last, then the types]."""
        e = tables.events.c
        place = and_(e.stream == bindparam("stream"), e.version > bindparam("after"), e.version <= bindparam("last"))
        return self._of_many(
            "type", count, lambda types: self._rows.where(place, e.type.in_(types)), "stream", "after", "last"
        )

    def find_placements(self, count: int) -> str:
        """The placements of `count` digests."""
        p = tables.placements.c
        return self._of_many(
            "digest", count, lambda digests: select(p.digest, p.pack, p.start, p.length).where(p.digest.in_(digests))
        )

    def _of_many(self, name: str, count: int, statement: Callable[[list[Any]], Any], *order: str) -> str:
        """A statement with a list of `count` values, compiled once."""
        if (name, count) not in self._made:
            names = [f"{name}_{n}" for n in range(count)]
            self._made[name, count] = self._text(statement([bindparam(name) for name in names]), *order, *names)
        return self._made[name, count]

    def _text(self, statement: Any, *order: str) -> str:
        compiled = statement.compile(dialect=self._dialect)
        if tuple(compiled.positiontup or ()) != order:
            raise AssertionError(f"{compiled} takes {compiled.positiontup}, not {order}")
        return str(compiled)


def _stream_gaps() -> Any:
    """The events whose version is not the one behind their stream's event before."""
    e = tables.events.c
    before = func.coalesce(func.lag(e.version).over(partition_by=e.stream, order_by=e.seq), literal_column("0")).label(
        "before"
    )
    placed = select(e.seq, e.stream, e.version, before).subquery()
    return (
        select(placed.c.seq, placed.c.stream, placed.c.version, placed.c.before)
        .where(placed.c.version != placed.c.before + literal_column("1"))
        .order_by(placed.c.seq)
    )


def _upsert(dialect: Dialect) -> Any:
    """The dialect's own INSERT, which knows ON CONFLICT; only its module is imported, for the other's is slow."""
    if dialect.name == "sqlite":
        from sqlalchemy.dialects.sqlite import insert
    else:
        from sqlalchemy.dialects.postgresql import insert
    return insert
