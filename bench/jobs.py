"""From a command to `job.started` with an idle worker: over tables, and over Kafka with relay and intake between.

The times are the events' own: `job.submitted` and `job.started` as the database recorded them.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from kafka import MAIN, cpu

from lepton_ai.domain.job.commands import SubmitJob
from lepton_ai.events.envelope import decode
from lepton_ai.events.sql.leases import Leases
from lepton_ai.settings import load
from lepton_ai.wiring import Home

sys.path.insert(0, str(Path(__file__).parent.parent))
from tests.broker import Kafka
from tests.servers import PostgreSQL

JOBS = 21
IDLE = 10.0
PROCESSES = {"tables": ("worker",), "Kafka": ("relay", "intake", "worker")}


def submitted(home: Home, name: str) -> None:
    """Ask for work that fails as soon as it has begun, and wait until it has ended and its process is gone."""
    payload = {"class": "credit-scoring-model", "label": "none", "branch": "main"}
    asked = SubmitJob(job=name, kind="train", model="net", payload=payload, source="file:///none.csv", retries=0)
    home.workspace.admit(asked, None)
    until = time.monotonic() + 60
    while not home.workspace.ledger.state(f"job/{name}").ended:  # type: ignore[attr-defined]
        assert time.monotonic() < until
        time.sleep(0.01)
    time.sleep(0.5)


def waited(home: Home, name: str) -> float:
    """Milliseconds between a job's submission and its start."""
    rows = home.store.stream(f"job/{name}")[1]
    told = {each.event.type.split(".")[2]: each.recorded for each in (decode(row.envelope) for row in rows)}
    return (told["started"] - told["submitted"]).total_seconds() * 1e3


def figures(processes: tuple[str, ...]) -> str:
    """The times of some jobs, and what the processes cost while there is none."""
    home = Home(load())
    home.workspace  # noqa: B018 - makes the ledger
    with ExitStack() as close:
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        running = {name: subprocess.Popen([sys.executable, "-c", MAIN, name], **quiet) for name in processes}
        for each in running.values():
            close.callback(each.wait)
            close.callback(each.terminate)
        while not Leases(home.database).workers(0):
            assert all(each.poll() is None for each in running.values())
            time.sleep(0.05)
        for n in range(JOBS + 1):
            submitted(home, f"job-{n}")
        times = sorted(waited(home, f"job-{n}") for n in range(1, JOBS + 1))
        before = {name: cpu(each.pid) for name, each in running.items()}
        time.sleep(IDLE)
        idle = ", ".join(f"{name} {(cpu(each.pid) - before[name]) / IDLE:.1%}" for name, each in running.items())
    home.close()
    return f"{statistics.median(times):.0f} ms | {times[-2]:.0f} ms | {idle}"


def main() -> None:
    """Run all and print the table."""
    print("| job.submitted to job.started | p50 | p95 | CPU at rest, of one core |\n| --- | --- | --- | --- |")
    with ExitStack() as close:
        kafka, postgresql = Kafka(), PostgreSQL()
        for part in (kafka, postgresql):
            part.start()
            close.callback(part.remove)
        for way, processes in PROCESSES.items():
            for database in ("SQLite", "PostgreSQL"):
                folder = close.enter_context(tempfile.TemporaryDirectory())
                os.environ |= {
                    "LEPTON_HOME": folder,
                    "LEPTON_LEDGER": f"{way}_{database}".lower(),
                    "LEPTON_DATABASE": postgresql.url() if database == "PostgreSQL" else "",
                    "LEPTON_OBJECTS": Path(folder, "objects").as_uri(),
                    "LEPTON_KAFKA": kafka.servers if way == "Kafka" else "",
                    "PYTHONSAFEPATH": "1",
                }
                Path(folder, "objects").mkdir()
                print(f"| {way}, {database} | {figures(processes)} |", flush=True)


if __name__ == "__main__":
    main()
