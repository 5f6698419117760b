"""Topics said to and read by callers that are synchronous; what is open is thrown away after any error."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, Final

from ...errors import Unavailable
from ..bookmark import Bookmark
from .bookmark import resumed
from .clients import Outgoing, Reader, TopicRecord, Writer
from .cluster import Cluster, TopicName
from .loop_thread import LoopThread

PATIENCE: Final = 2.5
"""Seconds for a record to be acknowledged: a caller that looks after other things cannot wait as long as a client."""


class Sender:
    """Puts records onto a topic, one after the other. One that was not acknowledged may still get there."""

    def __init__(self, loop: LoopThread, cluster: Cluster, topic: TopicName) -> None:
        self._loop = loop
        self._cluster = cluster
        self._topic: TopicName = topic
        self._writer: Writer | None = None

    def send(self, raw: bytes, partition: int = 0) -> int:
        """Put a record; returns the broker's time, in microseconds since 1970, when it got there.

        Raises `Unavailable` where that is not known in time, and `Refused` where the broker takes none from us.
        """
        return self._loop.do(self._in_time(self._send(raw, partition)))

    def partitions(self) -> int:
        """How many partitions the topic has. Raises as `send` does."""
        return self._loop.do(self._in_time(self._partitions()))

    def close(self) -> None:
        """Give back what is open."""
        writer, self._writer = self._writer, None
        if writer is not None:
            self._loop.leave(writer.__aexit__())  # it would wait for what no broker answers

    async def _send(self, raw: bytes, partition: int) -> int:
        writer = await self._opened()
        return 1000 * (await writer.send(self._topic, [Outgoing(raw)], partition)).time

    async def _partitions(self) -> int:
        return await (await self._opened()).partitions(self._topic)

    async def _opened(self) -> Writer:
        if self._writer is None:
            self._writer = await Writer(self._cluster).__aenter__()
        return self._writer

    async def _in_time(self, work: Coroutine[Any, Any, int]) -> int:
        try:
            return await asyncio.wait_for(work, PATIENCE)
        except TimeoutError as error:
            self.close()
            raise Unavailable(f"{self._cluster.name} acknowledged nothing in {PATIENCE:g} s; try again") from error
        except BaseException:
            self.close()
            raise


class Listener:
    """Reads a partition on, from a bookmark or from where it ends when it is first opened.

    A topic that was made anew meanwhile is read from its beginning.
    """

    def __init__(self, loop: LoopThread, cluster: Cluster, topic: TopicName, partition: int = 0) -> None:
        self._loop = loop
        self._reader_of = lambda: Reader(cluster, topic, partition)
        self._reader: Reader | None = None
        self.bookmark: Bookmark | None = None
        """Where it is read next; None where it was never open."""

    @property
    def position(self) -> int | None:
        """The offset that is read next; None where it was never open."""
        return self.bookmark and self.bookmark.position

    def open(self) -> None:
        """Be open: where reading begins is known then. Raises `Unavailable`, `Refused`."""
        self._do(self._opened())

    def read(self, limit: int, wait: float = 0.0) -> list[TopicRecord]:
        """At most `limit` of the records that have come since, in order; the first is waited for, `wait` seconds."""
        return self._do(self._read(limit, wait))

    def seek(self, bookmark: Bookmark) -> None:
        """Read on from there."""
        self.close()
        self.bookmark = bookmark

    def close(self) -> None:
        """Give back what is open; the bookmark stays."""
        reader, self._reader = self._reader, None
        if reader is not None:
            self._loop.leave(reader.__aexit__())

    async def _opened(self) -> Reader:
        if self._reader is None:
            reader = await self._reader_of().__aenter__()
            try:
                if self.bookmark is None:
                    place = await reader.end()
                    reader.seek(place)
                else:
                    place = await resumed(reader, self.bookmark)
                if self.bookmark is None or place != self.bookmark.position:
                    self.bookmark = Bookmark(place, reader.id)
            except BaseException:
                self._loop.leave(reader.__aexit__())
                raise
            self._reader = reader
        return self._reader

    async def _read(self, limit: int, wait: float) -> list[TopicRecord]:
        reader = await self._opened()
        messages = await reader.read(limit, wait)
        if messages:
            self.bookmark = Bookmark(messages[-1].offset + 1, reader.id, messages[-1].digest)
        return messages

    def _do(self, work: Coroutine[Any, Any, Any]) -> Any:
        try:
            return self._loop.do(work)
        except BaseException:
            self.close()
            raise
