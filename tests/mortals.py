"""What `make faults` kills, and who goes on asking for things meanwhile."""

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
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, cast

from aiokafka import AIOKafkaProducer

from lepton_ai.domain.job.commands import SubmitJob
from lepton_ai.domain.job.state import JobState
from lepton_ai.errors import Unavailable
from lepton_ai.wiring import Home

from .asking import PATIENCE
from .broker import Kafka
from .programs.light_work import LIGHT

PROGRAMS: Final = Path(__file__).parent / "programs"
MAIN: Final = "from lepton_ai.cli import main; main()"
DECIDER: Final = """
import sys, time
from lepton_ai.domain.commands import Annotate
from lepton_ai.errors import Unavailable
from lepton_ai.settings import load
from lepton_ai.wiring import Home
n, rate = map(int, sys.argv[1:])
while True:
    try:
        work = Home(load()).workspace
        actor = work.actors.named(work.actor)
        break
    except Unavailable:
        continue
while True:
    try:
        work.ledger.admit(Annotate(model="credit", version=1, annotations={"n": n}), actor, key=f"note-{n}")
    except Unavailable:
        continue
    print(n, flush=True)
    n += 1
    time.sleep(1 / rate)
"""
STAGES: Final = ("assigned", "training", "uploading", "answering")


@dataclass
class Process:
    """A process of Lepton's that is killed and comes back."""

    name: str
    folder: Path
    """Where it writes what it complains of, and where the signs of its doing are."""
    kills: int = 0
    running: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it."""
        self.spawn([sys.executable, "-c", MAIN, self.name])

    def spawn(self, command: list[str], environment: Mapping[str, str] | None = None) -> Any:
        """Start a process; returns its stdout."""
        with (self.folder / f"{self.name}.log").open("ab") as log:
            self.running = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=log)
        return self.running.stdout

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
    """A process that commits so many events a second, each under a key of its own, and says what was acknowledged."""

    rate: int = 200
    acknowledged: list[int] = field(default_factory=list[int])
    thread: threading.Thread | None = None

    def start(self) -> None:
        first = self.acknowledged[-1] + 1 if self.acknowledged else 0
        said = self.spawn([sys.executable, "-c", DECIDER, str(first), str(self.rate)])
        self.thread = threading.Thread(target=self._listen, args=(said,))
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


@dataclass
class Worker(Process):
    """A worker, killed when a job that it has is at the stage whose turn it is. It is told of no database."""

    assigned: Callable[[], set[str]] = set
    """The workers that have a job which they have not begun."""
    chance: random.Random = field(default_factory=random.Random)
    incarnation: str = ""
    stages: list[str] = field(default_factory=list[str])
    """The stages it was killed at."""

    def start(self) -> None:
        known = {name: value for name, value in os.environ.items() if name != "LEPTON_DATABASE"}
        said = self.spawn([sys.executable, str(PROGRAMS / "worker.py"), str(self.folder / "no-home"), "1"], known)
        self.incarnation = said.readline().decode().strip()

    def kill(self) -> None:
        self.reach(STAGES[len(self.stages) % len(STAGES)])
        super().kill()

    def reach(self, stage: str) -> None:
        """Wait until it is at a stage of a job that it was not at before."""
        pattern = f"{stage}-*-{self.incarnation}"
        past = set(self.folder.glob(pattern))
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            there = (
                self.incarnation in self.assigned() if stage == "assigned" else set(self.folder.glob(pattern)) - past
            )
            if there:
                self.stages.append(stage)
                return
            time.sleep(0.002)
        raise AssertionError(f"in {PATIENCE:g} s no job of this worker was {stage}")


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


class Client:
    """Somebody who wants versions: asks for a training whenever fewer than some are under way."""

    AT_ONCE: Final = 4

    def __init__(self, home: Home, folder: Path) -> None:
        self._home, self._folder = home, folder
        self.asked: list[str] = []
        self._ended: set[str] = set()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._ask)
        self._thread.start()

    def stop(self) -> None:
        """Ask for nothing more."""
        self._stop.set()
        self._thread.join()

    def submit(self, job: str, steps: int, *, retries: int = 1000) -> None:
        """Ask for a training of so many steps, twenty a second."""
        payload = {"does": "live", "steps": steps, "branch": "main"}
        source = str(self._folder)
        command = SubmitJob(job=job, kind=LIGHT, model="net", payload=payload, source=source, retries=retries)
        self._home.workspace.admit(command, f"ask-{job}")
        self.asked.append(job)

    def open(self) -> int:
        """How many of its jobs have not ended."""
        self._ended.update(job for job in self.asked if job not in self._ended and self.state(job).ended)
        return len(self.asked) - len(self._ended)

    def state(self, job: str) -> JobState:
        """A job as it stands."""
        return cast(JobState, self._home.workspace.ledger.state(f"job/{job}"))

    def _ask(self) -> None:
        while not self._stop.is_set():
            with suppress(Unavailable):
                if self.open() < self.AT_ONCE:
                    self.submit(f"j{len(self.asked)}", steps=6)
            self._stop.wait(0.05)
