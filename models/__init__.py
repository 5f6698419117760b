"""Models ready to train, and the way to make your own classes known to Lepton.

It imports datasets, evaluation, tensors, results, plain and errors; never the ledger. Begin at `model.py`, then
`credit/model.py`; `state.py` is where torch meets tensors.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..building.estimators.model import EstimatorModel
    from ..building.fields.finance import RiskModel
    from ..building.fields.manufacturing import MaintenanceModel, QualityInspectionModel
    from ..building.fields.medicine import DiagnosisModel, ImageDiagnosisModel
    from ..building.fields.service import IntentModel, SentimentModel
    from ..building.images.model import ImageModel
    from ..building.images.segmentation import SegmentationModel
    from ..building.series.forecasting import ForecastModel
    from ..building.series.model import SeriesModel
    from ..building.tables.model import TableModel
    from ..building.text.model import TextModel
    from .card import LibraryCard
    from .credit.model import CreditScoringModel
    from .model import Model
    from .registry import register

__all__ = [
    "CreditScoringModel", "DiagnosisModel", "EstimatorModel", "ForecastModel", "ImageDiagnosisModel", "ImageModel",
    "IntentModel", "LibraryCard", "MaintenanceModel", "Model", "QualityInspectionModel", "RiskModel",
    "SegmentationModel", "SentimentModel", "SeriesModel", "TableModel", "TextModel", "register",
]  # fmt: skip

_HOMES = {
    "CreditScoringModel": ".credit.model",
    "DiagnosisModel": "..building.fields.medicine",
    "EstimatorModel": "..building.estimators.model",
    "ForecastModel": "..building.series.forecasting",
    "ImageDiagnosisModel": "..building.fields.medicine",
    "ImageModel": "..building.images.model",
    "IntentModel": "..building.fields.service",
    "LibraryCard": ".card",
    "MaintenanceModel": "..building.fields.manufacturing",
    "Model": ".model",
    "QualityInspectionModel": "..building.fields.manufacturing",
    "RiskModel": "..building.fields.finance",
    "SegmentationModel": "..building.images.segmentation",
    "SentimentModel": "..building.fields.service",
    "SeriesModel": "..building.series.model",
    "TableModel": "..building.tables.model",
    "TextModel": "..building.text.model",
    "register": ".registry",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name], __name__), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
