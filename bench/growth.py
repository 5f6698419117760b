"""What a call costs on a model of 100, 1,000 and 20,000 versions: in a living process, and from a fresh one.

A fresh one's time is what it takes above `lepton --help`. The versions are saved through the API, in memory where the
machine has a file system there: it is CPU time that is compared.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage

import numpy as np

from lepton_ai import ModelManager

SIZES = (100, 1_000, 20_000)
RUNS, TIMES, STARTS = 9, 10, 5
LEPTON = (sys.executable, "-c", "from lepton_ai.cli import main; main()")
Weights = dict[str, np.ndarray]


def rows() -> str:
    """Two Markdown tables: median CPU milliseconds by size, and the largest's as a ratio to the smallest's."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        homes = dict(_homes(Path(folder)))
        env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        env |= {"PYTHONSAFEPATH": "1", "PYTHONPYCACHEPREFIX": f"{folder}/compiled"}
        fresh = _fresh(homes, env)
        living = _living(homes)
    return f"{_table('in a living process', living)}\n\n{_table('from a fresh process, above `--help`', fresh)}"


def _homes(folder: Path) -> Iterator[tuple[int, Path]]:
    """A home a size: each is the one before it, gone on with."""
    weights, made = _weights(), 0
    for size in SIZES:
        with ModelManager(folder / "growing") as manager:
            for number in range(made, size):
                _save(manager, weights, number)
            manager.alias("production", f"toy@{size // 2}")
        made = size
        shutil.copytree(folder / "growing", folder / str(size))
        yield size, folder / str(size)


def _weights() -> Weights:
    return {"w": np.zeros((16, 16), "float32"), "b": np.zeros(16, "float32")}


def _save(manager: ModelManager, weights: Weights, number: int) -> None:
    weights["w"][number % 16] += 1e-3 * (1 + number)
    manager.save_version(weights, name="toy", message=f"version {number}")


def _living(homes: dict[int, Path]) -> dict[str, dict[int, float]]:
    """Median CPU seconds of each call by size; the sizes take turns."""
    managers = {size: ModelManager(home) for size, home in homes.items()}
    calls = {size: _calls(manager, size) for size, manager in managers.items()}
    figures: dict[str, dict[int, float]] = {}
    for name in calls[SIZES[0]]:
        spent: dict[int, list[float]] = {size: [] for size in SIZES}
        for run in range(RUNS + 1):
            for size in SIZES:
                cpu = time.process_time()
                for n in range(TIMES):
                    calls[size][name](run * TIMES + n)
                spent[size].append((time.process_time() - cpu) / TIMES)
        figures[name] = {size: statistics.median(each[1:]) for size, each in spent.items()}
    for manager in managers.values():
        manager.close()
    return figures


def _calls(manager: ModelManager, size: int) -> dict[str, Callable[[int], object]]:
    weights = {name: value + 1 for name, value in _weights().items()}
    return {
        "save": lambda n: _save(manager, weights, n),
        "load of the first version": lambda _: manager.load_arrays("toy@1"),
        "load of the middle version": lambda _: manager.load_arrays(f"toy@{size // 2}"),
        "load of the last version": lambda _: manager.load_arrays("toy@main"),
        "alias move": lambda n: manager.alias("production", f"toy@{1 + n % 2}"),
        "rollback --dry-run": lambda _: manager.rollback("toy@main~20", dry_run=True),
        "log -n 20": lambda _: manager.log(model="toy", most=20),
        "log main -n 20": lambda _: manager.log("toy@main", most=20),
        "log main~2..main": lambda _: manager.log("toy@main~2..main"),
        f"main~{SIZES[0] - 20} and more": lambda _: manager.show(f"toy@main~{size - 20}"),
        "show": lambda _: manager.show(f"toy@{size // 2}"),
    }


def _fresh(homes: dict[int, Path], env: dict[str, str]) -> dict[str, dict[int, float]]:
    """Median CPU seconds of each command by size, less those of `--help`."""
    commands = {
        "save": ("-c", "save"),
        "log -n 20": ("log", "-n", "20"),
        "log main -n 20": ("log", "main", "-n", "20"),
        "show main~50": ("show", "main~50"),
        "rollback main~20 --dry-run": ("rollback", "main~20", "--dry-run"),
        "alias production": ("alias", "production", "main~3"),
    }
    base = statistics.median([_spent((*LEPTON, "--help"), env) for _ in range(STARTS + 1)][1:])
    figures: dict[str, dict[int, float]] = {}
    for name, words in commands.items():
        spent: dict[int, list[float]] = {size: [] for size in SIZES}
        for _ in range(STARTS + 1):
            for size, home in homes.items():
                spent[size].append(_spent(_command(words, home), env))
        figures[name] = {size: statistics.median(each[1:]) - base for size, each in spent.items()}
    return figures


SAVE = """
import sys, time, numpy as np
from lepton_ai import ModelManager
with ModelManager(sys.argv[1]) as manager:
    manager.save_version({"w": np.full((16, 16), time.time()), "b": np.zeros(16, "float32")}, name="toy")
"""


def _command(words: tuple[str, ...], home: Path) -> tuple[str, ...]:
    if words[0] == "-c":
        return (sys.executable, "-c", SAVE, str(home))
    return (*LEPTON, "--home", str(home), *words)


def _spent(words: tuple[str, ...], env: dict[str, str]) -> float:
    before = getrusage(RUSAGE_CHILDREN)
    subprocess.run(words, env=env, check=True, capture_output=True, cwd=env["PYTHONPYCACHEPREFIX"].rpartition("/")[0])
    after = getrusage(RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _table(where: str, figures: dict[str, dict[int, float]]) -> str:
    head = " | ".join(f"{size:,} versions" for size in SIZES)
    lines = [f"| {where}, CPU ms | {head} | ratio |", "| --- |" + " --- |" * (len(SIZES) + 1)]
    for name, by_size in figures.items():
        cells = " | ".join(f"{by_size[size] * 1e3:.2f}" for size in SIZES)
        # what costs no more than `--help` does has no ratio
        ratio = f"{by_size[SIZES[-1]] / by_size[SIZES[0]]:.2f}" if min(by_size.values()) > 0 else "none"
        lines.append(f"| {name} | {cells} | {ratio} |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(rows())
