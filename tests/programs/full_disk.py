"""A process whose disk fails at the k-th write, sync, rename or create of what it does, for every k; it goes on."""

from __future__ import annotations

import ctypes
import errno
import json
import os
import random
import sys
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np

from lepton_ai import ModelManager
from lepton_ai.errors import LeptonError

ERRORS: Final = (errno.ENOSPC, errno.EIO)
KINDS: Final = 15
FOR_GOOD: Final = 1 << 30


def weights(number: int) -> dict[str, np.ndarray]:
    """What save `number` keeps."""
    fresh = np.random.default_rng(3)
    return {"base": fresh.normal(size=(40, 40)).astype(np.float32), "own": np.full(5, number, np.int64)}


class Disk:
    """The shim that this process was started with."""

    def __init__(self, root: Path) -> None:
        self._shim = ctypes.CDLL(os.environ["LD_PRELOAD"])
        self._root = str(root).encode()

    def fail(self, k: int, error: int, times: int) -> None:
        """Have the k-th call from here fail, and those behind it until so many have."""
        self._shim.arm(self._root, ctypes.c_long(k), error, ctypes.c_long(times), KINDS)

    def mend(self) -> int:
        """Fail no more: how many calls did."""
        return int(self._shim.disarm())


class Ordeal:
    """Does each kind of work again and again, with the failure one call later each time."""

    def __init__(self, home: Path, chance: random.Random, most: int) -> None:
        self.manager = ModelManager(home)
        self.disk = Disk(home)
        self.chance = chance
        self.most = most
        self.saves = 0
        self.acknowledged: list[int] = []
        self.seen: Counter[str] = Counter()
        self.faults: list[str] = []

    def save(self) -> None:
        self.saves += 1
        number = self.saves
        self.manager.save_version(weights(number), name="net")
        self.acknowledged.append(number)

    def rollback(self) -> None:
        head = int(self.manager.log(model="net").entries[0].version)
        target = self.chance.randrange(1, head) if head > 1 else 1
        self.manager.rollback(target, model="net")
        self.manager.rollback(f"net@{head}")

    def run(self) -> None:
        with self.manager.run("net") as run:
            run.log({"loss": 1.0})

    def rebuild(self) -> None:
        self.manager.rebuild()

    def lock(self) -> None:
        self.manager.sql("SELECT count(*) FROM versions")

    def suffer(self) -> None:
        """Every kind of work with every error, at the 1st call, the 2nd and so on, once and for good."""
        for work in (self.save, self.rollback, self.run, self.rebuild, self.lock):
            for error in ERRORS:
                for times in (1, FOR_GOOD):
                    self._each_call(work, error, times)

    def _each_call(self, work: Callable[[], None], error: int, times: int) -> None:
        step = 1
        k = self.chance.randrange(1, 3)
        for _ in range(self.most):
            if not self._once(work, k, error, times):
                return
            k += step
            step = max(1, k // 8)

    def _once(self, work: Callable[[], None], k: int, error: int, times: int) -> bool:
        """Whether anything failed: else the work has no k-th call."""
        what = f"{work.__name__} with {errno.errorcode[error]} at call {k}"
        self.disk.fail(k, error, times)
        try:
            work()
        except LeptonError as refusal:
            self.seen[type(refusal).__name__] += 1
        except Exception:  # noqa: BLE001 - whatever is not one of Lepton's errors is what is looked for
            self.faults.append(f"{what}: {traceback.format_exc()}")
        else:
            self.seen["went well"] += 1
        failed = self.disk.mend()
        try:
            self.manager.sync()
            work()
        except Exception:  # noqa: BLE001 - whatever is not one of Lepton's errors is what is looked for
            self.faults.append(f"after {what}: {traceback.format_exc()}")
        return failed > 0


def main() -> None:
    """HOME SEED MOST: prints one object."""
    home, seed, most = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    ordeal = Ordeal(home, random.Random(seed), most)
    ordeal.save()
    ordeal.suffer()
    ordeal.manager.sync()
    told: dict[str, Any] = {
        "acknowledged": ordeal.acknowledged,
        "seen": dict(ordeal.seen),
        "faults": ordeal.faults,
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
