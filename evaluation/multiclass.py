"""The figures of a classifier of several classes: what it decided, and how probable it held what was true."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from ..errors import Malformed
from ..results import MulticlassPerformance
from .probabilities import read_probabilities


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
    from sklearn import metrics

    truth, called = _checked(labels), _checked(predicted)
    if truth.shape != called.shape:
        raise Malformed(f"labels of shape {truth.shape} do not match predictions of shape {called.shape}")

    def average(kind: str) -> tuple[float, float, float]:
        each = metrics.precision_recall_fscore_support(truth, called, average=kind, zero_division=cast("Any", 0))
        return float(each[0]), float(each[1]), float(each[2])

    precision, recall, macro_f1 = average("macro")
    return MulticlassPerformance(
        accuracy=float(metrics.accuracy_score(truth, called)),
        macro_precision=precision,
        macro_recall=recall,
        macro_f1=macro_f1,
        micro_f1=average("micro")[2],
        weighted_f1=average("weighted")[2],
        log_loss=None if probabilities is None or classes is None else _log_loss(truth, probabilities, classes),
        classes=len(np.unique(np.concatenate([truth, called]))),
        n=len(truth),
    )


def _log_loss(truth: npt.NDArray[Any], probabilities: npt.ArrayLike, classes: Sequence[Any]) -> float | None:
    from sklearn import metrics

    names, chances = np.asarray(classes), read_probabilities(probabilities)
    if len(np.unique(names)) < len(names):
        raise Malformed("the names of the classes are not all different; name each class once")
    if chances.shape != (len(truth), len(names)):
        raise Malformed(f"probabilities of shape {chances.shape} are not a row a label and a column a class")
    if not ((chances >= 0) & (chances <= 1)).all() or not np.allclose(chances.sum(axis=1), 1.0, atol=1e-3):
        raise Malformed("probabilities to judge must lie between 0 and 1 and sum to 1 in each row")
    if len(names) < 2 or not np.isin(truth, names).all():
        return None
    order = np.argsort(names)  # scikit-learn takes the columns in the labels' order, whatever `labels` says
    chances = chances[:, order] / chances.sum(axis=1, keepdims=True)
    return float(metrics.log_loss(truth, chances, labels=names[order]))


def _checked(labels: npt.ArrayLike) -> npt.NDArray[Any]:
    classes = np.asarray(labels)
    if classes.ndim != 1 or not len(classes):
        raise Malformed(f"classes to judge have shape {classes.shape}; give one a row, and at least one")
    if classes.dtype.kind not in "biuUfO" or (classes.dtype.kind == "f" and (np.mod(classes, 1) != 0).any()):
        raise Malformed("classes to judge must be whole numbers or texts; numbers that are measured are a regression")
    return classes
