"""A whole ledger at work on a broker of its own: relay, projector, intake, worker, and who asks them for things."""

from __future__ import annotations

import asyncio
import logging
import os
import tempfile
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

from lepton_ai.events.kafka.log import KafkaLog
from lepton_ai.events.kafka.topics import open_topics
from lepton_ai.settings import load
from lepton_ai.wiring import Home

from ..aftermath import differences
from ..asking import commit, until_back
from ..broker import Kafka
from ..mortals import Client, Decider, Process, Worker
from .kills import Parts, environment

PATIENCE: Final = 180.0
until = partial(until_back, seconds=PATIENCE)


@dataclass
class Running:
    """The ledger and its processes."""

    home: Home
    kafka: Kafka
    folder: Path
    decider: Decider
    client: Client
    processes: list[Process] = field(default_factory=list[Process])

    def alive(self) -> None:
        """Every process is: whatever befell a topic has ended none."""
        for each in (*self.processes, self.decider):
            assert each.running is not None
            assert each.running.poll() is None, f"the {each.name} has ended: {self.complaints(each)}"

    def complaints(self, each: Process) -> str:
        """What a process wrote last."""
        return "\n".join((self.folder / f"{each.name}.log").read_text().splitlines()[-15:])

    def count(self, name: str, what: str) -> int:
        """How often a process has told of something."""
        return (self.folder / f"{name}.log").read_text().count(what)

    def rest(self, messages: int) -> None:
        """Stop asking, wait until all is done and told, end the processes; raise where anything is lost or doubled."""
        self.client.stop()
        until(lambda: self.client.open() == 0, "every job ends", meanwhile=self.alive)
        self.decider.end()

        def told() -> bool:
            end = self.home.store.end()
            with KafkaLog(self.home.cluster, self.home.store) as log:
                return log.end() == end == self.home.store.end()

        until(told, "the relay has sent all")
        for each in self.processes:
            each.end()
        for what in differences(self.home, self.decider.acknowledged, messages, self.client.asked):
            raise AssertionError(what)


@contextmanager
def running() -> Generator[Running]:
    """Everything at work, on SQLite and a folder of objects."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    logging.getLogger("lepton").setLevel(logging.CRITICAL)
    with ExitStack() as close:
        kafka = Kafka()
        kafka.start()
        close.callback(kafka.remove)
        folder = Path(close.enter_context(tempfile.TemporaryDirectory(prefix="lepton-faults-")))
        os.environ |= environment(folder / "home", Parts(kafka), f"sqlite:///{folder / 'home' / 'main.db'}")
        os.environ["LEPTON_TERM_CHECK"] = "2"
        home = Home(load())
        close.callback(home.close)
        home.workspace.ledger.admit(commit(1), home.workspace.actors.named("Ada"))
        asyncio.run(open_topics(home.cluster))
        processes = [*(Process(name, folder) for name in ("relay", "projector", "intake")), Worker("worker", folder)]
        decider = Decider("decider", folder)
        for each in (*processes, decider):
            each.start()
            close.callback(each.end)
        client = Client(home, folder)
        close.callback(client.stop)
        yield Running(home, kafka, folder, decider, client, processes)
