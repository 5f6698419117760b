"""What befalls topics: deleted, made anew, cut short, altered, written to by others. For tests and `make faults`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from lepton_ai.events.kafka.clients import Outgoing, Reader, TopicRecord, Writer
from lepton_ai.events.kafka.cluster import Cluster, TopicName
from lepton_ai.events.kafka.topics import TOPICS


@asynccontextmanager
async def administered(cluster: Cluster) -> AsyncGenerator[Any]:
    """An admin's client of aiokafka."""
    from aiokafka.admin import AIOKafkaAdminClient

    admin = AIOKafkaAdminClient(**cluster.client())
    await admin.start()
    try:
        yield admin
    finally:
        await admin.close()


async def make(cluster: Cluster, topic: TopicName, partitions: int = 1, **settings: str) -> None:
    """Make a topic as the relay would, but for what is said here; `_` stands for the dots of a setting's name."""
    from aiokafka.admin import NewTopic

    changed = {name.replace("_", "."): value for name, value in settings.items()}
    new = NewTopic(cluster.topic(topic), partitions, 1, topic_configs=dict(TOPICS[topic].settings) | changed)
    async with administered(cluster) as admin:
        answer = await admin.create_topics([new])
        assert answer.topic_errors[0][1] in (0, 36), answer


async def delete(cluster: Cluster, topic: TopicName) -> None:
    """Delete a topic; returns when the broker knows it no more."""
    async with administered(cluster) as admin:
        await admin.delete_topics([cluster.topic(topic)])
        while cluster.topic(topic) in await admin.list_topics():
            await asyncio.sleep(0.02)


async def make_anew(cluster: Cluster, topic: TopicName, partitions: int = 1) -> None:
    """Delete a topic and make it again under its name."""
    await delete(cluster, topic)
    await make(cluster, topic, partitions)


async def delete_records(cluster: Cluster, topic: TopicName, before: int, partition: int = 0) -> None:
    """Delete the records before an offset, as retention does."""
    from aiokafka import TopicPartition
    from aiokafka.admin import RecordsToDelete

    async with administered(cluster) as admin:
        place = TopicPartition(cluster.topic(topic), partition)
        await admin.delete_records({place: RecordsToDelete(before_offset=before)})


async def alter(cluster: Cluster, topic: TopicName, **settings: str) -> None:
    """Change a topic's settings."""
    from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

    changed = dict(TOPICS[topic].settings) | {name.replace("_", "."): value for name, value in settings.items()}
    async with administered(cluster) as admin:
        await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, cluster.topic(topic), changed)])


async def add_partitions(cluster: Cluster, topic: TopicName, total: int) -> None:
    """Give a topic more partitions."""
    from aiokafka.admin import NewPartitions

    async with administered(cluster) as admin:
        await admin.create_partitions({cluster.topic(topic): NewPartitions(total)})


async def tell(cluster: Cluster, topic: TopicName, *values: bytes | Outgoing, partition: int = 0) -> None:
    """Put records onto a topic, each in a batch of its own."""
    async with Writer(cluster) as writer:
        for value in values:
            record = value if isinstance(value, Outgoing) else Outgoing(value)
            await writer.send(topic, [record], partition)


async def together(cluster: Cluster, topic: TopicName, records: Sequence[Outgoing]) -> None:
    """Put records onto a topic as one batch."""
    async with Writer(cluster) as writer:
        await writer.send(topic, records)


async def tell_null(cluster: Cluster, topic: TopicName) -> None:
    """Put a record without a value onto a topic, as deletes a key where topics are compacted."""
    from aiokafka import AIOKafkaProducer

    async with AIOKafkaProducer(**cluster.client()) as producer:
        await producer.send_and_wait(cluster.topic(topic), key=b"k", value=None, partition=0)


async def transact(cluster: Cluster, topic: TopicName, value: bytes, *, commit: bool) -> None:
    """Put a record onto a topic in a transaction, whose end takes an offset too."""
    from aiokafka import AIOKafkaProducer

    async with AIOKafkaProducer(**cluster.client(), transactional_id=f"{cluster.prefix}-{topic}") as producer:
        await producer.begin_transaction()
        await producer.send_and_wait(cluster.topic(topic), value, partition=0)
        await (producer.commit_transaction() if commit else producer.abort_transaction())


async def everything(cluster: Cluster, topic: TopicName, partition: int = 0) -> list[TopicRecord]:
    """All records of a partition."""
    async with Reader(cluster, topic, partition) as reader:
        reader.seek(await reader.start())
        messages: list[TopicRecord] = []
        while more := await reader.rest(1000):
            messages += more
        return messages


async def end(cluster: Cluster, topic: TopicName, partition: int = 0) -> int:
    """The offset that the next record gets."""
    async with Reader(cluster, topic, partition) as reader:
        return await reader.end()


class _NoText(str):
    """A header's name as a client in another language may write it."""

    __slots__ = ()

    def encode(self, *_: object) -> bytes:
        return b"\xff\xfe"


async def tell_unreadable(cluster: Cluster, topic: TopicName, count: int = 3) -> None:
    """Put a batch onto a topic whose headers have names that are no UTF-8: aiokafka cannot read it."""
    from aiokafka import AIOKafkaProducer
    from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy as Builder

    async with AIOKafkaProducer(**cluster.client()) as producer:
        batch = producer.create_batch()
        batch._builder = Builder(2, 0, 0, -1, -1, -1, 1 << 20)
        for n in range(count):
            assert batch.append(key=None, value=b"%d" % n, timestamp=None, headers=[(_NoText("name"), b"value")])
        await (await producer.send_batch(batch, cluster.topic(topic), partition=0))
