"""Foreign and forged records lie on every topic, in between genuine work."""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections import Counter
from collections.abc import Callable
from typing import Any, Final

from lepton_ai.events.kafka.cluster import TopicName
from lepton_ai.jobs.status import status

from ..events import topics
from ..events.strangers import KINDS, Forger
from ._running import running, until

TITLE: Final = "foreign and forged records on every topic, in between genuine work"

RECORDS: Final = 400
TOPICS: Final[tuple[TopicName, ...]] = ("events", "events", "events", "commands", "results", "inbox", "rejected")


def suffer(seed: int, say: Callable[[str], None]) -> None:
    """Hundreds of them, drawn from the seed, while the ledger works; every process lives and every reader agrees."""
    chance = random.Random(seed)
    wanted = int(os.environ.get("RECORDS", RECORDS))
    told: Counter[str] = Counter()
    with running() as at_work:
        cluster = at_work.home.cluster
        until(lambda: at_work.home.store.end() > 20, "there is something to forge")
        while told.total() < wanted:
            rows = at_work.home.store.read(0, 10**6)
            forger, name = Forger(rows, chance), chance.choice(TOPICS)
            for _ in range(chance.randint(1, 12)):
                told[name] += asyncio.run(_one(cluster, name, forger))
            time.sleep(chance.uniform(0.0, 0.2))
            at_work.alive()
        say(f"seed {seed}; records of others: {dict(told)}")
        at_work.rest(0)
        home = at_work.home
        found = status(lambda: home.workspace, lambda: home.desk, lambda: cluster, home.spool, lambda: None, {})
        assert found.kafka is not None
        assert found.strangers is not None
        assert found.kafka.lag == 0
        copies = sum(told[name] for name in ("events",)) - found.strangers.count
        say(f"status names {found.strangers.count} on events, the last: {found.strangers.why}; {copies} were copies")
        say(f"{found.rejected} messages were rejected on inbox and results")
        assert found.strangers.count > told["events"] // 2
        jobs, notes = len(at_work.client.asked), len(at_work.decider.acknowledged)
        say(f"acknowledged: {notes} commits, {jobs} jobs; all there once")


async def _one(cluster: Any, name: TopicName, forger: Forger) -> int:
    """One kind of record, by chance: how many offsets it takes."""
    match forger.chance.randint(0, 9):
        case 0:
            await topics.tell_null(cluster, name)
            return 1
        case 1:
            await topics.transact(cluster, name, forger.event(forger.next), commit=forger.chance.random() < 0.5)
            return 1
        case 2:
            count = forger.chance.randint(1, 4)
            await topics.tell_unreadable(cluster, name, count)
            return count
        case _:
            records = forger.chance.choice(list(KINDS.values()))(forger)
            await topics.together(cluster, name, records)
            return len(records)
