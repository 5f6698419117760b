"""A ledger at work while its processes are killed: what was acknowledged is there once, and all tell the same.

`make faults` kills each process fifty times and the broker ten; the tests run a short form of it.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from aiokafka import AIOKafkaProducer

from lepton_ai.errors import LeptonError
from lepton_ai.events.kafka import Reader
from lepton_ai.events.kafka_log import KafkaLog
from lepton_ai.events.relay import ROOT
from lepton_ai.events.topics import open_topics
from lepton_ai.events.verify import verify
from lepton_ai.projections.check import compare
from lepton_ai.settings import load
from lepton_ai.wiring import Home

from .asking import commit
from .broker import Kafka

MAIN: Final = "from lepton_ai.cli import main; main()"
DECIDER: Final = """
import sys, time
from lepton_ai.domain.commands import Annotate
from lepton_ai.errors import Unavailable
from lepton_ai.settings import load
from lepton_ai.wiring import Home
work, n = Home(load()).workspace, int(sys.argv[1])
actor = work.actors.named(work.actor)
while True:
    try:
        work.ledger.admit(Annotate(model="credit", version=1, annotations={"n": n}), actor, key=f"note-{n}")
    except Unavailable:
        continue
    print(n, flush=True)
    n += 1
    time.sleep(1 / 200)
"""
PATIENCE: Final = 120.0


@dataclass
class Process:
    """A process of Lepton's that is killed and comes back."""

    name: str
    kills: int = 0
    running: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it."""
        self.running = subprocess.Popen(
            [sys.executable, "-c", MAIN, self.name], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def kill(self) -> None:
        """kill -9, and start it again."""
        self.end()
        self.kills += 1
        self.start()

    def end(self) -> None:
        """kill -9."""
        assert self.running is not None
        self.running.kill()
        self.running.wait()


@dataclass
class Decider(Process):
    """A process that commits 200 events a second, each under a key of its own, and says what was acknowledged."""

    acknowledged: list[int] = field(default_factory=list[int])
    thread: threading.Thread | None = None

    def start(self) -> None:
        first = self.acknowledged[-1] + 1 if self.acknowledged else 0
        self.running = subprocess.Popen([sys.executable, "-c", DECIDER, str(first)], stdout=subprocess.PIPE)
        self.thread = threading.Thread(target=self._listen, args=(self.running.stdout,))
        self.thread.start()

    def end(self) -> None:
        super().end()
        assert self.thread is not None
        self.thread.join()

    def _listen(self, lines: Any) -> None:
        for line in lines:
            if line.endswith(b"\n"):
                self.acknowledged.append(int(line))


@dataclass
class Broker(Process):
    """The broker itself."""

    kafka: Kafka | None = None

    def start(self) -> None:
        assert self.kafka is not None
        self.kafka.start()

    def end(self) -> None:
        assert self.kafka is not None
        self.kafka.stop(signal.SIGKILL)


class Service:
    """Another service, which puts figures into the inbox and keeps sending until the broker has them."""

    def __init__(self, servers: str, topic: str) -> None:
        self._servers, self._topic = servers, topic
        self.sent = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._tell()))
        self._thread.start()

    def stop(self) -> None:
        """Stop once what was begun is acknowledged."""
        self._stop.set()
        self._thread.join()

    async def _tell(self) -> None:
        while not self._stop.is_set():
            producer = AIOKafkaProducer(bootstrap_servers=self._servers, request_timeout_ms=5000)
            try:
                await producer.start()
                while not self._stop.is_set():
                    await producer.send_and_wait(self._topic, self._event())
                    self.sent += 1
                    await asyncio.sleep(0.02)
            except Exception:  # noqa: BLE001 - the broker was killed: the same event again
                continue
            finally:
                await producer.stop()

    def _event(self) -> bytes:
        told = {"version": 1, "metrics": {"f1": self.sent / 1e6}}
        whole = {"specversion": "1.0", "id": str(self.sent), "source": "/scoring", "subject": "model/credit"}
        return json.dumps(whole | {"type": "lepton.metrics.recorded.v1", "data": told}).encode()


def ordeal(kafka: Kafka, kills: int, broker_kills: int, seed: int, say: Callable[[str], None]) -> None:
    """Run the ledger that the environment names, kill its processes in random order, and check what is left."""
    chance = random.Random(seed)
    home = Home(load())
    home.workspace.ledger.admit(commit(1), home.workspace.actors.named("Ada"))
    asyncio.run(open_topics(home.cluster))
    processes = [Process("relay"), Process("projector"), Process("intake"), Decider("decider")]
    broker = Broker("broker", kafka=kafka)
    order = [each for each in processes for _ in range(kills)] + [broker] * broker_kills
    chance.shuffle(order)
    service = Service(kafka.servers, home.cluster.topic("inbox"))
    for each in processes:
        each.start()
    try:
        for each in order:
            time.sleep(chance.uniform(0.1, 2.5))  # killed at any moment of its work, or of its start
            each.kill()
        service.stop()
        decider = processes[3]
        assert isinstance(decider, Decider)
        decider.end()
        _settled(home)
    finally:
        service.stop()
        for each in processes:
            each.end()
    counted = ", ".join(f"{each.name} {each.kills}" for each in (*processes, broker))
    say(f"seed {seed}; killed: {counted}; {len(decider.acknowledged)} commits, {service.sent} messages acknowledged")
    for what in differences(home, decider.acknowledged, service.sent):
        raise AssertionError(what)
    home.close()


def differences(home: Home, notes: list[int], messages: int) -> Iterator[str]:
    """What is lost, doubled, or told otherwise by another part."""
    rows = home.store.read(0, 10**9)
    told = [json.loads(row.envelope) for row in rows]
    noted = Counter(each["data"]["annotations"]["n"] for each in told if each["type"] == "lepton.version.annotated.v1")
    taken = Counter(each["inboxid"] for each in told if "inboxid" in each)
    for name, counts, wanted in (("commit", noted, notes), ("message", taken, map(str, range(messages)))):
        if doubled := [each for each, count in counts.items() if count > 1]:
            yield f"{name} {doubled[0]} is there twice"
        if lost := [each for each in wanted if each not in counts]:
            yield f"acknowledged {name} {lost[0]} is lost"
    with KafkaLog(home.cluster) as log:
        relayed = []
        while more := log.read(len(relayed), 5000):
            relayed += more
    if relayed != list(rows):
        yield f"Kafka has {len(relayed)} events, the database {len(rows)}, and they are not the same"
    if asyncio.run(_last_root(home)) != verify(home.store).root:
        yield "the topic's last root is not the database's"
    yield from _views(home)


def _views(home: Home) -> Iterator[str]:
    with home.projection() as projection:
        projection.catch_up()
        yield from (f"live views: {each}" for each in compare(projection, home.store))
    with home.kafka_log() as log, home.projection(log) as projection:
        projection.rebuild()
        yield from (f"views rebuilt from Kafka: {each}" for each in compare(projection, home.store))


async def _last_root(home: Home) -> str:
    async with Reader(home.cluster, "events") as reader:
        last = await reader.last()
    assert last is not None
    return dict(last.headers).get(ROOT, b"").decode()


def _settled(home: Home) -> None:
    """Wait until the intake has taken in all and the relay has sent all."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            if asyncio.run(_inbox_end(home)) == home.store.position(home.cluster.topic("inbox"), 0):
                end = home.store.end()
                with KafkaLog(home.cluster) as log:
                    if log.end() == end == home.store.end():
                        return
        except LeptonError:  # the broker is on its way back
            continue
        time.sleep(0.1)
    raise AssertionError("the processes never came to rest")


async def _inbox_end(home: Home) -> int:
    async with Reader(home.cluster, "inbox") as reader:
        return await reader.end()


def main() -> None:
    """The long form: fifty kills of each process, ten of the broker, on PostgreSQL."""
    from .servers import PostgreSQL

    seed = int(os.environ.get("SEED", random.SystemRandom().randrange(10**6)))
    print(f"seed {seed}; SEED={seed} makes the same order", flush=True)
    kafka, postgresql = Kafka(), PostgreSQL()
    kafka.start()
    postgresql.start()
    try:
        import tempfile

        with tempfile.TemporaryDirectory(prefix="lepton-faults-") as folder:
            os.environ |= {
                "LEPTON_HOME": str(Path(folder) / "home"),
                "LEPTON_DATABASE": postgresql.url(),
                "LEPTON_KAFKA": kafka.servers,
                "PYTHONSAFEPATH": "1",
            }
            ordeal(kafka, int(os.environ.get("KILLS", "50")), int(os.environ.get("BROKER_KILLS", "10")), seed, print)
    finally:
        kafka.remove()
        postgresql.remove()


if __name__ == "__main__":
    main()
