"""The events of one run: a training script's story, in columns."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, model_validator

from .bounds import Count, Moment, Step
from .event import (
    Code,
    Digest,
    Environment,
    Event,
    Figure,
    Fingerprint,
    Hyperparameters,
    Json,
    ModelName,
    RunId,
    Sealed,
    unsaid,
)


class RunStarted(Event):
    """A training script began."""

    type: Literal["lepton.run.started.v1"] = "lepton.run.started.v1"
    run: RunId
    model: ModelName
    hyperparameters: Hyperparameters = {}
    data: Fingerprint | None = Field(default=None, description="fingerprint of the training data, if it was given")
    environment: Environment = {}
    code: Code = {}
    name: str | None = Field(default=None, exclude_if=unsaid, description="what people call it, if they do")
    tags: tuple[str, ...] | None = Field(default=None, exclude_if=unsaid, description="words that it is found by")


class MetricsLogged(Event):
    """Up to 1,000 points of a run's metrics, as columns of one length."""

    type: Literal["lepton.metrics.logged.v1"] = "lepton.metrics.logged.v1"
    names: tuple[str, ...] = Field(max_length=1000, description="the metric of each point")
    steps: tuple[Step | None, ...] = Field(description="the step of each point, null where none was given")
    values: tuple[Figure, ...] = Field(description="the value of each point")
    times: tuple[Moment, ...] = Field(description="when each point was logged")

    @model_validator(mode="after")
    def _columns_have_one_length(self) -> MetricsLogged:
        if not len(self.names) == len(self.steps) == len(self.values) == len(self.times):
            raise ValueError("the columns differ in length")
        return self


class RunCheckpointed(Event):
    """A run's parameters were kept on the way, without making a version."""

    type: Literal["lepton.run.checkpointed.v1"] = "lepton.run.checkpointed.v1"
    tensors: Digest
    step: Step | None = Field(default=None, description="the step it was taken at, if given")
    architecture: Json | None = Field(
        default=None, exclude_if=unsaid, description="the model's class and shape, where it says so itself"
    )


class FileLogged(Event):
    """A run kept a file: a picture, a table, a text. Of two of one name and step the later one counts."""

    type: Literal["lepton.file.logged.v1"] = "lepton.file.logged.v1"
    name: str = Field(description="its name, no path of a host")
    media_type: str = Field(description="what it is, by the ending of its name (RFC 6838)")
    digest: Digest = Field(description="digest of its content")
    bytes: Count = Field(description="its size")
    step: Step | None = Field(default=None, description="the step it was logged at, if given")


class RunFinished(Event):
    """A run came to its end, well or not."""

    free_text: ClassVar = ("reason",)
    type: Literal["lepton.run.finished.v1"] = "lepton.run.finished.v1"
    status: Literal["finished", "failed"] = Field(description="how it ended")
    error: str | None = Field(default=None, description="name of the exception's class")
    reason: Sealed = ""
    points: Count = Field(description="how many metric points the run logged")


class RunLost(Event):
    """A run was not heard of any more: its process was killed, or its machine is away."""

    type: Literal["lepton.run.lost.v1"] = "lepton.run.lost.v1"
    heard: Moment = Field(description="when it was heard of last, by the database's clock")


class RunResumed(Event):
    """A run goes on: it was resumed, or a run that was taken for lost was heard of again."""

    type: Literal["lepton.run.resumed.v1"] = "lepton.run.resumed.v1"
    environment: Environment = {}
    code: Code = {}


RunEvent = RunStarted | MetricsLogged | RunCheckpointed | FileLogged | RunFinished | RunLost | RunResumed
