"""Light models for contests: a number a row, called positive from a cut on, and rows of a known skill."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from lepton_ai.models import Model, register
from lepton_ai.results import Performance


@register("cut")
class Cut(Model):
    """Calls a row positive where its first column reaches the cut; `ballast` are parameters that do nothing."""

    TASK = "binary"

    def __init__(self, cut: float = 0.0, ballast: int = 0) -> None:
        super().__init__()
        self.module = torch.nn.ParameterDict({"cut": torch.tensor([cut]), "ballast": torch.zeros(ballast)})

    def train(self, data: Any, labels: Any, *, validation: Any = None, on_epoch: Any = None) -> Cut:
        return self

    def predict_proba(self, data: Any) -> Any:
        chance = 1 / (1 + np.exp(self.trained().cut.item() - np.asarray(data, np.float64)[:, 0]))
        return np.stack([1 - chance, chance], axis=1)

    def predict(self, data: Any) -> Any:
        return (self.predict_proba(data)[:, 1] >= 0.5).astype(int)


@register("own-cut")
class OwnCut(Cut):
    """Judges itself by figures alone, and says nothing of single rows."""

    def evaluate(self, data: Any, labels: Any) -> Performance:
        return Cut.outcomes(self, data, labels).performance  # type: ignore[return-value]


def rows(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Rows that a cut at 0 calls best, and not without error."""
    chance = np.random.default_rng(seed)
    data = chance.normal(size=(count, 2))
    return data, (data[:, 0] + 0.7 * chance.normal(size=count) > 0).astype(int)
