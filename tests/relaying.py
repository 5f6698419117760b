"""A relay that runs beside a test, and what it has put onto the topic."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from lepton_ai.events.cluster import Cluster
from lepton_ai.events.kafka import Message, Reader
from lepton_ai.events.loop_thread import LoopThread
from lepton_ai.events.relay import Relay
from lepton_ai.events.store import Store


@contextmanager
def relaying(store: Store, cluster: Cluster) -> Iterator[None]:
    """A relay at work in a thread of its own."""
    loop, stop = LoopThread("relay"), asyncio.Event()
    loop.leave(Relay(store, cluster).run(stop))

    async def end() -> None:
        stop.set()

    try:
        yield
    finally:
        loop.do(end())
        loop.stop()


async def topic(cluster: Cluster) -> list[Message]:
    """All records of the events' topic."""
    async with Reader(cluster, "events") as reader:
        reader.seek(0)
        messages: list[Message] = []
        while len(messages) < await reader.end():
            messages += await reader.read(1000, 1.0)
        return messages
