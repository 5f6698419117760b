"""Finance: how likely it is that a borrower does not pay. What a price will be is `series/forecasting.py`."""

from __future__ import annotations

from typing import ClassVar

from pydantic import BaseModel

from ...models.registry import register
from ..tables.model import TableModel
from .hyperparameters import RiskHyperparameters


@register("risk-model")
class RiskModel(TableModel):
    """Predicts the probability of a loss by an ensemble of nets over a table of many rows."""

    HYPERPARAMETERS: ClassVar[type[BaseModel]] = RiskHyperparameters
