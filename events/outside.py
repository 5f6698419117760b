"""The events that come from other services: data sets and versions made elsewhere, models watched where they serve."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from .bounds import Count, Moment
from .event import (
    Branch,
    Event,
    Fingerprint,
    Hyperparameters,
    Json,
    Metrics,
    ModelName,
    Number,
    Sealed,
    Tag,
    Task,
    unsaid,
)


class DatasetRecorded(Event):
    """A data set became known by its fingerprint."""

    type: Literal["lepton.dataset.recorded.v1"] = "lepton.dataset.recorded.v1"
    data: Fingerprint


class ObservationRecorded(Event):
    """What was seen of a version where it serves, over a span of time."""

    type: Literal["lepton.observation.recorded.v1"] = "lepton.observation.recorded.v1"
    model: ModelName
    version: Number
    since: Moment = Field(description="the span's beginning")
    until: Moment = Field(description="its end")
    rows: Count = Field(description="predictions in the span")
    metrics: Metrics = Field(description="figures over the span: latency_ms, positive_rate, psi, f1, ...")

    @model_validator(mode="after")
    def _the_span_runs_forwards(self) -> Self:
        if self.until < self.since:
            raise ValueError("`until` is before `since`")
        return self


class VersionOffered(Event):
    """A version that was trained elsewhere was offered; a worker looks at its file, and it is kept or refused."""

    free_text: ClassVar = ("source", "message")
    type: Literal["lepton.version.offered.v1"] = "lepton.version.offered.v1"
    source: Sealed = Field(
        description="where its safetensors file lies: a path, or a URL of file, s3, gs or az; sealed in the log"
    )
    digest: str = Field(pattern=r"^sha256:[0-9a-f]{64}$", description="SHA-256 of that file")
    branch: Branch = "main"
    hyperparameters: Hyperparameters = {}
    architecture: Json = Field(default={}, description="the model's class and shape, from which it is built again")
    settings: Json = Field(default={}, description="how it was trained: epochs, batch size, seed, ...")
    data: Fingerprint | None = Field(default=None, description="fingerprint of the training data, where it is known")
    metrics: Metrics = {}
    validation: Fingerprint | None = Field(
        default=None, exclude_if=unsaid, description="fingerprint of the rows that the metrics are of"
    )
    task: Task | None = Field(default=None, exclude_if=unsaid, description="what the metrics are of")
    better: dict[str, Literal["higher", "lower"]] | None = Field(
        default=None, exclude_if=unsaid, description="which way metrics are better, by name, where it is not known yet"
    )
    tags: tuple[Tag, ...] = Field(default=(), description="names that the version gets for good")
    message: Sealed = ""


OutsideEvent = DatasetRecorded | ObservationRecorded | VersionOffered
