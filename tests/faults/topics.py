"""Topics are deleted and made anew, cut by retention and given partitions, under running processes."""

from __future__ import annotations

import asyncio
import json
import os
import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from lepton_ai.events.kafka.clients import Outgoing
from lepton_ai.events.kafka.cluster import TopicName

from ..events import topics
from ._running import Running, running, until

TITLE: Final = "topics are made anew, cut and given partitions at random moments"

ROUNDS: Final = 14
KINDS: Final[tuple[TopicName, ...]] = ("inbox", "events", "results", "commands", "rejected")


@dataclass
class Inbox:
    """A service that knows which of its messages lie in a topic that was deleted."""

    at_work: Running
    sent: int = 0
    partitions: int = 1
    gone: set[int] = field(default_factory=set[int])
    """Messages that were deleted with their topic, or by its retention, before they were taken in."""

    def tell(self, count: int) -> None:
        """Put so many messages onto the inbox; on return the broker has them."""
        raws = [Outgoing(_message(self.sent + n)) for n in range(count)]
        for partition in range(self.partitions):
            asyncio.run(
                topics.together(self.at_work.home.cluster, "inbox", raws[partition :: self.partitions] or raws[:1])
            )
        self.sent += count

    def lacking(self) -> set[int]:
        """The messages that were not taken in."""
        rows = self.at_work.home.store.read(0, 10**7)
        ids = (json.loads(row.envelope).get("inboxid") for row in rows if b'"inboxid"' in row.envelope)
        return set(range(self.sent)) - {int(each) for each in ids if each is not None}

    def lose(self) -> None:
        """What is not taken in by now was deleted."""
        self.gone |= self.lacking()


def _message(number: int) -> bytes:
    told = {"version": 1, "metrics": {"f1": number / 1e6}}
    whole = {"specversion": "1.0", "id": str(number), "source": "/scoring", "subject": "model/credit"}
    return json.dumps(whole | {"type": "lepton.metrics.recorded.v1", "data": told}).encode()


def suffer(seed: int, say: Callable[[str], None]) -> None:
    """Each topic in turn, at any moment; then what retention deletes, and partitions that are added."""
    chance = random.Random(seed)
    rounds = int(os.environ.get("ROUNDS", ROUNDS))
    with running() as at_work:
        inbox, cluster = Inbox(at_work), at_work.home.cluster
        order = [KINDS[n % len(KINDS)] for n in range(rounds)]
        chance.shuffle(order)
        for name in order:
            inbox.tell(chance.randint(1, 60))
            time.sleep(chance.uniform(0.0, 1.5))
            if name == "inbox":
                asyncio.run(topics.delete(cluster, name))
                inbox.lose()
                asyncio.run(topics.make(cluster, name, inbox.partitions))
                inbox.tell(chance.randint(1, 200))
            else:
                asyncio.run(topics.make_anew(cluster, name))
            at_work.alive()
        say(f"seed {seed}; made anew: {dict(Counter(order))}")
        for what in (_retention(at_work, inbox, chance), _partitions(at_work, inbox)):
            say(what)
        until(lambda: inbox.lacking() <= inbox.gone, "every message is taken in", meanwhile=at_work.alive)
        lost = inbox.lacking()
        at_work.rest(0)
        noticed = {name: at_work.count(name, "made anew") for name in ("relay", "projector", "intake", "worker")}
        say(f"told of a topic made anew: {noticed}")
        jobs, notes = len(at_work.client.asked), len(at_work.decider.acknowledged)
        say(f"acknowledged: {notes} commits, {inbox.sent} messages, {jobs} jobs; {len(lost)} messages deleted unread")
        assert at_work.count("intake", "made anew") or "inbox" not in order
        assert at_work.count("relay", "made anew") or "events" not in order


def _retention(at_work: Running, inbox: Inbox, chance: random.Random) -> str:
    """Records are deleted while the intake is down: those that were not taken in are told with their number."""
    until(lambda: inbox.lacking() <= inbox.gone, "every message is taken in", meanwhile=at_work.alive)
    intake = next(each for each in at_work.processes if each.name == "intake")
    intake.end()
    count = chance.randint(5, 50)
    inbox.tell(count)
    cluster = at_work.home.cluster
    end = asyncio.run(topics.end(cluster, "inbox"))
    asyncio.run(topics.delete_records(cluster, "inbox", end))
    inbox.lose()
    intake.start()
    until(lambda: at_work.count("intake", f"{count} records are lost") == 1, f"{count} lost messages are told")
    inbox.tell(10)
    return f"retention deleted {count} messages, and the intake said so"


def _partitions(at_work: Running, inbox: Inbox) -> str:
    """The inbox and the results get more partitions."""
    for name in ("inbox", "results"):
        asyncio.run(topics.add_partitions(at_work.home.cluster, name, 3))
    inbox.partitions = 3
    inbox.tell(60)
    return "inbox and results have 3 partitions, and the messages in all of them count"
