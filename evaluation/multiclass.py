"""The figures of a classifier of several classes: what it decided, and how probable it held what was true."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ..errors import Malformed
from ..results import MulticlassPerformance
from . import measures
from .probabilities import read_probabilities

_AVERAGES: Final = ("accuracy", "macro_precision", "macro_recall", "macro_f1", "micro_f1", "weighted_f1")
_LEAST: Final = np.finfo(np.float64).eps
"""The least probability that a log loss knows, as in scikit-learn."""


def score(
    labels: npt.ArrayLike,
    predicted: npt.ArrayLike,
    probabilities: npt.ArrayLike | None = None,
    classes: Sequence[Any] | None = None,
) -> MulticlassPerformance:
    """Judge predicted classes, whole numbers or texts of shape (n,), against the true ones.

    `probabilities`, shape (n, classes), has a column for each of `classes` in their order. Averages are those of
    scikit-learn over every class that occurs among labels or predictions; what is 0 / 0 counts as 0. The log loss is
    None without probabilities or where a label is none of `classes`.
    Raises `Malformed` on no rows, unequal lengths, labels that are no classes, or rows that are no probabilities.
    """
    truth, called = _checked(labels), _checked(predicted)
    if truth.shape != called.shape:
        raise Malformed(f"labels of shape {truth.shape} do not match predictions of shape {called.shape}")
    names, codes = np.unique(np.concatenate([truth, called]), return_inverse=True)
    measure = measures.of_classes(codes[: len(truth)], codes[len(truth) :], len(names))
    figures = measure(np.ones(len(truth)))
    return MulticlassPerformance(
        **{name: figures[name] for name in _AVERAGES},
        log_loss=None if probabilities is None or classes is None else _log_loss(truth, probabilities, classes),
        classes=len(names),
        n=len(truth),
    )


def _log_loss(truth: npt.NDArray[Any], probabilities: npt.ArrayLike, classes: Sequence[Any]) -> float | None:
    names, chances = np.asarray(classes), read_probabilities(probabilities)
    if len(np.unique(names)) < len(names):
        raise Malformed("the names of the classes are not all different; name each class once")
    if chances.shape != (len(truth), len(names)):
        raise Malformed(f"probabilities of shape {chances.shape} are not a row a label and a column a class")
    if not ((chances >= 0) & (chances <= 1)).all() or not np.allclose(chances.sum(axis=1), 1.0, atol=1e-3):
        raise Malformed("probabilities to judge must lie between 0 and 1 and sum to 1 in each row")
    if len(names) < 2 or not np.isin(truth, names).all():
        return None
    order = np.argsort(names)
    columns = order[np.searchsorted(names[order], truth)]
    right = chances[np.arange(len(truth)), columns] / chances.sum(axis=1)
    return float(-np.log(np.clip(right, _LEAST, 1 - _LEAST)).mean())


def _checked(labels: npt.ArrayLike) -> npt.NDArray[Any]:
    classes = np.asarray(labels)
    if classes.ndim != 1 or not len(classes):
        raise Malformed(f"classes to judge have shape {classes.shape}; give one a row, and at least one")
    if classes.dtype.kind == "O" and len({isinstance(label, str) for label in classes.tolist()}) > 1:
        raise Malformed("classes to judge are texts beside numbers or gaps; give all as one kind, without gaps")
    if classes.dtype.kind not in "biuUfO" or (classes.dtype.kind == "f" and (np.mod(classes, 1) != 0).any()):
        raise Malformed("classes to judge must be whole numbers or texts; numbers that are measured are a regression")
    return classes
