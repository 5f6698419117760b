"""A large ledger, made through the ledger's own commands: a model of many versions among many events of runs."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from lepton_ai import ModelManager
from lepton_ai.domain import commands
from lepton_ai.events.run import MetricsLogged
from lepton_ai.ledger import Ledger, Request
from lepton_ai.versions.workspace import Workspace

MODEL, START = "toy", datetime(2026, 1, 1, tzinfo=UTC)
TENSORS, BATCH, POINTS = 50, 200, 900


def large(home: Path, *, versions: int, events: int) -> None:
    """Make a ledger whose model `toy` has so many versions, with events of runs up to so many in all.

    The versions go round `TENSORS` sets of tensors, each kept whole; each has a metric, and a message of its own.
    """
    with ModelManager(home, actor="ada") as manager:
        commits = _commits(manager)
        workspace: Workspace = manager._workspace
        send(workspace, (_numbered(commit, number) for number, commit in _round(commits, versions)))
        manager.alias("production", f"{MODEL}@{versions // 2}")
        send(workspace, itertools.islice(_runs(), max(0, events - manager.position())))


def send(workspace: Workspace, all_of_them: Iterable[Any]) -> None:
    """Admit commands, some hundreds a transaction."""
    ledger: Ledger = workspace.ledger
    actor = workspace.actors.named("ada")
    waiting = iter(all_of_them)
    while batch := [Request(command, actor) for command in itertools.islice(waiting, BATCH)]:
        for answer in ledger.admit_all(batch):
            if isinstance(answer, Exception):
                raise answer


def _commits(manager: ModelManager) -> list[commands.Commit]:
    """The commands by which so many models of one version each were saved: their bytes are stored by now."""
    caught: list[commands.Commit] = []
    workspace: Workspace = manager._home.workspace
    admit = workspace.admit

    def watched(command: Any, *more: Any, **named: Any) -> Any:
        if isinstance(command, commands.Commit):
            caught.append(command)
        return admit(command, *more, **named)

    workspace.admit = watched  # type: ignore[method-assign]
    for number in range(TENSORS):
        weights = {"w": np.full((16, 16), number, "float32"), "b": np.zeros(16, "float32")}
        manager.save_version(weights, name=f"seed{number}", metrics={"f1": 0.5})
    workspace.admit = admit  # type: ignore[method-assign]
    return caught


def _round(commits: list[commands.Commit], count: int) -> Iterator[tuple[int, commands.Commit]]:
    return zip(range(1, count + 1), itertools.cycle(commits), strict=False)


def _numbered(commit: commands.Commit, number: int) -> commands.Commit:
    return replace(
        commit,
        model=MODEL,
        follows_head=True,
        stored=commands.Stored(),
        metrics={"f1": 0.5 + (number % 997) / 2000},
        annotations={"ticket": f"RISK-{number}"},
        message=f"version {number}",
    )


def _runs() -> Iterator[Any]:
    for run in itertools.count():
        name = f"run{run}"
        yield commands.StartRun(run=name, model=MODEL, hyperparameters={"lr": 0.01})
        for step in range(POINTS):
            point = MetricsLogged(names=("loss",), steps=(step,), values=(1 / (1 + step),), times=(START,))
            yield commands.LogMetrics(run=name, blocks=(point,))
        yield commands.FinishRun(run=name, points=POINTS)
