"""A ledger with an assigner whose clock a test turns, and workers that are only what they say."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any, cast

import pytest

from lepton_ai.domain.job.commands import SubmitJob
from lepton_ai.domain.job.state import JobState
from lepton_ai.events.actor import Actor
from lepton_ai.events.inbox import Letter
from lepton_ai.events.kafka.cluster import Cluster
from lepton_ai.events.kafka.topics import open_topics
from lepton_ai.events.sql.actors import Actors
from lepton_ai.events.sql.leases import Leases
from lepton_ai.events.sql.queue import RESULTS
from lepton_ai.jobs.assigner import Assigner
from lepton_ai.jobs.protocol.messages import Message, WorkerReady, encoded
from lepton_ai.jobs.protocol.orders import Order, is_for, opened
from lepton_ai.jobs.protocol.over_kafka import opened as partitions
from lepton_ai.jobs.protocol.over_tables import MailResults
from lepton_ai.jobs.protocol.ports import Results
from lepton_ai.ledger import Ledger
from lepton_ai.settings import Terms
from lepton_ai.tensors.folder import FolderStore
from lepton_ai.versions.workspace import Workspace

from ..asking import until
from .identities import identity, incarnation

TERMS = Terms(start=30, lease=45, pause=600)


TRAINING = {"class": "credit-scoring-model", "label": "default"}
WORKERS = ("w1", "w2", "w3", "w9")


class Given:
    """Orders as they would be sent, opened by the workers that they were sealed for."""

    def __init__(self) -> None:
        self.sent: list[Order] = []
        self.raws: list[bytes] = []
        self.kept: Collection[str] = ()

    @property
    def taken(self) -> list[tuple[str, str, int]]:
        """Who was sent what: the worker's name in this test, the job and the attempt."""
        names = {incarnation(name): name for name in WORKERS}
        return [(names[order.worker], order.job, order.epoch) for order in self.sent]

    def send(self, raw: bytes) -> None:
        (reader,) = (identity(name) for name in WORKERS if is_for(raw, incarnation(name)))
        self.raws.append(raw)
        self.sent.append(opened(raw, reader))

    def keep_only(self, jobs: Collection[str]) -> None:
        self.kept = tuple(jobs)


class Counted:
    """Results that know how many messages were said."""

    def __init__(self, results: Results) -> None:
        self._results = results
        self.topic = results.topic
        self.part = results.part
        self.place = results.place
        self.count = 0

    def read(self, position: int, limit: int) -> Sequence[Letter]:
        return self._results.read(position, limit)

    def say(self, raw: bytes) -> int:
        self.count += 1
        return self._results.say(raw)

    def discard(self, before: int) -> None:
        self._results.discard(before)


class Office:
    """A ledger with an assigner whose clock the test turns; messages bear the time of whoever carries them."""

    def __init__(self, ledger: Ledger, actor: Actor, folder: Path, results: Counted, secret: str | None = None) -> None:
        database = ledger.store.database
        self.workspace = Workspace(ledger, FolderStore(folder), Actors(database), actor.name)
        self.results = results
        self.leases = Leases(database)
        self.orders = Given()
        self.later = timedelta()
        self.secret = secret
        self.assigner = self.begin()

    def begin(self) -> Assigner:
        """An assigner that has just started."""
        told = (self.workspace, self.leases, [self.results], self.orders)
        return Assigner(*told, TERMS, self.secret, self.now, self.clock)

    def clock(self) -> float:
        return time.monotonic() + self.later.total_seconds()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.later

    def hear(self, *messages: Message, by: str | None = None) -> None:
        """Workers say something of themselves, or w1 of an attempt, and the assigner does what there is to do."""
        self.hear_raw(*(self.signed(each, by) for each in messages))

    def signed(self, message: Message, by: str | None = None) -> bytes:
        """A message as the worker says it that is called so here; else the one it is about, or w1."""
        names = {incarnation(name): name for name in WORKERS}
        who = identity(by or names.get(getattr(message, "incarnation", ""), "w1"))
        return who.signed(encoded(message, who.incarnation), self.results.place)

    def hear_raw(self, *raws: bytes) -> None:
        """As `hear`, whatever the bytes."""
        for raw in raws:
            self.results.say(raw)
        until(lambda: not self.assigner.step() and self.read() == self.results.count)

    def read(self) -> int:
        """How many messages were taken in."""
        return self.workspace.ledger.store.position(self.results.topic, 0) or 0

    def submit(self, job: str, **asked: Any) -> None:
        command = SubmitJob(job=job, kind="train", model="net", payload=TRAINING, **asked)
        self.workspace.admit(command, None)

    def job(self, name: str) -> JobState:
        return cast(JobState, self.workspace.ledger.state(f"job/{name}"))


BEATS = count(1)


def ready(name: str, slots: int = 1, running: tuple[tuple[str, int], ...] = (), **more: Any) -> WorkerReady:
    """An announcement, later than all before."""
    told = {"pool": "default", "capabilities": ("train",), "slots": slots, "running": running, "beat": next(BEATS)}
    return WorkerReady(**({"incarnation": incarnation(name)} | told | more))


@pytest.fixture(params=["tables", "kafka"])
def office(request: pytest.FixtureRequest, ledger: Ledger, actor: Actor, tmp_path: Path) -> Iterator[Office]:
    """An assigner over each way that messages go."""
    with ExitStack() as stack:
        if request.param == "kafka":
            cluster: Cluster = request.getfixturevalue("cluster")
            asyncio.run(open_topics(cluster))
            (results,) = stack.enter_context(partitions(cluster, RESULTS))
        else:
            results = MailResults(ledger.store)
        yield Office(ledger, actor, tmp_path / "objects", Counted(results))
