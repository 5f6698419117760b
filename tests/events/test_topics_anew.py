"""Topics that are not what they were: made anew, cut short or given partitions under those who read them."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from lepton_ai.errors import LeptonError, Refused, Unavailable
from lepton_ai.events.actor import Actor
from lepton_ai.events.bookmark import Bookmark
from lepton_ai.events.kafka.clients import Reader
from lepton_ai.events.kafka.cluster import Cluster
from lepton_ai.events.kafka.loop_thread import LoopThread
from lepton_ai.events.kafka.sync import Listener
from lepton_ai.events.kafka.topics import open_topics
from lepton_ai.events.sql.actors import Actors
from lepton_ai.events.sql.queue import RESULTS
from lepton_ai.jobs.intake.inbox import Intake
from lepton_ai.jobs.protocol.over_kafka import opened
from lepton_ai.ledger import Ledger

from ..asking import PATIENCE, commit, until
from ..jobs.receiving import receiving
from ..jobs.test_intake import event
from . import topics

on_sqlite = pytest.mark.parametrize("url", ["sqlite"], indirect=True)


def messages(first: int, last: int) -> list[bytes]:
    """Messages of a service, by their ids."""
    return [json.dumps(event(n)).encode() for n in range(first, last + 1)]


def taken(ledger: Ledger) -> Counter[str]:
    """The ids of the messages that were taken in, and how often."""
    envelopes = (json.loads(row.envelope) for row in ledger.store.read(0, 10_000))
    return Counter(each["inboxid"] for each in envelopes if "inboxid" in each)


@asynccontextmanager
async def taking_in(ledger: Ledger, cluster: Cluster, check: float = 60.0) -> AsyncGenerator[asyncio.Future[None]]:
    """An intake at work."""
    actors = Actors(ledger.store.database)
    with receiving(ledger, cluster, lambda part: Intake(ledger, actors, cluster.topic("inbox"), part), check) as task:
        yield asyncio.wrap_future(task)


async def reached(ledger: Ledger, count: int) -> None:
    """Wait until so many messages were taken in, each once."""
    async with asyncio.timeout(PATIENCE):
        while len(ids := await asyncio.to_thread(taken, ledger)) < count:
            await asyncio.sleep(0.02)
    assert set(ids.values()) == {1}
    assert len(ids) == count


@pytest.fixture
async def inbox(ledger: Ledger, actor: Actor, cluster: Cluster) -> Ledger:
    """A ledger that has taken in 13 messages from its inbox."""
    ledger.admit(commit(1), actor)
    await open_topics(cluster)
    await topics.tell(cluster, "inbox", *messages(1, 13))
    async with taking_in(ledger, cluster):
        await reached(ledger, 13)
    return ledger


@on_sqlite
@pytest.mark.parametrize("count", [5, 13, 40])
async def test_of_an_inbox_made_anew_every_message_is_taken_in(
    inbox: Ledger, cluster: Cluster, count: int, caplog: pytest.LogCaptureFixture
) -> None:
    await topics.make_anew(cluster, "inbox")
    await topics.tell(cluster, "inbox", *messages(101, 100 + count), *messages(3, 4))

    async with taking_in(inbox, cluster):
        await reached(inbox, 13 + count)

    assert "was deleted and made anew after it was read up to offset 13" in caplog.text
    assert f"{count + 2} records lie" in caplog.text


@on_sqlite
async def test_an_inbox_made_anew_under_a_running_intake_is_noticed(
    inbox: Ledger, cluster: Cluster, caplog: pytest.LogCaptureFixture
) -> None:
    async with taking_in(inbox, cluster):
        for round in range(2):
            await topics.make_anew(cluster, "inbox")
            await topics.tell(cluster, "inbox", *messages(100 + 20 * round, 119 + 20 * round))
            await reached(inbox, 33 + 20 * round)

    # told again where the broker was away in between
    assert len({*re.findall(r"was deleted and made anew after it was read up to offset (\d+)", caplog.text)}) == 2


@on_sqlite
async def test_what_retention_deleted_unread_is_told_with_counts(
    inbox: Ledger, cluster: Cluster, caplog: pytest.LogCaptureFixture
) -> None:
    await topics.tell(cluster, "inbox", *messages(101, 110))
    await topics.delete_records(cluster, "inbox", 17)

    async with taking_in(inbox, cluster):
        await reached(inbox, 13 + 6)

    assert "records 13 to 16 of" in caplog.text
    assert "4 records are lost" in caplog.text


@pytest.mark.parametrize("ids", [True, False])
async def test_a_topic_cut_short_or_without_an_id_is_known_by_its_last_record(
    inbox: Ledger, cluster: Cluster, ids: bool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """An unclean election leaves the topic its id, and a broker before 2.8 gives none: the digest tells then."""
    await topics.make_anew(cluster, "inbox")
    await topics.tell(cluster, "inbox", *messages(201, 215))
    async with Reader(cluster, "inbox") as reader:
        id = reader.id
    with inbox.store.database.connection() as connection:
        mark = inbox.store.database.mark
        connection.execute(f"UPDATE positions SET topic_id = {mark}", (id if ids else None,))
    if not ids:
        monkeypatch.setattr("lepton_ai.events.kafka.clients.topic_id", _no_id)

    async with taking_in(inbox, cluster):
        await reached(inbox, 13 + 15)

    assert "holds another record at offset 12 than was read there" in caplog.text


async def _no_id(*_: object) -> None:
    return None


@on_sqlite
async def test_a_position_of_an_older_ledger_is_kept_for_the_topic_that_is_there(
    inbox: Ledger, cluster: Cluster, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "lepton")
    with inbox.store.database.connection() as connection:
        connection.execute("UPDATE positions SET topic_id = NULL, digest = NULL")
    await topics.tell(cluster, "inbox", *messages(101, 103))

    async with taking_in(inbox, cluster):
        await reached(inbox, 16)

    assert "is taken for the topic that was read up to offset 13" in caplog.text
    bookmark = inbox.store.bookmark(cluster.topic("inbox"), 0)
    async with Reader(cluster, "inbox") as reader:
        last = await reader.last()
        assert last is not None
        assert bookmark == Bookmark(16, reader.id, last.digest)


@on_sqlite
async def test_partitions_added_under_a_running_intake_are_taken_in(
    inbox: Ledger, cluster: Cluster, caplog: pytest.LogCaptureFixture
) -> None:
    async with taking_in(inbox, cluster, check=0.2):
        await topics.add_partitions(cluster, "inbox", 3)
        await topics.tell(cluster, "inbox", *messages(101, 105), partition=2)
        await reached(inbox, 18)

    assert "has 3 partitions now, it had 1" in caplog.text


@on_sqlite
async def test_an_inbox_that_is_compacted_under_a_running_intake_stops_it(inbox: Ledger, cluster: Cluster) -> None:
    async with taking_in(inbox, cluster, check=0.2) as task:
        await topics.alter(cluster, "inbox", cleanup_policy="compact")
        async with asyncio.timeout(PATIENCE):
            with pytest.raises(Refused, match=r"cleanup\.policy=compact"):
                await task


@on_sqlite
def test_of_results_made_anew_every_message_is_read(
    ledger: Ledger, cluster: Cluster, caplog: pytest.LogCaptureFixture
) -> None:
    """The ledger's side of what workers say, while it reads, and when it begins with what it knew."""
    asyncio.run(open_topics(cluster))
    topic = cluster.topic("results")

    def read(position: int, count: int) -> list[bytes]:
        found: list[bytes] = []
        with opened(cluster, RESULTS, lambda _, part: known) as (each,):
            while len(found) < count:
                try:
                    posted = each.read(position, 100)
                except LeptonError:
                    continue
                found += [one.raw for one in posted]
                for one in posted:
                    position = one.position + 1
        return found

    known = None
    asyncio.run(topics.tell(cluster, "results", *messages(1, 4)))
    with opened(cluster, RESULTS) as (each,):
        before = each.read(0, 100) or each.read(0, 100)
        while len(before) < 4:
            before = [*before, *each.read(before[-1].position + 1 if before else 0, 100)]
        known = Bookmark(4, before[-1].topic_id, before[-1].mark)
        asyncio.run(topics.make_anew(cluster, "results"))
        asyncio.run(topics.tell(cluster, "results", *messages(11, 19)))
        assert read(4, 9) == messages(11, 19)

    assert f"{topic} was deleted and made anew after it was read up to offset 4" in caplog.text


def test_a_topic_made_anew_under_a_listener_is_heard_from_its_beginning(cluster: Cluster) -> None:
    asyncio.run(open_topics(cluster))
    loop = LoopThread("listener")
    listener = Listener(loop, cluster, "commands")
    asyncio.run(topics.tell(cluster, "commands", *messages(1, 3)))
    listener.open()
    for round in range(3):
        asyncio.run(topics.make_anew(cluster, "commands"))
        asyncio.run(topics.tell(cluster, "commands", *messages(10 * round, 10 * round + 4)))
        heard: list[bytes] = []
        while len(heard) < 5:
            try:
                heard += [each.value for each in listener.read(100, 0.2)]
            except LeptonError:
                continue
        assert heard == messages(10 * round, 10 * round + 4)
    listener.close()
    loop.stop()


def test_partitions_added_to_the_results_are_noticed(cluster: Cluster) -> None:
    asyncio.run(open_topics(cluster))
    with opened(cluster, RESULTS, check=0.0) as (each,):
        each.read(0, 10)
        asyncio.run(topics.add_partitions(cluster, "results", 3))

        def noticed() -> bool:
            try:
                each.read(0, 10)
            except Unavailable as error:
                return "has 3 partitions now, it had 1" in str(error)
            return False

        until(noticed)
    with opened(cluster, RESULTS) as parts:
        assert [each.part for each in parts] == [0, 1, 2]
