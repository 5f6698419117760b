"""Processes that spool and deliver in one home and are killed while they do, started by `test_spool_crash.py`."""

from __future__ import annotations

import os
import random
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np

from lepton_ai import ModelManager, Unavailable
from lepton_ai.models import state  # noqa: F401
from lepton_ai.versions import source  # noqa: F401 - what saving needs is imported before the forks

from .outage import entries, locked


def spool(home: Path, writing: int, number: int) -> None:
    """Save without end, as a script under an outage, and print each key once it is promised."""
    manager, n = ModelManager(home, actor=f"writer {number}"), 0
    while n := n + 1:
        with manager.run("net") as run:
            run.log({f"point {number} {n}".replace(" ", "_"): 1.0})
        version = manager.save_version(
            {"w": np.full((8, 8), number * 1000 + n, "float32")}, name="net", branch=f"b{number}", parents=["net@1"]
            if n == 1 else None, annotations={"is": f"{number} {n}"},
        )  # fmt: skip
        os.write(writing, f"{version.key} {run.id}\n".encode())  # type: ignore[attr-defined]


def deliver(home: Path) -> None:
    """Deliver all there is, again and again, also while another process does."""
    while True:
        with suppress(Unavailable):
            ModelManager(home).sync()


def child_of(act: Callable[[], None]) -> int:
    """Start a process that only a signal ends."""
    if child := os.fork():
        return child
    try:
        act()
    finally:
        os._exit(1)


def kill(child: int) -> None:
    """End it in the middle of whatever it does; it must not have ended by itself."""
    os.kill(child, signal.SIGKILL)
    assert os.waitpid(child, 0)[1] == signal.SIGKILL


def spin(chance: random.Random, most: int) -> None:
    """Let a random time pass."""
    left = chance.randint(0, most)
    while left:
        left -= 1


def promised(home: Path, number: int, chance: random.Random) -> bytes:
    """Kill a spooling process after some promises, in the middle of the next: what it had promised."""
    reading, writing = os.pipe()
    with locked(home):
        child = child_of(lambda: spool(home, writing, number))
        os.close(writing)
        told, wanted = b"", chance.randint(1, 3)
        while told.count(b"\n") < wanted:
            told += (more := os.read(reading, 4096))
            assert more, "it ended by itself"
        spin(chance, 300_000)
        kill(child)
    while more := os.read(reading, 4096):
        told += more
    os.close(reading)
    return told


def main(home: Path, rounds: int, seed: int) -> None:
    """Rounds of spooling and delivering, each killed; prints what was promised."""
    chance = random.Random(seed)
    for number in range(rounds):
        os.write(1, promised(home, number, chance))
        while entries(home):
            before = len(entries(home))
            children = [child_of(lambda: deliver(home)) for _ in range(chance.randint(1, 2))]
            wanted = chance.randint(1, 3)
            while before - len(entries(home)) < wanted and entries(home):
                assert not any(os.waitpid(child, os.WNOHANG)[0] for child in children), "it ended by itself"
            spin(chance, 100_000)
            for child in children:
                kill(child)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
