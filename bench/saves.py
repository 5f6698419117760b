"""A small version's save beside MLflow's bare registry row, and the first save in a process of its own.

MLflow 3.17.2 stores the row of a model version and no byte of it (`create_model_version` on SQLite, its skinny package
in an environment of its own, which the Makefile makes); Lepton keeps the tensors too, as a delta, synced, with recipe,
environment and history. Both take turns in one run. CPU is the process's own: in a checkout `git status` takes as much
again, in a process of its own.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import chdir
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage

import numpy as np

from lepton_ai import ModelManager

PEER = Path(sys.prefix) / "peers" / "mlflow" / "bin" / "python"
RUNS, SAVES = 7, 100
MLFLOW = """
import sys, time, logging
logging.disable(logging.CRITICAL)
from mlflow import MlflowClient
place = "sqlite:///" + sys.argv[1]
client = MlflowClient(tracking_uri=place, registry_uri=place)
client.create_registered_model("toy")
print("ready", flush=True)
for line in sys.stdin:
    wall, cpu = time.perf_counter(), time.process_time()
    for number in range(int(line)):
        client.create_model_version("toy", source=f"/models/{number}")
    print(time.perf_counter() - wall, time.process_time() - cpu, flush=True)
"""
FIRST = """
import numpy as np
from lepton_ai import ModelManager
with ModelManager() as manager:
    manager.save_version({"w": np.zeros((64, 64), "float32"), "b": np.zeros(64, "float32")}, name="toy")
"""


def rows() -> str:
    """A Markdown table: medians of CPU and wall milliseconds, and the ratio to MLflow's."""
    with tempfile.TemporaryDirectory() as folder:
        told = _saves(Path(folder))
        env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        env["PYTHONPYCACHEPREFIX"] = f"{folder}/compiled"
        walls, cpus = zip(*(_first(Path(folder) / f"first{run}", env) for run in range(RUNS + 1)), strict=True)
    told["the first save in a process, from numpy arrays"] = statistics.median(walls[1:]), statistics.median(cpus[1:])
    peer = told["MLflow, `create_model_version`"][1]
    lines = ["| one save | CPU ms | wall ms | CPU, as a ratio |", "| --- | --- | --- | --- |"]
    for name, (wall, cpu) in told.items():
        lines.append(f"| {name} | {cpu * 1e3:.2f} | {wall * 1e3:.2f} | {cpu / peer:.2f} |")
    return "\n".join(lines)


def _saves(folder: Path) -> dict[str, tuple[float, float]]:
    """Medians of wall and CPU seconds a save; the contestants take turns."""
    figures: dict[str, list[tuple[float, float]]] = {}
    weights, bias, count = np.zeros((64, 64), "float32"), np.zeros(64, "float32"), 0

    def save(manager: ModelManager) -> None:
        nonlocal count
        count += 1
        weights[count % 64] += 1e-3
        manager.save_version({"w": weights, "b": bias}, name="toy")

    checkout = _checkout(folder / "checkout")
    words = (str(PEER), "-c", MLFLOW, str(folder / "mlflow.db"))
    with (
        ModelManager(folder / "home") as manager,
        subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=folder, text=True) as mlflow,
    ):
        assert mlflow.stdin is not None
        assert mlflow.stdout is not None
        assert mlflow.stdout.readline() == "ready\n"
        for _ in range(RUNS + 1):
            for name, place in (("", folder), (", in a git checkout", checkout)):
                with chdir(place):
                    wall, cpu = time.perf_counter(), time.process_time()
                    for _ in range(SAVES):
                        save(manager)
                    spent = (time.perf_counter() - wall) / SAVES, (time.process_time() - cpu) / SAVES
                figures.setdefault(f"Lepton, a version of 16 KB{name}", []).append(spent)
            print(SAVES, file=mlflow.stdin, flush=True)
            wall, cpu = (float(each) / SAVES for each in mlflow.stdout.readline().split())
            figures.setdefault("MLflow, `create_model_version`", []).append((wall, cpu))
        mlflow.stdin.close()
    # the first run only warms up
    return {
        name: (statistics.median(wall for wall, _ in runs[1:]), statistics.median(cpu for _, cpu in runs[1:]))
        for name, runs in figures.items()
    }


def _checkout(folder: Path) -> Path:
    folder.mkdir()
    (folder / "train.py").write_text("print(1)\n")
    named = ("-c", "user.name=bench", "-c", "user.email=bench@localhost")
    for words in (("init", "-q"), ("add", "."), (*named, "commit", "-qm", "one")):
        subprocess.run(("git", *words), cwd=folder, check=True)
    return folder


def _first(home: Path, env: dict[str, str]) -> tuple[float, float]:
    wall, before = time.perf_counter(), getrusage(RUSAGE_CHILDREN)
    home.mkdir()
    subprocess.run((sys.executable, "-c", FIRST), cwd=home, env=env, check=True, capture_output=True)
    after = getrusage(RUSAGE_CHILDREN)
    return time.perf_counter() - wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    print(rows())
