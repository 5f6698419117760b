"""A faulty way to S3: errors, cuts, lost, halved and flipped PUTs that are acknowledged, under saves."""

from __future__ import annotations

import logging
import os
import random
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Final
from uuid import uuid4

import numpy as np

from lepton_ai import ModelManager, PendingVersion, Unavailable

from ..buckets import S3
from ..faulty_s3 import FAULTS, Fault, FaultyS3

TITLE: Final = "S3 behind a proxy that refuses, cuts, loses and spoils what is sent"
SAVES: Final = 150
SHARE: Final = 0.35
"""Of the PUTs that go wrong."""


def weights(number: int) -> dict[str, np.ndarray]:
    """What save `number` keeps; every tenth is larger than one part of an upload."""
    fresh = np.random.default_rng(number)
    side = 1500 if number % 10 == 9 else 60
    return {"layer": fresh.normal(size=(side, side)).astype(np.float32), "frozen": np.ones(3000, np.float32)}


def suffer(seed: int, say: Callable[[str], None], saves: int = SAVES) -> None:
    """What was acknowledged can be loaded to the last bit, by a process that has nothing in memory."""
    logging.getLogger("lepton").setLevel(logging.CRITICAL)
    chance, server = random.Random(seed), S3()
    server.start()
    proxy = FaultyS3(server.port, lambda path, number: _fault(chance))
    try:
        os.environ |= server.environment(proxy.port) | {"LEPTON_OBJECTS": f"{server.url}/{uuid4().hex}"}
        os.environ["LEPTON_WAIT"] = "10"
        with tempfile.TemporaryDirectory(prefix="lepton-bucket-") as home:
            acknowledged, outcomes = _saved(Path(home), saves)
            proxy.fault = lambda path, number: None
            say(f"{proxy.puts} PUTs, {dict(proxy.done)} of them; outcomes {dict(outcomes)}")
            with ModelManager(home) as manager:
                manager.sync()
                versions = manager.sql("SELECT version FROM versions ORDER BY version")["version"].to_pylist()
                found = [manager.load_arrays(f"net@{version}")["layer"].tobytes() for version in versions]
                wanted = [weights(number)["layer"].tobytes() for number in acknowledged]
                assert set(wanted) <= set(found), "a save was acknowledged and cannot be loaded"
                assert len(found) == len(set(found)), "a save is there twice"
                assert manager.fsck() == []
            say(f"{len(acknowledged)} saves acknowledged, {len(versions)} versions, all whole")
    finally:
        proxy.close()
        server.remove()


def _fault(chance: random.Random) -> Fault | None:
    return chance.choice(FAULTS) if chance.random() < SHARE else None


def _saved(home: Path, saves: int) -> tuple[list[int], Counter[str]]:
    acknowledged: list[int] = []
    outcomes: Counter[str] = Counter()
    manager = ModelManager(home)
    for number in range(saves):
        if number % 7 == 6:  # another process would know nothing of the packs that this one wrote
            manager.close()
            manager = ModelManager(home)
        try:
            version = manager.save_version(weights(number), name="net")
        except Unavailable:
            outcomes["Unavailable"] += 1
        else:
            acknowledged.append(number)
            outcomes["spooled" if isinstance(version, PendingVersion) else "kept"] += 1
    manager.close()
    return acknowledged, outcomes
