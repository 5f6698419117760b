"""Processes that save versions through the SDK while their database suffers, and what must be there afterwards."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np

from lepton_ai import ModelManager, PendingVersion
from lepton_ai.errors import Unavailable

PATIENCE: Final = 120.0
LONGEST: Final = 30.0
"""Seconds that no save may take, with a LEPTON_WAIT of one: some deadlines of three seconds, one after another."""
WAIT: Final = "1"


@dataclass
class Saver:
    """One process that saves into a model of its own, again and again, and writes down what it was told."""

    ledger: str
    name: str
    home: Path
    environment: Mapping[str, str]
    lives: int = 0
    process: subprocess.Popen[bytes] | None = None
    answers: list[Path] = field(default_factory=list)

    def start(self) -> None:
        """Start it, or start it again."""
        self.lives += 1
        answers = self.home.parent / f"{self.ledger}-{self.name}-{self.lives}.txt"
        self.answers.append(answers)
        environment = {**os.environ, **self.environment, "LEPTON_LEDGER": self.ledger, "LEPTON_WAIT": WAIT}
        command = [sys.executable, "-m", "tests.faults._savers", str(self.home), self.name, str(self.lives)]
        with answers.open("wb") as out, (self.home.parent / "complaints.txt").open("ab") as complaints:
            self.process = subprocess.Popen(command, stdout=out, stderr=complaints, env=environment)

    def kill(self) -> None:
        """As the kernel does it when memory ran out."""
        if self.process is not None:
            assert self.process.poll() is None, f"{self.name} ended by itself: {self.complaints()}"
            self.process.kill()
            self.process.wait()
            self.process = None

    def complaints(self) -> str:
        """What the processes said last."""
        return (self.home.parent / "complaints.txt").read_text()[-2000:]

    def answered(self) -> list[tuple[str, bool, float]]:
        """Each save that was answered: its key, whether it was spooled, and the seconds it took."""
        lines = [line.split() for path in self.answers for line in path.read_text().splitlines()]
        return [(key, state == "pending", float(took)) for key, state, took in lines]


def unharmed(savers: Iterable[Saver], homes: Mapping[str, Path]) -> str:
    """Deliver what waits, and see that each answered save is there once and in its own ledger; the counts, in words."""
    counts = Counter[str]()
    for ledger, home in homes.items():
        os.environ |= {"LEPTON_LEDGER": ledger, "LEPTON_WAIT": "20"}
        with ModelManager(home, actor="checker") as manager:
            _delivered(manager)
            manager.verify()
            assert manager.fsck() == []
            for saver in savers:
                if saver.ledger == ledger:
                    counts += _kept(saver, manager)
    assert counts["saves"] > 0
    assert counts["spooled"] > 0, "nothing was away for long enough to be noticed"
    return ", ".join(f"{name} {count:,}" for name, count in counts.items())


def _kept(saver: Saver, manager: ModelManager) -> Counter[str]:
    """That a saver's answered saves are its model's history, each once, and nothing else is."""
    answered = saver.answered()
    history = [entry.message for entry in manager.log(model=saver.name) if entry.kind == "committed"]
    assert len(history) == len(set(history)), f"{saver.name} of {saver.ledger} has a save twice"
    lost = {key for key, _, _ in answered} - set(history)
    assert not lost, f"{saver.name} of {saver.ledger} lost {len(lost)} of {len(answered)}: {sorted(lost)[:5]}"
    strangers = [key for key in history if not key.startswith(f"{saver.ledger}/{saver.name}/")]
    assert not strangers, f"{saver.ledger} holds {strangers[:5]} of another"
    # the first of a life imports torch, which takes as long as the machine is busy
    slowest = max(((took, key) for key, _, took in answered if not key.endswith("-0")), default=(0.0, ""))
    assert slowest[0] < LONGEST, f"the save {slowest[1]} took {slowest[0]:.0f} s"
    return Counter({"saves": len(answered), "spooled": sum(spooled for _, spooled, _ in answered)})


def _delivered(manager: ModelManager) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            synced = manager.sync()
        except Unavailable:
            assert time.monotonic() < deadline, "what is spooled is never delivered"
            time.sleep(0.1)
            continue
        assert synced.refused == (), synced.refused
        return


@contextmanager
def saving(folder: Path, ledgers: Iterable[str], each: int, environment: Mapping[str, str]) -> Generator[list[Saver]]:
    """Savers at work, `each` of every ledger, once all of them have saved something; ended at the end."""
    homes = {ledger: folder / ledger for ledger in ledgers}
    savers = [Saver(ledger, f"model{n}", home, environment) for ledger, home in homes.items() for n in range(each)]
    try:
        for saver in savers:
            saver.start()
        deadline = time.monotonic() + PATIENCE
        while not all(saver.answered() for saver in savers):
            assert time.monotonic() < deadline, savers[0].complaints()
            time.sleep(0.1)
        yield savers
    finally:
        for saver in savers:
            saver.kill()


def main(home: str, name: str, life: str) -> None:
    """Save for ever. The message of each version is its key, so that its history tells of it."""
    ledger = os.environ["LEPTON_LEDGER"]
    chance = random.Random(f"{ledger}/{name}/{life}")
    with ModelManager(home, actor=name) as manager:
        n = 0
        while True:
            key, weights = f"{ledger}/{name}/{life}-{n}", np.array([chance.random() for _ in range(8)], "float32")
            begun = time.monotonic()
            version = manager.save_version({"w": weights}, name=name, key=key, message=key)
            spooled = "pending" if isinstance(version, PendingVersion) else "saved"
            print(key, spooled, f"{time.monotonic() - begun:.3f}", flush=True)
            n += 1


if __name__ == "__main__":
    main(*sys.argv[1:])
