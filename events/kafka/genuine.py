"""What of the events' topic is the ledger's, told by leaf or by root; what others put there is passed over by name."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from ..log import Row
from ..merkle import Frontier, leaf_hash
from .clients import TopicRecord

ROOT: Final = "lepton-root"
"""The header that bears the tree's root, in hexadecimal, on the last record of a batch."""

_SEQUENCE: Final = re.compile(rb'"sequence":"(\d{20})"')
_SOURCE: Final = re.compile(rb'"source":"/lepton/([0-9a-f-]{36})"')
_MOST: Final = 2**63 - 1
_RUN_BYTES: Final = 4 << 20
"""Bytes of records that wait for the root of their batch: a batch is smaller."""
_SELDOM: Final = 5.0
"""Seconds between two lines of the log about records that are passed over: others may write thousands."""
_HELD_BYTES: Final = 16 << 20
_HELD_BATCHES: Final = 1_000
"""So much is held back while more may come that tells otherwise."""

log = logging.getLogger("lepton.kafka")


class ForeignRecord(NamedTuple):
    """A record that is not the ledger's: where it lies, and why."""

    offset: int
    why: str


@dataclass(slots=True)
class ForeignRecords:
    """How many strangers were passed over, and the last of them. One that is read again is counted once."""

    count: int = 0
    last: ForeignRecord | None = None
    _told: int = 0
    _said: float = -1e9
    _topic: str | None = None

    def as_known(self, count: int | None, offset: int | None, why: str | None) -> None:
        """Begin with those that were counted before."""
        self.count = self._told = count or 0
        self.last = None if offset is None else ForeignRecord(offset, why or "")

    def are_in(self, topic: str | None) -> None:
        """Say which topic they are in, by its id: the offsets begin anew with another one, and the count goes on."""
        if self.last is not None and self._topic not in (None, topic):
            self.last = ForeignRecord(-1, self.last.why)
        self._topic = topic

    def add(self, offset: int, why: str) -> None:
        """Count one."""
        if self.last is None or offset > self.last.offset:
            self.count += 1
            self.last = ForeignRecord(offset, why)

    def say(self, topic: str) -> None:
        """Tell in the log of those that came since, once in some seconds."""
        if self.last is not None and self.count > self._told and time.monotonic() - self._said > _SELDOM:
            fresh = self.count - self._told
            log.warning(
                "%s: %d more records are not the ledger's and are passed over; the last is at offset %d: %s",
                *(topic, fresh, self.last.offset, self.last.why),
            )
            self._told, self._said = self.count, time.monotonic()


class Claim(NamedTuple):
    """What a record says that it is."""

    offset: int
    seq: int
    source: bytes
    value: bytes
    root: bytes | None

    def row(self) -> Row:
        """The row that it would be."""
        return Row(self.seq, leaf_hash(self.value), self.value)


def claim(message: TopicRecord) -> Claim | str:
    """What a record claims to be, or why it cannot be an event of any ledger.

    Lepton writes `source` and `sequence` before `data`, and within a JSON text a quote is escaped: the first match is
    the attribute itself.
    """
    if message.fault is not None:
        return message.fault
    if not message.value:
        return "it has no value"
    found, source = _SEQUENCE.search(message.value), _SOURCE.search(message.value)
    if found is None or source is None:
        return "it is no event of a ledger"
    seq = int(found[1])
    if not 0 < seq <= _MOST:
        return f"no ledger has an event {seq}"
    return Claim(message.offset, seq, source[1], message.value, dict(message.headers).get(ROOT))


class ByLeaf:
    """Knows the ledger's records by the leaves in its database. Nobody can forge one."""

    def __init__(
        self, leaves: Callable[[Iterable[int]], dict[int, bytes]], strangers: ForeignRecords, after: int = 0
    ) -> None:
        self._leaves = leaves
        self._strangers = strangers
        self.seq = after
        self.last: TopicRecord | None = None
        """The record of event `seq`, where it was read here."""
        self.ahead = False
        """Whether an event came before the one that is due: what lies between is missing."""
        self.early = False
        """Whether an event came that is due or later and that the database lacks: it may have been put back."""

    def take(self, messages: Sequence[TopicRecord]) -> list[Row]:
        """The rows among records, in order, that follow what was given out before."""
        claims = [claim(message) for message in messages]
        known = self._leaves(each.seq for each in claims if isinstance(each, Claim))
        rows: list[Row] = []
        for message, each in zip(messages, claims, strict=True):
            if isinstance(each, str):
                self._strangers.add(message.offset, each)
            elif (leaf := leaf_hash(each.value)) != known.get(each.seq):
                self.early |= each.seq > self.seq and each.seq not in known
                self._strangers.add(message.offset, _other(each.seq, each.seq in known))
            elif each.seq == self.seq + 1:
                rows.append(Row(each.seq, leaf, each.value))
                self.seq, self.last, self.ahead = each.seq, message, False
            else:
                self.ahead |= each.seq > self.seq
        return rows

    def rest(self) -> list[Row]:
        """Nothing is held back."""
        return []


def _other(seq: int, known: bool) -> str:
    return f"the ledger's event {seq} is another" if known else f"the ledger has no event {seq}"


class Runs:
    """Finds batches: the relay's records lie one behind the other, and the last of them bears the root.

    A broker takes a batch whole, so nobody's record lies within one.
    """

    def __init__(self, strangers: ForeignRecords) -> None:
        self._strangers = strangers
        self._run: list[Claim] = []
        self._size = 0

    def take(self, message: TopicRecord) -> list[Claim]:
        """The batch that ends with this record, empty where none does. It may begin with what is not part of it."""
        found = claim(message)
        if isinstance(found, str):
            self.drop()
            self._strangers.add(message.offset, found)
            return []
        if self._run and (found.offset, found.seq) != (self._run[-1].offset + 1, self._run[-1].seq + 1):
            self.drop()
        self._run.append(found)
        self._size += len(found.value)
        while self._size > _RUN_BYTES:
            self._size -= len(self._run[0].value)
            self._strangers.add(self._run.pop(0).offset, _UNCONFIRMED)
        if found.root is None:
            return []
        run, self._run, self._size = self._run, [], 0
        return run

    def drop(self) -> None:
        """What came since the last root belongs to no batch."""
        for each in self._run:
            self._strangers.add(each.offset, _UNCONFIRMED)
        self._run, self._size = [], 0


_UNCONFIRMED: Final = "no root confirms it"


@dataclass(slots=True, eq=False)
class _Place:
    """The log up to the end of a batch, as one history has it."""

    frontier: Frontier
    source: bytes | None
    offset: int
    rows: list[Row] = field(default_factory=list[Row])
    """Of its batch, until they are given out."""
    before: _Place | None = None
    """None once its rows are given out."""


class ByRoot:
    """Knows the ledger's records without its database: a batch counts once its root follows from all before it.

    Where two histories follow from the same past, the longer one counts, and of two as long the one told later; what
    can be told so late is bounded by what is held back. Whoever may write the topic and computes roots can go on behind
    its end: no reader without the database or a signed head can know that.
    """

    def __init__(self, strangers: ForeignRecords, frontier: Frontier | None = None) -> None:
        base = _Place(frontier or Frontier(), None, -1)
        self._strangers = strangers
        self._runs = Runs(strangers)
        self._given = base
        self._places: dict[int, list[_Place]] = {base.frontier.size: [base]}
        self._best = base
        self._held = self._batches = 0
        self.begun = self.seq = base.frontier.size
        """The last event before those that are judged, and the last that was given out."""
        self.forked = False
        """Whether another history than was given out turned out to be the ledger's."""

    def take(self, messages: Sequence[TopicRecord]) -> list[Row]:
        """The rows among records, in order, that follow what was given out before."""
        for message in messages:
            if run := self._runs.take(message):
                self._link(run)
        full = self._held > _HELD_BYTES or self._batches > _HELD_BATCHES
        return self._give(half=True) if full else []

    def rest(self) -> list[Row]:
        """What is held back, once the topic has no more."""
        return self._give()

    def _link(self, run: list[Claim]) -> None:
        """Let a batch follow the past that its root follows from; where there is none it is nobody's."""
        last, root = run[-1], (run[-1].root or b"").decode("ascii", "replace")
        leaves = [each.row() for each in run]
        for before in self._pasts(run[0].seq - 1, last.seq):
            rows = leaves[before.frontier.size - last.seq :]
            frontier, _ = before.frontier.extended(row.leaf for row in rows)
            if frontier.root().hex() == root and before.source in (None, last.source):
                self._add(_Place(frontier, last.source, last.offset, rows, before))
                return
        if last.seq > self._given.frontier.size:
            for each in run:
                self._strangers.add(each.offset, "its batch's root does not follow from the events before it")

    def _pasts(self, first: int, last: int) -> Iterator[_Place]:
        sizes = range(last - 1, first - 1, -1)
        if len(sizes) > len(self._places):
            sizes = sorted((size for size in self._places if first <= size < last), reverse=True)
        for size in sizes:
            yield from reversed(self._places.get(size, ()))

    def _add(self, place: _Place) -> None:
        there = self._places.setdefault(place.frontier.size, [])
        same = next((each for each in there if each.frontier == place.frontier), None)
        if same is None:
            there.append(place)
            self._held += sum(len(row.envelope) for row in place.rows)
            self._batches += 1
            same = place
        same.offset = place.offset
        if (same.frontier.size, same.offset) > (self._best.frontier.size, self._best.offset):
            self._best = same

    def _give(self, *, half: bool = False) -> list[Row]:
        """Give out the best history, or the older half of its batches."""
        chain: list[_Place] = []
        at = self._best
        while at.before is not None:
            chain.append(at)
            at = at.before
        if at is not self._given:
            self.forked = True
            return []
        given = chain[len(chain) // 2 :][::-1] if half else chain[::-1]
        rows: list[Row] = []
        for place in given:
            rows += place.rows
            self._held -= sum(len(row.envelope) for row in place.rows)
            self._batches -= 1
            place.rows, place.before = [], None
            self._given, self.seq = place, place.frontier.size
        self._forget()
        return rows

    def _forget(self) -> None:
        """Forget the pasts that are long given out: nothing follows from them any more."""
        if len(self._places) < 4 * _HELD_BATCHES:
            return
        for size in sorted(self._places)[: -2 * _HELD_BATCHES]:
            if size < self._given.frontier.size:
                for place in self._places.pop(size):
                    if place.rows:
                        self._held -= sum(len(row.envelope) for row in place.rows)
                        self._batches -= 1
