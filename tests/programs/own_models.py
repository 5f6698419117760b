"""A user's own models, none of which gives probabilities but one; as a program, a job's process that knows them."""

from __future__ import annotations

import runpy
from typing import Any

import numpy as np
import torch
from pydantic import BaseModel, Field

from lepton_ai.models import Model, register


class LineHyperparameters(BaseModel):
    ridge: float = Field(1e-3, ge=0, le=10, json_schema_extra={"search": {"low": 1e-6, "log": True}})


def matrix(data: Any) -> torch.Tensor:
    frame = data.to_pandas() if hasattr(data, "to_pandas") else data
    return torch.from_numpy(frame.to_numpy(np.float64))


@register("ridge-line")
class RidgeLine(Model):
    """Ridge regression of whatever number, by its closed form."""

    HYPERPARAMETERS = LineHyperparameters
    TASK = "regression"

    def __init__(self, width: int = 8) -> None:
        super().__init__()
        self.module = torch.nn.Linear(width, 1, dtype=torch.float64)

    def train(self, data: Any, labels: Any, *, validation: Any = None, on_epoch: Any = None) -> RidgeLine:
        rows = matrix(data)
        rows = torch.cat([rows, torch.ones(len(rows), 1)], dim=1)
        target = torch.from_numpy(np.array(labels, np.float64))
        penalty = torch.eye(rows.shape[1], dtype=torch.float64) * self.hyperparameters["ridge"]
        solved = torch.linalg.solve(rows.T @ rows + penalty, rows.T @ target)
        with torch.no_grad():
            self.module.weight.copy_(solved[:-1][None])
            self.module.bias.copy_(solved[-1:])
        return self

    def predict(self, data: Any) -> Any:
        with torch.no_grad():
            return self.module(matrix(data))[:, 0].numpy()


@register("nearest-centroid")
class NearestCentroid(Model):
    """The class whose mean row is nearest, of features scaled to unit spread."""

    TASK = "multiclass"

    def __init__(self, width: int = 27, count: int = 7) -> None:
        super().__init__()
        self.module = torch.nn.ParameterDict(
            {
                "centres": torch.zeros(count, width, dtype=torch.float64),
                "spread": torch.ones(width, dtype=torch.float64),
            }
        )

    def train(self, data: Any, labels: Any, *, validation: Any = None, on_epoch: Any = None) -> NearestCentroid:
        rows, names = matrix(data), np.array(labels).astype(str)
        self.settings["classes"] = sorted(set(names.tolist()))
        self.module["spread"].data = rows.std(dim=0) + 1e-9
        centres = [
            (rows / self.module["spread"])[torch.from_numpy(names == each)].mean(dim=0) for each in self.classes_
        ]
        self.module["centres"].data = torch.stack(centres).detach()
        return self

    @property
    def classes_(self) -> list[str]:
        return self.settings["classes"]

    def distances(self, data: Any) -> torch.Tensor:
        with torch.no_grad():
            return torch.cdist(matrix(data) / self.module["spread"], self.module["centres"])

    def predict(self, data: Any) -> Any:
        return np.array(self.classes_)[self.distances(data).argmin(dim=1).numpy()]


@register("soft-centroid")
class SoftCentroid(NearestCentroid):
    """The same, with probabilities."""

    def predict_proba(self, data: Any) -> Any:
        return (-self.distances(data)).softmax(dim=1).numpy()


if __name__ == "__main__":
    runpy.run_module("lepton_ai.cli.child", run_name="__main__")
