"""A save and a load of 105 MB over loopback beside the same in the home itself, in one run.

The server is `lepton serve` in a process of its own, on the same cores. Local and remote take turns; each has a home of
its own. What is measured is the whole call: hashing, upload or download, packs synced, verification.
"""

from __future__ import annotations

import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from lepton_ai import ModelManager

RUNS = int(os.environ.get("RUNS", "9"))
LAYERS, SIDE = 25, 1024
SERVE = (sys.executable, "-c", "from lepton_ai.cli import main; main()", "serve", "--port", "0")


def tensors(seed: int) -> dict[str, np.ndarray]:
    """Weights as a layer is initialised with them."""
    rng = np.random.default_rng(seed)
    return {f"layer{n}.weight": rng.normal(0, 0.02, (SIDE, SIDE)).astype(np.float32) for n in range(LAYERS)}


def stepped(weights: dict[str, np.ndarray], seed: int) -> dict[str, np.ndarray]:
    """The weights after something like an optimiser's step."""
    rng = np.random.default_rng(seed)
    return {name: each + rng.normal(0, 1e-4, each.shape).astype(np.float32) for name, each in weights.items()}


@contextmanager
def serving(home: Path) -> Iterator[tuple[str, int]]:
    """A server of a new home in a process of its own: its address, and the process."""
    env = {**os.environ, "LEPTON_HOME": str(home), "LEPTON_LANG": "en"}
    subprocess.run((*SERVE[:3], "init"), env=env, check=True, capture_output=True)
    with subprocess.Popen(SERVE, env=env, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as server:
        assert server.stderr is not None
        try:
            yield next(found[0] for line in server.stderr if (found := re.search(r"http://\S+", line))), server.pid
        finally:
            server.kill()


def rows() -> str:
    """A Markdown table: medians of wall seconds here and over HTTP, and their ratio."""
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder) / "served") as (url, _):
        here, there = ModelManager(Path(folder) / "home"), ModelManager(url)
        told = _measured((here, there))
    lines = ["| 105 MB in fp32 | here, s | over HTTP, s | ratio |", "| --- | --- | --- | --- |"]
    for name, pairs in told.items():
        local, remote = (statistics.median(each) for each in zip(*pairs, strict=True))
        ratio = statistics.median(far / near for near, far in pairs)
        lines.append(f"| {name} | {local:.3f} | {remote:.3f} | {ratio:.2f} |")
    return "\n".join(lines)


def _measured(managers: tuple[ModelManager, ModelManager]) -> dict[str, list[tuple[float, float]]]:
    told: dict[str, list[tuple[float, float]]] = {}

    def both(name: str, act: Callable[[ModelManager], object]) -> None:
        spent = []
        for manager in managers:
            begun = time.perf_counter()
            act(manager)
            spent.append(time.perf_counter() - begun)
        told.setdefault(name, []).append((spent[0], spent[1]))

    def save(weights: dict[str, np.ndarray], name: str) -> Callable[[ModelManager], object]:
        return lambda manager: manager.save_version(weights, name=name)

    def load(rev: str) -> Callable[[ModelManager], object]:
        return lambda manager: manager.load_arrays(rev)

    weights = tensors(0)
    for run in range(RUNS + 1):
        weights = stepped(weights, run)
        both("save a first version, whole", save(tensors(1000 + run), f"whole{run}"))
        both("save the next version, as a delta", save(weights, "tuned"))
        both("load a version kept whole", load(f"whole{run}@1"))
        both("load a version over one delta", load("tuned@2" if run else "tuned@1"))
    return {name: pairs[1:] for name, pairs in told.items()}  # the first run only warms up


if __name__ == "__main__":
    print(rows())
