"""Records on the ledger's topics that are not the ledger's: passed over by everybody, counted, and named."""

from __future__ import annotations

import asyncio
import random
from asyncio import to_thread
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from lepton_ai import ModelManager
from lepton_ai.errors import Refused
from lepton_ai.events.actor import Actor
from lepton_ai.events.kafka.clients import Outgoing
from lepton_ai.events.kafka.cluster import Cluster
from lepton_ai.events.kafka.log import KafkaLog
from lepton_ai.events.kafka.relay import Relay
from lepton_ai.events.kafka.restore import restore
from lepton_ai.events.kafka.topics import open_topics
from lepton_ai.events.log import Row
from lepton_ai.events.sql.address import database_at
from lepton_ai.events.sql.audit import verify
from lepton_ai.events.sql.creation import open_or_create
from lepton_ai.events.sql.store import Store
from lepton_ai.ledger import Ledger, Request

from ..asking import PATIENCE, commit, note, until
from ..broker import Kafka
from ..cli_home import Cli
from . import topics
from .relaying import relaying
from .strangers import Forger, forged_batch, tell_all

on_sqlite = pytest.mark.parametrize("url", ["sqlite"], indirect=True)


async def relayed(ledger: Ledger, cluster: Cluster, **how: bool) -> None:
    """Relay all that the log holds."""
    relay = Relay(ledger.store, cluster, until=ledger.store.end(), **how)
    await asyncio.wait_for(relay.run(asyncio.Event()), PATIENCE)


def rows_of(ledger: Ledger) -> list[Row]:
    """All events."""
    return list(ledger.store.read(0, 100_000))


def read(cluster: Cluster, store: Store | None = None) -> tuple[list[Row], int]:
    """What a reader of the topic makes of it, beside the database or without: the events, and what it passed over."""
    with KafkaLog(cluster, store) as log:
        found: list[Row] = []
        while more := log.read(len(found), 700):
            found += more
        assert log.end() == len(found)
        return found, log.strangers.count


async def agreed(ledger: Ledger, cluster: Cluster) -> None:
    """Every reader has every event of the ledger, each once, and nothing else."""
    rows = rows_of(ledger)
    for store in (ledger.store, None):
        found, _ = await to_thread(read, cluster, store)
        assert found == rows


@pytest.fixture
async def told(ledger: Ledger, actor: Actor, cluster: Cluster) -> Ledger:
    """A ledger of 60 events on its topic."""
    ledger.admit(commit(1), actor)
    ledger.admit_all(Request(note(n), actor) for n in range(58))
    await relayed(ledger, cluster)
    return ledger


@pytest.mark.parametrize(("url", "seed"), [("sqlite", 1), ("postgresql", 2)], indirect=["url"])
async def test_readers_and_relay_pass_over_whatever_others_put_on_the_topic(
    told: Ledger, actor: Actor, cluster: Cluster, seed: int
) -> None:
    chance = random.Random(seed)
    for n in range(2):
        strangers = await tell_all(cluster, "events", rows_of(told), chance)
        await agreed(told, cluster)
        told.admit_all(Request(note(100 * n + m), actor) for m in range(7))
        await relayed(told, cluster)
        await agreed(told, cluster)

    _, passed = await to_thread(read, cluster, told.store)
    assert passed > strangers


@on_sqlite
async def test_a_relay_at_work_names_what_others_write_and_goes_on(
    told: Ledger, actor: Actor, cluster: Cluster, caplog: pytest.LogCaptureFixture
) -> None:
    relay, stop = Relay(told.store, cluster, check=0.1), asyncio.Event()
    task = asyncio.create_task(relay.run(stop))
    await topics.tell(cluster, "events", b"first")
    async with asyncio.timeout(PATIENCE):
        while relay.strangers < 1:
            await asyncio.sleep(0.01)
        await topics.together(cluster, "events", [Outgoing(b"second"), Outgoing(b"third")])
        told.admit(note("between"), actor)
        while relay.strangers < 3 or relay.position < told.store.end():
            await asyncio.sleep(0.01)
    stop.set()
    await task

    assert "it is no event of a ledger" in caplog.text
    mark = told.store.sent(cluster.topic("events"))
    last = (await topics.everything(cluster, "events"))[-1]
    assert mark is not None
    assert (mark.seq, mark.strangers, mark.at.digest) == (told.store.end(), 3, last.digest)
    await agreed(told, cluster)


@on_sqlite
async def test_behind_thousands_of_strangers_the_end_is_found(told: Ledger, actor: Actor, cluster: Cluster) -> None:
    forger = Forger(rows_of(told), random.Random(3))
    for _ in range(4):
        await topics.together(cluster, "events", [Outgoing(forger.event(forger.next)) for _ in range(500)])
    told.admit(note("after"), actor)

    await relayed(told, cluster)

    await agreed(told, cluster)
    assert len(await topics.everything(cluster, "events")) == told.store.end() + 2000


@on_sqlite
@pytest.mark.parametrize("first", ["forged", "genuine"])
async def test_a_forged_batch_whose_root_follows_loses_to_the_history_that_goes_on(
    told: Ledger, actor: Actor, cluster: Cluster, first: str
) -> None:
    """Both follow from the same past by their roots: beside the database the leaf tells, without it the longer one."""
    forged = forged_batch(rows_of(told), 2, Forger(rows_of(told), random.Random(4)))
    stop = asyncio.Event()
    relay = Relay(told.store, cluster)
    task = asyncio.create_task(relay.run(stop))
    async with asyncio.timeout(PATIENCE):
        while relay.position < told.store.end():
            await asyncio.sleep(0.01)
        for round, each in enumerate((first, "genuine", "genuine")):
            if (each == "forged") or (round == 1 and first == "genuine"):
                await topics.together(cluster, "events", forged)
            told.admit_all(Request(note(f"{round}.{n}"), actor) for n in range(2))
            while relay.position < told.store.end():
                await asyncio.sleep(0.01)
    stop.set()
    await task

    await agreed(told, cluster)
    await relayed(told, cluster)


@on_sqlite
async def test_a_history_that_goes_on_by_its_roots_stops_a_relay_unless_told_to_pass_over_it(
    told: Ledger, actor: Actor, cluster: Cluster
) -> None:
    forged = forged_batch(rows_of(told), 2, Forger(rows_of(told), random.Random(5)))
    await topics.together(cluster, "events", forged)

    with pytest.raises(Refused, match=r"`lepton restore --missing` brings the events back.*--pass-over"):
        await relayed(told, cluster)
    told.admit_all(Request(note(n), actor) for n in range(3))
    with pytest.raises(Refused, match=r"another history: its event 61 .*--pass-over"):
        await relayed(told, cluster)
    await relayed(told, cluster, pass_over=True)

    await relayed(told, cluster)
    await agreed(told, cluster)


@pytest.fixture
def empty(told: Ledger, tmp_path: Path) -> Iterator[Store]:
    """A database with nothing in it, to restore the ledger into."""
    database = database_at(f"sqlite:///{tmp_path / 'restored.db'}", "restored", wait=30)
    open_or_create(database, lambda: told.store.ledger_id)
    yield Store(database)
    database.close()


@on_sqlite
async def test_a_restore_passes_over_strangers(told: Ledger, actor: Actor, cluster: Cluster, empty: Store) -> None:
    chance = random.Random(6)
    for n in range(2):
        await tell_all(cluster, "events", rows_of(told), chance)
        told.admit_all(Request(note(f"{n}.{m}"), actor) for m in range(3))
        await relayed(told, cluster)
    await tell_all(cluster, "events", rows_of(told), chance)

    def restored() -> int:
        with KafkaLog(cluster) as log:
            return restore(empty, log).after

    assert await to_thread(restored) == told.store.end()
    assert verify(empty).root == verify(told.store).root


@on_sqlite
async def test_copies_of_refused_messages_go_on_behind_strangers(told: Ledger, actor: Actor, cluster: Cluster) -> None:
    from lepton_ai.events.inbox import Letter
    from lepton_ai.events.sql.actors import Actors
    from lepton_ai.jobs.intake.inbox import Intake

    intake = Intake(told, Actors(told.store.database), cluster.topic("inbox"))
    for n in range(3):
        intake.take([Letter(n, b"refused %d" % n)], n or None)
        await relayed(told, cluster)
        await tell_all(cluster, "rejected", rows_of(told), random.Random(n))
        await topics.tell(cluster, "rejected", Outgoing(b"x", headers=(("lepton-rejected", b"99"),)))

    told_of = [dict(each.headers).get("lepton-place") for each in await topics.everything(cluster, "rejected")]
    place = f"{cluster.topic('inbox')} 0"
    assert [each for each in told_of if each] == [f"{place} {n}".encode() for n in range(3)]


@on_sqlite
def test_a_topic_of_events_made_anew_under_a_running_relay_gets_all_again(
    told: Ledger, actor: Actor, cluster: Cluster, caplog: pytest.LogCaptureFixture
) -> None:
    def there() -> bool:
        try:
            return read(cluster, told.store)[0] == rows_of(told)
        except Exception:  # noqa: BLE001 - there is no topic, or not all of it, for a while
            return False

    noticed = "was deleted and made anew while it was written"
    with relaying(told.store, cluster):
        until(there)
        for round in range(8):
            if round > 1 and noticed in caplog.text:
                break  # else each write failed, and the next beginning noticed it
            asyncio.run(topics.make_anew(cluster, "events"))
            told.admit_all(Request(note(f"{round}.{n}"), actor) for n in range(3))
            until(there)

    assert noticed in caplog.text
    asyncio.run(agreed(told, cluster))


@on_sqlite
async def test_what_a_relay_sent_into_a_topic_made_anew_before_it_died_is_not_taken_for_all(
    told: Ledger, actor: Actor, cluster: Cluster
) -> None:
    await topics.make_anew(cluster, "events")
    rows = rows_of(told)
    frontier = told.store.frontier(60)
    root = ("lepton-root", frontier.root().hex().encode())
    await topics.together(
        cluster, "events", [Outgoing(rows[58].envelope), Outgoing(rows[59].envelope, headers=(root,))]
    )

    await relayed(told, cluster)
    await agreed(told, cluster)
    length = await topics.end(cluster, "events")
    await relayed(told, cluster)
    assert await topics.end(cluster, "events") == length


@on_sqlite
@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"cleanup_policy": "compact"}, "cleanup.policy=compact"),
        ({"retention_ms": "1000"}, "retention.ms=1000"),
        ({"retention_bytes": "1"}, "retention.bytes=1"),
        ({"compression_type": "zstd"}, "compression.type=zstd"),
        (None, "has 2 partitions"),
    ],
)
async def test_settings_changed_under_a_running_relay_stop_it(
    told: Ledger, cluster: Cluster, change: dict[str, str] | None, complaint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aiokafka.codec.has_zstd", lambda: False)  # as where cramjam is missing
    task = asyncio.create_task(Relay(told.store, cluster, check=0.2).run(asyncio.Event()))
    await (topics.add_partitions(cluster, "events", 2) if change is None else topics.alter(cluster, "events", **change))

    async with asyncio.timeout(PATIENCE):
        with pytest.raises(Refused, match=complaint):
            await task


@on_sqlite
async def test_a_topic_that_nobody_has_made_is_made_by_a_running_relay(
    ledger: Ledger, actor: Actor, cluster: Cluster
) -> None:
    ledger.admit(commit(1), actor)
    await open_topics(cluster)
    stop = asyncio.Event()
    task = asyncio.create_task(Relay(ledger.store, cluster, check=0.1).run(stop))
    await topics.delete(cluster, "events")
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                if (await to_thread(read, cluster))[0] == rows_of(ledger):
                    break
            except Exception:  # noqa: BLE001 - it is not there yet
                await asyncio.sleep(0.05)
    stop.set()
    await task


def test_status_names_what_others_put_on_the_topic(
    kafka: Kafka, cluster: Cluster, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEPTON_KAFKA", kafka.servers)
    monkeypatch.setenv("LEPTON_KAFKA_PREFIX", cluster.prefix)
    with ModelManager(home, actor="Ada") as manager:
        manager.save_version({"w": np.zeros(4)}, name="credit")
    cli = Cli(home)
    assert cli("relay --once").code == 0
    clean = cli("status --json").json
    assert (clean["strangers"], clean["complaints"]) == ({"count": 0, "offset": None, "why": None}, [])
    end = asyncio.run(topics.end(cluster, "events"))
    asyncio.run(topics.tell(cluster, "events", b"garbage"))
    asyncio.run(topics.tell_null(cluster, "events"))
    with ModelManager(home, actor="Ada") as manager:
        manager.archive("credit", reason="for now")

    dirty = cli("status --json").json
    assert dirty["strangers"] == {"count": 2, "offset": end + 1, "why": "it has no value"}
    assert dirty["kafka"]["lag"] == 1
    assert cli("relay --once").code == 0
    assert "2 records that others put on the topic" in cli("status").out
    assert "has every event" in cli("status").out

    asyncio.run(topics.alter(cluster, "events", retention_ms="1000"))
    (complaint,) = cli("status --json").json["complaints"]
    assert "retention.ms=1000" in complaint
    assert complaint in cli("status").out
    told = cli("relay --once")
    assert (told.code, "retention.ms=1000" in told.err) == (1, True)
