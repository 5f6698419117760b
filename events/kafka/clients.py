"""The clients of Kafka: one batch in flight outwards, partitions read by hand inwards. No consumer groups anywhere."""

# pyright: reportUnknownParameterType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# (aiokafka is typed in parts)

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from hashlib import sha256
from typing import Any, Final, NamedTuple, Self

from ...errors import Refused, Unavailable
from ..inbox import UNREADABLE
from .cluster import Cluster, TopicName
from .errors import stopped, translated
from .topic_id import topic_id

Headers = Sequence[tuple[str, bytes]]

LOOKED: Final = 5.0
"""Seconds after which a reader that nothing comes to looks whether its topic is still the same."""
_LONG: Final = 10.0
"""Seconds in which a broker gives records that it says are there."""
_MOMENT: Final = 0.1
"""Seconds to wait for them at once: where only markers of transactions are, nothing comes however long one waits."""
_IDLE_MS: Final = 100
"""Milliseconds that a broker waits for records before it answers that there are none: meanwhile it answers nothing."""
_PAGE: Final = 2_000

log = logging.getLogger("lepton.kafka")


class TopicRecord(NamedTuple):
    """A record as it lies in a partition; `time` is the topic's stamp in milliseconds since 1970."""

    offset: int
    time: int
    key: bytes | None
    value: bytes
    """Empty where the record has none, as one that compaction takes for a deletion."""
    headers: Headers
    fault: str | None = None
    """Why it cannot be read, where it cannot; the rest is empty then."""

    @property
    def digest(self) -> str:
        """SHA-256 of the record with its place and time: no other record in any topic of that name has it."""
        said = sha256(f"{self.offset} {self.time} {self.key is not None} {len(self.value)} ".encode())
        for part in (self.key or b"", self.value, *(piece for name, value in self.headers for piece in (name, value))):
            raw = part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part
            said.update(len(raw).to_bytes(8, "big") + raw)
        return f"sha256:{said.hexdigest()}"


class Outgoing(NamedTuple):
    """A record to be sent."""

    value: bytes
    key: bytes | None = None
    headers: Headers = ()


class Sent(NamedTuple):
    """What a broker acknowledged: the offset of the first record, and its time, in milliseconds since 1970."""

    offset: int
    time: int


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

    async def send(self, topic: TopicName, records: Sequence[Outgoing], partition: int = 0) -> Sent:
        """Send records as one batch, taken whole or not at all, and wait until all replicas have it.

        They must fit: at most `BATCH_BYTES`, counting `RECORD_OVERHEAD` a record (batch.py). The time is the broker's
        where the topic stamps what it takes. Raises `Unavailable`.
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
        return Sent(told.offset, told.timestamp)

    async def partitions(self, topic: TopicName) -> int:
        """How many partitions a topic has. Raises `Unavailable`, also where there is no such topic yet."""
        assert self._producer is not None
        async with translated(self._cluster):
            return len(await self._producer.partitions_for(self._cluster.topic(topic)))

    async def topic_id(self, topic: TopicName) -> str | None:
        """The id of a topic that is written to. Raises `Unavailable` where there is none."""
        assert self._producer is not None
        async with translated(self._cluster):
            return await topic_id(self._producer.client, self._cluster.topic(topic), 0)

    def _died_of(self) -> BaseException | None:
        """What ended the producer's sender, which aiokafka lets nobody know: it may not write at all, say."""
        sender = self._producer._sender.sender_task
        ended = sender.exception() if sender.done() and not sender.cancelled() else None
        return ended and ended.__cause__


class Reader:
    """A partition read by hand, from any offset. `id` is its topic's, None where the broker has no such ids.

    All that is read is of the topic that was opened: once that is deleted or made anew `read` raises `Unavailable`.
    """

    def __init__(self, cluster: Cluster, topic: TopicName, partition: int = 0) -> None:
        self._cluster = cluster
        self.name = cluster.topic(topic)
        self._partition = partition
        self._consumer: Any = None
        self.id: str | None = None
        self._looked = 0.0
        self._next = 0
        """The offset behind what was read."""

    async def __aenter__(self) -> Self:
        aiokafka = _aiokafka()
        self._at: Any = aiokafka.TopicPartition(self.name, self._partition)
        async with translated(self._cluster):
            self._consumer = aiokafka.AIOKafkaConsumer(
                **self._cluster.client(),
                group_id=None,
                enable_auto_commit=False,
                auto_offset_reset="none",
                fetch_max_wait_ms=_IDLE_MS,
                fetch_max_bytes=16 << 20,
                max_partition_fetch_bytes=4 << 20,
                metadata_max_age_ms=5_000,
            )
            try:
                await self._consumer.start()
                if self.name not in await self._consumer.topics():
                    await _look_for(self._cluster, self.name)
                    raise Unavailable(f"{self._cluster.name} has no topic {self.name} yet; `lepton relay` makes it")
                self._consumer.assign([self._at])
                self.id = await self._id()
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

    async def last(self) -> TopicRecord | None:
        """The last record, None where the partition is empty. It moves reading."""
        first, end, back = await self.start(), await self.end(), 1
        while first < end:
            self.seek(max(first, end - back))
            found = None
            while messages := await self.rest(_PAGE):
                found = messages[-1]
            if found is not None or end - back <= first:
                return found
            back *= 2
        return None

    async def at(self, offset: int) -> TopicRecord | None:
        """The record at an offset, None where none is: markers of transactions take offsets too. It moves reading."""
        self.seek(offset)
        messages = await self.rest(1)
        return messages[0] if messages and messages[0].offset == offset else None

    def ended_at(self, offset: int) -> bool:
        """Whether the partition ended there when the broker answered last; no question to it."""
        end = self._open.highwater(self._at)
        return end is not None and offset >= end

    async def rest(self, limit: int) -> list[TopicRecord]:
        """At most `limit` records from where reading stands, none only where the partition has no more."""
        until = time.monotonic() + _LONG
        messages = await self.read(limit, 0.0)
        while not messages and await self.lacks():
            if time.monotonic() > until:
                raise Unavailable(f"{self._cluster.name} does not give the records of {self.name}; try again")
            messages = await self.read(limit, _MOMENT)
        return messages

    async def lacks(self) -> bool:
        """Whether the partition goes on behind where reading stands."""
        async with translated(self._cluster):
            position = await self._open.position(self._at)
        return position < await self.end()

    def seek(self, offset: int) -> None:
        """Read on from an offset."""
        self._open.seek(self._at, offset)
        self._next = offset

    async def read(self, limit: int, wait: float) -> list[TopicRecord]:
        """At most `limit` records from where reading stands; none where none came within `wait` seconds.

        One that cannot be read, for its compression or its headers, is there with its fault: it would raise at each
        try, and hold up all behind it.
        """
        from aiokafka.errors import UnsupportedCodecError

        try:
            messages = await self._got(limit, wait)
        except (ValueError, UnsupportedCodecError):
            messages = await self._up_to_a_fault()
        if messages or time.monotonic() - self._looked > LOOKED:
            await self.check()
        if messages:
            self._next = messages[-1].offset + 1
        return messages

    async def _got(self, limit: int, wait: float) -> list[TopicRecord]:
        from aiokafka.errors import UnsupportedCodecError

        async with translated(self._cluster, wait, left=(UnsupportedCodecError,)):
            got = await self._open.getmany(self._at, timeout_ms=int(wait * 1000), max_records=limit)
        records = got.get(self._at, ())
        return [TopicRecord(r.offset, r.timestamp, r.key, r.value or b"", _headers(r.headers)) for r in records]

    async def _up_to_a_fault(self) -> list[TopicRecord]:
        """The records before one that cannot be read, and that one: aiokafka gave none of them, and read on."""
        from aiokafka.errors import UnsupportedCodecError

        messages: list[TopicRecord] = []
        self._open.seek(self._at, self._next)
        end = await self.end()
        while True:
            try:
                one = await self._got(1, _MOMENT)
            except (ValueError, UnsupportedCodecError) as error:
                place = messages[-1].offset + 1 if messages else self._next
                self._open.seek(self._at, place + 1)
                return [
                    *messages,
                    TopicRecord(
                        place,
                        0,
                        None,
                        b"",
                        ((UNREADABLE, b""),),
                        f"it cannot be read ({type(error).__name__}: {error})",
                    ),
                ]
            messages += one
            if messages and messages[-1].offset + 1 >= end:
                return messages

    async def check(self) -> None:
        """Raise `Unavailable` where the topic that was opened is not there any more: it is to be opened anew."""
        async with translated(self._cluster):
            found = await self._id()
        if found != self.id:
            raise Unavailable(f"{self.name} was deleted and made anew while it was read; it is opened again")

    async def _id(self) -> str | None:
        self._looked = time.monotonic()
        return await topic_id(self._open._client, self.name, self._partition)

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
