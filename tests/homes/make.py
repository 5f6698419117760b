"""Makes tests/homes/COMMIT: what Lepton wrote at the last commit of a format, in a checkout of it, with its code.

cd CHECKOUT && PYTHONPATH=. LEPTON_LANG=en .venv/bin/python PLACE/tests/homes/make.py PLACE/tests/homes/COMMIT

Written for 95e372b; how 88a614a was made is in its history.
"""
# pyright: basic

from __future__ import annotations

import asyncio
import base64
import io
import json
import lzma
import os
import signal
import sqlite3
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import facts
import past
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from lepton_ai import ModelManager, settings
from lepton_ai.events.inbox import Letter
from lepton_ai.jobs.intake.inbox import Intake
from lepton_ai.wiring import Home
from tests.broker import Kafka
from tests.servers import PASSWORD, PostgreSQL

TOPICS = ("events", "commands", "results", "inbox", "rejected")
VIEWS = [path.stem for path in Path("projections/sql/views").glob("*.sql")]
SOON = 120.0


def embedded(to: Path) -> None:
    """A home with its SQLite, objects, read model and spool."""
    with TemporaryDirectory() as folder:
        home = Path(folder) / "home"

        def take_in(told: list[Any]) -> None:
            parts = Home(settings.load(home, actor="ada"))
            work = parts.workspace
            intake = Intake(work.ledger, work.actors, "inbox", offers=parts.settings.offers)
            intake.take([Letter(place, past.raw(each)) for place, each in enumerate(told)], None)
            parts.close()

        def work() -> None:
            os.environ |= {"LEPTON_TERM_LEASE": "8", "LEPTON_TERM_HEARTBEAT": "0.5", "LEPTON_TERM_PAUSE": "0.1"}
            killed_at_work(home)
            assert past.lepton("worker", "--once", LEPTON_HOME=str(home)).wait(SOON) == 0

        past.tell(home, Path(folder), take_in, work)
        with ModelManager(home, actor="ada") as manager:
            told = facts.facts(manager, VIEWS)
        told["spooled"] = spooled(home)
        with closing(sqlite3.connect(home / "main.db")) as database:
            assert database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0
            told["tables"] = counts(database)
        for left in (*home.glob("main.db-*"), *home.glob("*.lock"), *home.glob("main.db.*")):
            left.unlink()
        packed(home, to / "home.tar.xz")
        written(to / "home.facts.xz", told)


def killed_at_work(home: Path) -> None:
    """Kill a worker in the middle of its first job, which is lost and done by another."""
    worker = past.lepton("worker", LEPTON_HOME=str(home))
    with ModelManager(home, actor="ada") as manager:
        while all(job.status != "running" for job in manager.jobs.recent()):
            assert worker.poll() is None
    worker.kill()
    worker.wait()


def spooled(home: Path) -> int:
    """Save two versions and a run while the database is away, which stay in the spool; how many entries it has."""
    os.environ["LEPTON_WAIT"] = "0.05"
    with closing(sqlite3.connect(home / "main.db", isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        with ModelManager(home, actor="carol") as manager:
            for number in range(2):
                manager.save_version({"w": past.np.full((2, 2), number, "float32")}, name="late", message="spooled")
            with manager.run("late") as run:
                run.log({"loss": 0.5}, step=1)
        writer.execute("ROLLBACK")
    del os.environ["LEPTON_WAIT"]
    return len([path for path in (home / "spool" / "main").iterdir() if path.name[0].isdecimal()])


def counts(database: Any) -> dict[str, int]:
    """How many rows each table has."""
    tables = (
        "events",
        "tiles",
        "actors",
        "placements",
        "seen",
        "positions",
        "rejected",
        "mail",
        "workers",
        "leases",
        "run_heartbeats",
        "holders",
    )
    return {table: database.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables}


def beside_kafka(to: Path) -> None:
    """Two ledgers in a PostgreSQL, of which one is on Kafka too, with all of its processes."""
    with ExitStack() as close:
        kafka, postgresql = Kafka(), PostgreSQL()
        close.callback(kafka.remove)
        close.callback(postgresql.remove)
        kafka.start()
        postgresql.start()
        folder = Path(close.enter_context(TemporaryDirectory()))
        home, objects = folder / "home", folder / "objects"
        os.environ |= {"LEPTON_DATABASE": postgresql.url(), "LEPTON_OBJECTS": objects.as_uri()}
        other = second(folder)
        os.environ |= {"LEPTON_KAFKA": kafka.servers, "LEPTON_HOME": str(home)}
        assert past.lepton("init").wait(SOON) == 0
        with running("relay", "intake", "projector"):
            past.tell(home, folder, lambda told: asyncio.run(sent(kafka.servers, told)), lambda: worked(home))
            with ModelManager(home, actor="ada") as manager:
                told = facts.facts(manager, VIEWS)
        assert past.lepton("relay", "--once").wait(SOON) == 0
        with ModelManager(home, actor="ada") as manager:
            assert manager.verify().size == told["events"], "something was told after the facts were"
        records = asyncio.run(read(kafka.servers))
        written(to / "postgresql.facts.xz", told | {"other": other})
        (to / "topics.json.xz").write_bytes(lzma.compress(json.dumps(records, indent=0).encode(), preset=9))
        (to / "postgresql.sql.xz").write_bytes(lzma.compress(dumped(postgresql), preset=9))
        packed(objects, to / "objects.tar.xz")


def second(folder: Path) -> dict[str, Any]:
    """A small second ledger in the same database; what must hold of it."""
    os.environ["LEPTON_LEDGER"] = "other"
    with ModelManager(folder / "other", actor="ada") as manager:
        manager.save_version(past.OF_EVERY_SORT, name="sorts")
        manager.save_version(past.OF_EVERY_SORT | {"whole": past.torch.tensor(9)}, name="sorts")
        manager.rollback("sorts@1")
        told = facts.facts(manager, VIEWS)
    del os.environ["LEPTON_LEDGER"]
    return told


@contextmanager
def running(*names: str) -> Iterator[None]:
    """Processes of the ledger, ended in good order."""
    processes = [past.lepton(name) for name in names]
    try:
        yield
    finally:
        for process in processes:
            process.send_signal(signal.SIGTERM)
        ended = [process.wait(SOON) for process in processes]
    assert not any(ended)


async def sent(servers: str, told: list[Any]) -> None:
    """Put messages into the inbox, the last but one in binary mode, once its topic is there."""
    producer = AIOKafkaProducer(bootstrap_servers=servers)
    await producer.start()
    while "lepton.inbox" not in (await producer.client.fetch_all_metadata()).topics():
        await asyncio.sleep(0.1)
    for each in told:
        await producer.send_and_wait("lepton.inbox", past.raw(each), key=b"k")
    whole = past._event("b", "metrics.recorded", {"version": 1, "metrics": {"binary": 1.0}})
    headers = [(f"ce_{name}", str(value).encode()) for name, value in whole.items() if name != "data"]
    data = json.dumps(whole["data"]).encode()
    await producer.send_and_wait("lepton.inbox", data, headers=[*headers, ("content-type", b"application/json")])
    await producer.stop()


def worked(home: Path) -> None:
    """Have a worker do what there is to do, and the intake take in what there is."""
    known = {name: os.environ.pop(name) for name in ("LEPTON_DATABASE", "LEPTON_HOME")}
    worker = past.lepton("worker", LEPTON_HOME=str(home / "no-home"))
    os.environ |= known
    with ModelManager(home, actor="ada") as manager:
        end = time.monotonic() + SOON
        while time.monotonic() < end:
            status = [(job.status, job.pool) for job in manager.jobs.recent()]
            binary = any("binary" in event["data"].get("metrics", {}) for event in manager.events())
            if binary and all(each in ("finished", "failed", "cancelled") or pool == "night" for each, pool in status):
                break
            time.sleep(0.2)
        else:
            raise AssertionError(status)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(SOON) == 0


async def read(servers: str) -> dict[str, list[Any]]:
    """Every record: partition, timestamp in milliseconds, key, value and headers, in base64 but for what is text."""
    found: dict[str, list[Any]] = {}
    consumer = AIOKafkaConsumer(bootstrap_servers=servers, group_id=None, enable_auto_commit=False)
    await consumer.start()
    for topic in TOPICS:
        records = found[topic] = []
        parts = await consumer._client.fetch_all_metadata()
        places = [TopicPartition(f"lepton.{topic}", part) for part in parts.partitions_for_topic(f"lepton.{topic}")]
        for place in places:
            consumer.assign([place])
            await consumer.seek_to_beginning(place)
            end = (await consumer.end_offsets([place]))[place]
            while await consumer.position(place) < end:
                for each in (await consumer.getmany(place, timeout_ms=500)).get(place, []):
                    headers = [[name, coded(value)] for name, value in each.headers]
                    records.append([each.partition, each.timestamp, coded(each.key), coded(each.value), headers])
    await consumer.stop()
    return found


def coded(value: bytes | None) -> Any:
    """Bytes as text where they are, else in base64, as a list."""
    if value is None:
        return None
    try:
        return value.decode()
    except UnicodeDecodeError:
        return [base64.b64encode(value).decode()]


def dumped(postgresql: PostgreSQL) -> bytes:
    """Both schemas as plain SQL of statements that any client can send; the newest words are left out."""
    command = ["pg_dump", "-h", "127.0.0.1", "-p", str(postgresql.port), "-U", "lepton", "-d", "postgres"]
    options = ("--no-owner", "--no-privileges", "--rows-per-insert=200", "-n", "lepton_main", "-n", "lepton_other")
    path = postgresql._programs / command[0]
    environment = os.environ | {"PGPASSWORD": PASSWORD}
    sql = subprocess.run([path, *command[1:], *options], env=environment, check=True, capture_output=True).stdout
    lines = sql.decode().splitlines()
    return "\n".join(
        line for line in lines if not line.startswith(("\\", "--", "SET transaction_timeout")) and line
    ).encode()


def packed(folder: Path, to: Path) -> None:
    """A folder's files in a tar, as nobody's and of no time."""

    def nobody(info: tarfile.TarInfo) -> tarfile.TarInfo:
        info.uid = info.gid = info.mtime = 0
        info.uname = info.gname = ""
        return info

    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as tar:
        for path in sorted(folder.rglob("*")):
            if not path.is_socket():
                tar.add(path, str(path.relative_to(folder)), recursive=False, filter=nobody)
    to.write_bytes(lzma.compress(raw.getvalue(), preset=9))


def written(path: Path, told: Any) -> None:
    """JSON, packed."""
    path.write_bytes(lzma.compress(json.dumps(told, ensure_ascii=False, sort_keys=True).encode(), preset=9))


if __name__ == "__main__":
    place = Path(sys.argv[1]).absolute()
    place.mkdir(exist_ok=True)
    embedded(place)
    beside_kafka(place)
