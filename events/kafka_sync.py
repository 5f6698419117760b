"""Topics said to and read by callers that are synchronous; what is open is thrown away after any error."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, Final

from ..errors import Unavailable
from .cluster import Cluster, TopicName
from .kafka import Message, Outgoing, Reader, Writer
from .loop_thread import LoopThread

PATIENCE: Final = 2.5
"""Seconds for a record to be acknowledged: a caller that looks after other things cannot wait as long as a client."""

log = logging.getLogger("lepton.kafka")


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
        return 1000 * await writer.send(self._topic, [Outgoing(raw)], partition)

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
    """Reads a partition on, from an offset or from where it ends when it is first opened."""

    def __init__(
        self, loop: LoopThread, cluster: Cluster, topic: TopicName, partition: int = 0, *, at: int | None = None
    ) -> None:
        self._loop = loop
        self._reader_of = lambda: Reader(cluster, topic, partition)
        self._name = cluster.topic(topic)
        self._reader: Reader | None = None
        self.position = at
        """The offset that is read next; None where it was never open."""

    def open(self) -> int:
        """Be open: returns the offset that is read next. Raises `Unavailable`, `Refused`."""
        self._do(self._opened())
        assert self.position is not None
        return self.position

    def read(self, limit: int, wait: float = 0.0) -> list[Message]:
        """At most `limit` of the records that have come since, in order; the first is waited for, `wait` seconds."""
        return self._do(self._read(limit, wait))

    def seek(self, position: int) -> None:
        """Read on from an offset."""
        self.close()
        self.position = position

    def close(self) -> None:
        """Give back what is open; the position stays."""
        reader, self._reader = self._reader, None
        if reader is not None:
            self._loop.leave(reader.__aexit__())

    async def _opened(self) -> Reader:
        if self._reader is None:
            reader = await self._reader_of().__aenter__()
            try:
                first, end = await reader.start(), await reader.end()
                if self.position is not None and self.position > end:
                    log.error("%s ends at %d and was read to %d: it was made anew", self._name, end, self.position)
                    self.position = first
                self.position = end if self.position is None else max(self.position, first)
                reader.seek(self.position)
            except BaseException:
                self._loop.leave(reader.__aexit__())
                raise
            self._reader = reader
        return self._reader

    async def _read(self, limit: int, wait: float) -> list[Message]:
        messages = await (await self._opened()).read(limit, wait)
        if messages:
            self.position = messages[-1].offset + 1
        return messages

    def _do(self, work: Coroutine[Any, Any, Any]) -> Any:
        try:
            return self._loop.do(work)
        except BaseException:
            self.close()
            raise
