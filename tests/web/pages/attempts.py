"""What workers say of a job, said by a test: an attempt begins, measures, and goes on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from lepton_ai import ModelManager
from lepton_ai.domain.job.commands import AssignJob, MeasureJob, Ready, StartJob
from lepton_ai.events.run import MetricsLogged

from ...cli_home import loans
from ..server import Served, served


@contextmanager
def with_loans(folder: Path) -> Iterator[Served]:
    """A served ledger with rows named `loans`, labelled by `default`."""
    loans(folder / "loans.csv")
    with served(folder / "home") as server:
        server.manager.add_data("loans", str(folder / "loans.csv"), "default")
        yield server


TRAINING: Final = ("credit-scoring-model", "loans")


def asked(manager: ModelManager, model: str, **more: Any) -> str:
    """A training that somebody asked for; no worker of this machine takes it."""
    return manager.jobs.train(*TRAINING, name=model, **more).job


def begun(manager: ModelManager, job: str, epoch: int = 1) -> None:
    """A worker begins an attempt."""
    workspace: Any = manager._home.workspace
    ready = (Ready("w1", "default", frozenset({"train"}), 1),)
    workspace.admit(AssignJob(job=job, ready=ready, now=datetime.now(UTC), within=600.0), None)
    workspace.admit(StartJob(job=job, epoch=epoch, tells_run=True), None)


def measured(manager: ModelManager, job: str, losses: Iterable[float]) -> None:
    """Its first attempt measures its loss, at step 0 and on."""
    values = tuple(losses)
    block = MetricsLogged(
        names=("loss",) * len(values),
        steps=tuple(range(len(values))),
        values=values,
        times=(datetime.now(UTC),) * len(values),
    )
    workspace: Any = manager._home.workspace
    workspace.admit(MeasureJob(job=job, epoch=1, blocks=(block,)), None)
