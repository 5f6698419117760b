"""Processes that write into one home, started by `test_writers.py`: many at once, or killed while they work."""

from __future__ import annotations

import os
import random
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from lepton_ai import ModelManager
from lepton_ai.models import state  # noqa: F401
from lepton_ai.versions import source  # noqa: F401 - what saving needs is imported before the forks


def save_on_a_branch(home: Path, branch: str, seed: int) -> Iterator[int]:
    """Versions of the model `shared`, one after the other, on a branch of the writer's own."""
    manager, random = ModelManager(home, actor=branch), np.random.default_rng(seed)
    weights = random.normal(size=(64, 64)).astype("float32")
    parents: list[int] | None = [1]
    while True:
        weights = weights + random.normal(size=weights.shape).astype("float32") * 1e-3
        version = manager.save_version({"w": weights}, name="shared", branch=branch, parents=parents)
        parents = None
        yield int(version)


def many(home: Path, writers: int, each: int) -> None:
    """Every writer prints the versions that it was told; a failure is its exit code."""
    children: list[int] = []
    for number in range(writers):
        child = os.fork()
        if child == 0:
            saved = save_on_a_branch(home, f"w{number}", number)
            told = " ".join(str(next(saved)) for _ in range(each))
            os.write(1, f"{told}\n".encode())
            os._exit(0)
        children.append(child)
    failed = [child for child in children if os.waitpid(child, 0)[1] != 0]
    sys.exit(bool(failed))


def killed(home: Path, rounds: int, seed: int) -> None:
    """Two writers a round, killed at a random moment; prints every version that was acknowledged."""
    chance = random.Random(seed)
    for number in range(rounds):
        reading, writing = os.pipe()
        children: list[int] = []
        for writer in range(2):
            child = os.fork()
            if child == 0:
                os.close(reading)
                for version in save_on_a_branch(home, f"r{number}-{writer}", 2 * number + writer):
                    os.write(writing, f"{version}\n".encode())
            children.append(child)
        os.close(writing)
        acknowledged = b""
        wanted = chance.randint(1, 6)
        while acknowledged.count(b"\n") < wanted:
            acknowledged += os.read(reading, 4096)
        spin = chance.randint(0, 200_000)
        while spin:
            spin -= 1
        for child in children:
            os.kill(child, signal.SIGKILL)
        for child in children:
            os.waitpid(child, 0)
        while more := os.read(reading, 4096):
            acknowledged += more
        os.close(reading)
        os.write(1, acknowledged)


if __name__ == "__main__":
    what, home, *numbers = sys.argv[1:]
    {"many": many, "killed": killed}[what](Path(home), *map(int, numbers))
