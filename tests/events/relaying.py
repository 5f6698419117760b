"""A relay that runs beside a test, and what it has put onto the topic."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from lepton_ai.events.kafka.clients import Reader, TopicRecord
from lepton_ai.events.kafka.cluster import Cluster, TopicName
from lepton_ai.events.kafka.loop_thread import LoopThread
from lepton_ai.events.kafka.relay import Relay
from lepton_ai.events.sql.store import Store


@contextmanager
def relaying(store: Store, cluster: Cluster) -> Iterator[Relay]:
    """A relay at work in a thread of its own."""
    loop, stop, relay = LoopThread("relay"), asyncio.Event(), Relay(store, cluster)
    loop.leave(relay.run(stop))

    async def end() -> None:
        stop.set()

    try:
        yield relay
    finally:
        loop.do(end())
        loop.stop()


async def relayed(store: Store, cluster: Cluster) -> None:
    """Relay all that the log holds."""
    await Relay(store, cluster, until=store.end()).run(asyncio.Event())


async def topic(cluster: Cluster) -> list[TopicRecord]:
    """All records of the events' topic."""
    return await records(cluster, "events")


async def records(cluster: Cluster, name: TopicName) -> list[TopicRecord]:
    """All records of a topic."""
    async with Reader(cluster, name) as reader:
        reader.seek(0)
        messages: list[TopicRecord] = []
        while len(messages) < await reader.end():
            messages += await reader.read(1000, 1.0)
        return messages
