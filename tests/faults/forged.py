"""A ledger whose topics a stranger may write to: it forges, bends and repeats what workers say and are told."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import random
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from lepton_ai.errors import Malformed
from lepton_ai.events.kafka.topics import open_topics
from lepton_ai.events.run import MetricsLogged
from lepton_ai.jobs.protocol.identity import WorkerKeys
from lepton_ai.jobs.protocol.messages import (
    Checkpointed,
    Failed,
    Finished,
    KeptTensors,
    Left,
    MadeVersion,
    Measured,
    Message,
    Started,
    WorkerReady,
    encoded,
)
from lepton_ai.jobs.protocol.orders import Order, sealed
from lepton_ai.settings import load
from lepton_ai.wiring import Home

from ..asking import commit, until_back
from ..broker import Kafka
from ..mortals import Client, Process, Worker

TITLE: Final = "a stranger forges, bends and repeats what workers say and what they are told"

FORGERIES: Final = 4_000
JOBS: Final = 12
"""That have to end well while they are forged about."""
PATIENCE: Final = 240.0
_until = partial(until_back, seconds=PATIENCE)
SECRET: Final = "of the ledger and its workers alone"


class Stranger:
    """May read and write results and commands, reads events, and knows neither the secret nor anybody's keys."""

    def __init__(self, home: Home, workers: tuple[str, str], seed: int) -> None:
        self._home, self._workers = home, workers
        self._chance = random.Random(seed)
        self._me = WorkerKeys(str(seed).encode())
        self._place = f"{home.cluster.topic('results')}/0"
        self._heard: dict[str, list[bytes]] = {"results": [], "commands": []}
        self._keys: dict[str, str] = {}
        self._attempts: dict[str, int] = {}
        self.forged: Counter[str] = Counter()
        self._stop = threading.Event()
        self._fault: BaseException | None = None
        self._thread = threading.Thread(target=self._work)
        self._thread.start()

    @property
    def done(self) -> bool:
        """Whether it has forged all that it wanted to. Raises what ended it before."""
        if self._fault is not None:
            raise self._fault
        return sum(self.forged.values()) >= FORGERIES

    def stop(self) -> None:
        """Forge nothing more."""
        self._stop.set()
        self._thread.join()

    def _work(self) -> None:
        try:
            asyncio.run(self._forge())
        except BaseException as fault:  # noqa: BLE001 - told by `done`
            self._fault = fault

    async def _forge(self) -> None:
        topics = {name: TopicPartition(self._home.cluster.topic(name), 0) for name in ("results", "commands", "events")}
        producer = AIOKafkaProducer(bootstrap_servers=self._home.settings.kafka)
        consumer = AIOKafkaConsumer(bootstrap_servers=self._home.settings.kafka, auto_offset_reset="earliest")
        await producer.start()
        await consumer.start()
        try:
            consumer.assign(list(topics.values()))
            names = {place.topic: name for name, place in topics.items()}
            while not self._stop.is_set():
                for place, records in (await consumer.getmany(timeout_ms=5)).items():
                    for record in records:
                        self._listen(names[place.topic], record.value or b"")
                if not self._attempts or self.done:
                    continue
                for kind, topic, raw in self._some():
                    await producer.send(topics[topic].topic, raw, partition=0)
                    self.forged[kind] += 1
                await asyncio.sleep(0.01)
        finally:
            await consumer.stop()
            await producer.stop()

    def _listen(self, topic: str, raw: bytes) -> None:
        """Keep what was said, and learn who works at what."""
        if topic in self._heard:
            self._heard[topic].append(raw)
            self._learn(raw)
        elif b"lepton.job.assigned.v1" in raw:
            event = json.loads(raw)
            self._attempts[event["subject"].removeprefix("job/")] = event["data"]["epoch"]

    def _learn(self, raw: bytes) -> None:
        try:
            told = json.loads(raw)
            source, key = told["source"].removeprefix("/lepton/worker/"), told["workerkey"]
        except (KeyError, TypeError, ValueError, AttributeError, RecursionError):
            return
        if source in self._workers:
            self._keys[source] = key

    def _some(self) -> Iterator[tuple[str, str, bytes]]:
        """A few forgeries, each with what it is called and where it goes."""
        job, worker = self._chance.choice(sorted(self._attempts)), self._chance.choice(self._workers)
        epoch = max(1, self._attempts[job] + self._chance.choice((-1, 0, 0, 0, 1, 10**6)))
        for message in self._messages(job, epoch, worker):
            theirs, mine = encoded(message, worker), encoded(message, self._me.incarnation)
            yield f"{message.said}, unsigned", "results", theirs
            yield f"{message.said}, in another's name", "results", self._me.signed(theirs, self._place)
            yield f"{message.said}, in its own name", "results", self._me.signed(mine, self._place)
        for topic, heard in self._heard.items():
            if heard:
                raw = self._chance.choice(heard[-500:])
                yield f"{topic}, said again", topic, raw
                yield f"{topic}, bent", topic, self._bent(raw)
        yield from (("an order", "commands", raw) for raw in self._orders(job, epoch, worker))

    def _messages(self, job: str, epoch: int, worker: str) -> list[Message]:
        n, kept = self._chance.randrange(10), KeptTensors(tensors=f"blake3:{0:064d}")
        ready = {"pool": "default", "capabilities": ("train", "light"), "beat": self._chance.randrange(10**6)}
        of: dict[str, Any] = {"job": job, "epoch": epoch, "n": n}
        block = MetricsLogged(names=(), steps=(), values=(), times=())
        known: list[Message] = [
            Failed(**of, error="Forged", reason="by a stranger"),
            Finished(**of, made=MadeVersion(kept=kept, keyframe=True)),
            Started(**of),
            Measured(**of, block=block),
            Checkpointed(**of, step=n, kept=kept),
            Left(incarnation=worker),
            Left(incarnation=self._me.incarnation),
            WorkerReady(incarnation=worker, slots=0, running=((job, epoch),), **ready),
            WorkerReady(incarnation=self._me.incarnation, slots=50, vouched="00" * 32, **ready),
        ]
        return self._chance.sample(known, 2)

    def _orders(self, job: str, epoch: int, worker: str) -> Iterator[bytes]:
        head = f'{{"worker":"{worker}","job":"{job}","epoch":{epoch}'.encode()
        garbage = [b"", b"[" * 9_000, b"\xff" * 99, head, head + b',"sealed":"AAAA"}', head + b"[" * 999]
        yield self._chance.choice(garbage)
        if key := self._keys.get(worker):
            evil = Order(
                job=job, epoch=epoch, worker=worker, kind="light", model="net", payload={"does": "raise"}, source="/etc"
            )
            with suppress(Malformed):  # a bent key
                yield sealed(evil, key).raw

    def _bent(self, raw: bytes) -> bytes:
        place = self._chance.randrange(len(raw)) if raw else 0
        return raw[:place] + self._chance.randbytes(self._chance.randrange(1, 9)) + raw[place + 4 :]


def suffer(seed: int, say: Callable[[str], None]) -> None:
    """Twelve trainings by two workers, and some thousands of forgeries about them."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    with ExitStack() as close:
        kafka = Kafka()
        kafka.start()
        close.callback(kafka.remove)
        folder = Path(close.enter_context(tempfile.TemporaryDirectory(prefix="lepton-forged-")))
        home_folder = folder / "home"
        os.environ |= {
            "LEPTON_HOME": str(home_folder),
            "LEPTON_OBJECTS": (home_folder / "objects").as_uri(),
            "LEPTON_KAFKA": kafka.servers,
            "LEPTON_WORKER_SECRET": SECRET,
            "LEPTON_TERM_HEARTBEAT": "1",
            "PYTHONSAFEPATH": "1",
        }
        home = Home(load())
        close.callback(home.close)
        home.workspace.ledger.admit(commit(1), home.workspace.actors.named("Ada"))
        asyncio.run(open_topics(home.cluster))
        workers = Worker("worker", folder), Worker("other-worker", folder)
        parts: list[Process] = [Process("relay", folder), Process("intake", folder), *workers]
        for each in parts:
            each.start()
            close.callback(each.end)
        _forged(home, folder, parts, (workers[0].incarnation, workers[1].incarnation), seed, say)


def _forged(
    home: Home, folder: Path, parts: list[Process], names: tuple[str, str], seed: int, say: Callable[[str], None]
) -> None:
    client, stranger = Client(home, folder), Stranger(home, names, seed)
    try:
        _until(lambda: stranger.done and len(client.asked) >= JOBS, "all is forged")
        client.stop()
        _until(lambda: client.open() == 0, "every job ends")
    finally:
        client.stop()
        stranger.stop()
    asked, kinds = client.asked, stranger.forged
    say(f"{sum(kinds.values())} forgeries of {len(kinds)} kinds: {dict(sorted(kinds.items()))}")
    for each in parts:
        assert each.running is not None
        assert each.running.poll() is None, f"{each.name} was stopped by a forgery, with {each.running.returncode}"
    _check(home, asked, names)
    say(f"{len(asked)} jobs ended well, each once, by one of the two workers; {home.store.rejected_count()} rejected")


def _check(home: Home, asked: list[str], names: tuple[str, str]) -> None:
    """Each job ended once, as its worker told, at the first attempt: nothing forged cost it even that."""
    for job in asked:
        events = [json.loads(row.envelope) for row in home.store.stream(f"job/{job}")[1]]
        story = [event["type"].split(".")[2] for event in events]
        assert story == ["submitted", "assigned", "started", "finished"], f"job {job} went otherwise: {story}"
        assert events[1]["data"]["worker"] in names, f"job {job} was given to a stranger"
    versions = home.workspace.model("net").versions
    assert len(versions) == len(asked), f"{len(asked)} jobs made {len(versions)} versions"
    heard = {each.incarnation for each in home.desk.leases.workers(0)}
    assert heard <= set(names), "a stranger stands among the workers"
