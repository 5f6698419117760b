"""A Kafka that is frozen: it takes connections and acknowledges bytes, and nobody waits for it without an end."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from lepton_ai.errors import Unavailable
from lepton_ai.events.kafka import cluster as cluster_module
from lepton_ai.events.kafka import errors
from lepton_ai.events.kafka.clients import Outgoing, Reader, Writer
from lepton_ai.events.kafka.cluster import Cluster
from lepton_ai.events.kafka.log import KafkaLog
from lepton_ai.events.kafka.topics import open_topics, partitions

from ..asking import PATIENCE, freeze, until
from ..broker import Kafka
from ..conftest import running

BOUND = 30.0
"""Seconds: below what aiokafka would ask again for, above what a bounded call takes on a busy machine."""


@pytest.fixture(scope="module")
def kafka() -> Iterator[Kafka]:
    """A broker of these tests' own, which they freeze. Where none can run they are skipped; in CI that fails."""
    yield from running(Kafka)


@pytest.fixture
def impatient(cluster: Cluster) -> Cluster:
    """Topics of a ledger's own, which are asked with the shortest deadline."""

    def opened() -> bool:
        try:
            asyncio.run(open_topics(cluster))
        except Unavailable:  # the test before froze the broker, which may still look around
            return False
        return True

    until(opened)
    return replace(cluster, wait=0.0)


@contextmanager
def frozen(kafka: Kafka) -> Generator[None]:
    """Within it the broker does nothing, deadlines are short, and what happens does not hang."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cluster_module, "SHORTEST", 1.0)
        patch.setattr(errors, "STOPPING", 0.5)
        freeze(kafka.pid)
        begun = time.monotonic()
        try:
            yield
            assert time.monotonic() - begun < BOUND
        finally:
            os.kill(kafka.pid, signal.SIGCONT)


async def test_a_frozen_broker_hangs_neither_who_connects_nor_who_is_connected(
    impatient: Cluster, kafka: Kafka
) -> None:
    async with Writer(impatient) as writer, Reader(impatient, "events") as reader:
        await writer.send("events", [Outgoing(b"first")])
        reader.seek(0)
        assert [message.value for message in await reader.read(10, 20.0)] == [b"first"]
        with frozen(kafka):
            with pytest.raises(Unavailable, match="does not answer"):
                await writer.send("events", [Outgoing(b"second")])
            with pytest.raises(Unavailable):
                await reader.end()
            with pytest.raises(Unavailable):
                await reader.start()
            assert await reader.read(10, 0.2) == []
            with pytest.raises(Unavailable):
                await Writer(impatient).__aenter__()
            with pytest.raises(Unavailable):
                await Reader(impatient, "events").__aenter__()
            with pytest.raises(Unavailable):
                await open_topics(impatient)
            with pytest.raises(Unavailable):
                await partitions(impatient, "results")
            await writer.__aexit__(None)
            await reader.__aexit__(None)
    patient = replace(impatient, wait=PATIENCE)
    async with Writer(patient) as writer, Reader(patient, "events") as reader:
        await writer.send("events", [Outgoing(b"third")])
        reader.seek(0)
        values = [message.value for message in await reader.read(10, 20.0)]
        while values[-1:] != [b"third"]:
            values += [message.value for message in await reader.read(10, 20.0)]
    assert values[0] == b"first"


def test_a_log_on_a_frozen_broker_is_unavailable_for_its_synchronous_readers(impatient: Cluster, kafka: Kafka) -> None:
    with KafkaLog(impatient) as log:
        assert log.end() == 0
        with frozen(kafka), pytest.raises(Unavailable):
            log.end()
    with frozen(kafka), pytest.raises(Unavailable), KafkaLog(impatient):
        pass
