"""Receiving: the loop that takes in what others put on Kafka, partition by partition, until told to stop."""

from __future__ import annotations

import asyncio
import logging
from asyncio import to_thread
from collections.abc import Callable
from typing import Final

from ..errors import LeptonError, Refused, Unavailable
from ..events.cluster import Cluster, TopicName
from ..events.inbox import Letter
from ..events.kafka import Reader
from ..events.relay import elapsed
from ..events.topics import partitions
from .intake import Intake

_READ: Final = 500
_WAIT: Final = 0.25
"""Seconds to wait for messages before it is looked whether to stop."""
_PAUSE: Final = 0.5
"""Seconds before Kafka or the database is tried again."""

log = logging.getLogger("lepton.intake")


async def receive(cluster: Cluster, topic: TopicName, intake: Callable[[int], Intake], stop: asyncio.Event) -> None:
    """Take in every partition of a topic; `intake` makes the intake of a partition. What is away is waited for.

    Raises `Refused` where the topic is not as it must be.
    """
    while not stop.is_set():
        try:
            intakes = [intake(part) for part in range(await partitions(cluster, topic))]
            break
        except Unavailable as error:
            log.warning("%s", error)
            await elapsed(stop, _PAUSE)
    else:
        return
    try:
        async with asyncio.TaskGroup() as tasks:
            for part, each in enumerate(intakes):
                tasks.create_task(_follow(cluster, topic, part, each, stop))
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
    expected = await to_thread(intake.position)
    first, end = await reader.start(), await reader.end()
    if expected is not None and expected < first:
        log.error("messages %d to %d of %s were deleted before they were taken in", expected, first - 1, intake.topic)
    if expected is not None and expected > end:
        log.error("%s ends at %d and was read to %d: it was made anew", intake.topic, end, expected)
    reader.seek(first if expected is None or expected > end else max(expected, first))
    while not stop.is_set():
        messages = await reader.read(_READ, _WAIT)
        if not messages:
            continue
        letters = [Letter(message.offset, message.value, message.headers) for message in messages]
        answers = await to_thread(intake.take, letters, expected)
        expected = letters[-1].position + 1
        for letter, answer in zip(letters, answers, strict=True):
            if isinstance(answer, Refused):
                log.warning("message %d of %s is rejected: %s", letter.position, intake.topic, answer)
