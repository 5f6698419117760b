"""Records that others put onto the ledger's topics: garbage, forgeries, copies. For tests and `make faults`."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from typing import Any, Final

from lepton_ai.events.kafka.clients import Outgoing
from lepton_ai.events.kafka.cluster import Cluster, TopicName
from lepton_ai.events.kafka.genuine import ROOT
from lepton_ai.events.log import Row
from lepton_ai.events.merkle import Frontier, leaf_hash

from . import topics

Maker = Callable[["Forger"], list[Outgoing]]


class Forger:
    """Makes records that look like the ledger's, and others that do not, by chance."""

    def __init__(self, rows: Sequence[Row], chance: random.Random) -> None:
        self.rows = rows
        self.chance = chance
        # an annotation under another source is what anybody may put into the inbox
        self._alike = [row.envelope for row in rows if b"annotated" not in row.envelope] or [rows[0].envelope]

    def event(self, seq: int, **changes: Any) -> bytes:
        """An event of this ledger's as it never was, in Lepton's own form."""
        told = json.loads(self.chance.choice(self._alike)) | changes
        told["data"] = dict(told["data"]) | {"forged": self.chance.random()}
        order = {name: told[name] for name in told if name not in ("sequence", "data")}
        return json.dumps(order | {"sequence": f"{seq:020d}", "data": told["data"]}, separators=(",", ":")).encode()

    def root(self) -> tuple[tuple[str, bytes], ...]:
        """A root that follows from nothing."""
        return ((ROOT, self.chance.randbytes(32).hex().encode()),)

    @property
    def next(self) -> int:
        """The number that the ledger's next event gets."""
        return len(self.rows) + 1

    @property
    def some(self) -> int:
        """The number of an event that is there."""
        return self.chance.randint(1, len(self.rows))


def _end_of_batch(forger: Forger, row: Row) -> list[Outgoing]:
    root = Frontier().extended(each.leaf for each in forger.rows[: row.seq])[0].root().hex().encode()
    return [Outgoing(row.envelope, headers=((ROOT, root),))]


KINDS: Final[dict[str, Maker]] = {
    "garbage": lambda f: [Outgoing(f.chance.randbytes(f.chance.randint(1, 4000)))],
    "an empty value": lambda f: [Outgoing(b"", key=b"k")],
    "JSON that is no event": lambda f: [Outgoing(f.chance.choice([b"null", b"[]", b"{}", b"7", b'"text"', b'{"a":']))],
    "an event of another source": lambda f: [Outgoing(f.event(f.next, source="/scoring/eu"), headers=f.root())],
    "an event of another ledger": lambda f: [
        Outgoing(f.event(f.next, source=f"/lepton/{f.chance.randbytes(4).hex()}-0000-4000-8000-000000000000"))
    ],
    "the next event, forged": lambda f: [Outgoing(f.event(f.next))],
    "the next event, forged with a root": lambda f: [Outgoing(f.event(f.next), headers=f.root())],
    "the next events, forged": lambda f: [Outgoing(f.event(f.next + n)) for n in range(5)],
    "an event that is there, forged": lambda f: [Outgoing(f.event(f.some))],
    "an event that is there, forged with a root": lambda f: [Outgoing(f.event(f.some), headers=f.root())],
    "an event far ahead": lambda f: [Outgoing(f.event(f.next + f.chance.randint(2, 10**9)), headers=f.root())],
    "an event beyond all numbers": lambda f: [Outgoing(f.event(f.chance.choice([0, 2**63, 10**20 - 1])))],
    "a copy of an event": lambda f: [Outgoing(f.chance.choice(f.rows).envelope)],
    "a copy of an event with a false root": lambda f: [Outgoing(f.chance.choice(f.rows).envelope, headers=f.root())],
    "a copy of a batch's end": lambda f: _end_of_batch(f, f.chance.choice(f.rows)),
    "odd headers": lambda f: [
        Outgoing(
            f.event(f.next),
            headers=(
                (ROOT, b"\xff\x00"),
                (ROOT, b""),
                ("", b"x" * 9000),
                ("lepton-rejected", b"-1"),
                ("ce_é", b"\xff"),
            ),
        )
    ],
    "a large record": lambda f: [Outgoing(f.event(f.next, subject="x" * 900_000))],
    "JSON with an event within": lambda f: [Outgoing(json.dumps({"data": f.event(f.next).decode()}).encode())],
}


def forged_batch(rows: Sequence[Row], size: int, forger: Forger) -> list[Outgoing]:
    """Events behind those given whose root follows: what only who computes the tree can forge."""
    frontier, _ = Frontier().extended(row.leaf for row in rows)
    values = [forger.event(len(rows) + n) for n in range(1, size + 1)]
    frontier, _ = frontier.extended(map(leaf_hash, values))
    root = (ROOT, frontier.root().hex().encode())
    return [Outgoing(value, headers=(root,) if value is values[-1] else ()) for value in values]


async def tell_all(cluster: Cluster, topic: TopicName, rows: Sequence[Row], chance: random.Random) -> int:
    """Put one of every kind onto a topic, a null and two transactions: how many offsets they take at least."""
    forger = Forger(rows, chance)
    count = 0
    kinds = list(KINDS.values())
    chance.shuffle(kinds)
    for make in kinds:
        records = make(forger)
        await topics.together(cluster, topic, records)
        count += len(records)
    await topics.tell_null(cluster, topic)
    await topics.transact(cluster, topic, forger.event(forger.next), commit=chance.random() < 0.5)
    await topics.tell_unreadable(cluster, topic)
    return count + 2


async def unreadable(cluster: Cluster, topic: TopicName, count: int = 3) -> None:
    """Put a batch onto a topic whose headers' names are no UTF-8, which aiokafka cannot read."""
    await topics.tell_unreadable(cluster, topic, count)
