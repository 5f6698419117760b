"""Restoring a ledger's rows from its topic: idempotency keys, inbox ids and the tree are projections of the log."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any, Final, NamedTuple, cast

from pydantic_core import from_json

from ...errors import Damaged, Refused
from ..clock import Stamp, microseconds, trusted_after
from ..log import EventLog, Row
from ..merkle import Frontier
from ..sql.rows import Head, NewRow
from ..sql.store import Store

_READ: Final = 2_000


class Restored(NamedTuple):
    """What the database held before, and what it holds now: two ends of the log."""

    before: int
    after: int


class _Told(NamedTuple):
    """A row, and its envelope read once."""

    row: Row
    envelope: dict[str, Any]


def restore(store: Store, log: EventLog) -> Restored:
    """Bring what the database lacks back from the topic, in order, a chunk a transaction; killed, it goes on later.

    The topic is read from its beginning: its tree must pass through the database's own root, else `Refused`, and
    through every root that the relay sent, else `Damaged`.
    """
    head = store.head()
    if log.ledger_id != store.ledger_id:
        raise Refused(f"the topic is of ledger {log.ledger_id}, the database of {store.ledger_id}; nothing was done")
    frontier, at = Frontier(), head
    for commands in _chunks(log):
        known = [each for each in commands if each.row.seq <= head.seq]
        frontier, _ = frontier.extended(each.row.leaf for each in known)
        if frontier.size == head.seq and known and frontier != head.frontier:
            raise Refused(f"the topic tells another history than {store.database.name}; nothing was restored")
        if fresh := commands[len(known) :]:
            at = _inserted(store, at, fresh)
    if frontier.size < head.seq:
        raise Refused(f"the topic ends at event {frontier.size}, before the database's {head.seq}; nothing to restore")
    return Restored(head.seq, at.seq)


def _inserted(store: Store, head: Head, told: Sequence[_Told]) -> Head:
    """Append whole commands. Nobody else may write meanwhile: `Refused` where the head is not where we left it."""
    frontier, tiles = head.frontier.extended(each.row.leaf for each in told)
    recorded, trusted = head.recorded, head.trusted
    for stamp in (_stamp(each.envelope) for each in told):
        recorded, trusted = stamp.recorded, trusted_after(recorded, trusted, stamp)
    moved = Head(told[-1].row.seq, recorded, frontier, trusted)
    with store.admission(("restore",)) as admission:
        if admission.head != head:
            raise Refused("somebody wrote to the ledger while it was restored; stop all writers and restore again")
        admission.append(list(_rows(told)), moved, tiles, ())
        admission.see([_seen(each.envelope) for each in told if "inboxid" in each.envelope])
    return moved


def _stamp(envelope: dict[str, Any]) -> Stamp:
    times = [envelope.get(name) for name in ("recordedtime", "clocktime")]
    recorded, clock = (None if time is None else microseconds(datetime.fromisoformat(time)) for time in times)
    return Stamp(recorded or 0, clock)


def _chunks(log: EventLog) -> Iterator[list[_Told]]:
    """The whole log in chunks that end where a command ends."""
    held: list[_Told] = []
    after = 0
    while rows := log.read(after, _READ):
        after = rows[-1].seq
        held += (_Told(row, _envelope(row)) for row in rows)
        if cut := _last_command(held):
            yield held[:cut]
            held = held[cut:]
    if held:
        yield held


def _last_command(told: Sequence[_Told]) -> int:
    """Where the last command begins: more of it may follow."""
    key = told[-1].envelope["commandid"]
    cut = len(told) - 1
    while cut and told[cut - 1].envelope["commandid"] == key:
        cut -= 1
    return cut


def _rows(told: Sequence[_Told]) -> Iterator[NewRow]:
    """The rows as they were inserted first: the first of a command bears its key, digest and length."""
    for key, command in groupby(told, key=lambda each: each.envelope["commandid"]):
        events = list(command)
        for place, (row, envelope) in enumerate(events):
            first: tuple[Any, ...] = (key, envelope["commanddigest"], len(events)) if place == 0 else ()
            stream, version, kind = envelope["subject"], envelope["streamversion"], envelope["type"]
            yield NewRow(row.seq, stream, version, kind, row.leaf, row.envelope, *first)


def _seen(envelope: dict[str, Any]) -> tuple[str, str, str]:
    """By the pseudonym of its source: older events bear its name in `inboxsource`, and all bear its actor's id."""
    return envelope["authid"], envelope["inboxid"], envelope["inboxdigest"]


def _envelope(row: Row) -> dict[str, Any]:
    try:
        return cast("dict[str, Any]", from_json(row.envelope))
    except ValueError as error:
        raise Damaged(f"event {row.seq} of the topic", expected="an envelope", found="no JSON") from error
