"""The statements of the event store, written once in SQLAlchemy Core and compiled once a dialect."""

from __future__ import annotations

from typing import Any, cast

from sqlalchemy import Dialect, Text, bindparam, func, insert, literal_column, select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from . import tables


class Statements:
    """Each attribute is the text of a statement as the driver takes it; its comment gives the order of parameters.

    The driver runs them directly: `exec_driver_sql` would cost an append 200 µs more.
    """

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        e, h, p = tables.events.c, tables.head.c, tables.placements.c
        key = bindparam("key", type_=Text)
        rows = select(e.seq, e.leaf, e.envelope).order_by(e.seq)
        of_stream = rows.where(e.stream == bindparam("stream"), e.version > bindparam("after"))
        moved = {name: cast(Any, bindparam(f"new_{name}")) for name in ("seq", "recorded", "frontier")}
        on_conflict = sqlite_insert if dialect.name == "sqlite" else postgresql_insert

        self.lock_head = self._text(  # key
            select(h.seq, h.recorded, h.frontier, e.seq, e.span, e.digest)
            .select_from(tables.head.outerjoin(tables.events, e.key == key))
            .with_for_update(of=tables.head),
            "key",
        )
        self.read_head = self._text(select(h.seq, h.recorded, h.frontier, h.ledger))
        self.move_head = self._text(update(tables.head).values(moved), "new_seq", "new_recorded", "new_frontier")
        self.insert_events = self._text(insert(tables.events), *tables.events.c.keys())
        self.insert_tiles = self._text(insert(tables.tiles), *tables.tiles.c.keys())
        self.insert_placements = self._text(
            on_conflict(tables.placements).on_conflict_do_nothing(), *tables.placements.c.keys()
        )
        self.known = self._text(select(e.seq, e.span, e.digest).where(e.key == key), "key")
        self.rows = self._text(rows.where(e.seq > bindparam("after"), e.seq <= bindparam("last")), "after", "last")
        self.stream = self._text(of_stream, "stream", "after")
        self.stream_version = self._text(select(func.max(e.version)).where(e.stream == bindparam("stream")), "stream")
        self.streams = self._text(
            select(e.stream).where(
                e.version == literal_column("1"), e.stream >= bindparam("low"), e.stream < bindparam("high")
            ),
            "low",
            "high",
        )
        self.tiles = self._text(select(tables.tiles).order_by(tables.tiles.c.level, tables.tiles.c.place))
        self.placements = self._text(select(p.digest, p.pack, p.start, p.length).order_by(p.pack, p.start))
        self._of_stream, self._placement = of_stream, select(p.digest, p.pack, p.start, p.length)

    def stream_of_types(self, count: int) -> str:
        """The rows of a stream that are of `count` types: stream, after, then the types."""
        names = [f"type_{n}" for n in range(count)]
        chosen = tables.events.c.type.in_([bindparam(name) for name in names])
        return self._text(self._of_stream.where(chosen), "stream", "after", *names)

    def find_placements(self, count: int) -> str:
        """The placements of `count` digests."""
        names = [f"digest_{n}" for n in range(count)]
        chosen = tables.placements.c.digest.in_([bindparam(name) for name in names])
        return self._text(self._placement.where(chosen), *names)

    def _text(self, statement: Any, *order: str) -> str:
        compiled = statement.compile(dialect=self._dialect)
        if tuple(compiled.positiontup or ()) != order:
            raise AssertionError(f"{compiled} takes {compiled.positiontup}, not {order}")
        return str(compiled)
