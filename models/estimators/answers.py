"""An estimator in scikit-learn's manner asked for what it says of rows, and what it learnt to say."""

from __future__ import annotations

from typing import Any, Protocol, cast

import numpy as np

from .boosters import BoosterAnswers
from .kinds import is_booster, library_of
from .libraries import needed


class Answers(Protocol):
    """What an estimator says of rows."""

    task: str
    """What it predicts; nothing where that is neither one class a row nor one number."""
    classes: tuple[Any, ...]
    """The labels in the order of the probabilities; none where it tells no classes."""
    gives_chances: bool
    columns: tuple[str, ...] | None
    """The columns that it learnt by their names; None where it learnt an array."""

    def predict(self, rows: Any) -> Any:
        """The class or the number of each row."""
        ...

    def predict_proba(self, rows: Any) -> Any:
        """The probability of each class."""
        ...


class EstimatorAnswers:
    """What an estimator in scikit-learn's manner says of rows."""

    def __init__(self, estimator: Any) -> None:
        self._estimator = estimator
        classes: Any = getattr(estimator, "classes_", None)
        single = isinstance(classes, np.ndarray) and classes.ndim == 1
        self.classes: tuple[Any, ...] = tuple(cast("Any", classes).tolist()) if single else ()
        self.task = _task(estimator, len(self.classes))
        self.gives_chances = hasattr(estimator, "predict_proba") and self.task != "regression"
        self.columns = _columns(estimator)

    def predict(self, rows: Any) -> Any:
        """The class or the number of each row."""
        return self._estimator.predict(rows)

    def predict_proba(self, rows: Any) -> Any:
        """The probability of each class."""
        return self._estimator.predict_proba(rows)


def answers_of(estimator: Any) -> Answers:
    """Whoever answers for an estimator."""
    return BoosterAnswers(estimator) if is_booster(estimator) else EstimatorAnswers(estimator)


def _task(estimator: Any, classes: int) -> str:
    base = needed("sklearn.base")
    if _answers_several(estimator):
        return ""
    if base.is_classifier(estimator):
        return {0: "", 2: "binary"}.get(classes, "multiclass")
    return "regression" if base.is_regressor(estimator) else ""


def _answers_several(estimator: Any) -> bool:
    """Whether it gives several answers of a row; a net of classes counts its units as outputs."""
    binarizer = getattr(estimator, "_label_binarizer", None)
    if binarizer is not None:
        return str(getattr(binarizer, "y_type_", "")).startswith("multilabel")
    return getattr(estimator, "n_outputs_", 1) != 1


def _columns(estimator: Any) -> tuple[str, ...] | None:
    names = getattr(estimator, "feature_names_in_", None)
    made_up = library_of(estimator) == "lightgbm" and not getattr(estimator, "_fitted_with_feature_names", True)
    return None if names is None or made_up else tuple(map(str, names))
