"""Those who follow topics with foreign records on them: projector, worker and the intake, each at its own work."""

from __future__ import annotations

import asyncio
import json
import random
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread

import numpy as np
import pytest

from lepton_ai import ModelManager
from lepton_ai.events.actor import Actor
from lepton_ai.events.envelope import Origin, encoder
from lepton_ai.events.job import JobFinished
from lepton_ai.events.kafka.clients import Outgoing
from lepton_ai.events.kafka.cluster import Cluster
from lepton_ai.events.kafka.log import KafkaLog
from lepton_ai.events.kafka.topics import open_topics
from lepton_ai.events.merkle import Frontier, leaf_hash
from lepton_ai.events.sql.actors import Actors
from lepton_ai.jobs.intake.inbox import Intake
from lepton_ai.jobs.protocol.over_kafka import KafkaChannel
from lepton_ai.ledger import Ledger
from lepton_ai.settings import load
from lepton_ai.wiring import Home

from ..asking import PATIENCE, commit, until
from ..broker import Kafka
from ..jobs.identities import identity, incarnation
from ..jobs.receiving import receiving
from ..jobs.test_intake import event
from . import topics
from .relaying import relaying
from .strangers import KINDS, Forger, tell_all

SOURCE = f"/lepton/{uuid.UUID(int=7)}"


@pytest.fixture
def beside_kafka(kafka: Kafka, cluster: Cluster, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    """A home with three versions, beside Kafka."""
    monkeypatch.setenv("LEPTON_KAFKA", kafka.servers)
    monkeypatch.setenv("LEPTON_KAFKA_PREFIX", cluster.prefix)
    with ModelManager(home, actor="Ada") as manager:
        for n in range(3):
            manager.save_version({"w": np.full(4, n)}, name="credit")
    parts = Home(load(home, actor="Ada"))
    yield parts
    parts.close()


def test_a_projector_follows_past_strangers_and_through_a_topic_made_anew(beside_kafka: Home, cluster: Cluster) -> None:
    parts = beside_kafka
    store, chance = parts.store, random.Random(1)
    asyncio.run(open_topics(cluster))
    asyncio.run(topics.tell(cluster, "events", b"garbage, and the first there is"))
    with relaying(store, cluster), parts.follower() as follower:
        for round in range(3):
            follower.reach(store.end(), PATIENCE)
            if round == 1:
                asyncio.run(topics.make_anew(cluster, "events"))
            else:
                asyncio.run(tell_all(cluster, "events", store.read(0, 1000), chance))
            with ModelManager(parts.settings.home, actor="Ada") as manager:
                manager.save_version({"w": np.full(4, 10 + round)}, name="credit")
        follower.reach(store.end(), PATIENCE)
        until(lambda: follower.strangers() > len(KINDS))
        assert follower.failure is None
    with ModelManager(parts.settings.home) as manager:
        assert manager.sql("SELECT count(*) AS n FROM versions").to_pylist() == [{"n": 6}]
        assert manager.fsck(projection=True, events=False, objects=False) == []


def test_a_topic_that_never_pauses_is_read_as_it_grows(beside_kafka: Home, cluster: Cluster) -> None:
    """Two histories may still differ in what was told last, which is held back until the end was reached once."""
    stop = Event()

    def write() -> None:
        with ModelManager(beside_kafka.settings.home, actor="Ada") as manager:
            while not stop.is_set():
                if beside_kafka.store.end() < relay.position + 200:  # as fast as events are told
                    manager.annotate("credit@1", {"n": beside_kafka.store.end()})

    writer = Thread(target=write)
    asyncio.run(open_topics(cluster))
    with relaying(beside_kafka.store, cluster) as relay, KafkaLog(cluster) as log:
        until(lambda: log.end() > 0)
        begun = read = log.end()
        came_meanwhile = 0
        writer.start()
        try:
            deadline = time.monotonic() + PATIENCE
            while read < begun + 50 and time.monotonic() < deadline:
                there = max(relay.position, begun)
                read += len(log.read(read, 100_000))
                came_meanwhile = max(came_meanwhile, read - there)
        finally:
            stop.set()
            writer.join()

    assert read >= begun + 50
    assert came_meanwhile < 500, "as many batches were held back"


def finished(seq: int) -> bytes:
    """An event that ends an attempt, in Lepton's own form."""
    now = datetime.now(UTC)
    origin = Origin(actor="a", command=f"c{seq}", command_digest="d", time=now)
    encode = encoder(SOURCE, origin, now)
    return encode(JobFinished(epoch=seq, model="net", version=1), f"job/j{seq}", 1, seq, str(uuid.UUID(int=seq)))


def test_a_worker_takes_orders_and_facts_from_between_strangers(cluster: Cluster) -> None:
    asyncio.run(open_topics(cluster))
    channel = KafkaChannel(cluster, identity("w1"))
    channel.say(b"here")
    order = f'{{"worker":"{incarnation("w1")}","job":"j","epoch":1,"sealed":""}}'.encode()
    chance = random.Random(2)
    genuine = [finished(1), finished(2)]
    frontier, _ = Frontier().extended(map(leaf_hash, genuine))
    rows = [type("Row", (), {"seq": n, "envelope": raw})() for n, raw in enumerate(genuine, 1)]
    forger = Forger(rows, chance)
    alike = [Outgoing(b'{"type":"lepton.job.finished.v1"'), Outgoing(finished(9))]

    for topic, mine in (("commands", [Outgoing(order)]), ("events", None)):
        for name, make in KINDS.items():
            if name != "a copy of a batch's end":
                asyncio.run(topics.together(cluster, topic, make(forger)))
        asyncio.run(topics.together(cluster, topic, alike))
        asyncio.run(topics.tell_null(cluster, topic))
        asyncio.run(topics.tell_unreadable(cluster, topic))
        root = ("lepton-root", frontier.root().hex().encode())
        last = [Outgoing(genuine[0]), Outgoing(genuine[1], headers=(root,))]
        asyncio.run(topics.together(cluster, topic, mine or last))
    orders, facts = [*channel.orders(1.0)], [*channel.facts()]
    until(lambda: bool(orders.extend(channel.orders(0.1)) or orders))
    until(lambda: bool(facts.extend(channel.facts()) or [each for each in facts if each.epoch == 2]))

    assert orders == [order]
    assert {each.epoch for each in facts} <= {1, 2}
    assert channel.strangers > 2 * len(KINDS) - 4
    channel.close()


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
async def test_an_intake_rejects_strangers_and_copies_of_the_ledgers_own_events(
    ledger: Ledger, actor: Actor, cluster: Cluster
) -> None:
    ledger.admit(commit(1), actor)
    await open_topics(cluster)
    actors, end = Actors(ledger.store.database), ledger.store.end()
    with receiving(ledger, cluster, lambda part: Intake(ledger, actors, cluster.topic("inbox"), part)):
        await tell_all(cluster, "inbox", ledger.store.read(0, 10), random.Random(3))
        await topics.tell(cluster, "inbox", json.dumps(event("genuine")).encode())
        async with asyncio.timeout(PATIENCE):
            while ledger.store.end() < end + 1:
                await asyncio.sleep(0.02)

    reasons = [rejected.reason for _, rejected, _ in ledger.store.rejected()]
    assert ledger.store.end() == end + 1
    assert len(reasons) > len(KINDS)
    assert any("source is this ledger itself" in each for each in reasons)
    assert any("it cannot be read (UnicodeDecodeError" in each for each in reasons)
