"""Manufacturing: whether a part is sound by its picture, and how a machine is by its sensors."""

from __future__ import annotations

from typing import ClassVar

from pydantic import BaseModel

from ...models.registry import register
from ..images.model import ImageModel
from ..series.model import SeriesModel
from .hyperparameters import MaintenanceHyperparameters, QualityInspectionHyperparameters


@register("quality-inspection-model")
class QualityInspectionModel(ImageModel):
    """Predicts whether a part is sound, or its fault, by a picture."""

    HYPERPARAMETERS: ClassVar[type[BaseModel]] = QualityInspectionHyperparameters


@register("maintenance-model")
class MaintenanceModel(SeriesModel):
    """Predicts the state of a machine, or the life that is left, by windows of its sensors."""

    HYPERPARAMETERS: ClassVar[type[BaseModel]] = MaintenanceHyperparameters
