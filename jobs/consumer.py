"""Receiving: the loop that takes in what others put on Kafka, partition by partition, until told to stop."""

from __future__ import annotations

import asyncio
import logging
from asyncio import to_thread
from collections.abc import Callable
from typing import Final

from ..errors import LeptonError, Refused, Unavailable
from ..events.inbox import Letter
from ..events.kafka.bookmark import resumed
from ..events.kafka.clients import Reader
from ..events.kafka.cluster import Cluster, TopicName
from ..events.kafka.relay import elapsed
from ..events.kafka.topics import partitions
from .inbox import Intake

_READ: Final = 500
_WAIT: Final = 0.25
"""Seconds to wait for messages before it is looked whether to stop."""
_PAUSE: Final = 0.5
"""Seconds before Kafka or the database is tried again."""

log = logging.getLogger("lepton.intake")


async def receive(
    cluster: Cluster, topic: TopicName, intake: Callable[[int], Intake], stop: asyncio.Event, check: float = 60.0
) -> None:
    """Take in every partition of a topic; `intake` makes the intake of a partition. What is away is waited for.

    Every `check` seconds it is looked whether there are more partitions, which are taken in too. Raises `Refused` once
    the topic is not as it must be.
    """
    at_work: dict[int, asyncio.Task[None]] = {}
    try:
        async with asyncio.TaskGroup() as tasks:
            while not stop.is_set():
                try:
                    count = await partitions(cluster, topic)
                except Unavailable as error:
                    log.warning("%s", error)
                    await elapsed(stop, _PAUSE)
                    continue
                if at_work and set(range(count)) != set(at_work):
                    log.warning("%s has %d partitions now, it had %d", cluster.topic(topic), count, len(at_work))
                for part in [part for part in at_work if part >= count]:
                    at_work.pop(part).cancel()
                for part in [part for part in range(count) if part not in at_work]:
                    at_work[part] = tasks.create_task(_follow(cluster, topic, part, intake(part), stop))
                await elapsed(stop, check)
    except* LeptonError as errors:
        raise errors.exceptions[0] from None


async def _follow(cluster: Cluster, topic: TopicName, part: int, intake: Intake, stop: asyncio.Event) -> None:
    while not stop.is_set():
        try:
            async with Reader(cluster, topic, part) as reader:
                await _take(reader, intake, stop)
        except Unavailable as error:
            log.warning("%s", error)
            await elapsed(stop, _PAUSE)


async def _take(reader: Reader, intake: Intake, stop: asyncio.Event) -> None:
    """From the stored position on: it moves in the transaction that keeps what came of the messages."""
    bookmark = await to_thread(intake.bookmark)
    expected = bookmark and bookmark.position
    await resumed(reader, bookmark)
    intake.topic_id = reader.id
    while not stop.is_set():
        messages = await reader.read(_READ, _WAIT)
        if not messages:
            continue
        letters = [Letter(each.offset, each.value, each.headers, each.digest, each.fault) for each in messages]
        answers = await to_thread(intake.take, letters, expected)
        expected = letters[-1].position + 1
        for letter, answer in zip(letters, answers, strict=True):
            if isinstance(answer, Refused):
                log.warning("message %d of %s is rejected: %s", letter.position, intake.topic, answer)
