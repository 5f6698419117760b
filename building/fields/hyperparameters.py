"""What may be chosen of the fields' models, where it is another thing than of their family; read without torch."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from ...models.hyperparameter import Whole
from ..images.hyperparameters import Augment, ImageHyperparameters
from ..plan import PredictedTask
from ..series.hyperparameters import SeriesHyperparameters
from ..tables.hyperparameters import TableHyperparameters
from ..text.hyperparameters import TextHyperparameters


class RiskHyperparameters(TableHyperparameters):
    """Many rows of a noisy outcome."""

    batch_size: Whole = Field(512, ge=1, json_schema_extra={"search": {"low": 64, "high": 2_048, "log": True}})
    patience: Whole = Field(5, ge=1)
    task: PredictedTask | Literal["auto"] = "binary"


class FindsCases(BaseModel):
    """How many cases are to be found."""

    sensitivity: float | None = Field(
        0.95, gt=0, le=1, description="the share of cases that the threshold finds among rows held out, or None"
    )


class DiagnosisHyperparameters(FindsCases, TableHyperparameters):
    """Few rows, whose cases should be found."""

    batch_size: Whole = Field(32, ge=1, json_schema_extra={"search": {"low": 16, "high": 128, "log": True}})


class ImageDiagnosisHyperparameters(FindsCases, ImageHyperparameters):
    """Pictures, whose cases should be found."""

    augment: Augment = Field("flip", json_schema_extra={"search": {}})


class QualityInspectionHyperparameters(ImageHyperparameters):
    """Pictures of parts, which lie either way."""

    augment: Augment = Field("flip", json_schema_extra={"search": {}})


class MaintenanceHyperparameters(SeriesHyperparameters):
    """Windows of sensors."""


class IntentHyperparameters(TextHyperparameters):
    """Texts of many classes."""

    task: PredictedTask | Literal["auto"] = "multiclass"


class SentimentHyperparameters(TextHyperparameters):
    """Texts by what they feel."""
