"""The outlet of the relay: the topic of events as it is written, and what others do to it meanwhile."""

from __future__ import annotations

import logging
import time
from asyncio import to_thread
from collections.abc import Sequence
from typing import Final, Self

from ...errors import Unavailable
from ..bookmark import Bookmark
from ..log import CommandRow
from ..sql.store import Store
from .clients import Outgoing, Reader, TopicRecord, Writer
from .cluster import Cluster
from .genuine import ROOT, ByLeaf
from .takeover import TakenOver, marked, taken_over

_READ: Final = 2_000

log = logging.getLogger("lepton.relay")


class Outlet:
    """The end of the topic `lepton.events`. After any error it is to be taken over anew."""

    def __init__(self, store: Store, cluster: Cluster, found: TakenOver) -> None:
        self._store = store
        self._cluster = cluster
        self._name = cluster.topic("events")
        self._topic = found.topic
        self._frontier = found.frontier
        self._mark = found.mark
        self._end = found.end
        """The offset that our next record gets, if nobody else writes."""
        self._strangers = found.strangers
        self._saved = 0.0
        self._unsaved = True

    @classmethod
    async def taken_over(cls, store: Store, cluster: Cluster, *, pass_over: bool = False) -> Self:
        """Go on behind what the topic holds. Raises as `takeover.taken_over`."""
        outlet = cls(store, cluster, await taken_over(store, cluster, pass_over=pass_over))
        await outlet.save()
        return outlet

    @property
    def seq(self) -> int:
        """The last event that the topic holds."""
        return self._frontier.size

    @property
    def strangers(self) -> int:
        """How many records there are not the ledger's."""
        return self._strangers.count

    async def send(self, writer: Writer, batch: Sequence[CommandRow]) -> None:
        """Send a batch, its root with the last record.

        Raises `Unavailable` where it came to lie in another topic of that name, or where the topic lost records.
        """
        frontier, _ = self._frontier.extended(row.leaf for row in batch)
        records = [Outgoing(row.envelope) for row in batch]
        records[-1] = Outgoing(batch[-1].envelope, headers=((ROOT, frontier.root().hex().encode()),))
        sent = await writer.send("events", records)
        if sent.offset != self._end:
            await self._look_between(await writer.topic_id("events"), sent.offset)
        self._end = sent.offset + len(records)
        self._frontier = frontier
        last = TopicRecord(self._end - 1, sent.time, None, records[-1].value, records[-1].headers)
        self._mark = marked(Bookmark(self._end, self._topic, last.digest), self.seq, self._strangers)
        self._unsaved = True

    async def look(self) -> None:
        """See whether it is still the same topic, and what others wrote behind its end. Raises as `send` does."""
        async with Reader(self._cluster, "events") as reader:
            end = await reader.end()
            self._hold(reader.id, end)
            await self._read(reader, end)
            self._end = end

    async def save(self, every: float = 0.0) -> None:
        """Keep the mark, if it moved and was last kept so many seconds ago."""
        if self._unsaved and time.monotonic() - self._saved >= every:
            await to_thread(self._store.note_sent, self._name, self._mark)
            self._saved, self._unsaved = time.monotonic(), False

    async def _look_between(self, topic: str | None, offset: int) -> None:
        """See who wrote before our batch, which lies elsewhere than it was to."""
        self._hold(topic, offset)
        async with Reader(self._cluster, "events") as reader:
            self._hold(reader.id, offset)
            await self._read(reader, offset)

    def _hold(self, topic: str | None, offset: int) -> None:
        if topic != self._topic or offset < self._end:
            what = "was deleted and made anew" if topic != self._topic else f"lost records {offset} to {self._end - 1}"
            raise Unavailable(f"{self._name} {what} while it was written; what it lacks is sent again")

    async def _read(self, reader: Reader, end: int) -> None:
        """Name the records from our end to another."""
        judge = ByLeaf(self._store.leaves, self._strangers, self.seq)
        reader.seek(self._end)
        at = self._end
        while at < end and (messages := await reader.rest(min(_READ, end - at))):
            await to_thread(judge.take, messages)
            at = messages[-1].offset + 1
        self._strangers.say(self._name)
        self._mark = marked(self._mark.at, self.seq, self._strangers)
        self._unsaved = True
