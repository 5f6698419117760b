"""How long `lepton log` takes from the shell, beside `git log` and a bare Python, on few and on many versions."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage

import numpy as np

from lepton_ai import ModelManager

RUNS, VERSIONS = 11, 200
LEPTON = (sys.executable, "-c", "from lepton_ai.cli import main; main()")


def rows() -> str:
    """A Markdown table: the call, its median wall and CPU milliseconds, all but the first of the runs."""
    with tempfile.TemporaryDirectory() as folder:
        few, many = Path(folder) / "few", Path(folder) / "many"
        _fill(few, 3)
        _fill(many, VERSIONS)
        env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        env |= {"PYTHONSAFEPATH": "1", "PYTHONPYCACHEPREFIX": f"{folder}/compiled"}
        lines = [
            _line("`python -c pass`", (sys.executable, "-c", "pass"), env),
            _line("`git log` of this repository", ("git", "-C", str(Path(__file__).parent), "log"), env),
            _line("`lepton --help`", (*LEPTON, "--help"), env),
            _line("`lepton log`, 3 versions", (*LEPTON, "--home", str(few), "log"), env),
            _line(f"`lepton log --graph`, {VERSIONS} versions", (*LEPTON, "--home", str(many), "log", "--graph"), env),
        ]
    return "\n".join(["| call | median wall ms | CPU ms |", "| --- | --- | --- |", *lines])


def _fill(home: Path, versions: int) -> None:
    with ModelManager(home) as manager:
        for number in range(versions):
            manager.save_version({"w": np.full(4, float(number))}, name="toy", message=f"version {number}")


def _line(name: str, words: Sequence[str], env: dict[str, str]) -> str:
    walls, cpus = zip(*(_timed(words, env) for _ in range(RUNS)), strict=True)
    return f"| {name} | {statistics.median(walls[1:]) * 1e3:.0f} | {statistics.median(cpus[1:]) * 1e3:.0f} |"


def _timed(words: Sequence[str], env: dict[str, str]) -> tuple[float, float]:
    wall, before = time.perf_counter(), getrusage(RUSAGE_CHILDREN)
    subprocess.run(words, env=env, check=True, stdout=subprocess.DEVNULL)
    after = getrusage(RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.perf_counter() - wall, cpu


if __name__ == "__main__":
    print(rows())
