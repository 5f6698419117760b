"""What can be asked of jobs: by those who want work done, by the assigner, and by workers through it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar

from ...events.run import MetricsLogged
from ..commands import OBJECTS, Commit, OfJob, RecordEvaluation, Stored, job_stream, model_stream, run_stream
from ..model.recipe import Recipe


def attempt(job: str, epoch: int) -> str:
    """The run that tells the metrics of one attempt."""
    return f"{job}.{epoch}"


@dataclass(frozen=True, slots=True, kw_only=True)
class OfAttempt(OfJob):
    """Something told of one attempt; refused unless it is the one that counts."""

    epoch: int

    def reads(self) -> tuple[str, ...]:
        return (job_stream(self.job), run_stream(attempt(self.job, self.epoch)))


@dataclass(frozen=True, slots=True, kw_only=True)
class AskForWork(OfJob):
    """Ask for a job: who may do it, and what it may take."""

    pool: str = "default"
    needs: tuple[str, ...] = ()
    memory: int | None = None
    """Bytes."""
    seconds: float | None = None
    """For an attempt."""
    retries: int = 3
    after: tuple[str, ...] = ()
    """The jobs that must have finished before it begins."""

    def reads(self) -> tuple[str, ...]:
        return (job_stream(self.job), *map(job_stream, self.after))


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitJob(AskForWork):
    """Ask for work."""

    free_text: ClassVar = ("source", "validation_source", "message")
    incidental: ClassVar = ("job",)
    joined: ClassVar = ("validation_source", "after")
    kind: str
    model: str
    payload: Mapping[str, Any] = field(default_factory=dict[str, Any])
    source: str = ""
    validation_source: str = ""
    """Where the rows lie that a training is validated on."""
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferVersion(AskForWork):
    """Have a version that was trained elsewhere looked at, and kept if its file is what is said."""

    free_text: ClassVar = ("source", "message")
    joined: ClassVar = ("validation", "task", "better", "after")
    model: str
    source: str
    digest: str
    branch: str = "main"
    recipe: Recipe
    metrics: Mapping[str, float] = field(default_factory=dict[str, float])
    validation: Mapping[str, Any] | None = None
    """Fingerprint of the rows that the metrics are of."""
    task: str | None = None
    better: Mapping[str, str] = field(default_factory=dict[str, str])
    tags: tuple[str, ...] = ()
    message: str = ""
    limits: Mapping[str, int] | None = None
    """What its file may be, where an outside service offers it: bytes, tensors, elements."""

    def reads(self) -> tuple[str, ...]:
        return (*AskForWork.reads(self), model_stream(self.model))


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseJob(OfJob):
    """Let a job begin whose needed jobs have finished, or fail it where one of them never will."""

    after: tuple[str, ...]
    """The jobs that it waits for."""

    def reads(self) -> tuple[str, ...]:
        return (job_stream(self.job), *map(job_stream, self.after))


@dataclass(frozen=True, slots=True)
class Ready:
    """A worker that could take more: what it can, and how many slots are free."""

    incarnation: str
    pool: str
    capabilities: frozenset[str]
    free: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignJob(OfJob):
    """Give a queued job to one of the ready workers, if it fits one."""

    ready: tuple[Ready, ...]
    now: datetime
    within: float
    """Seconds in which the worker must begin."""
    epoch: int | None = None
    """The attempt that the order was written for; refused where it would be another. None: whichever is next."""
    order: str | None = None
    """Digest of the order that the worker is sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StartJob(OfAttempt):
    """Note that the worker began; `tells_run` where the attempt logs metrics."""

    tells_run: bool = False
    hyperparameters: Mapping[str, Any] = field(default_factory=dict[str, Any])
    data: Mapping[str, Any] | None = None
    environment: Mapping[str, Any] = field(default_factory=dict[str, Any])
    code: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasureJob(OfAttempt):
    """Note points of an attempt's metrics, at most 1,000 a column block, and how many were not taken in and why."""

    free_text: ClassVar = ("reason",)
    blocks: tuple[MetricsLogged, ...]
    lost: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WarnJob(OfAttempt):
    """Note that something an attempt said could not be taken in; its work goes on."""

    free_text: ClassVar = ("reason",)
    said: str
    points: int = 0
    """Metric points that are lost by it."""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointJob(OfAttempt):
    """Keep what an attempt has come to, for another to go on from."""

    incidental: ClassVar = ("stored",)
    step: int
    tensors: str
    stored: Stored

    def reads(self) -> tuple[str, ...]:
        return (job_stream(self.job), run_stream(attempt(self.job, self.epoch)), OBJECTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishJob(OfAttempt):
    """End a job with what it made: a version to commit, an evaluation to record, or its result alone."""

    free_text: ClassVar = ("message",)
    incidental: ClassVar = ("made", "message", "points")
    made: Commit | RecordEvaluation | None
    message: str = ""
    result: Mapping[str, Any] = field(default_factory=dict[str, Any])
    points: int = 0
    remarks: tuple[str, ...] = ()
    """What was suspicious about the rows, a sentence each."""

    def reads(self) -> tuple[str, ...]:
        return (*OfAttempt.reads(self), *(() if self.made is None else self.made.reads()))


@dataclass(frozen=True, slots=True, kw_only=True)
class FailJob(OfAttempt):
    """End an attempt without an answer: for good, or, where it may go better next time, until another."""

    free_text: ClassVar = ("reason",)
    incidental: ClassVar = ("now", "pause", "points")
    error: str
    reason: str = ""
    again: bool
    """Whether another attempt may go better."""
    counted: bool = True
    """Whether it counts against the job's retries; a worker that leaves in good order is not the job's fault."""
    now: datetime
    pause: float
    """Seconds before the second attempt; doubled for each after it."""
    points: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpireLease(OfAttempt):
    """Give up an attempt whose worker has not been heard of in time."""

    now: datetime
    pause: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelJob(OfAttempt):
    """End a job that nobody wants any more; `epoch` is where it was when that was said, 0 before the first attempt."""

    free_text: ClassVar = ("reason",)
    incidental: ClassVar = ("epoch",)
    reason: str = ""


JobCommand = (
    SubmitJob
    | OfferVersion
    | ReleaseJob
    | AssignJob
    | StartJob
    | MeasureJob
    | WarnJob
    | CheckpointJob
    | FinishJob
    | FailJob
    | ExpireLease
    | CancelJob
)
