"""Poison: messages of every type that are nearly right, in inbox, results and spool, with good ones between them."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import random
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

import numpy as np

from lepton_ai import ModelManager
from lepton_ai.domain.job.commands import SubmitJob
from lepton_ai.events.inbox import Letter
from lepton_ai.events.kafka.clients import Outgoing, Reader, Writer
from lepton_ai.events.kafka.cluster import Cluster
from lepton_ai.events.kafka.topics import open_topics
from lepton_ai.jobs.intake.inbox import Intake
from lepton_ai.jobs.protocol.identity import WorkerKeys
from lepton_ai.jobs.protocol.messages import WorkerReady, encoded
from lepton_ai.tensors.digest import digest_of
from lepton_ai.wiring import Home

from ..asking import until
from ..broker import Kafka
from ..jobs.identities import identity
from ..jobs.office import TRAINING
from ..jobs.poisons import mutated, outside, poisoned_letters, poisoned_results
from ..jobs.receiving import receiving
from ..servers import PostgreSQL
from ..versions.outage import entries, locked

TITLE: Final = "2,600 messages and entries that are nearly right, of every type, with good ones between them"

LETTERS: Final = 1_500
RESULTS: Final = 900
ENTRIES: Final = 200
PATIENCE: Final = 300.0


def checked(manager: ModelManager, good: Sequence[int]) -> int:
    """Hold that each good message was admitted once, each refusal has its story, all is whole: how many refusals."""
    store = manager._workspace.ledger.store
    envelopes = [json.loads(row.envelope) for row in store.read(0, store.end())]
    ids = Counter(each["inboxid"] for each in envelopes if "inboxid" in each)
    for place in good:
        assert ids[f"good-{place}"] == 1, f"good message {place} was admitted {ids[f'good-{place}']} times"
    stories = [each.reason for _, each, _ in store.rejected(0, 100_000)]
    assert all(story and story.isprintable() for story in stories), "a refusal has no story"
    assert manager.verify().size == store.end()
    assert manager.sql("SELECT count(*) AS n FROM events").to_pylist() == [{"n": store.end()}]
    assert manager.sql("SELECT count(*) AS n FROM metrics").to_pylist()
    assert (damage := manager.fsck()) == [], damage
    return len(stories)


def hear(manager: ModelManager, chance: random.Random, count: int) -> int:
    """Have an assigner hear poison, and give a job to a worker behind it: how many messages were rejected."""
    home = manager._home
    manager._workspace.admit(SubmitJob(job="job", kind="train", model="credit", payload=TRAINING), None)
    honest = identity("honest")
    worker = WorkerReady(incarnation=honest.incarnation, pool="default", capabilities=("train",), slots=1)
    with home.desk.assigner() as assigner:
        results = assigner._reports[0]._results
        for n, raw in enumerate(poisoned_results(chance, count, results.place)):
            results.say(raw)
            if n % 50 == 0:
                results.say(_announced(honest, worker, n, results.place))
        results.say(_announced(honest, worker, count, results.place))
        until(
            lambda: not assigner.step() and honest.incarnation in {each.incarnation for each in assigner.ready()},
            PATIENCE,
        )
    assert manager.jobs.show("job").epoch >= 1, "no job was given out behind the poison"
    return manager._workspace.ledger.store.rejected_count()


def _announced(honest: WorkerKeys, worker: WorkerReady, beat: int, place: str) -> bytes:
    """An announcement as the worker makes it: each counts on from the one before."""
    return honest.signed(encoded(worker.model_copy(update={"beat": beat}), honest.incarnation), place)


def spoiled_spool(manager: ModelManager, home: Path, chance: random.Random, count: int) -> tuple[int, int]:
    """Spool saves and runs, spoil four of five, and deliver: how many were told, and how many stand refused."""
    good: list[str] = []
    with locked(home), _impatient(), ModelManager(home, actor="bob") as away:
        for n in range(0, count, 5):
            with away.run("credit") as run:
                run.log({"loss": 1.0})
                run.checkpoint({"w": np.full(2, n)}, step=1)
            kept = away.save_version({"w": np.full(2, n)}, name="credit", branch=f"b{n}", parents=["credit@1"])
            good.append(kept.key)  # type: ignore[attr-defined]
        for path in entries(home):
            if json.loads((path / "entry.json").read_bytes())["key"] not in good:
                _spoiled(path, chance)
            elif chance.random() < 0.5:
                _stray(path.parent, chance)
    told = manager.sync()
    delivered = {each["key"] for each in told.delivered}
    assert set(good) <= delivered, "a good entry was not delivered"
    assert entries(home) == [], "an entry is stuck"
    assert all(each["reason"] for each in told.refused)
    return len(told.delivered), len(told.refused)


def _spoiled(path: Path, chance: random.Random) -> None:
    """Spoil an entry: under its old name, under the name of its new content, or by what lies beside it."""
    content = mutated((path / "entry.json").read_bytes(), chance)
    (path / "entry.json").write_bytes(content)
    if chance.random() < 0.8:
        place = path.name.partition("-")[0]
        path.rename(path.with_name(f"{place}-{digest_of(content).removeprefix('blake3:')}"))
    elif chance.random() < 0.5:
        os.mkfifo(path / "pipe")


def _stray(spool: Path, chance: random.Random) -> None:
    name = chance.choice(("12-notes.txt", "notes", "7²", "000000000001-short", "x" * 240)) + str(
        chance.randrange(10**6)
    )
    kind = chance.randrange(3)
    if kind == 0:
        (spool / name).write_text("to do")
    elif kind == 1:
        (spool / name).symlink_to("/dev/zero")
    else:
        os.mkfifo(spool / name)


@contextmanager
def _impatient() -> Iterator[None]:
    before = os.environ.get("LEPTON_WAIT")
    os.environ["LEPTON_WAIT"] = "0.05"
    try:
        yield
    finally:
        os.environ.pop("LEPTON_WAIT") if before is None else os.environ.update(LEPTON_WAIT=before)


def suffer(seed: int, say: Callable[[str], None]) -> None:
    """Thousands of them: inbox and results through a real broker, the spool on this disk."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    logging.getLogger("lepton").setLevel(logging.CRITICAL)
    chance = random.Random(seed)
    with ExitStack() as close:
        kafka = Kafka()
        kafka.start()
        close.callback(kafka.remove)
        folder = Path(tempfile.mkdtemp(prefix="lepton-poison-"))
        close.callback(shutil.rmtree, folder, ignore_errors=True)
        os.environ |= {"LEPTON_HOME": str(folder / "home"), "LEPTON_WAIT": "30"}
        manager = close.enter_context(ModelManager(folder / "home", actor="ada"))
        manager.save_version({"w": np.ones(2)}, name="credit")
        told = spoiled_spool(manager, folder / "home", chance, ENTRIES)
        say(f"spool: {told[0]} entries told, {told[1]} refused or set aside")
        checked(manager, [])
        postgresql = PostgreSQL()
        postgresql.start()
        close.callback(postgresql.remove)
        os.environ |= {"LEPTON_HOME": str(folder / "other"), "LEPTON_DATABASE": postgresql.url()}
        os.environ |= {"LEPTON_KAFKA": kafka.servers, "LEPTON_LEDGER": "poison"}
        beside = close.enter_context(ModelManager(actor="ada"))
        beside.save_version({"w": np.ones(2)}, name="credit")
        asyncio.run(open_topics(beside._home.cluster))
        letters = list(poisoned_letters(chance, LETTERS, lambda n: outside(f"good-{n}")))
        end = _taken_in(beside._home, letters)
        good = [n for n in range(LETTERS) if n % 5 == 4]
        refused = checked(beside, good)
        say(f"inbox: {end} messages, {len(good)} of them good; {refused} rejected, each with its story")
        heard = hear(beside, chance, RESULTS)
        say(f"results: {RESULTS} messages, {heard - refused} rejected, and a job was given out behind them")
        checked(beside, good)
        say("verify, fsck and sql answer")


def _taken_in(home: Home, letters: Sequence[Letter]) -> int:
    """Put letters into the inbox, records that no client can read behind them, and take all in: where that ends."""
    topic, work = home.cluster.topic("inbox"), home.workspace
    end = asyncio.run(_sent(home.cluster, letters))
    with receiving(work.ledger, home.cluster, lambda part: Intake(work.ledger, work.actors, topic, part)):
        until(lambda: (home.store.position(topic, 0) or 0) >= end, PATIENCE)
    return end


async def _sent(cluster: Cluster, letters: Sequence[Letter]) -> int:
    async with Writer(cluster) as writer:
        for letter in letters:
            await writer.send("inbox", [Outgoing(letter.raw, headers=letter.headers)])
    await unreadable(cluster, [b"{}", b"{}"])
    async with Reader(cluster, "inbox") as reader:
        return await reader.end()


class _NoText(str):
    """A header's name that goes onto the wire as bytes that are no UTF-8."""

    def encode(self, *_: object) -> bytes:
        return b"\xff\xfe"


async def unreadable(cluster: Cluster, between: Sequence[bytes]) -> None:
    """Put messages into the inbox, and between them records with a header whose name is no UTF-8."""
    from aiokafka.producer import message_accumulator
    from aiokafka.record import default_records

    compiled = message_accumulator.DefaultRecordBatchBuilder
    for n, raw in enumerate(between):
        async with Writer(cluster) as writer:
            if n:
                message_accumulator.DefaultRecordBatchBuilder = default_records._DefaultRecordBatchBuilderPy
                try:
                    await writer.send("inbox", [Outgoing(b"{}", headers=((_NoText("name"), b""),))])
                finally:
                    message_accumulator.DefaultRecordBatchBuilder = compiled
            await writer.send("inbox", [Outgoing(raw)])
