"""The id of a topic (KIP-516): a topic that was deleted and made anew under its name has another one."""

# pyright: reportUnknownParameterType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownMemberType=false
# (aiokafka is typed in parts)

from __future__ import annotations

import uuid
from functools import cache
from io import BytesIO
from typing import Any, Final

VERSION: Final = 10
"""The version of Metadata, which aiokafka does not speak yet, that tells it: brokers know it since Kafka 2.8."""


async def topic_id(client: Any, topic: str, partition: int) -> str | None:
    """The id of a topic as the leader of its partition knows it, None where the broker is too old to have ids.

    The leader is asked because no record of a topic made anew is read there before it knows the new id. Raises
    aiokafka's errors: `UnknownTopicOrPartitionError` where there is no such topic.
    """
    from aiokafka.client import ConnectionGroup
    from aiokafka.errors import NodeNotReadyError, UnknownTopicOrPartitionError, for_code
    from aiokafka.structs import TopicPartition

    leader = client.cluster.leader_for_partition(TopicPartition(topic, partition))
    node = client.get_random_node() if leader is None or leader < 0 else leader
    if node is None:
        raise NodeNotReadyError("no broker is known")
    try:
        # over a connection of its own: on the other a reader waits for what is not there yet
        answer = await client.send(node, _request()(topic), group=ConnectionGroup.COORDINATION)
    except NotImplementedError:
        return None
    code, _, raw, _, parts, *_ = answer.topics[0]
    if code:
        raise for_code(code)(topic)
    if all(each[1] != partition for each in parts):
        raise UnknownTopicOrPartitionError(f"{topic} {partition}")
    return str(uuid.UUID(bytes=raw)) if any(raw) else None


@cache
def _request() -> Any:
    """The request as aiokafka's classes have it; `NotImplementedError` is theirs where the broker knows none such."""
    from aiokafka.protocol.abstract import AbstractType
    from aiokafka.protocol.api import Request, RequestStruct, Response
    from aiokafka.protocol.types import Boolean, CompactArray, CompactString, Int16, Int32, Schema, TaggedFields

    class Uuid(AbstractType[bytes]):
        @classmethod
        def encode(cls, value: bytes) -> bytes:
            return value

        @classmethod
        def decode(cls, data: BytesIO) -> bytes:
            return data.read(16)

    text, numbers, tags = CompactString("utf-8"), CompactArray(Int32), ("tags", TaggedFields)
    broker = (("node_id", Int32), ("host", text), ("port", Int32), ("rack", text), tags)
    places = (("leader", Int32), ("epoch", Int32), ("replicas", numbers), ("isr", numbers), ("offline", numbers))
    part = (("error_code", Int16), ("partition", Int32), *places, tags)
    named = (("error_code", Int16), ("topic", text), ("topic_id", Uuid), ("internal", Boolean))
    told = (*named, ("partitions", CompactArray(*part)), ("operations", Int32), tags)
    cluster = (("throttle", Int32), ("brokers", CompactArray(*broker)), ("cluster", text), ("controller", Int32))

    class Answer(Response):
        API_KEY = 3  # pyright: ignore[reportIncompatibleMethodOverride, reportAssignmentType]
        API_VERSION = VERSION  # pyright: ignore[reportIncompatibleMethodOverride, reportAssignmentType]
        SCHEMA = Schema(*cluster, ("topics", CompactArray(*told)), ("operations", Int32), tags)

    class Question(RequestStruct):
        FLEXIBLE_VERSION = True
        API_KEY = 3
        API_VERSION = VERSION
        RESPONSE_TYPE = Answer
        SCHEMA = Schema(
            ("topics", CompactArray(("topic_id", Uuid), ("topic", text), tags)),
            ("create", Boolean),
            ("cluster_operations", Boolean),
            ("topic_operations", Boolean),
            tags,
        )

    class Metadata(Request[Question]):
        API_KEY = 3

        def __init__(self, topic: str) -> None:
            self._topic = topic

        def build(self, request_struct_class: type[Question]) -> Question:
            return request_struct_class([(bytes(16), self._topic, {})], False, False, False, {})

    return Metadata
