"""The ports between ledger and workers over Kafka's topics: a worker knows these and the object store, no database."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from typing import Final
from zlib import crc32

from ...errors import LeptonError, Unavailable
from ...events.bookmark import Bookmark
from ...events.envelope import decode
from ...events.inbox import Letter
from ...events.kafka.cluster import Cluster, TopicName
from ...events.kafka.genuine import Claim, ForeignRecords, Runs
from ...events.kafka.loop_thread import LoopThread
from ...events.kafka.sync import Listener, Sender
from ...events.kafka.topics import partitions
from ...events.sql.queue import COMMANDS, RESULTS
from .identity import WorkerKeys
from .orders import is_for, is_order
from .ports import FACTS, Fact

_MANY: Final = 1000
_MOMENT: Final = 0.5
"""Seconds that a backlog of events may take before a worker looks at other things."""
_FACTS: Final = tuple(f'"{name}"'.encode() for name in FACTS)
"""What the events that tell of attempts have in them, and hardly any other of the many that pass by unread."""
Known = Callable[[str, int], Bookmark | None]


class KafkaChannel:
    """A worker's side. Nothing is said before it is known where reading begins; what is away is `Unavailable`."""

    def __init__(self, cluster: Cluster, identity: WorkerKeys) -> None:
        self._identity = identity
        self._topic = cluster.topic(RESULTS)
        self._loop = LoopThread("worker-kafka")
        self._commands = Listener(self._loop, cluster, COMMANDS)
        self._events = Listener(self._loop, cluster, "events")
        self._results = Sender(self._loop, cluster, RESULTS)
        self._part: int | None = None
        self._on_events, self._on_commands = ForeignRecords(), ForeignRecords()
        self._batches = Runs(self._on_events)

    @property
    def strangers(self) -> int:
        """Records that were passed over because they are no orders or events."""
        return self._on_events.count + self._on_commands.count

    @property
    def place(self) -> str:
        """The topic of results, and always the same partition of it: the order of what is said stays."""
        return _place(self._topic, self._opened())

    def say(self, body: bytes) -> None:
        """Sign a message and put it onto the topic of results."""
        try:
            self._results.send(self._identity.signed(body, self.place), self._opened())
        except Unavailable:
            self._part = None  # a topic that was made anew may have other partitions
            raise

    def orders(self, patience: float = 0.0) -> Sequence[bytes]:
        """What came for this incarnation, as soon as the broker has it; what is no order is passed over."""
        orders: list[bytes] = []
        for each in self._commands.read(_MANY, patience):
            if not is_order(each.value):
                self._on_commands.add(each.offset, "it is no order")
            elif is_for(each.value, self._identity.incarnation):
                orders.append(each.value)
        return orders

    def facts(self) -> Sequence[Fact]:
        """What the topic of events says anew, as far as it ends with a root as the relay's batches do.

        Of a long backlog it is what was read in a moment.
        """
        facts: list[Fact] = []
        until = time.monotonic() + _MOMENT
        while found := self._events.read(_MANY):
            for message in found:
                facts += [fact for each in self._batches.take(message) if (fact := self._fact(each))]
            if time.monotonic() > until:
                break
        self._on_events.say("the topic of events")
        return facts

    def _fact(self, each: Claim) -> Fact | None:
        """What an event says of an attempt; None where it is of another type, or no event at all."""
        if not any(name in each.value for name in _FACTS):
            return None
        try:
            recorded = decode(each.value, seq=each.seq)
        except LeptonError as error:
            self._on_events.add(each.offset, str(error))
            return None
        return Fact.of(recorded) if recorded.event.type in FACTS else None

    def _opened(self) -> int:
        """The partition to say things on, once it is known where reading begins."""
        if self._part is None:
            self._commands.open()
            self._events.open()
            self._part = crc32(self._identity.incarnation.encode()) % self._results.partitions()
        return self._part

    def close(self) -> None:
        """Give back what is open."""
        for each in (self._commands, self._events, self._results):
            each.close()
        self._loop.stop()


class KafkaPartition:
    """One partition that the ledger takes messages in from, such as workers' results.

    `known` tells where it was read to, and in which topic.
    """

    def __init__(
        self, loop: LoopThread, cluster: Cluster, topic: TopicName, part: int, known: Known, check: Callable[[], None]
    ) -> None:
        self._check = check
        self.topic = cluster.topic(topic)
        self.part = part
        self.place = _place(self.topic, part)
        self._known = known
        self._asked: int | None = None
        self._listener = Listener(loop, cluster, topic, part)
        self._sender = Sender(loop, cluster, topic)

    def read(self, position: int, limit: int) -> Sequence[Letter]:
        """Messages from a position on, or from the beginning of a topic that was made anew."""
        self._check()
        if position not in (self._asked, self._listener.position):
            known = self._known(self.topic, self.part)
            self._listener.seek(known if known and known.position == position else Bookmark(position))
        messages = self._listener.read(limit)
        self._asked = None if messages else position  # where nothing came the listener stands where it was asked to
        topic = self._listener.bookmark and self._listener.bookmark.topic
        return [
            Letter(each.offset, each.value, each.headers, each.digest, each.fault, 1000 * each.time, topic)
            for each in messages
        ]

    def say(self, raw: bytes) -> int:
        """Put a message of the ledger's own behind all others."""
        return self._sender.send(raw, self.part)

    def discard(self, before: int) -> None:
        """The topic's retention does that."""

    def close(self) -> None:
        """Give back what is open."""
        self._listener.close()
        self._sender.close()


def _nothing(topic: str, part: int) -> Bookmark | None:  # noqa: ARG001 - what knows no bookmark
    return None


def _place(topic: str, part: int) -> str:
    return f"{topic}/{part}"


@contextmanager
def opened(
    cluster: Cluster, topic: TopicName, known: Known = _nothing, check: float = 60.0
) -> Generator[list[KafkaPartition]]:
    """All partitions of a topic. Raises `Unavailable`, also where it is not there yet.

    Every `check` seconds the topic is looked at again: reading raises `Unavailable` once it has other partitions, and
    `Refused` once its settings would lose messages.
    """
    loop, parts = LoopThread(topic), list[KafkaPartition]()
    try:
        count = loop.do(partitions(cluster, topic))
        looked = time.monotonic()

        def still_the_same() -> None:
            nonlocal looked
            if time.monotonic() - looked < check:
                return
            looked = time.monotonic()
            if (found := loop.do(partitions(cluster, topic))) != count:
                raise Unavailable(f"{cluster.topic(topic)} has {found} partitions now, it had {count}; all are read")

        parts += [KafkaPartition(loop, cluster, topic, part, known, still_the_same) for part in range(count)]
        yield parts
    finally:
        for each in parts:
            each.close()
        loop.stop()
