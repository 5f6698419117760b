"""How a trial is done: a model fitted in this process, or by a worker as a job."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from ...datasets.examination import noted
from ...errors import Unavailable, recorded
from ...events.job import JobSubmitted
from ...events.model import VersionCommitted
from ...models.registry import untrained
from ...results import Version
from ...versions.data.named_data import asked_of_worker
from ...versions.workspace import Workspace
from ..api import JobLimits, Jobs, submit
from .definition import SearchDefinition

log = logging.getLogger("lepton")

OnEpoch = Callable[[int, Mapping[str, float]], None]


class TrialPruned(Exception):
    """A trial fell behind, and is not gone on with."""


class BudgetSpent(Exception):
    """The time is over; the trial waits for whoever goes on with the search."""


class TrialLost(Exception):
    """A trial failed: the class of its error, and why."""

    def __init__(self, error: str, reason: str) -> None:
        super().__init__(f"{error}: {reason}" if reason else error)
        self.error = error


class DoesTrials(Protocol):
    """Whoever can do trials."""

    def measured(self, key: str, hyperparameters: Mapping[str, Any], on_epoch: OnEpoch) -> Mapping[str, float]:
        """The figures that a model comes to with these hyperparameters; done again under its key where it can be.

        Raises `TrialLost` where it comes to none, and what `on_epoch` raises.
        """
        ...


@dataclass(frozen=True)
class TrialsHere:
    """Trials one after another in this process, on rows that are read once."""

    definition: SearchDefinition
    rows: Any
    labels: Any
    validation: tuple[Any, Any] | None
    said: set[str] = field(default_factory=set[str], init=False)
    """What was suspicious about the rows, which is told once."""

    def measured(self, key: str, hyperparameters: Mapping[str, Any], on_epoch: OnEpoch) -> Mapping[str, float]:  # noqa: ARG002
        """As the protocol says; begun anew where it was cut off."""
        try:
            model = untrained(self.definition.model_class, hyperparameters)
            with noted() as remarks:
                model.train(self.rows, self.labels, validation=self.validation, on_epoch=on_epoch)
            for remark in remarks:
                if remark not in self.said:
                    self.said.add(remark)
                    log.warning("%s", remark)
        except (TrialPruned, BudgetSpent, Unavailable, MemoryError):
            raise
        except Exception as error:
            raise TrialLost(type(error).__name__, recorded(error)) from error
        return dict(model.metrics)


@dataclass(frozen=True)
class TrialsByJobs:
    """Trials as jobs, which workers do; whoever goes on with a search finds them by their keys."""

    definition: SearchDefinition
    jobs: Jobs
    data: str
    validation: str | None
    limits: JobLimits
    folds: Mapping[str, Any] | None = None
    """By which folds each is judged, as `FoldPlan` has it; None for the rows that the model itself holds out."""

    def measured(self, key: str, hyperparameters: Mapping[str, Any], on_epoch: OnEpoch) -> Mapping[str, float]:
        """As the protocol says; a job that was asked for before is waited for."""
        return self.done(key, self.definition.model_class, hyperparameters, on_epoch)

    def done(
        self, key: str, model_class: str, hyperparameters: Mapping[str, Any], on_epoch: OnEpoch
    ) -> Mapping[str, float]:
        """As `measured`, of a class that is named."""
        name = asked_before(self.jobs.workspace, key) or self._submitted(key, model_class, hyperparameters)
        try:
            ended = self.jobs.wait(name, on_epoch=on_epoch)
        except TrialPruned:
            self.jobs.cancel(name, reason="the trial fell behind")
            raise
        if ended.status != "finished":
            raise TrialLost(ended.error or ended.status, ended.reason)
        return ended.figures

    def _submitted(self, key: str, model_class: str, hyperparameters: Mapping[str, Any]) -> str:
        search, workspace = self.definition, self.jobs.workspace
        data, label, named = asked_of_worker(workspace, self.data, search.label)
        asked = {"class": model_class, "label": label, "study": search.study, **named}
        asked |= {"hyperparameters": dict(hyperparameters)}
        asked |= search.chosen.to_dict() | ({} if self.folds is None else {"folds": dict(self.folds)})
        return submit(
            workspace, "trial", search.model, data, asked, self.limits, message=f"a trial of {search.study}",
            validation=self.validation, key=key,
        ).job  # fmt: skip


def asked_before(workspace: Workspace, key: str) -> str | None:
    """The job that was asked for under a key, None where none was."""
    events = (each.event for each in workspace.known(key))
    return next((event.job for event in events if isinstance(event, JobSubmitted)), None)


def version_before(workspace: Workspace, model: str, key: str) -> Version | None:
    """The version of a model that was committed under a key, None where none was."""
    events = (each.event for each in workspace.known(key))
    committed = next((event for event in events if isinstance(event, VersionCommitted)), None)
    return None if committed is None else workspace.version(workspace.model(model), committed.version)
