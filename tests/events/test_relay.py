"""The relay: what the log holds lies on the topic, once and in order, whatever happens on the way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from lepton_ai.errors import Refused, Unavailable
from lepton_ai.events.actor import Actor
from lepton_ai.events.kafka.clients import Outgoing, Writer
from lepton_ai.events.kafka.cluster import Cluster
from lepton_ai.events.kafka.log import KafkaLog
from lepton_ai.events.kafka.relay import Relay
from lepton_ai.events.kafka.topics import TOPICS, open_topics, partitions
from lepton_ai.events.merkle import leaf_hash
from lepton_ai.events.sql.address import database_at
from lepton_ai.events.sql.store import Store
from lepton_ai.ledger import Ledger, Request

from ..asking import PATIENCE, commit, note
from .relaying import topic


@asynccontextmanager
async def relaying(ledger: Ledger, cluster: Cluster) -> AsyncGenerator[Relay]:
    """A relay at work."""
    relay, stop = Relay(ledger.store, cluster), asyncio.Event()
    task = asyncio.create_task(relay.run(stop))
    try:
        yield relay
    finally:
        stop.set()
        await asyncio.wait_for(task, PATIENCE)


async def caught_up(relay: Relay, ledger: Ledger) -> None:
    """Wait until Kafka has acknowledged all that the log holds."""
    end = await asyncio.to_thread(ledger.store.end)
    async with asyncio.timeout(PATIENCE):
        while relay.position < end:
            await asyncio.sleep(0.005)


async def test_the_topic_holds_the_stored_bytes_in_order_and_the_root(
    ledger: Ledger, actor: Actor, cluster: Cluster
) -> None:
    ledger.admit(commit(1), actor)
    async with relaying(ledger, cluster) as relay:
        await caught_up(relay, ledger)
        ledger.admit_all(Request(note(n), actor) for n in range(700))
        await caught_up(relay, ledger)

    messages = await topic(cluster)
    rows = ledger.store.read(0, 1000)
    assert [message.value for message in messages] == [row.envelope for row in rows]
    root = ledger.store.head().frontier.root().hex()
    assert dict(messages[-1].headers)["lepton-root"].decode() == root


async def test_a_relay_goes_on_where_the_topic_ends(ledger: Ledger, actor: Actor, cluster: Cluster) -> None:
    for n in range(3):
        ledger.admit(commit(1) if not n else note(n), actor)
        async with relaying(ledger, cluster) as relay:
            await caught_up(relay, ledger)

    assert len(await topic(cluster)) == ledger.store.end()


async def test_a_second_relay_waits_for_the_first_and_then_says_so(
    ledger: Ledger, actor: Actor, cluster: Cluster
) -> None:
    ledger.admit(commit(1), actor)
    database = ledger.store.database
    second = database_at(database.url, database.ledger, wait=0.2)
    async with relaying(ledger, cluster) as relay:
        await caught_up(relay, ledger)
        with pytest.raises(Unavailable, match="the relay of the database"):
            await Relay(Store(second), cluster).run(asyncio.Event())
    second.close()


async def test_a_topic_of_another_history_is_refused(ledger: Ledger, actor: Actor, cluster: Cluster) -> None:
    ledger.admit(commit(1), actor)
    await open_topics(cluster)
    foreign = ledger.store.read(0, 1)[0].envelope.replace(b"credit", b"debits")
    async with Writer(cluster) as writer:
        await writer.send("events", [Outgoing(foreign, headers=(("lepton-root", leaf_hash(foreign).hex().encode()),))])

    with pytest.raises(Refused, match="another history"):
        await Relay(ledger.store, cluster).run(asyncio.Event())


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [({"cleanup.policy": "compact"}, "cleanup.policy=compact"), ({"retention.ms": "1000"}, "retention.ms=1000")],
)
async def test_a_topic_that_would_lose_events_is_refused(
    cluster: Cluster, settings: dict[str, str], complaint: str
) -> None:
    from aiokafka.admin import AIOKafkaAdminClient, NewTopic

    admin = AIOKafkaAdminClient(**cluster.client())
    await admin.start()
    await admin.create_topics([NewTopic(cluster.topic("events"), 1, 1, topic_configs=settings)])
    await admin.close()

    with pytest.raises(Refused, match=complaint):
        await open_topics(cluster)


async def test_a_topic_with_two_partitions_is_refused(cluster: Cluster) -> None:
    from aiokafka.admin import AIOKafkaAdminClient, NewTopic

    admin = AIOKafkaAdminClient(**cluster.client())
    await admin.start()
    await admin.create_topics([NewTopic(cluster.topic("events"), 2, 1, topic_configs=dict(TOPICS["events"].settings))])
    await admin.close()

    with pytest.raises(Refused, match="has 2 partitions"):
        await open_topics(cluster)


async def test_a_topic_that_nobody_has_made_yet_is_to_be_waited_for(cluster: Cluster) -> None:
    with pytest.raises(Unavailable, match="`lepton relay` makes it"):
        await partitions(cluster, "inbox")

    await open_topics(cluster)

    assert await partitions(cluster, "inbox") == 1


async def test_records_sent_twice_are_read_once(ledger: Ledger, actor: Actor, cluster: Cluster) -> None:
    ledger.admit(commit(1), actor)
    ledger.admit_all(Request(note(n), actor) for n in range(20))
    async with relaying(ledger, cluster) as relay:
        await caught_up(relay, ledger)
    rows = ledger.store.read(0, 100)
    async with Writer(cluster) as writer:
        await writer.send("events", [Outgoing(row.envelope) for row in rows[5:9]])
    ledger.admit(note("after"), actor)
    async with Writer(cluster) as writer:
        root = ("lepton-root", ledger.store.head().frontier.root().hex().encode())
        await writer.send("events", [Outgoing(ledger.store.read(rows[-1].seq, 1)[0].envelope, headers=(root,))])

    def read() -> tuple[list[int], list[int]]:
        with KafkaLog(cluster) as log:
            return [row.seq for row in log.read(0, 100)], [row.seq for row in log.read(7, 3)]

    everything, some = await asyncio.to_thread(read)
    assert everything == list(range(1, ledger.store.end() + 1))
    assert some == [8, 9, 10]
