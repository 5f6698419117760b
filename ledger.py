"""The ledger: the one transaction in which commands are decided and their events become facts."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from threading import RLock
from typing import Any, Final, Literal, NamedTuple, Protocol

import uuid_utils
from pydantic import ValidationError

from .domain.append import Append
from .domain.authorise import Principal, authorise
from .domain.commands import AnyCommand
from .domain.decide import decide
from .domain.state import Aggregate, empty, evolve, folded_types
from .errors import Damaged, KeyReused, Malformed, Refused, TooLarge, Unavailable, first_fault
from .events import forks
from .events.batch import BATCH_BYTES, RECORD_OVERHEAD
from .events.bounds import OUT_OF_BOUNDS
from .events.clock import JUMP, microseconds, moment, stamped, trusted_after
from .events.envelope import Origin, Recorded, decode, encoder, timestamp
from .events.inbox import Outside
from .events.log import Row
from .events.merkle import leaf_hash
from .events.sql.actors import Actor
from .events.sql.admission import Admission
from .events.sql.rows import Head, NewRow, Placement
from .events.sql.store import OutcomeUnknown, Store
from .events.upcast import stored_names
from .plain import canonical

CACHED_STREAMS: Final = 1024
LONGEST_KEY: Final = 200
AHEAD: Final = timedelta(days=1)
"""How far the clock of an outside event's producer may be ahead."""


class Asked(NamedTuple):
    """A command on its way to be decided: who asks, under which key, and where the bytes lie that it tells of."""

    command: AnyCommand
    actor: Actor
    key: str | None = None
    time: datetime | None = None
    causation: str | None = None
    placements: Sequence[Placement] = ()
    outside: Outside | None = None
    """The outside event that asks, where one does."""
    traceparent: str | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a command became: its events, in order; none where there was nothing to do."""

    key: str
    events: tuple[Recorded, ...]
    repeated: bool = False
    """Whether the command had been admitted before, under the same key."""


class Beside(Protocol):
    """What an intake does in the transaction that admits its messages."""

    def answer(self, admission: Admission, asked: Asked, decided: Callable[[], Receipt | Refused]) -> Receipt | Refused:
        """The answer to a message: what was answered before, else what is decided now."""
        ...

    def kept(self, admission: Admission, answers: Sequence[Receipt | Refused]) -> None:
        """Write down what became of the messages, and how far they are taken in."""
        ...


class _Request(NamedTuple):
    """A command as it will be decided and remembered: keyed, digested, its free text sealed."""

    command: AnyCommand
    key: str
    digest: str
    asked: Asked


class _At(NamedTuple):
    """An aggregate as of a version of its stream."""

    state: Aggregate
    version: int


class Ledger:
    """Admits commands and folds streams. Safe to share between threads; a forked child begins anew."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._begin()
        forks.guard(self)

    def before_fork(self) -> None:
        """Let no thread be in the middle of an admission, as far as it ends soon."""
        self._rests = self._lock.acquire(timeout=forks.PATIENCE)

    def after_fork(self, *, child: bool) -> None:
        """Let them go on; a child has none."""
        if child:
            self._begin()
        elif self._rests:
            self._lock.release()

    def _begin(self) -> None:
        self._lock = RLock()
        self._rests = False
        self._cache: OrderedDict[str, _At] = OrderedDict()
        self._current: set[str] = set()
        """The cached streams that nobody has written to up to `seq` `_end` of the log."""
        self._end = 0
        self._leaf: bytes | None = None
        """The leaf at `_end`."""
        self._shared = False
        """Whether others had written to the log when it was looked at last."""

    def admit(
        self,
        command: AnyCommand,
        actor: Actor,
        *,
        key: str | None = None,
        time: datetime | None = None,
        causation: str | None = None,
        placements: Sequence[Placement] = (),
        traceparent: str | None = None,
    ) -> Receipt:
        """Decide a command and record its events; sent twice under one key it acts once.

        Raises `Refused` where a rule forbids it, `KeyReused` where the key came with other content, and `Unavailable`,
        carrying the key, where the database is away or what became of COMMIT could not be found out.
        """
        asked = Asked(command, actor, key, time, causation, placements, traceparent=traceparent)
        (answer,) = self.admit_all((asked,))
        if isinstance(answer, Refused):
            raise answer
        return answer

    def admit_all(self, asked: Iterable[Asked], beside: Beside | None = None) -> list[Receipt | Refused]:
        """Decide commands in order and record their events in one transaction: an answer for each.

        A refusal is an answer; it keeps none of the others from being recorded. What is written `beside` them is
        written even where no event is. Raises `Unavailable` as `admit` does.
        """
        requests = [_requested(each) for each in asked]
        if not requests and beside is None:
            return []
        with self._lock:
            key = getattr(requests[0], "key", None) if len(requests) == 1 else None
            try:
                return self._admit(requests, beside)
            except OutcomeUnknown as error:
                return self._admit_again(requests, beside, key, error)
            except Unavailable as error:
                raise Unavailable(str(error), key=key) from error

    def admit_within(self, admission: Admission, command: AnyCommand, actor: Actor) -> Receipt:
        """As `admit`, in a transaction that the caller holds and commits: for an upgrade, whole or not at all."""
        request = _request(Asked(command, actor))
        with self._lock:
            pending = _Pending(admission, f"/lepton/{self.store.ledger_id}")
            receipt = self._decided(pending, request)
            pending.insert()
        return receipt

    def state(self, stream: str) -> Aggregate:
        """The aggregate of a stream as last committed."""
        with self._lock:
            at = self._cached(stream)
            at = self._read(stream, at, self.store.stream(stream, at.version, _stored_types(stream)))
            self._keep(stream, at)
            return at.state

    def _admit_again(
        self, requests: Sequence[_Request | Refused], beside: Beside | None, key: str | None, error: OutcomeUnknown
    ) -> list[Any]:
        """After a COMMIT of unknown outcome: under the head's lock the keys tell what became of it."""
        try:
            return self._admit(requests, beside)
        except (OutcomeUnknown, Unavailable) as again:
            unknown = "under the same key, since whether the command was recorded is unknown"
            raise Unavailable(f"{again}, {unknown}", key=key) from error

    def _admit(self, requests: Sequence[_Request | Refused], beside: Beside | None) -> list[Receipt | Refused]:
        keys = [request.key for request in requests if isinstance(request, _Request)]
        with self.store.admission(keys, self._end if self._shared else None) as admission:
            self._catch_up(admission)
            pending = _Pending(admission, f"/lepton/{self.store.ledger_id}")
            answers = [
                request if isinstance(request, Refused) else self._answer(pending, request, beside)
                for request in requests
            ]
            if beside:
                beside.kept(admission, answers)
            pending.insert()
        for stream, at in pending.states.items():
            self._keep(stream, at)
        self._current.update(pending.states)
        self._end, self._leaf = pending.seq, pending.leaf
        return answers

    def _catch_up(self, admission: Admission) -> None:
        """Know under the head's lock what of the cache still holds.

        Nothing of it does where the log is not the one that it was folded from: a database may be set back, to an old
        backup or with a replica, under a process that lives on.
        """
        head, end = admission.head.seq, self._end
        self._shared = 0 < end < head
        if self._shared:
            since = admission.since(end)
            leaf, self._current = since.leaf, self._current - since.streams
        else:
            leaf = admission.leaf if head == end else None
        if end and leaf != self._leaf:
            self._cache.clear()
            self._current.clear()

    def _answer(self, pending: _Pending, request: _Request, beside: Beside | None) -> Receipt | Refused:
        def decided() -> Receipt | Refused:
            try:
                return pending.repeated(request) or self._decided(pending, request)
            except Refused as refusal:
                return refusal

        return beside.answer(pending.admission, request.asked, decided) if beside else decided()

    def _decided(self, pending: _Pending, request: _Request) -> Receipt:
        """Decide on what the streams hold now, with what the commands before it in this transaction added."""
        streams = {stream: self._at(pending, stream) for stream in request.command.reads()}
        _claims(request.asked, pending.now)
        authorise(Principal(request.asked.actor.id, _actor_type(request.asked)), request.command)
        try:
            appends = decide({stream: at.state for stream, at in streams.items()}, request.command)
        except ValidationError as error:
            raise _malformed(error) from error
        events = pending.record(request, appends, streams) if appends else ()
        return Receipt(request.key, events)

    def _at(self, pending: _Pending, stream: str) -> _At:
        """A stream's aggregate under the head's lock; nothing is read where nobody else has written since."""
        if (at := pending.states.get(stream)) is None:
            at = self._cached(stream)
            if stream not in self._current:
                at = self._read(stream, at, pending.admission.stream(stream, at.version, _stored_types(stream)))
            pending.states[stream] = at
        return at

    def _cached(self, stream: str) -> _At:
        if (at := self._cache.get(stream)) is None:
            self._current.discard(stream)
            return _At(empty(stream), 0)
        self._cache.move_to_end(stream)
        return at

    def _keep(self, stream: str, at: _At) -> None:
        self._cache[stream] = at
        if len(self._cache) > CACHED_STREAMS:
            self._cache.popitem(last=False)

    @staticmethod
    def _read(stream: str, at: _At, newer: tuple[int, Sequence[Row]]) -> _At:
        version, rows = newer
        state, last = at
        whole = folded_types(stream) is None
        for row in rows:
            recorded = decode(row.envelope, row.leaf, row.seq)
            follows = recorded.stream_version == last + 1 if whole else recorded.stream_version > last
            if recorded.stream != stream or not follows:
                expected = f"version {last + 1} of {stream}" if whole else f"an event of {stream} behind version {last}"
                raise Damaged(
                    f"event {row.seq}", expected=expected, found=f"{recorded.stream} {recorded.stream_version}"
                )
            state, last = evolve(state, recorded), recorded.stream_version
        return _At(state, version)


class _Pending:
    """What a transaction has come to so far: rows not yet inserted, and states as their events leave them."""

    def __init__(self, admission: Admission, source: str) -> None:
        self.admission = admission
        self.states: dict[str, _At] = {}
        self.seq = admission.head.seq
        self._source = source
        here, there = microseconds(datetime.now(UTC)), admission.now
        now = here if there is None else there
        self._time = moment(here if abs(here - now) > JUMP else now)
        """When it happened, as this machine says where that is far from what the database says."""
        self.now = moment(now)
        # the log's time never runs backwards, whatever the clocks of its writers do
        self._stamp = stamped(admission.head.recorded, admission.head.trusted, now)
        self._recorded = moment(self._stamp.recorded)
        self._clock = None if self._stamp.clock is None else moment(self._stamp.clock)
        self._rows: list[NewRow] = []
        self._placements: list[Placement] = []
        self._receipts: dict[str, tuple[str, Receipt]] = {}

    @property
    def leaf(self) -> bytes | None:
        """The leaf at `seq`."""
        return self._rows[-1].leaf if self._rows else self.admission.leaf

    def repeated(self, request: _Request) -> Receipt | None:
        """The receipt of a command that was admitted before; `KeyReused` where it was another."""
        if known := self.admission.known.get(request.key):
            digest, rows = known.digest, self.admission.read(known.first, known.last)
            receipt = Receipt(request.key, tuple(decode(row.envelope, row.leaf, row.seq) for row in rows))
        elif request.key in self._receipts:
            digest, receipt = self._receipts[request.key]
        else:
            return None
        if digest != request.digest:
            raise KeyReused(request.key)
        return replace(receipt, repeated=True)

    def record(self, request: _Request, appends: Sequence[Append], streams: Mapping[str, _At]) -> tuple[Recorded, ...]:
        """Make a command's events rows, and fold them into the states. Nothing is kept if one of them is refused.

        Raises `TooLarge` where they would not go onto Kafka in one batch: a command is there whole or not at all.
        """
        command, key, digest, asked = request
        origin = _origin(asked, asked.time or self._time, key, digest)
        encode = encoder(self._source, origin, self._recorded, self._clock)
        states, rows, events, size = dict(streams), list[NewRow](), list[Recorded](), 0
        for seq, (stream, event) in enumerate(appends, self.seq + 1):
            state, version = states[stream]
            id, version = str(uuid_utils.uuid7()), version + 1
            raw = encode(event, stream, version, seq, id)
            if (size := size + len(raw) + RECORD_OVERHEAD) > BATCH_BYTES:
                raise TooLarge(type(command).__name__, len(appends), BATCH_BYTES)
            place = (seq, stream, version, id, origin.time, self._clock or self._recorded, origin.actor, key)
            recorded = Recorded(*place, origin.correlation, asked.causation, event, origin.traceparent)
            first = (None, None, None) if rows else (key, digest, len(appends))
            rows.append(NewRow(seq, stream, version, event.type, leaf_hash(raw), raw, *first))
            events.append(recorded)
            states[stream] = _At(evolve(state, recorded), version)
        self.states.update(states)
        self.seq += len(rows)
        self._rows += rows
        self._placements += asked.placements
        self._receipts[key] = digest, Receipt(key, tuple(events))
        return tuple(events)

    def insert(self) -> None:
        """Write the rows and move the head, if there are any."""
        if self._rows:
            frontier, tiles = self.admission.head.frontier.extended(row.leaf for row in self._rows)
            trusted = trusted_after(self.admission.head.recorded, self.admission.head.trusted, self._stamp)
            head = Head(self.seq, self._stamp.recorded, frontier, trusted)
            self.admission.append(self._rows, head, tiles, self._placements)


def _claims(asked: Asked, now: datetime) -> None:
    """Hold that an outside event did not happen in the future: its producer's clock would be believed for ever."""
    if asked.outside is not None and asked.time is not None and asked.time > now + AHEAD:
        raise Malformed(
            f"time is {asked.time.isoformat()}, and here it is {timestamp(now)}; an event is told after it happened: "
            "set the clock of its producer"
        )


def _actor_type(asked: Asked) -> Literal["user", "service_account"]:
    return "service_account" if asked.outside else "user"


def _origin(asked: Asked, time: datetime, key: str, digest: str) -> Origin:
    if (told := asked.outside) is None:
        who = (asked.actor.id, time, key, digest)
        return Origin(*who, causation=asked.causation, traceparent=asked.traceparent)
    inbox = (asked.actor.id, told.id, told.digest)
    return Origin(
        asked.actor.id,
        time,
        key,
        digest,
        _actor_type(asked),
        told.correlation,
        asked.causation,
        told.traceparent,
        inbox,
    )


def _requested(asked: Asked) -> _Request | Refused:
    try:
        return _request(asked)
    except Refused as refusal:
        return refusal


def _request(asked: Asked) -> _Request:
    """What must not happen under the head's lock: digest the content and seal the free text."""
    command, actor, key = asked.command, asked.actor, asked.key or str(uuid_utils.uuid7())
    if len(key) > LONGEST_KEY or not key.isprintable():
        raise Malformed(f"an idempotency key is at most {LONGEST_KEY} printable characters; {key[:40]!r} is not")
    try:
        digest = actor.digest(canonical(command.content()).encode())
    except (ValueError, RecursionError) as error:
        raise Malformed(f"a {type(command).__name__} holds what JSON cannot ({error}); write it as text") from error
    sealed = {name: actor.seal(text) for name in command.free_text if (text := getattr(command, name))}
    return _Request(replace(command, **sealed) if sealed else command, key, digest, asked)


def _stored_types(stream: str) -> tuple[str, ...] | None:
    """The stored names of the only types a stream's aggregate is folded from, None where it is all."""
    types = folded_types(stream)
    return types and tuple(name for kind in types for name in stored_names(kind))


def _malformed(error: ValidationError) -> Malformed:
    """What pydantic has against the first value, in one sentence."""
    place, words, kind = first_fault(error, "value")
    remedy = "give a value of 64 bits at most" if kind in OUT_OF_BOUNDS else "give plain JSON values"
    return Malformed(f"{error.title} cannot hold {place!r}: {words}; {remedy}")
