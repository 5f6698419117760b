"""The events of one job: from being submitted to its one end."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from .bounds import Count, Moment, Ordinal, Seconds, Small, SmallOrdinal
from .event import Digest, Event, Json, ModelName, Number, RunId, Sealed, unsaid

JobId = Annotated[str, Field(description="a job's id, which its stream bears too")]
Epoch = Annotated[SmallOrdinal, Field(description="which attempt it is; what an earlier one says later is refused")]
Incarnation = Annotated[str, Field(description="one life of one worker process")]
ErrorClass = Annotated[str, Field(description="name of the error's class")]


class JobSubmitted(Event):
    """Work was asked for."""

    free_text: ClassVar = ("source", "validation_source", "message")
    type: Literal["lepton.job.submitted.v1"] = "lepton.job.submitted.v1"
    job: JobId
    kind: str = Field(description="train, evaluate, ...")
    model: ModelName
    payload: Json = Field(default={}, description="what the kind needs to know, without a place or a value of the data")
    source: Sealed = Field(default="", description="where the data lies, sealed: only the worker is told")
    validation_source: Sealed = Field(
        default="", exclude_if=unsaid, description="where the rows lie that a training is validated on, sealed"
    )
    message: Sealed = ""
    pool: str = Field(default="default", description="the workers that may take it")
    needs: tuple[str, ...] = Field(default=(), description="what else a worker must be able to: cuda, ...")
    memory: Ordinal | None = Field(default=None, description="bytes that its process may take")
    seconds: Seconds | None = Field(default=None, description="time that an attempt may take")
    retries: Small = Field(default=3, description="how many attempts may be lost before the job fails")
    after: tuple[JobId, ...] = Field(
        default=(), exclude_if=unsaid, description="the jobs that must have finished before it is given to a worker"
    )


class JobReleased(Event):
    """All jobs that it waited for have finished."""

    type: Literal["lepton.job.released.v1"] = "lepton.job.released.v1"
    payload: Json = Field(
        default={}, description="what stands in the payload in place of `job:ID`: the version that the job made"
    )


class JobAssigned(Event):
    """A worker was told to do it."""

    type: Literal["lepton.job.assigned.v1"] = "lepton.job.assigned.v1"
    epoch: Epoch
    worker: Incarnation
    deadline: Moment = Field(description="by when the worker must have begun")
    order: Digest | None = Field(
        default=None, description="of the sealed order's bytes: its worker takes no other", exclude_if=unsaid
    )


class JobStarted(Event):
    """The worker began."""

    type: Literal["lepton.job.started.v1"] = "lepton.job.started.v1"
    epoch: Epoch
    run: RunId | None = Field(default=None, description="the run that tells the attempt's metrics, if it is one")


class JobWarned(Event):
    """Something that an attempt said could not be taken in, and the work goes on."""

    free_text: ClassVar = ("reason",)
    type: Literal["lepton.job.warned.v1"] = "lepton.job.warned.v1"
    epoch: Epoch
    said: str = Field(description="what was said: measured, checkpointed")
    points: Count = Field(default=0, description="metric points that are lost by it")
    reason: Sealed = ""


class JobCheckpointed(Event):
    """What the attempt had come to was kept, and another may go on from it."""

    type: Literal["lepton.job.checkpointed.v1"] = "lepton.job.checkpointed.v1"
    epoch: Epoch
    step: Count = Field(description="how far it was")
    tensors: Digest


class JobRequeued(Event):
    """An attempt ended without an answer, and the job awaits another."""

    free_text: ClassVar = ("reason",)
    type: Literal["lepton.job.requeued.v1"] = "lepton.job.requeued.v1"
    epoch: Epoch
    error: ErrorClass
    reason: Sealed = ""
    counted: bool = Field(default=True, description="whether the attempt counts against the job's retries")
    until: Moment = Field(description="not to be assigned before")


class JobFinished(Event):
    """The work was done. What it made stands in the same append."""

    type: Literal["lepton.job.finished.v1"] = "lepton.job.finished.v1"
    epoch: Epoch
    version: Number | None = Field(default=None, description="the version that was made or judged, if one was")
    result: Json = Field(default={}, description="what else came of it: figures by name")
    remarks: tuple[str, ...] = Field(
        default=(),
        description="what was suspicious about the rows, a sentence each: columns by name, never a value",
        exclude_if=unsaid,
    )


class JobFailed(Event):
    """The work cannot be done, or was lost too often."""

    free_text: ClassVar = ("reason",)
    type: Literal["lepton.job.failed.v1"] = "lepton.job.failed.v1"
    epoch: Small = Field(description="the last attempt, 0 where there was none")
    error: ErrorClass
    reason: Sealed = ""
    upstream: JobId | None = Field(
        default=None, exclude_if=unsaid, description="the job that it waited for and that did not finish"
    )


class JobCancelled(Event):
    """Somebody wanted it no more."""

    free_text: ClassVar = ("reason",)
    type: Literal["lepton.job.cancelled.v1"] = "lepton.job.cancelled.v1"
    epoch: Small = Field(description="the attempt that was under way or last, 0 where there was none")
    reason: Sealed = ""


JobEvent = (
    JobSubmitted
    | JobReleased
    | JobAssigned
    | JobStarted
    | JobWarned
    | JobCheckpointed
    | JobRequeued
    | JobFinished
    | JobFailed
    | JobCancelled
)
