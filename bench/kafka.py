"""The ledger beside Kafka: relay, lag from commit to the views, rebuild and inbox, with a real broker on this machine.

The broker takes its own share of the cores, so its CPU stands apart.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from bisect import bisect_left
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import Any

from append import SIZE, lepton_events

from lepton_ai.events.kafka.clients import Outgoing, Writer
from lepton_ai.events.kafka.log import KafkaLog
from lepton_ai.events.kafka.relay import Relay
from lepton_ai.events.kafka.topics import open_topics
from lepton_ai.jobs.intake.consumer import consume
from lepton_ai.jobs.intake.inbox import Intake
from lepton_ai.jobs.protocol.over_kafka import opened
from lepton_ai.projections.following import Follower
from lepton_ai.projections.projector import Projection
from lepton_ai.settings import load
from lepton_ai.wiring import Home

sys.path.insert(0, str(Path(__file__).parent.parent))
from tests.broker import Kafka

EVENTS, RATE, SECONDS, MESSAGES = 60_000, 1_000, 10, 5_000
MAIN = "from lepton_ai.cli import main; main()"


def cpu(pid: int) -> float:
    """CPU seconds of a process, user and system."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident(pid: int) -> float:
    """Resident memory of a process in MB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1e3


def measured(kafka: Kafka, work: Callable[[], Any], count: int) -> str:
    """Events a second, with our CPU and the broker's an event."""
    wall, ours, theirs = time.perf_counter(), time.process_time(), cpu(kafka.pid)
    work()
    wall, ours, theirs = time.perf_counter() - wall, time.process_time() - ours, cpu(kafka.pid) - theirs
    return f"{count / wall:,.0f} events/s | {ours / count * 1e6:.0f} µs | {theirs / count * 1e6:.0f} µs"


def filled(home: Home, count: int) -> None:
    """Fill a ledger with events of the benchmark's size, a hundred a command."""
    append = lepton_events(home)
    for _ in range(count // 100):
        append(100)


def relayed(home: Home) -> Callable[[], None]:
    """Relaying all that the log holds."""
    end = home.store.end()
    return lambda: asyncio.run(Relay(home.store, home.cluster, until=end).run(asyncio.Event()))


def rebuilt(home: Home, folder: Path) -> Callable[[], None]:
    """Making the views from the topic."""

    def rebuild() -> None:
        with KafkaLog(home.cluster) as log, Projection(folder, log) as projection:
            projection.catch_up()

    return rebuild


def lag(home: Home, folder: Path) -> str:
    """From the end of a commit to the end of the transaction that put its rows into DuckDB, while events flow."""
    append, stop = lepton_events(home), threading.Event()
    applied: list[tuple[int, float]] = []
    relay = subprocess.Popen([sys.executable, "-c", MAIN, "relay"], stdout=subprocess.DEVNULL)
    committed: list[tuple[int, float]] = []
    with Projection(folder, home.store) as projection:
        projection.catch_up()
        with Follower(projection, home.kafka_log) as follower:

            def watch() -> None:
                while not stop.is_set():
                    follower.reach(projection.position + 1, 60)
                    applied.append((projection.position, time.perf_counter()))

            follower.reach(append(10), 60)
            watcher = threading.Thread(target=watch, daemon=True)
            watcher.start()
            start = time.perf_counter()
            for n in range(RATE * SECONDS // 10):
                time.sleep(max(0.0, start + n * 10 / RATE - time.perf_counter()))
                committed.append((append(10), time.perf_counter()))
            rate = len(committed) * 10 / (time.perf_counter() - start)
            follower.reach(committed[-1][0], 60)
            stop.set()
            append(10)
            watcher.join()
    relay.terminate()
    relay.wait()
    seqs = [seq for seq, _ in applied]
    lags = sorted((applied[bisect_left(seqs, seq)][1] - when) * 1e3 for seq, when in committed)
    return f"p50 {statistics.median(lags):.0f} ms, p99 {lags[int(len(lags) * 0.99)]:.0f} ms at {rate:,.0f} events/s"


def told(home: Home) -> Callable[[], None]:
    """Taking in what services put into the inbox."""
    work, topic = home.workspace, home.cluster.topic("inbox")
    event = {"specversion": "1.0", "source": "/bench", "type": "lepton.metrics.recorded.v1", "subject": "model/credit"}

    async def send() -> None:
        async with Writer(home.cluster) as writer:
            for n in range(0, MESSAGES, 500):
                told = [
                    event
                    | {"id": str(m), "data": {"version": 1, "metrics": {"f1": m / MESSAGES, "pad" + "x" * 100: 1}}}
                    for m in range(n, n + 500)
                ]
                await writer.send("inbox", [Outgoing(json.dumps(each).encode()) for each in told])

    asyncio.run(send())

    def take() -> None:
        stop, intake = Event(), Intake(work.ledger, work.actors, topic)
        with ThreadPoolExecutor(1) as pool:
            task = pool.submit(
                consume, lambda: opened(home.cluster, "inbox", home.store.bookmark), lambda _: intake, stop
            )
            while intake.taken < MESSAGES:
                time.sleep(0.005)
            stop.set()
            task.result()

    return take


def at_rest() -> str:
    """Resident memory of each process, five seconds after its start."""
    names = ("relay", "projector", "intake", "worker")
    running = [subprocess.Popen([sys.executable, "-c", MAIN, name], stdout=subprocess.DEVNULL) for name in names]
    time.sleep(5)
    sizes = [resident(process.pid) for process in running]
    for process in running:
        process.terminate()
        process.wait()
    return ", ".join(f"{name} {size:.0f} MB" for name, size in zip(names, sizes, strict=True))


def main() -> None:
    """Run all and print the table."""
    kafka = Kafka()
    kafka.start()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        os.environ |= {
            "LEPTON_HOME": str(folder / "home"),
            "LEPTON_OBJECTS": (folder / "objects").as_uri(),
            "LEPTON_KAFKA": kafka.servers,
            "LEPTON_KAFKA_PREFIX": f"bench{datetime.now(UTC):%H%M%S}",
            "PYTHONSAFEPATH": "1",
        }
        (folder / "objects").mkdir()
        home = Home(load())
        filled(home, EVENTS)
        count = home.store.end()
        asyncio.run(open_topics(home.cluster))
        rows = [
            (f"relay of {count:,} events of {SIZE} bytes", measured(kafka, relayed(home), count)),
            ("rebuild of all views from Kafka", measured(kafka, rebuilt(home, folder / "rebuilt"), count)),
            (f"inbox: {MESSAGES:,} messages taken in", measured(kafka, told(home), MESSAGES)),
            ("commit to DuckDB row, through Kafka", f"{lag(home, folder / 'lag')} | |"),
            ("at rest", f"{at_rest()} | |"),
        ]
        home.close()
    kafka.remove()
    print("| | figure | our CPU an event | the broker's |\n| --- | --- | --- | --- |")
    for name, figure in rows:
        print(f"| {name} | {figure} |")


if __name__ == "__main__":
    main()
