"""What a process does that has begun a Ray: it trains there, while processes of the cluster are killed."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import ray

from lepton_ai.building.parallel import launch
from lepton_ai.building.parallel.cluster import VARIABLE
from lepton_ai.building.tables.model import TableModel

from .test_parallel import trained

MARK: Final = "LEPTON_TEST_RAY"
"""A variable that all processes of the cluster find in their environment."""


def processes(words: bytes = b"") -> list[int]:
    """The processes of the cluster whose command line has these words, the oldest first; not those that began it."""
    found: list[int] = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            marked = f"{MARK}={os.environ[MARK]}".encode() in (folder / "environ").read_bytes().split(b"\0")
            command = (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if marked and words in command and b"multiprocessing" not in command:
            found.append(int(folder.name))
    return sorted(found)


def begin(folder: str) -> None:
    """Begin a Ray of this machine with two CPUs, whose files lie in a folder."""
    ray.init(
        num_cpus=2, include_dashboard=False, object_store_memory=100 << 20, log_to_driver=False,
        logging_level="ERROR", _temp_dir=folder,
    )  # fmt: skip


def address() -> str:
    """Where it is."""
    return ray.get_runtime_context().gcs_address


def trained_though_one_was_killed() -> tuple[TableModel, list[Mapping[str, float]]]:
    """A training by two nodes, one of which is killed at its fourth epoch."""

    def kill(epoch: int) -> None:
        if epoch == 4:
            os.kill(processes(b"ray::RayTrainWorker")[0], signal.SIGKILL)

    launch.KEPT_EVERY = 0.0
    os.environ[VARIABLE] = address()
    return trained(kill, nodes=2)
