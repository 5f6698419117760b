"""A booster of XGBoost or LightGBM asked as estimators are; its objective says what its answers mean."""

from __future__ import annotations

import json
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from ...errors import Refused
from .kinds import library_of
from .libraries import needed

_REAL = (
    "reg:",
    "count:",
    "survival:",
    "regression",
    "poisson",
    "gamma",
    "tweedie",
    "huber",
    "fair",
    "quantile",
    "mape",
)


_NO_CHANCES = ("binary:logitraw", "cross_entropy_lambda")
"""Objectives of two classes whose answers are no probabilities."""


class BoosterAnswers:
    """What a booster says of rows: probabilities of classes 0, 1, …, or numbers."""

    def __init__(self, booster: Any) -> None:
        self._booster = booster
        self._xgboost = library_of(booster) == "xgboost"
        objective, classes = _of_xgboost(booster) if self._xgboost else _of_lightgbm(booster)
        self.task = _task(objective, classes)
        named = self.task in ("binary", "multiclass")
        self.classes: tuple[Any, ...] = tuple(range(max(classes, 2))) if named else ()
        self.gives_chances = named and objective not in ("multi:softmax", "binary:hinge")
        names = cast("list[str] | None", booster.feature_names if self._xgboost else booster.feature_name())
        made_up = names is None or all(map(_is_made_up, names, range(len(names))))
        self.columns = None if made_up else tuple(cast("list[str]", names))

    def predict(self, rows: Any) -> npt.NDArray[Any]:
        """The class or the number of each row."""
        if not self.gives_chances:
            return self._said(rows)
        said = self._said(rows)
        return (said > 0.5).astype(np.int64) if said.ndim == 1 else said.argmax(axis=1)

    def predict_proba(self, rows: Any) -> npt.NDArray[Any]:
        """The probability of each class, shape (rows, classes)."""
        if not self.gives_chances:
            raise Refused("this booster tells no probabilities; train one for an objective that has some")
        said = self._said(rows)
        return np.stack([1 - said, said], axis=1) if said.ndim == 1 else said

    def _said(self, rows: Any) -> npt.NDArray[Any]:
        if self._xgboost:
            rows = needed("xgboost").DMatrix(rows, enable_categorical=True)
        return np.asarray(self._booster.predict(rows))


def _of_xgboost(booster: Any) -> tuple[str, int]:
    learner = json.loads(booster.save_config())["learner"]
    return str(learner["learner_train_param"]["objective"]), int(learner["learner_model_param"]["num_class"])


def _of_lightgbm(booster: Any) -> tuple[str, int]:
    text = str(booster.model_to_string(num_iteration=1)).partition("\nTree=")[0]
    told = dict(line.split("=", 1) for line in text.split("\n") if "=" in line)
    return told.get("objective", "").partition(" ")[0], int(told.get("num_class", 1))


def _task(objective: str, classes: int) -> str:
    if objective.startswith(("binary", "cross_entropy")) and objective not in _NO_CHANCES:
        return "binary"
    if objective.startswith(("multi", "multiclass")):
        return "multiclass" if classes else ""
    return "regression" if objective.startswith(_REAL) else ""


def _is_made_up(name: str, place: int) -> bool:
    """Whether a library named a column itself."""
    return name in (f"Column_{place}", f"f{place}")
