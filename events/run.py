"""The events of one run: a training script's story, in columns."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Literal

from pydantic import Field, model_validator

from .event import Digest, Event, Json, Sealed


class RunStarted(Event):
    """A training script began."""

    type: Literal["lepton.run.started.v1"] = "lepton.run.started.v1"
    run: str
    model: str
    hyperparameters: Json = {}
    data: Json | None = None
    environment: Json = {}
    code: Json = {}


class MetricsLogged(Event):
    """Up to 1,000 points of a run's metrics, as columns of one length."""

    type: Literal["lepton.metrics.logged.v1"] = "lepton.metrics.logged.v1"
    names: tuple[str, ...] = Field(max_length=1000)
    steps: tuple[int | None, ...]
    values: tuple[float, ...]
    times: tuple[datetime, ...]

    @model_validator(mode="after")
    def _columns_have_one_length(self) -> MetricsLogged:
        if not len(self.names) == len(self.steps) == len(self.values) == len(self.times):
            raise ValueError("the columns differ in length")
        return self


class RunCheckpointed(Event):
    """A run's parameters were kept on the way, without making a version."""

    type: Literal["lepton.run.checkpointed.v1"] = "lepton.run.checkpointed.v1"
    tensors: Digest
    step: int | None = None


class RunFinished(Event):
    """A run came to its end, well or not."""

    free_text: ClassVar = ("reason",)
    type: Literal["lepton.run.finished.v1"] = "lepton.run.finished.v1"
    status: Literal["finished", "failed"]
    error: str | None = Field(default=None, description="name of the exception's class")
    reason: Sealed = ""
    points: int = Field(ge=0, description="how many metric points the run logged")


RunEvent = RunStarted | MetricsLogged | RunCheckpointed | RunFinished
