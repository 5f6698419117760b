"""Who may do what to a ledger's topics, as kafka-acls commands: `python -m lepton_ai.events.kafka.acls`."""

from __future__ import annotations

from typing import Final, NamedTuple

from .cluster import Cluster, TopicName
from .topics import TOPICS


class Right(NamedTuple):
    """What a role may do, topic by topic: write, read, see the settings that it checks, make what is missing."""

    role: str
    says: str
    writes: tuple[TopicName, ...] = ()
    reads: tuple[TopicName, ...] = ()
    checks: tuple[TopicName, ...] = ()
    makes: tuple[TopicName, ...] = ()


RIGHTS: Final = (
    Right(
        "relay",
        "alone makes the topics and writes what the ledger says",
        writes=("events", "commands", "rejected"),
        reads=("events", "commands", "rejected"),
        checks=tuple(TOPICS),
        makes=tuple(TOPICS),
    ),
    Right(
        "intake",
        "takes in what others say, and has the broker's clock stamp a message of its own",
        writes=("results",),
        reads=("inbox", "results"),
        checks=("inbox", "results"),
    ),
    Right(
        "projector",
        "follows the events, as any reader does; writes heads where LEPTON_WITNESS names Kafka",
        writes=("heads",),
        reads=("events",),
    ),
    Right("worker", "hears commands and says results, nothing else", writes=("results",), reads=("commands", "events")),
    Right(
        "service", "puts what it tells into the inbox, nothing else", writes=("inbox",), reads=("events", "rejected")
    ),
)


def commands(cluster: Cluster, principal: str = "lepton-{role}") -> list[str]:
    """The arguments of kafka-acls, a line for each right; `{role}` stands for the role in the principal's name."""
    lines: list[str] = []
    for right in RIGHTS:
        who = f"--add --allow-principal User:{principal.format(role=right.role)}"
        for operations, topics in (
            (("Write", "Describe"), right.writes),
            (("Read", "Describe"), right.reads),
            (("Describe", "DescribeConfigs"), right.checks),
            (("Create",), right.makes),
        ):
            may = " ".join(f"--operation {operation}" for operation in operations)
            if topics:
                lines.append(" ".join([who, may, *(f"--topic {cluster.topic(name)}" for name in topics)]))
        if right.writes:  # brokers since 2.8 let whoever may write also write idempotently
            lines.append(f"{who} --operation IdempotentWrite --cluster")
    return lines


def page() -> str:
    """The rights as a part of docs/kafka.md."""
    told = [" | ".join([f"`{right.role}`", right.says, *map(_names, right[2:])]) for right in RIGHTS]
    head = ["role | | writes | reads | checks | makes", "--- | --- | --- | --- | --- | ---"]
    table = "\n".join(f"| {row} |" for row in [*head, *told])
    shell = "\n".join(f"kafka-acls.sh --bootstrap-server $BROKER {line}" for line in commands(Cluster(("",))))
    return f"{table}\n\n```\n{shell}\n```\n"


def _names(topics: tuple[TopicName, ...]) -> str:
    return ", ".join(f"`{name}`" for name in topics) or "nothing"


if __name__ == "__main__":
    print(page(), end="")  # noqa: T201
