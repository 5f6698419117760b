"""No command is ever half on Kafka: what is too large is refused, and a topic ends where a command does."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lepton_ai import ModelManager
from lepton_ai.domain.commands import CreateTag
from lepton_ai.errors import TooLarge
from lepton_ai.events.actor import Actor
from lepton_ai.events.batch import BATCH_BYTES, RECORD_OVERHEAD
from lepton_ai.events.kafka.clients import Outgoing, TopicRecord, Writer
from lepton_ai.events.kafka.cluster import Cluster
from lepton_ai.events.kafka.log import KafkaLog
from lepton_ai.events.kafka.relay import READ, ROOT, Relay
from lepton_ai.events.kafka.restore import restore
from lepton_ai.events.sql.address import database_at
from lepton_ai.events.sql.audit import verify
from lepton_ai.events.sql.creation import open_or_create
from lepton_ai.events.sql.store import Store
from lepton_ai.ledger import Ledger, Receipt, Request
from lepton_ai.ledger import transaction as ledger_module

from .asking import PATIENCE, commit, note
from .events.relaying import topic

KIB = 1024
# kibibytes of notes beside the two events of a commit: borders of a batch, and hundreds of events where a read ends
MIX: list[tuple[int, int]] = [(0, 0), (240, 1), (240, 0), (240, 2), (1, 300), (250, 1), (250, 1), (250, 1), (1, 380)]


def filled(ledger: Ledger, actor: Actor, mix: Sequence[tuple[int, int]]) -> list[int]:
    """Admit commits of so many kibibytes and tags: the last event of each."""
    receipts = [
        ledger.admit(
            commit(
                n + 1,
                *([n] if n else []),
                environment={"a": "x" * (size * KIB)},
                annotations={"b": "x" * (size * KIB)},
                tags=tuple(f"tag{n}.{m}" for m in range(tags)),
            ),
            actor,
        )
        for n, (size, tags) in enumerate(mix)
    ]
    return [receipt.events[-1].seq for receipt in receipts]


async def relayed(store: Store, cluster: Cluster) -> None:
    """Relay all that the log holds."""
    await asyncio.wait_for(Relay(store, cluster, until=store.end()).run(asyncio.Event()), PATIENCE)


def batch_ends(messages: Sequence[TopicRecord]) -> list[int]:
    """The events that are the last of their batch."""
    return [n for n, message in enumerate(messages, 1) if ROOT in dict(message.headers)]


class Killed(Exception):
    """What a test ends a relay with, at a place of its own."""


def mortal(patch: pytest.MonkeyPatch, batches: int) -> None:
    """Let the relay die after so many batches of events were acknowledged."""
    send, left = Writer.send, iter(range(batches, -1, -1))

    async def sent(self: Writer, topic: Any, records: Sequence[Outgoing], partition: int = 0) -> int:
        if topic == "events" and not next(left):
            raise Killed
        return await send(self, topic, records, partition)

    patch.setattr(Writer, "send", sent)


@pytest.fixture
def empty(ledger: Ledger, tmp_path: Path) -> Iterator[Store]:
    """A database with nothing in it, to restore the ledger into."""
    database = database_at(f"sqlite:///{tmp_path / 'restored.db'}", "restored", wait=30)
    open_or_create(database, lambda: ledger.store.ledger_id)
    yield Store(database)
    database.close()


def commands_of(store: Store) -> list[tuple[str | None, int | None, int]]:
    """Key and length of every command, and where it begins."""
    return [(row.key, row.span, row.seq) for row in store.whole_rows(0, 10**6) if row.key is not None]


async def test_batches_end_where_commands_do(ledger: Ledger, actor: Actor, cluster: Cluster) -> None:
    ends = filled(ledger, actor, MIX)
    ledger.admit_all(Request(note(n), actor) for n in range(READ))
    ends += range(ends[-1] + 1, ends[-1] + READ + 1)

    await relayed(ledger.store, cluster)

    messages = await topic(cluster)
    assert [message.value for message in messages] == [row.envelope for row in ledger.store.read(0, 10**6)]
    told = batch_ends(messages)
    assert set(told) <= set(ends)
    assert len(told) > len(MIX) // 2
    assert dict(messages[-1].headers)[ROOT].decode() == ledger.store.head().frontier.root().hex()


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
async def test_wherever_a_relay_is_killed_whole_commands_are_restored_and_the_rest_follows(
    ledger: Ledger, actor: Actor, cluster: Cluster, empty: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(ledger, actor, MIX)
    whole = commands_of(ledger.store)
    before, seen = 0, 0
    while before < ledger.store.end():
        with monkeypatch.context() as patch:
            mortal(patch, 1)
            with suppress(Killed):
                await relayed(ledger.store, cluster)

        restored = await asyncio.to_thread(restored_from, empty, cluster)
        assert restored > before
        assert commands_of(empty) == whole[: len(commands_of(empty))]
        assert sum(span or 0 for _, span, _ in commands_of(empty)) == restored
        assert verify(empty).size == restored
        before, seen = restored, seen + 1

    assert seen > len(MIX) // 2
    messages = await topic(cluster)
    assert [message.value for message in messages] == [row.envelope for row in ledger.store.read(0, 10**6)]
    assert verify(empty).root == verify(ledger.store).root


def restored_from(store: Store, cluster: Cluster) -> int:
    """Bring a database up to the topic: the last event that it has."""
    with KafkaLog(cluster) as log:
        return restore(store, log).after


async def test_a_command_of_before_the_limit_goes_in_batches_of_its_own_and_all_others_whole(
    ledger: Ledger, actor: Actor, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(ledger_module, "BATCH_BYTES", 100 * BATCH_BYTES)
        ends = filled(ledger, actor, [(1, 3), (200, 2500), (1, 3), (240, 1)])
    first, large, *_ = ends

    await relayed(ledger.store, cluster)

    messages = await topic(cluster)
    assert [message.value for message in messages] == [row.envelope for row in ledger.store.read(0, 10**6)]
    cut = set(batch_ends(messages)) - set(ends)
    assert cut
    assert all(first < seq < large for seq in cut)


async def test_a_relay_goes_on_from_the_middle_of_a_command_that_an_older_one_had_cut(
    ledger: Ledger, actor: Actor, cluster: Cluster
) -> None:
    ends = filled(ledger, actor, [(1, 3), (240, 4), (240, 1)])
    await relayed_up_to(ledger.store, cluster, ends[0] + 2)

    await relayed(ledger.store, cluster)

    messages = await topic(cluster)
    assert [message.value for message in messages] == [row.envelope for row in ledger.store.read(0, 10**6)]
    assert batch_ends(messages) == [ends[0] + 2, ends[-1]]


async def relayed_up_to(store: Store, cluster: Cluster, seq: int) -> None:
    """What a relay sent that looked at nothing but bytes."""
    from lepton_ai.events.kafka.topics import open_topics

    await open_topics(cluster)
    rows = store.read(0, seq)
    root = (ROOT, store.frontier(seq).root().hex().encode())
    async with Writer(cluster) as writer:
        records = [Outgoing(row.envelope, headers=(root,) if row is rows[-1] else ()) for row in rows]
        await writer.send("events", records)


def test_a_command_too_large_for_a_batch_is_refused_and_the_others_go_on(ledger: Ledger, actor: Actor) -> None:
    ledger.admit(commit(1), actor)
    head, state = ledger.store.head(), ledger.state("model/credit")
    tags = tuple(f"tag{n}" for n in range(1000))

    with pytest.raises(TooLarge, match=r"one Commit, 1,001 of them, .* the 786,432 bytes .*; ask for it in parts"):
        ledger.admit(commit(2, 1, tags=tags), actor, key="large")
    assert (ledger.store.head(), ledger.state("model/credit"), ledger.store.known("large")) == (head, state, None)

    small, large, tagged, again = ledger.admit_all(
        [
            Request(note("before"), actor),
            Request(commit(2, 1, tags=tags), actor, "large"),
            Request(CreateTag(model="credit", tag="tag7", version=1), actor),
            Request(commit(3, 1, tags=tags[:7]), actor, "large"),
        ]
    )

    assert isinstance(large, TooLarge)
    assert [[each.seq for each in receipt.events] for receipt in (small, tagged) if isinstance(receipt, Receipt)] == [
        [3],
        [4],
    ]
    assert isinstance(again, Receipt)
    assert not again.repeated
    assert again.events[0].stream_version == 5
    assert ledger.state("model/credit") == Ledger(ledger.store).state("model/credit")
    assert verify(ledger.store).size == ledger.store.end() == 12


def test_a_command_may_fill_a_batch_to_the_last_byte(
    ledger: Ledger, actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger.admit(commit(1, annotations={"a": "x"}, tags=("v1",)), actor, key="k" * 36)
    size = sum(len(row.envelope) + RECORD_OVERHEAD for row in ledger.store.read(0, 10))

    monkeypatch.setattr(ledger_module, "BATCH_BYTES", size)
    assert ledger.admit(commit(1, model="drebit", annotations={"a": "x"}, tags=("v1",)), actor, key="l" * 36).events
    with pytest.raises(TooLarge):
        ledger.admit(commit(1, model="debits", annotations={"a": "xy"}, tags=("v1",)), actor, key="m" * 36)


def test_a_run_logs_more_at_once_than_a_command_may_tell(home: Path) -> None:
    names = [f"layer.{'ü' * 180}.{n}" for n in range(12_000)]
    with ModelManager(home, actor="Ada") as manager:
        with manager.run("net") as run:
            run.log(dict.fromkeys(names, 0.5), step=1)
        told = [event for event in manager.events(stream=f"run/{run.id}") if "names" in event["data"]]
        count = manager.sql("SELECT count(DISTINCT name) AS n FROM metrics").to_pylist()

    assert [name for event in told for name in event["data"]["names"]] == names
    assert count == [{"n": len(names)}]
    assert len({event["commandid"] for event in told}) > 5


def test_a_model_of_many_thousand_tensors_is_kept(home: Path) -> None:
    arrays = {f"layers.{n}.weight": np.full(1, n, np.float32) for n in range(9_000)}
    with ModelManager(home, actor="Ada") as manager:
        version = manager.save_version(arrays, name="wide")
        with manager.run("wide") as run:
            run.checkpoint({name: value + 1 for name, value in arrays.items()})
        told = [event for event in manager.events() if event["type"] == "lepton.manifest.written.v1"]
        count = manager.sql("SELECT count(*) AS n FROM version_tensors").to_pylist()
        kept = manager.load_arrays(version)

    assert count == [{"n": 9_000}]
    assert {name: float(value[0]) for name, value in kept.items()} == {f"layers.{n}.weight": n for n in range(9_000)}
    assert [event["data"]["page"] for event in told] == [*range(18), *range(18)]
    assert len({event["commandid"] for event in told}) > 4
