"""The check that stored history is whole: every leaf, the tree over them, the columns and the tables beside them.

It proves that the database agrees with itself. Whoever owns it could make another that does; only a head signed and
kept elsewhere proves that this is the history it was taken from. Names of actors are in no event, so that they can be
forgotten: that a pseudonym stands for the right name nothing proves.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple, cast

from pydantic_core import from_json

from ...errors import Damaged
from ..clock import Stamp, microseconds, trusted_after
from ..merkle import TILE_HEIGHT, Frontier, Tile, leaf_hash
from .audit_tables import Beside
from .rows import Head, NewRow
from .store import Store

BATCH: Final = 1000
"""Rows in memory at a time."""

_NO_LEAF: Final = bytes(32)
_START: Final = datetime.fromisoformat("1970-01-01T00:00:00Z")


class Audited(NamedTuple):
    """A whole log that agrees with itself: its number of events, and the tree's root in hexadecimal."""

    size: int
    root: str
    forgotten: int = 0
    """How many actors acted here whose names are forgotten."""


def verify(store: Store) -> Audited:
    """Recompute the tree from the stored bytes and compare all that depends on them, or raise the first `Damaged`.

    Takes memory for one batch of rows, however long the log is.
    """
    check = _Check(store)
    for damage in check.damages():
        raise damage
    return Audited(check.head.seq, check.tree.root().hex(), len(check.beside.forgotten))


def damages(store: Store) -> Iterator[Damaged]:
    """All the damage there is, in the log's order; what disagrees with a damaged event is named as well."""
    return _Check(store).damages()


class _Span(NamedTuple):
    """The command that the events at hand belong to, and the last of them."""

    key: str
    digest: str
    last: int


class _Check:
    """One pass over the log, up to the head that stood when it began; what is appended meanwhile is left out."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.tree = Frontier()
        self.beside = Beside(store)
        self._recorded = _START
        self._trusted: int | None = None
        self._span = _Span("", "", 0)

    def damages(self) -> Iterator[Damaged]:
        try:
            # read before the head: all of it must lie within the tree that the head tells of
            last, self._last_tiles = self._store.last_row(), self._store.last_tiles()
            self.head: Head = self._store.head()
        except Damaged as damage:
            yield damage
            return
        yield from self.beside.damages()
        if last > self.head.seq:
            yield Damaged("the head", expected=f"the last event, {last}", found=f"{self.head.seq}")
        for after in range(0, self.head.seq, BATCH):
            yield from self._batch(after, min(BATCH, self.head.seq - after))
        for seq, stream, version, before in self._store.stream_gaps():
            yield Damaged(f"event {seq}", expected=f"the version of {stream} after {before}", found=f"{version!r}")
        yield from self._end()

    def _batch(self, after: int, count: int) -> Iterator[Damaged]:
        """The rows behind `after`, and the tiles that they fill."""
        rows = yield from self._rows(after, count)
        leaves: list[bytes] = []
        for seq in range(after + 1, after + count + 1):
            row = rows.get(seq)
            yield from self._row(row) if row else (Damaged(f"event {seq}", expected="a whole row", found="none"),)
            leaves.append(row.leaf if row else _NO_LEAF)
        self.tree, tiles = self.tree.extended(leaves)
        for tile in tiles:
            found = self._store.tile(tile.level, tile.place)
            if found != tile.hash:
                yield Damaged(_covered(tile), expected=_hex(found), found=_hex(tile.hash))

    def _rows(self, after: int, count: int) -> Generator[Damaged, None, dict[int, NewRow]]:
        """The rows that can be read, by `seq`; where the database cannot read them all, one at a time."""
        try:
            rows = self._store.whole_rows(after, count)
        except Damaged as damage:
            if count == 1:
                yield damage
                return {}
            one_at_a_time: dict[int, NewRow] = {}
            for seq in range(after, after + count):
                one_at_a_time |= yield from self._rows(seq, 1)
            return one_at_a_time
        # SQLite gives back what the file says, and a damaged file may say that bytes are text
        return {row.seq: row for row in rows if type(row.leaf) is type(row.envelope) is bytes}

    def _row(self, row: NewRow) -> Iterator[Damaged]:
        thing = f"event {row.seq}"
        if (found := leaf_hash(row.envelope)) != row.leaf:
            yield Damaged(thing, expected=_hex(row.leaf), found=_hex(found))
        if row.key is not None and row.seq <= self._span.last:
            yield Damaged(thing, expected=f"an event of command {self._span.key!r}", found=f"the first of {row.key!r}")
        said = self._said(row)
        try:
            envelope = cast("dict[str, Any]", from_json(row.envelope))
            recorded = datetime.fromisoformat(envelope["recordedtime"])
            clock = envelope.get("clocktime")
            clock = None if clock is None else microseconds(datetime.fromisoformat(clock))
            stamp = Stamp(microseconds(recorded), clock)
            earlier = recorded < self._recorded
        except (KeyError, TypeError, ValueError) as error:
            yield Damaged(thing, expected="the envelope of an event", found=type(error).__name__)
            return
        if earlier:
            yield Damaged(thing, expected=f"a time not before {self._recorded.isoformat()}", found=recorded.isoformat())
        self._trusted = trusted_after(microseconds(self._recorded), self._trusted, stamp)
        self._recorded = max(recorded, self._recorded)
        yield from self.beside.of_event(row.seq, envelope)
        for name, expected in said.items():
            if (is_found := envelope.get(name)) != expected:
                yield Damaged(f"{thing}, {name}", expected=repr(expected), found=repr(is_found))

    def _said(self, row: NewRow) -> dict[str, Any]:
        """What the row's columns say of its envelope, by the envelope's names."""
        if row.key is not None:
            self._span = _Span(row.key, row.digest or "", row.seq + (row.span if type(row.span) is int else 0) - 1)
        key, digest, last = self._span
        if row.seq > last or (row.key is None) != (row.digest is None) or (row.key is None) != (row.span is None):
            key = digest = "named by a row with key, digest and span"
        return {
            "sequence": f"{row.seq:020d}",
            "subject": row.stream,
            "streamversion": row.version,
            "type": row.type,
            "source": f"/lepton/{self._store.ledger_id}",
            "commandid": key,
            "commanddigest": digest,
        }

    def _end(self) -> Iterator[Damaged]:
        """The head, against the tree and the time that the rows came to."""
        for expected, found, first, last in _differences(self.tree, self.head.frontier):
            yield Damaged(f"the tree over events {first} to {last}", expected=_hex(expected), found=_hex(found))
        if self._span.last > self.head.seq:
            yield Damaged(
                f"event {self.head.seq}", expected=f"a command up to event {self._span.last}", found="its end"
            )
        recorded = _START + timedelta(microseconds=self.head.recorded)
        if self.head.seq and recorded != self._recorded:
            yield Damaged("the head's time", expected=self._recorded.isoformat(), found=recorded.isoformat())
        if self.head.trusted != self._trusted:
            found, expected = str(self.head.trusted), str(self._trusted)
            yield Damaged("the head's time before it jumped", expected=expected, found=found)
        for level, place in self._last_tiles:
            if place >= self.head.seq >> TILE_HEIGHT * (level + 1):
                yield Damaged(_covered(Tile(level, place, b"")), expected="none: the log is shorter", found="a tile")


def _differences(tree: Frontier, head: Frontier) -> Iterator[tuple[bytes, bytes, int, int]]:
    """The perfect subtrees that differ: (the head's hash, the recomputed one, first event, last event)."""
    heights = [height for height in range(tree.size.bit_length(), -1, -1) if tree.size >> height & 1]
    first = 1
    for height, expected, found in zip(heights, head.nodes, tree.nodes, strict=True):
        if expected != found:
            yield expected, found, first, first + (1 << height) - 1
        first += 1 << height


def _covered(tile: Tile) -> str:
    width = 1 << TILE_HEIGHT * (tile.level + 1)
    return f"the tree over events {tile.place * width + 1} to {(tile.place + 1) * width}"


def _hex(digest: bytes | None) -> str:
    return "none" if digest is None else f"sha256:{digest.hex()}"
