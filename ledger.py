"""The ledger: the one transaction in which a command is decided and its events become facts."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import UTC, datetime
from threading import RLock
from typing import Any, Final, cast

import uuid_utils
from pydantic import BaseModel

from .domain.append import Append
from .domain.authorise import Principal, authorise
from .domain.commands import AnyCommand
from .domain.decide import decide
from .domain.state import Aggregate, empty, evolve, fold, folded_types
from .errors import KeyReused, Unavailable
from .events.actors import Actor
from .events.envelope import Origin, Recorded, decode, encoder
from .events.log import Row
from .events.merkle import leaf_hash
from .events.store import Admission, Head, Known, NewRow, OutcomeUnknown, Placement, Store

CACHED_STREAMS: Final = 1024

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _plain(value: Any) -> Any:
    """What JSON has no word for, in words it has."""
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: getattr(value, f.name) for f in fields(value)}
    if isinstance(value, BaseModel):
        return value.model_dump()
    return sorted(cast("frozenset[str]", value)) if isinstance(value, frozenset) else str(value)


_canonical = json.JSONEncoder(sort_keys=True, default=_plain).encode


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a command became: its events, in order; none where there was nothing to do."""

    key: str
    events: tuple[Recorded, ...]
    repeated: bool = False
    """Whether the command had been admitted before, under the same key."""


@dataclass(slots=True)
class _Cached:
    """An aggregate as of `version` of its stream, known to be current up to `seq` of the log."""

    state: Aggregate
    version: int
    seq: int


class Ledger:
    """Admits commands and folds streams. Safe to share between threads; each process has its own."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._lock = RLock()
        self._cache: OrderedDict[str, _Cached] = OrderedDict()
        self._source = ""

    def admit(
        self,
        command: AnyCommand,
        actor: Actor,
        *,
        key: str | None = None,
        time: datetime | None = None,
        causation: str | None = None,
        placements: Sequence[Placement] = (),
    ) -> Receipt:
        """Decide a command and record its events; sent twice under one key it acts once.

        Raises `Refused` where a rule forbids it, `KeyReused` where the key came with other content, and `Unavailable`,
        carrying the key, where the database is away or what became of COMMIT could not be found out.
        """
        key = key or str(uuid_utils.uuid7())
        digest = actor.digest(_canonical(command.content()).encode())
        sealed = {name: actor.seal(getattr(command, name)) for name in command.free_text}
        command = replace(command, **sealed) if sealed else command
        now = datetime.now(UTC)
        origin = Origin(actor.id, time or now, key, digest, causation=causation)
        with self._lock:
            try:
                return self._admit(command, origin, now, placements)
            except OutcomeUnknown as error:
                return self._look_up(key, digest, error)
            except Unavailable as error:
                raise Unavailable(str(error), key=key) from error

    def state(self, stream: str) -> Aggregate:
        """The aggregate of a stream as last committed."""
        with self._lock:
            cached = self._cached(stream)
            version, rows = self.store.stream(stream, cached.version, folded_types(stream))
            self._fold(cached, version, rows, cached.seq)
            return cached.state

    def _admit(self, command: AnyCommand, origin: Origin, now: datetime, placements: Sequence[Placement]) -> Receipt:
        with self.store.admission(origin.command) as admission:
            if admission.known:
                return _repeated(origin, admission.known, admission.read(admission.known.first, admission.known.last))
            streams = {stream: self._current(admission, stream) for stream in command.reads()}
            authorise(Principal(origin.actor), command)
            appends = decide({stream: cached.state for stream, cached in streams.items()}, command)
            if not appends:
                return Receipt(origin.command, ())
            events = self._append(admission, appends, streams, origin, now, placements)
        self._remember(streams, events)
        return Receipt(origin.command, events)

    def _current(self, admission: Admission, stream: str) -> _Cached:
        """The stream's aggregate under the head's lock; nothing is read where the head has not moved."""
        cached = self._cached(stream)
        if cached.seq != admission.head.seq:
            version, rows = admission.stream(stream, cached.version, folded_types(stream))
            self._fold(cached, version, rows, admission.head.seq)
        return cached

    def _append(
        self,
        admission: Admission,
        appends: Sequence[Append],
        streams: Mapping[str, _Cached],
        origin: Origin,
        now: datetime,
        placements: Sequence[Placement],
    ) -> tuple[Recorded, ...]:
        # the log's time never runs backwards, whatever the clocks of its writers do
        microseconds = max(admission.head.recorded, round((now - _EPOCH).total_seconds() * 1e6))
        recorded = datetime.fromtimestamp(microseconds / 1e6, UTC)
        encode = encoder(self._ledger_source(), origin, recorded)
        versions = {stream: cached.version for stream, cached in streams.items()}
        rows: list[NewRow] = []
        events: list[Recorded] = []
        for seq, (stream, event) in enumerate(appends, admission.head.seq + 1):
            versions[stream] += 1
            id = str(uuid_utils.uuid7())
            raw = encode(event, stream, versions[stream], seq, id)
            rows.append(NewRow(seq, stream, versions[stream], event.type, leaf_hash(raw), raw))
            events.append(_recorded(event, seq, stream, versions[stream], id, recorded, origin))
        rows[0] = rows[0]._replace(key=origin.command, digest=origin.command_digest, span=len(rows))
        frontier, tiles = admission.head.frontier.extended(row.leaf for row in rows)
        admission.append(rows, Head(rows[-1].seq, microseconds, frontier), tiles, placements)
        return tuple(events)

    def _remember(self, streams: Mapping[str, _Cached], events: Sequence[Recorded]) -> None:
        """Fold what was committed, so that the next command reads nothing unless another process wrote."""
        for recorded in events:
            cached = streams[recorded.stream]
            cached.state, cached.version = evolve(cached.state, recorded), recorded.stream_version
        for cached in streams.values():
            cached.seq = events[-1].seq

    def _cached(self, stream: str) -> _Cached:
        if stream not in self._cache:
            self._cache[stream] = _Cached(empty(stream), 0, 0)
            if len(self._cache) > CACHED_STREAMS:
                self._cache.popitem(last=False)
        self._cache.move_to_end(stream)
        return self._cache[stream]

    @staticmethod
    def _fold(cached: _Cached, version: int, rows: Iterable[Row], seq: int) -> None:
        cached.state = fold(cached.state, (decode(row.envelope, row.leaf) for row in rows))
        cached.version, cached.seq = version, seq

    def _look_up(self, key: str, digest: str, error: OutcomeUnknown) -> Receipt:
        """After a COMMIT of unknown outcome the key tells what became of it."""
        try:
            known = self.store.known(key)
        except Unavailable as again:
            raise Unavailable(
                f"whether the command was recorded is unknown ({again}); send it again", key=key
            ) from error
        if known is None:
            raise Unavailable("the database did not keep the command; send it again", key=key) from error
        return _answer(key, digest, known, self.store.read(known.first - 1, known.last - known.first + 1))

    def _ledger_source(self) -> str:
        self._source = self._source or f"/lepton/{self.store.ledger_id}"
        return self._source


def _repeated(origin: Origin, known: Known, rows: Sequence[Row]) -> Receipt:
    return _answer(origin.command, origin.command_digest, known, rows)


def _answer(key: str, digest: str, known: Known, rows: Sequence[Row]) -> Receipt:
    if known.digest != digest:
        raise KeyReused(key)
    return Receipt(key, tuple(decode(row.envelope, row.leaf) for row in rows), repeated=True)


def _recorded(event: Any, seq: int, stream: str, version: int, id: str, recorded: datetime, origin: Origin) -> Recorded:
    return Recorded(
        seq=seq,
        stream=stream,
        stream_version=version,
        id=id,
        time=origin.time,
        recorded=recorded,
        actor=origin.actor,
        command=origin.command,
        correlation=origin.correlation,
        causation=origin.causation,
        event=event,
    )
