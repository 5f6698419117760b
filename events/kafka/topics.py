"""The topics of a ledger: made where they are missing, refused where they would lose or reorder events."""

# pyright: reportUnknownParameterType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# (aiokafka is typed in parts)

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from ...errors import Refused, Unavailable
from .cluster import Cluster, TopicName
from .errors import stopped, translated

_FOR_EVER: Final = {"cleanup.policy": "delete", "retention.ms": "-1", "retention.bytes": "-1"}
_STAMPED: Final = {"message.timestamp.type": "LogAppendTime"}
_BROKERS_OWN: Final = -1
"""As many replicas as the broker makes by default."""
_ALREADY_THERE: Final = 36
"""Kafka's error code of a topic that exists."""
_SOON: Final = 10.0
"""Seconds in which a broker knows a topic that was made."""
_NOT_YET: Final = (3, 5)
"""Kafka's error codes of a topic that the broker asked does not know yet, or whose leader it does not."""


class WrongTopic(Refused):
    """A topic would lose or reorder what is written there."""


class Topic(NamedTuple):
    """How a topic must be: its partitions (None: any number), and settings that must hold."""

    partitions: int | None
    settings: Mapping[str, str]


TOPICS: Final[Mapping[TopicName, Topic]] = {
    # one partition, for its order is `seq`; kept for ever, for a ledger is restored from it
    "events": Topic(1, _FOR_EVER | _STAMPED),
    "commands": Topic(1, {"cleanup.policy": "delete"} | _STAMPED),
    # leases run by the broker's clock, which stamps what workers say
    "results": Topic(None, {"cleanup.policy": "delete"} | _STAMPED),
    "inbox": Topic(None, {"cleanup.policy": "delete"}),
    "rejected": Topic(1, {"cleanup.policy": "delete"}),
}


async def open_topics(cluster: Cluster) -> None:
    """Make the topics that are missing, with the broker's own number of replicas, and check all of them.

    Raises `Refused` naming the topic and the setting that would lose or reorder events; `Unavailable`.
    """
    from aiokafka.admin import AIOKafkaAdminClient

    async with translated(cluster):
        admin: Any = AIOKafkaAdminClient(**cluster.client())
        try:
            await admin.start()
            there = set(await admin.list_topics())
            missing = [_new(cluster.topic(name), topic) for name, topic in TOPICS.items()]
            missing = [topic for topic in missing if topic.name not in there]
            if missing:
                await _make(admin, missing)
            until = time.monotonic() + _SOON
            while 0 in await _check(admin, cluster, TOPICS) and time.monotonic() < until:
                await asyncio.sleep(0.05)
        finally:
            await stopped(admin)


async def partitions(cluster: Cluster, name: TopicName) -> int:
    """How many partitions a topic has, once it is as it must be; whoever asks needs no right to another one.

    Raises `Refused` naming the setting that would lose messages; `Unavailable`, also where nobody has made it yet.
    """
    from aiokafka.admin import AIOKafkaAdminClient

    async with translated(cluster):
        admin: Any = AIOKafkaAdminClient(**cluster.client())
        try:
            await admin.start()
            (found,) = await _check(admin, cluster, [name])
        finally:
            await stopped(admin)
    if not found:
        raise Unavailable(f"there is no topic {cluster.topic(name)} on {cluster.name} yet; `lepton relay` makes it")
    return found


async def complaints(cluster: Cluster) -> list[str]:
    """What is not as it must be, a sentence a topic; nothing of a topic whose settings one may not see.

    Raises `Unavailable`.
    """
    from aiokafka.admin import AIOKafkaAdminClient

    found: list[str] = []
    async with translated(cluster):
        admin: Any = AIOKafkaAdminClient(**cluster.client())
        try:
            await admin.start()
            for name in TOPICS:
                try:
                    async with translated(cluster):
                        (count,) = await _check(admin, cluster, [name])
                    if not count:
                        found.append(f"there is no topic {cluster.topic(name)}; `lepton relay` makes it")
                except WrongTopic as wrong:
                    found.append(str(wrong))
                except Refused:
                    continue
        finally:
            await admin.close()
    return found


def _new(name: str, topic: Topic) -> Any:
    from aiokafka.admin import NewTopic

    new = NewTopic(name, topic.partitions or 1, 1, topic_configs=dict(topic.settings))
    new.replication_factor = _BROKERS_OWN  # which its constructor does not let through
    return new


async def _make(admin: Any, topics: list[Any]) -> None:
    from aiokafka.errors import for_code

    answer = await admin.create_topics(topics)
    for name, code, *rest in answer.topic_errors:
        if code not in (0, _ALREADY_THERE):  # another process may be as eager
            raise for_code(code)(f"{name}: {rest[0] if rest else ''}")


async def _check(admin: Any, cluster: Cluster, topics: Iterable[TopicName]) -> list[int]:
    """How many partitions each topic has: none where the broker does not know it yet."""
    from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

    names = {cluster.topic(name): TOPICS[name] for name in topics}
    counts: dict[str, int] = {}
    for told in await admin.describe_topics(list(names)):
        name, wanted, found = told["topic"], names[told["topic"]].partitions, len(told["partitions"])
        _may_see(told["error_code"], name)
        if wanted is not None and found not in (0, wanted):
            raise WrongTopic(f"topic {name} has {found} partitions, and its order needs exactly {wanted}")
        counts[name] = found
    resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    for answer in await admin.describe_configs(resources):
        for code, _, _, name, settings in answer.resources:
            _may_see(code, name)
            held = {setting[0]: setting[1] for setting in settings}
            if held.get("compression.type") in _unreadable():
                raise WrongTopic(
                    f"topic {name} has compression.type={held['compression.type']}, which cannot be read here; "
                    "pip install cramjam, or alter it to compression.type=producer"
                )
            for setting, value in names[name].settings.items():
                if held.get(setting, value) != value:
                    raise WrongTopic(
                        f"topic {name} has {setting}={held[setting]}, and Lepton needs {setting}={value}; "
                        "alter the topic, or set LEPTON_KAFKA_PREFIX to names of your own"
                    )
    return [counts[name] for name in names]


def _unreadable() -> set[str]:
    """The compressions that a broker may be told to use and aiokafka cannot undo as it is installed."""
    from aiokafka import codec

    return {name for name in ("snappy", "lz4", "zstd") if not getattr(codec, f"has_{name}")()}


def _may_see(code: int, name: str) -> None:
    from aiokafka.errors import for_code

    if code not in (0, *_NOT_YET):
        raise for_code(code)(name)
