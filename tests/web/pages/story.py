"""A ledger with a story: a model whose production was moved and rolled back, for a reason."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any
from uuid import NAMESPACE_OID, uuid5

import numpy as np

from lepton_ai import ModelManager
from lepton_ai.domain.studies.commands import AnnotateStudy, BeginTrial, CreateStudy, End, Parameter

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
    _searched(manager)


def _worked(manager: ModelManager) -> None:
    """A run that is under way, and a job that nobody has taken."""
    manager.open_runs.start(
        "credit", run=RUN, hyperparameters={"lr": 0.1, HOSTILE: HOSTILE}, name=HOSTILE, tags=("gpu",)
    )
    points = [(HOSTILE[:24], step, 1 / (step + 1), None) for step in range(30)]
    manager.open_runs.log_each(RUN, points)
    manager.jobs.offer("credit", "s3://bucket/net.safetensors", f"sha256:{'0' * 64}", message=HOSTILE, key="story")


def _searched(manager: ModelManager) -> None:
    """A search with a trial at work and one that failed, and one for two metrics, which was stopped."""
    study_of_trials(manager, "credit", ["f1"], 12)
    place = {"study": "credit", "created": manager._workspace.ledger.state("study/credit").created}
    manager._workspace.admit(BeginTrial(**place, user={"error": "ValueError"}, end=End(status="failed")), None)
    manager._workspace.admit(BeginTrial(**place), None)
    manager._workspace.admit(AnnotateStudy(**place, user={"version of trial 7": "credit@6"}), None)
    study_of_trials(manager, "two sided", ["f1", "size"], 9)
    manager.stop_study("two sided")


def study_of_trials(manager: ModelManager, name: str, metrics: list[str], trials: int) -> None:
    """A search of the model `credit`, as it stands behind some trials."""
    workspace, random = manager._workspace, Random(7)
    search = {"metrics": metrics, "class": "table-model", "sampler": "tpe", "pruner": "none", "seed": 0}
    directions: Any = ("maximize", "minimize")[: len(metrics)]
    workspace.admit(CreateStudy(study=name, directions=directions, model="credit", search=search), None)
    created = workspace.ledger.state(f"study/{name}").created
    scale = {"kind": "float", "low": 1e-4, "high": 0.1, "step": None, "log": True}
    depth = {"kind": "int", "low": 1, "high": 6, "step": 1, "log": False}
    families = {"kind": "categorical", "choices": ["mlp", HOSTILE, "resnet"]}
    for number in range(trials):
        drawn = {
            "learning_rate": Parameter(value=10 ** random.uniform(-4, -1), distribution=scale),
            "family": Parameter(value=random.choice(families["choices"]), distribution=families),
        }
        if number % 3:
            drawn[HOSTILE] = Parameter(value=random.randint(1, 6), distribution=depth)
        values = tuple(random.random() * (1 + 900 * place) for place in range(len(metrics)))
        end = End(status="complete" if number != 4 else "pruned", values=values)
        workspace.admit(BeginTrial(study=name, created=created, parameters=drawn, end=end), None)
