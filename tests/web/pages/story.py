"""A ledger with a story: a model whose production was moved and rolled back, for a reason."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import NAMESPACE_OID, uuid5

import numpy as np

from lepton_ai import ModelManager

from ..server import Served, served

HOSTILE = "<script>alert(1)</script> \"'&"
"""Words of somebody who tries to have a page obey them."""
RUN = "nightly"
JOB = str(uuid5(NAMESPACE_OID, "story"))


@contextmanager
def open_to_its_user(home: Path) -> Iterator[Served]:
    """A server of the story that needs no token."""
    with served(home) as server:
        told(server.manager)
        yield server


@contextmanager
def for_holders(home: Path) -> Iterator[Served]:
    """A server of the story that needs one."""
    with open_to_its_user(home) as server:
        server.manager.create_token("root", scopes=("admin",))
        yield server


def told(manager: ModelManager) -> None:
    """Six versions, a branch merged, names moved, one way back."""
    weights = {"layer.weight": np.linspace(-1, 1, 256, dtype=np.float32).reshape(16, 16)}
    for number in range(6):
        moved = {name: each + np.float32(0.001 * number) for name, each in weights.items()}
        figures, said = {"f1": 0.7 + 0.02 * number}, f"step {number}"
        manager.save_version(moved, name="credit", message=said, metrics=figures, hyperparameters={"lr": number / 10})
    manager.branch("experiment", "credit@3")
    for number in range(2):
        manager.save_version({"layer.weight": weights["layer.weight"] * number}, name="credit", branch="experiment")
    manager.tag("v1.0", "credit@4")
    manager.alias("production", "credit@4", reason="the first that is good enough")
    manager.alias("production", "credit@6", reason=HOSTILE)
    manager.rollback("credit@4", alias="production", reason="complaints")
    manager.describe("credit", HOSTILE)
    manager.merge("credit@experiment", into="main")
    _worked(manager)
    manager.save_version(weights, name="other.json", message="its name ends as a form of an address does")


def _worked(manager: ModelManager) -> None:
    """A run that is under way, and a job that nobody has taken."""
    manager.open_runs.start(
        "credit", run=RUN, hyperparameters={"lr": 0.1, HOSTILE: HOSTILE}, name=HOSTILE, tags=("gpu",)
    )
    points = [(HOSTILE[:24], step, 1 / (step + 1), None) for step in range(30)]
    manager.open_runs.log_each(RUN, points)
    manager.jobs.offer("credit", "s3://bucket/net.safetensors", f"sha256:{'0' * 64}", message=HOSTILE, key="story")
