"""What may be chosen of a model of series; whoever only asks for a training reads it without torch."""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

from pydantic import Field

from ...models.hyperparameter import Whole
from ..plan import SupervisedHyperparameters, TrainingPlan

SeriesFamily: TypeAlias = Literal["tcn", "lstm", "patch-transformer"]


class SeriesPlan(TrainingPlan):
    """The net over a window, and how it learns."""

    batch_size: Whole = Field(64, ge=1, json_schema_extra={"search": {"low": 16, "high": 256, "log": True}})
    blocks: Whole = Field(4, ge=1, le=32, json_schema_extra={"search": {"low": 1, "high": 8}})
    dropout_rate: float = Field(0.1, ge=0, le=0.95, json_schema_extra={"search": {"high": 0.5}})
    family: SeriesFamily = Field("tcn", json_schema_extra={"search": {"choices": [*get_args(SeriesFamily)]}})
    patch: Whole = Field(8, ge=1, le=1_024, description="steps of a patch; a whole number from 1 to 1024")
    width: Whole = Field(64, ge=8, le=2_048, json_schema_extra={"search": {"low": 16, "high": 256, "log": True}})


class SeriesHyperparameters(SeriesPlan, SupervisedHyperparameters):
    """What a user may choose of a model of series, and how it is searched."""


class ForecastHyperparameters(SeriesPlan):
    """What a user may choose of a model of forecasts, and how it is searched."""

    blocks: Whole = Field(1, ge=1, le=32, json_schema_extra={"search": {"low": 1, "high": 8}})
    coverage: float = Field(0.95, gt=0, lt=1, description="the share of values that an interval should hold")
    family: SeriesFamily = Field("lstm", json_schema_extra={"search": {"choices": [*get_args(SeriesFamily)]}})
    width: Whole = Field(32, ge=8, le=2_048, json_schema_extra={"search": {"low": 16, "high": 256, "log": True}})
