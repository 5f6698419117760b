"""The transaction: commands are decided one after another under the head's lock, and their events recorded together.

`with ledger.transaction(requests) as transaction:` begins it, takes the lock and learns which of the requests' keys are
known. `transaction.decide(request)` answers each; a refusal is an answer, and keeps no other from being recorded. What
is written through `transaction.admission` stands beside the events, in the same transaction, also where no event is.
At the end of the block all of it is committed; whatever the block raises undoes all of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import uuid_utils
from pydantic import ValidationError

from ..domain.access.authorise import Principal, authorise
from ..domain.access.rights import ALL, Rights
from ..domain.append import Append
from ..domain.decide import decide
from ..domain.state import evolve
from ..errors import KeyReused, Malformed, Refused, TooLarge, first_fault
from ..events.actor import Actor
from ..events.batch import BATCH_BYTES, RECORD_OVERHEAD
from ..events.bounds import OUT_OF_BOUNDS
from ..events.clock import JUMP, microseconds, moment, stamped, trusted_after
from ..events.envelope import Origin, Recorded, decode, encoder, timestamp
from ..events.inbox import Outside
from ..events.merkle import leaf_hash
from ..events.sql.admission import Admission
from ..events.sql.rows import Head, NewRow, PlacementRow
from ..plain import canonical
from .folds import At

if TYPE_CHECKING:
    from ..domain.commands import AnyCommand

AHEAD: Final = timedelta(days=1)
"""How far the clock of an outside event's producer may be ahead."""


class Transaction:
    """What a transaction has come to so far: rows not yet inserted, and states as their events leave them."""

    def __init__(self, admission: Admission, source: str, at: Callable[[Admission, str], At]) -> None:
        self.admission = admission
        self.states: dict[str, At] = {}
        self.seq = admission.head.seq
        self._source = source
        self._at = at
        here, there = microseconds(datetime.now(UTC)), admission.now
        now = here if there is None else there
        self._time = moment(here if abs(here - now) > JUMP else now)
        """When it happened, as this machine says where that is far from what the database says."""
        self._now = moment(now)
        # the log's time never runs backwards, whatever the clocks of its writers do
        self._stamp = stamped(admission.head.recorded, admission.head.trusted, now)
        self._recorded = moment(self._stamp.recorded)
        self._clock = None if self._stamp.clock is None else moment(self._stamp.clock)
        self._rows: list[NewRow] = []
        self._placements: list[PlacementRow] = []
        self._receipts: dict[str, tuple[str, Receipt]] = {}

    @property
    def leaf(self) -> bytes | None:
        """The leaf at `seq`."""
        return self._rows[-1].leaf if self._rows else self.admission.leaf

    def decide(self, request: Request) -> Answer:
        """What a command became before under its key, else what it becomes now, or why it is refused."""
        try:
            authorise(request.principal(), request.command, lambda stream: self._state(stream).state)
            return self._repeated(request) or self._decided(request)
        except Refused as refusal:
            return refusal

    def insert(self) -> None:
        """Write the rows and move the head, if there are any."""
        if self._rows:
            head = self.admission.head
            frontier, tiles = head.frontier.extended(row.leaf for row in self._rows)
            trusted = trusted_after(head.recorded, head.trusted, self._stamp)
            moved = Head(self.seq, self._stamp.recorded, frontier, trusted)
            self.admission.append(self._rows, moved, tiles, self._placements)

    def _repeated(self, request: Request) -> Receipt | None:
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

    def _decided(self, request: Request) -> Receipt:
        """Decide on what the streams hold now, with what the commands before it in this transaction added."""
        streams = {stream: self._state(stream) for stream in request.command.reads()}
        self._check_time(request)
        try:
            appends = decide({stream: at.state for stream, at in streams.items()}, request.command)
        except ValidationError as error:
            raise _malformed(error) from error
        return Receipt(request.key, self._record(request, appends, streams) if appends else ())

    def _state(self, stream: str) -> At:
        if (at := self.states.get(stream)) is None:
            at = self.states[stream] = self._at(self.admission, stream)
        return at

    def _check_time(self, request: Request) -> None:
        """Hold that an outside event did not happen in the future: its producer's clock would be believed for ever."""
        if request.outside and request.time and request.time > self._now + AHEAD:
            raise Malformed(
                f"time is {request.time.isoformat()}, and here it is {timestamp(self._now)}; an event is told after it "
                "happened: set the clock of its producer"
            )

    def _record(self, request: Request, appends: Sequence[Append], streams: Mapping[str, At]) -> tuple[Recorded, ...]:
        """Make a command's events rows, and fold them into the states. Nothing is kept if one of them is refused.

        Raises `TooLarge` where they would not go onto Kafka in one batch: a command is there whole or not at all.
        """
        key, origin = request.key, request.origin(self._time)
        encode = encoder(self._source, origin, self._recorded, self._clock)
        states, rows, events, size = dict(streams), list[NewRow](), list[Recorded](), 0
        for seq, (stream, event) in enumerate(appends, self.seq + 1):
            state, version, _ = states[stream]
            id, version = str(uuid_utils.uuid7()), version + 1
            raw = encode(event, stream, version, seq, id)
            if (size := size + len(raw) + RECORD_OVERHEAD) > BATCH_BYTES:
                raise TooLarge(type(request.command).__name__, len(appends), BATCH_BYTES)
            place = (seq, stream, version, id, origin.time, self._clock or self._recorded, origin.actor, key)
            recorded = Recorded(*place, origin.correlation, origin.causation, event, origin.traceparent)
            first = (None, None, None) if rows else (key, request.digest, len(appends))
            rows.append(NewRow(seq, stream, version, event.type, leaf_hash(raw), raw, *first))
            events.append(recorded)
            states[stream] = At(evolve(state, recorded), version, rows[-1].leaf)
        self.states.update(states)
        self.seq += len(rows)
        self._rows += rows
        self._placements += request.placements
        self._receipts[key] = request.digest, Receipt(key, tuple(events))
        return tuple(events)


def _malformed(error: ValidationError) -> Malformed:
    """What pydantic has against the first value, in one sentence."""
    place, words, kind = first_fault(error, "value")
    remedy = "give a value of 64 bits at most" if kind in OUT_OF_BOUNDS else "give plain JSON values"
    return Malformed(f"{error.title} cannot hold {place!r}: {words}; {remedy}")


LONGEST_KEY: Final = 200


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a command became: its events, in order; none where there was nothing to do."""

    key: str
    events: tuple[Recorded, ...]
    repeated: bool = False
    """Whether the command had been admitted before, under the same key."""


Answer = Receipt | Refused


def receipt(answer: Answer) -> Receipt:
    """The receipt that an answer is; raises the refusal that it is."""
    if isinstance(answer, Refused):
        raise answer
    return answer


@dataclass(slots=True)
class Request:
    """A command, digested and with its free text sealed: neither must happen under the head's lock.

    Raises `Malformed` where the key is no key, or the command holds what JSON cannot.
    """

    command: AnyCommand
    actor: Actor
    key: str = ""
    """One is made where none is given."""
    time: datetime | None = None
    causation: str | None = None
    placements: Sequence[PlacementRow] = ()
    """Where the bytes lie that it tells of."""
    outside: Outside | None = None
    """The outside event that asks, where one does."""
    traceparent: str | None = None
    rights: Rights = ALL
    """What who asks may ask; the ledger's own doings, and what workers and outside services tell, have all."""
    digest: str = field(init=False)

    def __post_init__(self) -> None:
        command, self.key = self.command, self.key or str(uuid_utils.uuid7())
        if len(self.key) > LONGEST_KEY or not self.key.isprintable():
            what = f"an idempotency key is at most {LONGEST_KEY} printable characters"
            raise Malformed(f"{what}; {self.key[:40]!r} is not")
        try:
            self.digest = self.actor.digest(canonical(command.content()).encode())
        except (ValueError, RecursionError) as error:
            what = f"a {type(command).__name__} holds what JSON cannot"
            raise Malformed(f"{what} ({error}); write it as text") from error
        sealed = {name: self.actor.seal(text) for name in command.free_text if (text := getattr(command, name))}
        if sealed:
            self.command = replace(command, **sealed)

    def principal(self) -> Principal:
        """Who sends it, as rules of access see it."""
        return Principal(self.actor.id, "service_account" if self.outside else "user", self.rights)

    def origin(self, now: datetime) -> Origin:
        """What its events say of where they come from; it happened `now` where it does not say when."""
        principal, outside = self.principal(), self.outside
        return Origin(
            principal.id,
            self.time or now,
            self.key,
            self.digest,
            principal.type,
            outside and outside.correlation,
            self.causation,
            outside.traceparent if outside else self.traceparent,
            outside and (self.actor.id, outside.id, outside.digest),
        )
