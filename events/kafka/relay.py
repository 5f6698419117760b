"""The relay: copies the log onto its topic, each event once and in order, so that others may follow it.

What the topic holds says where to go on, at take-over and after any error alike (takeover.py); the mark that is kept in
the database only says from where on it need not be read again. The root of the tree, which the last record of every
batch bears, says whether the topic tells of this history at all.

A batch is taken whole or not at all, and holds whole commands: wherever the topic ends, and whatever becomes of the
database then, no command is half on it. Only a ledger from before the limit on what a command becomes (ledger/) may
hold one that is larger than a batch; that is sent in several.
"""

from __future__ import annotations

import asyncio
import logging
import time
from asyncio import to_thread
from collections.abc import Callable
from typing import Final

from ...errors import LeptonError, Unavailable
from ...retries import Retries, elapsed
from ..batch import batches
from ..envelope import age
from ..sql.database import Database
from ..sql.lock import Held
from ..sql.queue import COMMANDS, Mail
from ..sql.rows import Pulse
from ..sql.store import Store
from .clients import Outgoing, Writer
from .cluster import Cluster
from .genuine import ROOT as ROOT  # where readers of the topic look for it
from .outlet import Outlet
from .rejected import Refusals
from .topics import open_topics

READ: Final = 1000
IDLE: Final = 0.01
"""Seconds between two looks at the log."""
LOCK: Final = "relay"
"""The lock of the one that relays."""
SAVED: Final = 1.0
"""Seconds between two marks that are kept while there is something to send."""

log = logging.getLogger("lepton.relay")


def unattended(lock: Callable[[str], Held]) -> str | None:
    """Why nothing comes onto the topic, where nobody relays: `lock` takes a lock at once, or raises."""
    try:
        lock(LOCK).release()
    except LeptonError:  # somebody does, or the database cannot say
        return None
    return "no relay runs; start `lepton relay`"


class Relay:
    """Copies one ledger's log. At most one relays at a time: it holds a lock while it runs.

    `position` is the last `seq` that Kafka acknowledged; where `until` is given the relay stops once it is there.
    """

    def __init__(
        self, store: Store, cluster: Cluster, *, until: int | None = None, check: float = 60.0, pass_over: bool = False
    ) -> None:
        self._store = store
        self._cluster = cluster
        self._until = until
        self._check = check
        self._pass_over = pass_over
        self.position = 0
        self.strangers = 0
        """Records on the topic that are not the ledger's."""
        self.delay = 0.0
        """Seconds that the last event took from its commit until Kafka acknowledged it."""

    async def run(self, stop: asyncio.Event) -> None:
        """Relay until told to stop. What is away for a while is waited for.

        Raises `Unavailable` where another process relays, `Refused` where the topic holds another history or more than
        the database has, or where a topic's settings would lose or reorder events, `Damaged` where an event's bytes are
        not what its row says.
        """
        self._held = await to_thread(self._store.database.lock, LOCK)

        async def relay() -> None:
            await to_thread(self._hold)
            await open_topics(self._cluster)
            async with Writer(self._cluster) as writer:
                await self._relay(writer, stop)

        try:
            await Retries("relay", log).run_async(relay, stop)
        finally:
            self._held.release()

    def _hold(self) -> None:
        """Hold the lock, which is taken anew where it was lost with its connection."""
        try:
            self._held.check()
        except Unavailable:
            self._held.release()
            self._held = self._store.database.lock(LOCK)

    async def _relay(self, writer: Writer, stop: asyncio.Event) -> None:
        """Send what the topic lacks, and then what comes; any error ends it, for the writer is no good any more.

        Every `check` seconds it is looked whether the topics are still as they must be, and who else wrote there.
        """
        topic = await Outlet.taken_over(self._store, self._cluster, pass_over=self._pass_over)
        self.position, self.strangers = topic.seq, topic.strangers
        refusals = await Refusals.taken_over(self._store, self._cluster)
        orders = Dispatch(self._store.database)
        sent: Pulse | None = None
        checked = time.monotonic()
        while True:
            if (pulse := await to_thread(self._store.pulse)) != sent:
                await refusals.send(writer)
                await orders.send(writer)
            if self._done(stop):
                await topic.save()
                return
            if time.monotonic() - checked > self._check:
                await open_topics(self._cluster)
                await topic.look()
                refusals = await Refusals.taken_over(self._store, self._cluster)
                self.strangers, checked = topic.strangers, time.monotonic()
            rows = await to_thread(self._store.commands, topic.seq, READ) if pulse != sent else ()
            if not rows:
                sent = pulse
                await topic.save(every=SAVED)
                await elapsed(stop, IDLE)
                continue
            await to_thread(self._held.check)
            for batch in batches(rows):
                await topic.send(writer, batch)
                self.position, self.delay, self.strangers = topic.seq, age(batch[-1].envelope), topic.strangers
            await topic.save(every=SAVED)

    def _done(self, stop: asyncio.Event) -> bool:
        if self._until is not None and self.position >= self._until:
            stop.set()
        return stop.is_set()


class Dispatch:
    """Sends what lies in the table, and takes it out once the broker has it.

    What was sent and not yet taken out when the relay ended is sent again; a worker takes an order once.
    """

    def __init__(self, database: Database) -> None:
        self._mail = Mail(database)

    async def send(self, writer: Writer) -> None:
        """Send what has come since."""
        for posted in await to_thread(lambda: [each for each in self._mail.all(COMMANDS) if each.raw]):
            await writer.send(COMMANDS, [Outgoing(posted.raw)])
            await to_thread(self._mail.discard, COMMANDS, posted.position + 1)
