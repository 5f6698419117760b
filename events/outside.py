"""The events that come from other services: data sets registered elsewhere, models watched where they serve."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import AwareDatetime, Field, model_validator

from .event import Event, Fingerprint, Metrics, ModelName, Number


class DatasetRecorded(Event):
    """A data set became known by its fingerprint."""

    type: Literal["lepton.dataset.recorded.v1"] = "lepton.dataset.recorded.v1"
    data: Fingerprint


class ObservationRecorded(Event):
    """What was seen of a version where it serves, over a span of time."""

    type: Literal["lepton.observation.recorded.v1"] = "lepton.observation.recorded.v1"
    model: ModelName
    version: Number
    since: AwareDatetime = Field(description="the span's beginning")
    until: AwareDatetime = Field(description="its end")
    rows: int = Field(ge=0, description="predictions in the span")
    metrics: Metrics = Field(description="figures over the span: latency_ms, positive_rate, psi, f1, ...")

    @model_validator(mode="after")
    def _the_span_runs_forwards(self) -> Self:
        if self.until < self.since:
            raise ValueError("`until` is before `since`")
        return self


OutsideEvent = DatasetRecorded | ObservationRecorded
