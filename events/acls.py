"""Who may do what to a ledger's topics, as kafka-acls commands: `python -m lepton_ai.events.acls`."""

from __future__ import annotations

from typing import Final, NamedTuple

from .cluster import Cluster, TopicName


class Right(NamedTuple):
    """What a role may do: write to some topics, read from others, make them."""

    role: str
    says: str
    writes: tuple[TopicName, ...]
    reads: tuple[TopicName, ...]
    makes: bool = False


RIGHTS: Final = (
    Right(
        "relay", "alone writes what the ledger says", ("events", "commands", "rejected"), ("events", "rejected"), True
    ),
    Right("intake", "takes in what others say", (), ("inbox", "results")),
    Right("projector", "follows the events, as any reader does", (), ("events",)),
    Right("worker", "hears commands and says results, nothing else", ("results",), ("commands", "events")),
    Right("service", "puts what it tells into the inbox, nothing else", ("inbox",), ("events", "rejected")),
)


def commands(cluster: Cluster, principal: str = "lepton-{role}") -> list[str]:
    """The arguments of kafka-acls, a line for each right; `{role}` stands for the role in the principal's name."""
    lines: list[str] = []
    for right in RIGHTS:
        who = f"--add --allow-principal User:{principal.format(role=right.role)}"
        for operations, topics in (
            ("--operation Write --operation Describe", right.writes),
            ("--operation Read --operation Describe --operation DescribeConfigs", right.reads),
        ):
            lines += [f"{who} {operations} --topic {cluster.topic(name)}" for name in topics]
        if right.makes:
            name = cluster.topic("events").rpartition(".")[0]
            lines.append(f"{who} --operation Create --resource-pattern-type prefixed --topic {name}.")
        if right.writes:
            lines.append(f"{who} --operation IdempotentWrite --cluster")
    return lines


def page() -> str:
    """The rights as a part of docs/kafka.md."""
    told = [f"| `{right.role}` | {right.says} | {_names(right.writes)} | {_names(right.reads)} |" for right in RIGHTS]
    table = "\n".join(["| role | | writes | reads |", "| --- | --- | --- | --- |", *told])
    shell = "\n".join(f"kafka-acls.sh --bootstrap-server $BROKER {line}" for line in commands(Cluster(("",))))
    return f"{table}\n\n```\n{shell}\n```\n"


def _names(topics: tuple[TopicName, ...]) -> str:
    return ", ".join(f"`{name}`" for name in topics) or "nothing"


if __name__ == "__main__":
    print(page(), end="")  # noqa: T201
