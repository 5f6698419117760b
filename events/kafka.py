"""The clients of Kafka: one batch in flight outwards, partitions read by hand inwards. No consumer groups anywhere."""

# pyright: reportUnknownParameterType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# (aiokafka is typed in parts)

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Self

from ..errors import Refused, Unavailable
from .cluster import Cluster, TopicName
from .kafka_errors import stopped, translated

Headers = Sequence[tuple[str, bytes]]


class Message(NamedTuple):
    """A record as it lies in a partition; `time` is the topic's stamp in milliseconds since 1970."""

    offset: int
    time: int
    key: bytes | None
    value: bytes
    headers: Headers


class Outgoing(NamedTuple):
    """A record to be sent."""

    value: bytes
    key: bytes | None = None
    headers: Headers = ()


class Writer:
    """A producer that has one batch in flight: what it acknowledged lies in order and without holes.

    After any error it must be thrown away: whether the batch was taken is unknown, and a later one must not overtake.
    (aiokafka's producer is idempotent, yet with several batches in flight a refused first one leaves a hole for ever.)
    """

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._producer: Any = None

    async def __aenter__(self) -> Self:
        producer_class = _aiokafka().AIOKafkaProducer
        async with translated(self._cluster):
            self._producer = producer_class(
                **self._cluster.client(),
                acks="all",
                enable_idempotence=True,
                max_batch_size=1_000_000,
                max_request_size=1_000_000,
            )
            try:
                await self._producer.start()
            except BaseException:
                await stopped(self._producer)
                raise
        return self

    async def __aexit__(self, *_: object) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            await stopped(producer)

    async def send(self, topic: TopicName, records: Sequence[Outgoing], partition: int = 0) -> int:
        """Send records as one batch, taken whole or not at all, and wait until all replicas have it.

        They must fit: at most `BATCH_BYTES`, counting `RECORD_OVERHEAD` a record (batch.py). Returns the broker's time
        of it, in milliseconds since 1970 (where the topic stamps what it takes). Raises `Unavailable`.
        """
        from aiokafka.errors import KafkaError

        assert self._producer is not None
        batch = self._producer.create_batch()
        for record in records:
            taken = batch.append(key=record.key, value=record.value, timestamp=None, headers=[*record.headers])
            if taken is None:
                raise Refused(f"{len(records)} records do not fit into one batch; send fewer")
        async with translated(self._cluster):
            try:
                told = await (await self._producer.send_batch(batch, self._cluster.topic(topic), partition=partition))
            except KafkaError as error:
                if (cause := self._died_of()) is None:
                    raise
                raise cause from error
        return told.timestamp

    async def partitions(self, topic: TopicName) -> int:
        """How many partitions a topic has. Raises `Unavailable`, also where there is no such topic yet."""
        assert self._producer is not None
        async with translated(self._cluster):
            return len(await self._producer.partitions_for(self._cluster.topic(topic)))

    def _died_of(self) -> BaseException | None:
        """What ended the producer's sender, which aiokafka lets nobody know: it may not write at all, say."""
        sender = self._producer._sender.sender_task
        ended = sender.exception() if sender.done() and not sender.cancelled() else None
        return ended and ended.__cause__


class Reader:
    """A partition read by hand, from any offset."""

    def __init__(self, cluster: Cluster, topic: TopicName, partition: int = 0) -> None:
        self._cluster = cluster
        self._topic = cluster.topic(topic)
        self._partition = partition
        self._consumer: Any = None

    async def __aenter__(self) -> Self:
        aiokafka = _aiokafka()
        self._at: Any = aiokafka.TopicPartition(self._topic, self._partition)
        async with translated(self._cluster):
            self._consumer = aiokafka.AIOKafkaConsumer(
                **self._cluster.client(),
                group_id=None,
                enable_auto_commit=False,
                auto_offset_reset="none",
                fetch_max_bytes=16 << 20,
                max_partition_fetch_bytes=4 << 20,
                metadata_max_age_ms=5_000,
            )
            try:
                await self._consumer.start()
                if self._topic not in await self._consumer.topics():
                    await _look_for(self._cluster, self._topic)
                    raise Unavailable(f"{self._cluster.name} has no topic {self._topic} yet; `lepton relay` makes it")
                self._consumer.assign([self._at])
            except BaseException:
                await stopped(self._consumer)
                raise
        return self

    async def __aexit__(self, *_: object) -> None:
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            await stopped(consumer)

    async def end(self) -> int:
        """The offset that the next record will get."""
        async with translated(self._cluster):
            return (await self._open.end_offsets([self._at]))[self._at]

    async def start(self) -> int:
        """The first offset there is: above 0 where retention took records away."""
        async with translated(self._cluster):
            return (await self._open.beginning_offsets([self._at]))[self._at]

    async def last(self) -> Message | None:
        """The last record, None where the partition is empty."""
        end = await self.end()
        if end == await self.start():
            return None
        self.seek(end - 1)
        messages = await self.read(1, 10.0)
        if not messages:
            raise Unavailable(f"{self._cluster.name} did not give the last record of {self._topic}; try again")
        return messages[-1]

    async def lacks(self) -> bool:
        """Whether the partition holds records behind where reading stands."""
        async with translated(self._cluster):
            position = await self._open.position(self._at)
        return position < await self.end()

    def seek(self, offset: int) -> None:
        """Read on from an offset."""
        self._open.seek(self._at, offset)

    async def read(self, limit: int, wait: float) -> list[Message]:
        """At most `limit` records from where reading stands; none where none came within `wait` seconds."""
        async with translated(self._cluster, wait):
            got = await self._open.getmany(self._at, timeout_ms=int(wait * 1000), max_records=limit)
        records = got.get(self._at, ())
        return [Message(r.offset, r.timestamp, r.key, r.value or b"", _headers(r.headers)) for r in records]

    @property
    def _open(self) -> Any:
        assert self._consumer is not None
        return self._consumer


def _headers(told: Headers) -> Headers:
    return tuple((name, value or b"") for name, value in told)


async def _look_for(cluster: Cluster, topic: str) -> None:
    """Raise where a topic is in no list for want of rights, and not because nobody has made it."""
    from aiokafka.admin import AIOKafkaAdminClient
    from aiokafka.errors import TopicAuthorizationFailedError

    admin: Any = AIOKafkaAdminClient(**cluster.client())
    try:
        await admin.start()
        (told,) = await admin.describe_topics([topic])
    finally:
        await stopped(admin)
    if told["error_code"] == TopicAuthorizationFailedError.errno:
        raise TopicAuthorizationFailedError(topic)


def _aiokafka() -> Any:
    try:
        import aiokafka
    except ModuleNotFoundError as error:
        raise Refused("Kafka needs the extra: pip install 'lepton-ai-sdk[kafka]'") from error
    return aiokafka
