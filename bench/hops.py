"""How many of our files a call runs through: a warm save, load, rollback, query, job and inbox message.

Files are counted once, by their functions that this process calls; the process of a job's work is not looked into.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np

import lepton_ai
from lepton_ai import ModelManager
from lepton_ai.events.inbox import Letter
from lepton_ai.jobs.intake.inbox import Intake

ROOT = Path(lepton_ai.__file__).parent
LOANS = "income,debt,default\n" + "".join(f"{n % 7},{n % 5},{n % 2}\n" for n in range(60))


@contextmanager
def counted(files: set[str]) -> Iterator[None]:
    """Note the files of ours whose functions are called meanwhile, by any thread that begins meanwhile too."""

    def note(frame: FrameType, event: str, _: Any) -> None:
        if event == "call":
            path = Path(frame.f_code.co_filename)
            if path.is_relative_to(ROOT) and path.relative_to(ROOT).parts[0] not in ("tests", "bench", ".venv"):
                files.add(str(path.relative_to(ROOT)))

    threading.setprofile(note)
    sys.setprofile(note)
    try:
        yield
    finally:
        sys.setprofile(None)
        threading.setprofile(None)


def message(n: int) -> bytes:
    """An outside service's word on a version."""
    return json.dumps(
        {
            "specversion": "1.0", "id": f"m{n}", "source": "/bench", "type": "lepton.metrics.recorded.v1",
            "subject": "model/m", "time": "2026-01-01T00:00:00Z", "data": {"version": 1, "metrics": {"f1": n / 100}},
        }
    ).encode()  # fmt: skip


def ways(manager: ModelManager, folder: Path) -> dict[str, Callable[[int], object]]:
    """The six ways, each repeatable."""
    work = manager._workspace
    intake = Intake(work.ledger, work.actors, "inbox")
    data = folder / "loans.csv"
    data.write_text(LOANS)
    chosen = {"epochs": 1, "members": 1, "hidden": [2]}

    def job(n: int) -> object:
        asked = manager.jobs.train(
            "credit-scoring-model", str(data), "default", hyperparameters=chosen | {"learning_rate": 0.01 + n / 1000}
        )
        return manager.jobs.wait(asked.job, timeout=120)

    return {
        "save": lambda n: manager.save_version({"w": np.full(2000, n, np.float32)}, name="m"),
        "load": lambda n: manager.load_arrays(f"m@{n + 1}"),
        "rollback": lambda n: manager.rollback(1 + n % 2, model="m", reason="to count"),
        "sql": lambda _: manager.sql("SELECT count(*) FROM versions"),
        "job": job,
        "inbox message": lambda n: intake.take([Letter(n, message(n))], n or None),
    }


def main() -> None:
    """Print a table."""
    os.environ["LEPTON_LANG"] = "en"
    print("| way | files of ours |\n| --- | --- |")
    with tempfile.TemporaryDirectory() as folder, ModelManager(Path(folder, "home")) as manager:
        manager.save_version({"w": np.zeros(2000, np.float32)}, name="m")
        manager.save_version({"w": np.ones(2000, np.float32)}, name="m")
        for name, act in ways(manager, Path(folder)).items():
            for n in range(2):
                act(n)
            files: set[str] = set()
            with counted(files):
                act(2)
            print(f"| {name} | {len(files)} |", flush=True)
            if os.environ.get("HOPS"):
                print(*sorted(files), sep="\n", file=sys.stderr)


if __name__ == "__main__":
    main()
