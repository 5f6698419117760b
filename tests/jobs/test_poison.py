"""Some hundred messages that are nearly right, with good ones between them; `make faults` sends thousands by Kafka."""

from __future__ import annotations

import asyncio
import json
import random
from pathlib import Path
from typing import Final

import numpy as np
import pytest

from lepton_ai import ModelManager
from lepton_ai.events.actor import Actor
from lepton_ai.events.kafka.cluster import Cluster
from lepton_ai.events.kafka.topics import open_topics
from lepton_ai.events.sql.actors import Actors
from lepton_ai.jobs.intake.inbox import Intake
from lepton_ai.ledger import Ledger, Receipt

from ..asking import commit, until
from ..faults.poison import checked, hear, spoiled_spool, unreadable
from .poisons import outside, poisoned_letters
from .receiving import receiving

SEED = 9


def test_no_message_of_any_type_stops_the_inbox_and_each_good_one_is_admitted_once(home: Path) -> None:
    letters = list(poisoned_letters(random.Random(SEED), 600, lambda n: outside(f"good-{n}")))
    with ModelManager(home, actor="ada") as manager:
        manager.save_version({"w": np.ones(2)}, name="credit")
        work = manager._workspace
        intake, answers = Intake(work.ledger, work.actors, "inbox"), list[object]()

        for start in range(0, len(letters), 97):
            answers += intake.take(letters[start : start + 97], intake.position())

        assert [isinstance(answers[n], Receipt) for n in range(4, 600, 5)] == [True] * 120
        rejected = checked(manager, [letter.position for letter in letters if letter.position % 5 == 4])
        assert rejected + sum(isinstance(each, Receipt) for each in answers) == len(letters)
        assert rejected > 250


def test_no_message_of_any_worker_stops_the_assigner(home: Path) -> None:
    with ModelManager(home, actor="ada") as manager:
        manager.save_version({"w": np.ones(2)}, name="credit")
        assert hear(manager, random.Random(SEED), 400) > 200
        checked(manager, [])


def test_no_entry_of_the_spool_stops_those_behind_it(home: Path) -> None:
    with ModelManager(home, actor="ada") as manager:
        manager.save_version({"w": np.ones(2)}, name="credit")
        delivered, refused = spoiled_spool(manager, home, random.Random(SEED), 60)
        assert delivered >= 12
        assert refused > 20
        checked(manager, [])


def test_a_record_that_the_client_cannot_read_is_rejected_and_those_beside_it_are_taken_in(
    ledger: Ledger, actor: Actor, cluster: Cluster
) -> None:
    asyncio.run(open_topics(cluster))
    ledger.admit(commit(1), actor)
    topic = cluster.topic("inbox")
    good = [json.dumps(outside(f"good-{n}")).encode() for n in range(3)]
    asyncio.run(unreadable(cluster, good))

    with receiving(ledger, cluster, lambda part: Intake(ledger, Actors(ledger.store.database), topic, part)):
        until(lambda: ledger.store.position(topic, 0) == 5)

    assert [(each.position, "cannot be read" in each.reason) for _, each, _ in ledger.store.rejected()] == [
        (1, True),
        (3, True),
    ]
    assert ledger.store.end() == 2 + len(good)


COMPRESSIONS: Final = ("gzip", "snappy", "lz4", "zstd")


async def compressed(cluster: Cluster) -> None:
    """A message in each compression that Kafka knows, each a batch."""
    from aiokafka import AIOKafkaProducer

    for codec in COMPRESSIONS:
        async with AIOKafkaProducer(**cluster.client(), compression_type=codec) as producer:
            message = json.dumps(outside(f"{codec} {'x' * 300}")).encode()
            await producer.send_and_wait(cluster.topic("inbox"), message, partition=0)


@pytest.mark.parametrize("missing", [(), ("snappy", "lz4", "zstd")])
def test_a_message_in_any_compression_is_taken_in_where_it_can_be_read_else_rejected(
    ledger: Ledger, actor: Actor, cluster: Cluster, missing: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    asyncio.run(open_topics(cluster))
    ledger.admit(commit(1), actor)
    topic = cluster.topic("inbox")
    asyncio.run(compressed(cluster))
    for codec in missing:  # as where cramjam is not installed
        monkeypatch.setattr(f"aiokafka.codec.has_{codec}", lambda: False)

    with receiving(ledger, cluster, lambda part: Intake(ledger, Actors(ledger.store.database), topic, part)):
        until(lambda: ledger.store.position(topic, 0) == len(COMPRESSIONS))

    assert ["cannot be read" in each.reason for _, each, _ in ledger.store.rejected()] == [True] * len(missing)
    assert ledger.store.end() == 2 + len(COMPRESSIONS) - len(missing)
