"""Medicine: diagnoses by measurements and by pictures, at a threshold that finds the cases."""

from __future__ import annotations

from typing import Any, ClassVar, cast

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel

from ...evaluation.binary import threshold_of_sensitivity
from ...models.registry import register
from ..images.model import ImageModel
from ..supervised import SupervisedModel
from ..tables.model import TableModel
from .hyperparameters import DiagnosisHyperparameters, FindsCases, ImageDiagnosisHyperparameters


class _FindsCases(SupervisedModel[Any, Any, Any]):
    """Of two classes, calls positive what must be so that `sensitivity` of the cases held out are found."""

    def _threshold(self, plan: Any, truth: npt.NDArray[np.int64], chances: npt.NDArray[np.float64]) -> float:
        sensitivity = cast("FindsCases", plan).sensitivity
        if plan.threshold is not None or sensitivity is None:
            return super()._threshold(plan, truth, chances)
        return threshold_of_sensitivity(truth, chances, sensitivity)


@register("diagnosis-model")
class DiagnosisModel(_FindsCases, TableModel):
    """Predicts what ails somebody by a table of measurements; the positive class are the cases."""

    HYPERPARAMETERS: ClassVar[type[BaseModel]] = DiagnosisHyperparameters


@register("image-diagnosis-model")
class ImageDiagnosisModel(_FindsCases, ImageModel):
    """Predicts what ails somebody by a picture; the positive class are the cases."""

    HYPERPARAMETERS: ClassVar[type[BaseModel]] = ImageDiagnosisHyperparameters
