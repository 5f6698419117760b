"""A ledger at work while its processes are killed and its parts stop: what was acknowledged is there once.

The long form kills each process fifty times and the broker ten; the tests run a short form of it.
"""

from __future__ import annotations

import asyncio
import logging
import os
import random
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from lepton_ai.errors import LeptonError
from lepton_ai.events.kafka.clients import Reader
from lepton_ai.events.kafka.log import KafkaLog
from lepton_ai.events.kafka.topics import open_topics
from lepton_ai.jobs.assigner import open_jobs
from lepton_ai.jobs.protocol.messages import Failed, encoded
from lepton_ai.jobs.protocol.over_kafka import opened
from lepton_ai.settings import load
from lepton_ai.wiring import Home

from ..aftermath import differences
from ..asking import commit, until_back
from ..broker import Kafka
from ..buckets import S3
from ..mortals import Broker, Client, Decider, Process, Service, Worker
from ..servers import PostgreSQL

TITLE: Final = "every process is killed fifty times, the broker ten, and the parts stop"

TERMS: Final = {"START": "3", "LEASE": "4", "HEARTBEAT": "0.5", "PAUSE": "0.1", "DRAIN": "3"}
"""Of the leases, shortened: LEPTON_TERM_…, in seconds."""
PATIENCE: Final = 120.0
_until = partial(until_back, seconds=PATIENCE)
TRAINING: Final = 9.0
"""Seconds of a training in the midst of which a part stops for a third of it."""


@dataclass
class Parts:
    """What the ledger stands on; a part that is None is not there to be stopped."""

    kafka: Kafka
    postgresql: PostgreSQL | None = None
    s3: S3 | None = None

    def stoppable(self) -> Iterator[tuple[str, Callable[[], None], Callable[[], None]]]:
        """The parts beside the broker: what each is called, and how it is stopped and started again."""
        if self.postgresql is not None:
            yield "PostgreSQL", self.postgresql.stop, self.postgresql.start
        if self.s3 is not None:
            yield "S3", self.s3.pause, self.s3.resume


def ordeal(
    parts: Parts, kills: int, broker_kills: int, seed: int, say: Callable[[str], None], *, rate: int = 200
) -> None:
    """Run the ledger that the environment names, kill its processes in random order, and check what is left.

    `rate` is how many events a second are committed meanwhile.
    """
    chance = random.Random(seed)
    with ExitStack() as close:
        folder = Path(close.enter_context(tempfile.TemporaryDirectory(prefix="lepton-signals-")))
        close.push(lambda kind, *_: kind and _complaints(folder, say))
        home = Home(load())
        close.callback(home.close)
        home.workspace.ledger.admit(commit(1), home.workspace.actors.named("Ada"))
        asyncio.run(open_topics(home.cluster))
        decider, broker = Decider("decider", folder, rate=rate), Broker("broker", folder, kafka=parts.kafka)
        worker, other = (Worker(name, folder, assigned=lambda: assigned(home)) for name in ("worker", "other-worker"))
        processes = [*(Process(name, folder) for name in ("relay", "projector", "intake")), decider, worker]
        order = [each for each in processes for _ in range(kills)] + [broker] * broker_kills
        chance.shuffle(order)
        for each in (*processes, other):
            each.start()
            close.callback(each.end)
        service = Service(parts.kafka.servers, home.cluster.topic("inbox"))
        close.callback(service.stop)
        client = Client(home, folder)
        close.callback(client.stop)
        for each in order:
            time.sleep(chance.uniform(0.1, 2.5))  # killed at any moment of its work, or of its start
            each.kill()
        client.stop()
        counted = ", ".join(f"{each.name} {each.kills}" for each in (*processes, broker))
        say(f"seed {seed}; killed: {counted}; the worker while {dict(Counter(worker.stages))}")
        _until(lambda: client.open() == 0, "every job ends")
        for what in outages(parts, home, client, (worker, other)):
            say(what)
        service.stop()
        decider.end()
        _settled(home)
        for each in (*processes, other):
            each.end()
        acknowledged = f"{len(decider.acknowledged)} commits, {service.sent} messages, {len(client.asked)} jobs"
        say(f"acknowledged: {acknowledged}; {home.store.end()} events")
        for what in differences(home, decider.acknowledged, service.sent, client.asked):
            raise AssertionError(what)


def outages(parts: Parts, home: Home, client: Client, workers: tuple[Worker, Worker]) -> Generator[str]:
    """A training, in the midst of which a part stops for a third of it; and one whose worker sleeps over its lease."""
    for name, stop, start in parts.stoppable():
        with _training(client, f"through-{name.lower()}"):
            stop()
            time.sleep(TRAINING / 3)
            start()
        yield f"{name} was stopped for a third of a training, which ended well"
    with _training(client, "through-sleep"):
        name, epoch = _given(client, "through-sleep")
        (sleeper,) = (each for each in workers if each.incarnation == name)
        assert sleeper.running is not None
        sleeper.running.send_signal(signal.SIGSTOP)
        _given(client, "through-sleep", after=epoch)
        sleeper.running.send_signal(signal.SIGCONT)
        late = Failed(job="through-sleep", epoch=epoch, n=10**6, error="TooLate")
        with opened(home.cluster, "results") as (first, *_):
            first.say(encoded(late, name))
    yield "a worker was stopped beyond its lease, and what was said late in its name rejected"


def _given(client: Client, job: str, after: int = 0) -> tuple[str, int]:
    """The worker that a job is given to in an epoch behind that one, once it is, and the epoch."""
    found: list[tuple[str, int]] = []

    def given() -> bool:
        state = client.state(job)
        if state.worker is not None and state.epoch > after:
            found.append((state.worker, state.epoch))
        return bool(found)

    _until(given, f"job {job} is given to a worker behind epoch {after}")
    return found[0]


@contextmanager
def _training(client: Client, job: str) -> Generator[None]:
    """A training that is under way, which must end well."""
    client.submit(job, steps=int(20 * TRAINING))
    _until(lambda: client.state(job).status == "running", f"job {job} begins")
    time.sleep(TRAINING / 6)
    yield
    _until(lambda: client.state(job).ended, f"job {job} ends")


def _complaints(folder: Path, say: Callable[[str], None]) -> None:
    """What the processes wrote last, for whoever looks why it went wrong."""
    for path in sorted(folder.glob("*.log")):
        say("\n".join([f"── {path.stem}", *path.read_text().splitlines()[-40:]]))


def assigned(home: Home) -> set[str]:
    """The workers that have a job which they have not begun."""
    try:
        return {job.worker for _, job in open_jobs(home.workspace) if job.status == "assigned"}
    except LeptonError:
        return set()


def _settled(home: Home) -> None:
    """Wait until the intake has taken in all and the relay has sent all."""

    def at_rest() -> bool:
        if asyncio.run(_inbox_end(home)) != home.store.position(home.cluster.topic("inbox"), 0):
            return False
        end = home.store.end()
        with KafkaLog(home.cluster) as log:
            return log.end() == end == home.store.end()

    _until(at_rest, "the processes are at rest")


async def _inbox_end(home: Home) -> int:
    async with Reader(home.cluster, "inbox") as reader:
        return await reader.end()


def environment(home: Path, parts: Parts, database: str) -> dict[str, str]:
    """The settings of a ledger on these parts."""
    objects = {"LEPTON_OBJECTS": (home / "objects").as_uri()}
    if parts.s3:
        objects = {"LEPTON_OBJECTS": parts.s3.url, **parts.s3.environment()}
    return {
        "LEPTON_HOME": str(home),
        "LEPTON_DATABASE": database,
        "LEPTON_KAFKA": parts.kafka.servers,
        "LEPTON_WAIT": "30",
        "PYTHONSAFEPATH": "1",
        **objects,
        **{f"LEPTON_TERM_{name}": seconds for name, seconds in TERMS.items()},
    }


def suffer(seed: int, say: Callable[[str], None]) -> None:
    """The long form: fifty kills of each process, ten of the broker, on PostgreSQL and S3."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    with ExitStack() as close:
        kafka, postgresql, s3 = Kafka(), PostgreSQL(), S3()
        for part in (kafka, postgresql, s3):
            part.start()
            close.callback(part.remove)
        folder = Path(close.enter_context(tempfile.TemporaryDirectory(prefix="lepton-faults-")))
        parts = Parts(kafka, postgresql, s3)
        os.environ |= environment(folder / "home", parts, postgresql.url())
        kills, broker_kills = (
            int(os.environ.get(name, usual)) for name, usual in (("KILLS", 50), ("BROKER_KILLS", 10))
        )
        ordeal(parts, kills, broker_kills, seed, say)
