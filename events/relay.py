"""The relay: copies the log onto its topic, each event once and in order, so that others may follow it.

It keeps no cursor. What the topic holds last says where to go on, at take-over and after any error alike; the root of
the tree, which the last record of every batch bears, says whether the topic tells of this history at all.

A batch is taken whole or not at all, and holds whole commands: wherever the topic ends, and whatever becomes of the
database then, no command is half on it. Only a ledger from before the limit on what a command becomes (ledger.py) may
hold one that is larger than a batch; that is sent in several.
"""

from __future__ import annotations

import asyncio
import logging
from asyncio import to_thread
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final

from ..errors import Refused, Unavailable
from .batch import batches
from .cluster import Cluster
from .dispatch import Dispatch
from .kafka import Headers, Outgoing, Reader, Writer
from .lock import Held
from .log import CommandRow
from .merkle import Frontier
from .refusals import Refusals
from .rows import Pulse
from .sequence import age, sequence
from .store import Store
from .topics import open_topics

ROOT: Final = "lepton-root"
"""The header that bears the tree's root, in hexadecimal, on the last record of a batch."""

READ: Final = 1000
IDLE: Final = 0.01
"""Seconds between two looks at the log."""
PAUSE: Final = 0.5
"""Seconds before Kafka or the database is tried again."""

log = logging.getLogger("lepton.relay")


class Relay:
    """Copies one ledger's log. At most one relays at a time: it holds a lock while it runs.

    `position` is the last `seq` that Kafka acknowledged; where `until` is given the relay stops once it is there.
    """

    def __init__(self, store: Store, cluster: Cluster, *, until: int | None = None) -> None:
        self._store = store
        self._cluster = cluster
        self._until = until
        self.position = 0
        self.delay = 0.0
        """Seconds that the last event took from its commit until Kafka acknowledged it."""

    async def run(self, stop: asyncio.Event) -> None:
        """Relay until told to stop. What is away for a while is waited for.

        Raises `Unavailable` where another process relays, `Refused` where the topic holds another history or more than
        the database has, `Damaged` where an event's bytes are not what its row says.
        """
        held = await to_thread(self._locked)
        try:
            while not stop.is_set():
                try:
                    await to_thread(held.check)
                    await open_topics(self._cluster)
                    async with Writer(self._cluster) as writer:
                        await self._relay(writer, held.check, stop)
                except Unavailable as error:
                    log.warning("%s", error)
                    await elapsed(stop, PAUSE)
                    held = await to_thread(self._held_again, held)
        finally:
            held.release()

    def _locked(self) -> Held:
        return self._store.database.lock("relay")

    def _held_again(self, held: Held) -> Held:
        """The lock, taken anew where it was lost with its connection; the lost one where it cannot be had yet."""
        try:
            held.check()
        except Unavailable:
            held.release()
            with suppress(Unavailable):
                return self._locked()
        return held

    async def _relay(self, writer: Writer, still_held: Callable[[], None], stop: asyncio.Event) -> None:
        """Send what the topic lacks, and then what comes; any error ends it, for the writer is no good any more."""
        frontier = await self._taken_over()
        refusals = await Refusals.taken_over(self._store, self._cluster)
        orders = Dispatch(self._store.database)
        sent: Pulse | None = None
        while True:
            if (pulse := await to_thread(self._store.pulse)) != sent:
                await refusals.send(writer)
                await orders.send(writer)
            if self._done(stop):
                return
            rows = await to_thread(self._store.commands, frontier.size, READ) if pulse != sent else ()
            if not rows:
                sent = pulse
                await elapsed(stop, IDLE)
                continue
            await to_thread(still_held)
            for batch in batches(rows):
                frontier, _ = frontier.extended(row.leaf for row in batch)
                await writer.send("events", _records(batch, frontier.root()))
                self.position, self.delay = frontier.size, age(batch[-1].envelope)

    def _done(self, stop: asyncio.Event) -> bool:
        if self._until is not None and self.position >= self._until:
            stop.set()
        return stop.is_set()

    async def _taken_over(self) -> Frontier:
        """The tree's frontier where the topic ends, once it is known to tell of the same history."""
        async with Reader(self._cluster, "events") as reader:
            last = await reader.last()
            if last is None:
                log.info("relaying from the first event")
                return Frontier()
            seq, end = sequence(last.value), await to_thread(self._store.end)
            if seq > end:
                raise await self._behind(reader, end, seq)
        frontier = await to_thread(self._store.frontier, seq)
        if (found := _root(last.headers)) != frontier.root().hex():
            raise Refused(
                f"{self._cluster.name} tells another history: after event {seq} its root is {found}, and "
                f"{self._store.database.name} has {frontier.root().hex()}; use another LEPTON_KAFKA_PREFIX"
            )
        self.position = seq
        log.info("relaying after event %d", seq)
        return frontier

    async def _behind(self, reader: Reader, end: int, seq: int) -> Refused:
        """Why not to go on where the topic holds more than the database: an old backup, or another history."""
        mine = await to_thread(self._store.read, end - 1, 1)
        theirs = await _record(reader, end) if end else None
        name = self._store.database.name
        if mine and theirs != mine[0].envelope:
            return Refused(
                f"{self._cluster.name} holds {seq} events of another history than the {end} of {name}; "
                "use another LEPTON_KAFKA_PREFIX, or restore the database that it was made from"
            )
        return Refused(
            f"{name} ends at event {end} and {self._cluster.name} at {seq}, as after an old backup was put back; "
            "`lepton restore --missing` brings the events back"
        )


def _records(batch: Sequence[CommandRow], root: bytes) -> list[Outgoing]:
    records = [Outgoing(row.envelope) for row in batch]
    records[-1] = Outgoing(batch[-1].envelope, headers=((ROOT, root.hex().encode()),))
    return records


def _root(headers: Headers) -> str:
    return dict(headers).get(ROOT, b"none").decode("ascii", "replace")


async def _record(reader: Reader, seq: int) -> bytes | None:
    """The record of a `seq`, whose offset is at least seq − 1: what was sent twice pushes others back."""
    reader.seek(max(seq - 1, await reader.start()))
    while messages := await reader.read(READ, 1.0):
        for message in messages:
            if sequence(message.value) == seq:
                return message.value
            if sequence(message.value) > seq:
                return None
    return None


async def elapsed(stop: asyncio.Event, seconds: float) -> None:
    """Wait that long, or until told to stop."""
    with suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)
