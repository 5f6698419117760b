"""Restoring a ledger's rows from its topic: idempotency keys, inbox ids and the tree are projections of the log."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple, cast

from pydantic_core import from_json

from ..errors import Damaged, Refused
from .log import Log, Row
from .merkle import Frontier
from .store import Head, NewRow, Store

_READ: Final = 2_000
_EPOCH: Final = datetime.fromisoformat("1970-01-01T00:00:00Z")


class Restored(NamedTuple):
    """What the database held before, and what it holds now: two ends of the log."""

    before: int
    after: int


def restore(store: Store, log: Log) -> Restored:
    """Bring what the database lacks back from the topic, in order, a chunk a transaction; killed, it goes on later.

    The topic is read from its beginning: its tree must pass through the database's own root, else `Refused`, and
    through every root that the relay sent, else `Damaged`.
    """
    head = store.head()
    if log.ledger_id != store.ledger_id:
        raise Refused(
            f"the topic is of ledger {log.ledger_id}, and the database of {store.ledger_id}; nothing was done"
        )
    frontier, at = Frontier(), head
    for commands in _chunks(log):
        known = [row for row in commands if row.seq <= head.seq]
        frontier, _ = frontier.extended(row.leaf for row in known)
        if frontier.size == head.seq and known and frontier != head.frontier:
            raise Refused(f"the topic tells another history than {store.database.name}; nothing was restored")
        if fresh := commands[len(known) :]:
            at = _inserted(store, at, fresh)
    if frontier.size < head.seq:
        raise Refused(f"the topic ends at event {frontier.size}, before the database's {head.seq}; nothing to restore")
    return Restored(head.seq, at.seq)


def _inserted(store: Store, head: Head, rows: Sequence[Row]) -> Head:
    """Append whole commands. Nobody else may write meanwhile: `Refused` where the head is not where we left it."""
    envelopes = [_envelope(row) for row in rows]
    frontier, tiles = head.frontier.extended(row.leaf for row in rows)
    moved = Head(rows[-1].seq, _microseconds(envelopes[-1]["recordedtime"]), frontier)
    with store.admission(("restore",)) as admission:
        if admission.head != head:
            raise Refused("somebody wrote to the ledger while it was restored; stop all writers and restore again")
        admission.append(list(_rows(rows, envelopes)), moved, tiles, ())
        admission.see([_seen(each) for each in envelopes if "inboxid" in each])
    return moved


def _chunks(log: Log) -> Iterator[list[Row]]:
    """The whole log in chunks that end where a command ends."""
    held: list[Row] = []
    after = 0
    while rows := log.read(after, _READ):
        after = rows[-1].seq
        held += rows
        cut = _last_command(held)
        if cut:
            yield held[:cut]
            held = held[cut:]
    if held:
        yield held


def _last_command(rows: Sequence[Row]) -> int:
    """Where the last command begins: more of it may follow."""
    key = _envelope(rows[-1])["commandid"]
    cut = len(rows) - 1
    while cut and _envelope(rows[cut - 1])["commandid"] == key:
        cut -= 1
    return cut


def _rows(rows: Sequence[Row], envelopes: Sequence[dict[str, Any]]) -> Iterator[NewRow]:
    """The rows as they were inserted first: the first of a command bears its key, digest and length."""
    for place, (row, envelope) in enumerate(zip(rows, envelopes, strict=True)):
        key = envelope["commandid"]
        fixed = (row.seq, envelope["subject"], envelope["streamversion"], envelope["type"], row.leaf, row.envelope)
        if place and envelopes[place - 1]["commandid"] == key:
            yield NewRow(*fixed)
            continue
        end = place
        while end < len(envelopes) and envelopes[end]["commandid"] == key:
            end += 1
        yield NewRow(*fixed, key, envelope["commanddigest"], end - place)


def _seen(envelope: dict[str, Any]) -> tuple[str, str, str]:
    return envelope["inboxsource"], envelope["inboxid"], envelope["inboxdigest"]


def _envelope(row: Row) -> dict[str, Any]:
    try:
        return cast("dict[str, Any]", from_json(row.envelope))
    except ValueError as error:
        raise Damaged(f"event {row.seq} of the topic", expected="an envelope", found="no JSON") from error


def _microseconds(text: str) -> int:
    return (datetime.fromisoformat(text) - _EPOCH) // timedelta(microseconds=1)
