"""The figures of a classifier that gives each row any number of labels."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import numpy.typing as npt

from ...errors import Malformed
from ...results import MultilabelPerformance
from ..probabilities import read_numbers

Decisions = npt.NDArray[np.bool_]


def score(
    labels: npt.ArrayLike, predicted: npt.ArrayLike, probabilities: npt.ArrayLike | None = None
) -> MultilabelPerformance:
    """Judge decisions of 0 and 1 against the true ones, both of shape (n, labels), a column a label.

    `probabilities`, of the same shape, are those of each label being there, from 0 to 1. Averages are scikit-learn's.
    Raises `Malformed` on no rows or labels, unequal shapes, other values than 0 and 1, or no probabilities.
    """
    from sklearn import metrics

    truth, called = decisions(labels, "labels"), decisions(predicted, "predictions")
    if truth.shape != called.shape:
        raise Malformed(f"labels of shape {truth.shape} do not match predictions of shape {called.shape}")

    def average(kind: str) -> tuple[float, float, float]:
        each = metrics.precision_recall_fscore_support(truth, called, average=kind, zero_division=cast("Any", 0))
        return float(each[0]), float(each[1]), float(each[2])

    precision, recall, micro_f1 = average("micro")
    auc, average_precision = (None, None) if probabilities is None else _ranked(truth, probabilities)
    return MultilabelPerformance(
        subset_accuracy=float((truth == called).all(axis=1).mean()),
        hamming_loss=float((truth != called).mean()),
        micro_precision=precision,
        micro_recall=recall,
        micro_f1=micro_f1,
        macro_f1=average("macro")[2],
        weighted_f1=average("weighted")[2],
        samples_f1=average("samples")[2],
        macro_roc_auc=auc,
        macro_average_precision=average_precision,
        labels=truth.shape[1],
        n=len(truth),
    )


def _ranked(truth: Decisions, probabilities: npt.ArrayLike) -> tuple[float | None, float | None]:
    """Mean ROC AUC and average precision, of the labels that some rows have and some have not."""
    from sklearn import metrics

    chances = checked_chances(probabilities, truth.shape)
    told = np.flatnonzero(truth.any(axis=0) & ~truth.all(axis=0))
    if not len(told):
        return None, None
    pairs = [(truth[:, place], chances[:, place]) for place in told]
    areas = [float(cast("float", metrics.roc_auc_score(*pair))) for pair in pairs]
    precisions = [float(cast("float", metrics.average_precision_score(*pair))) for pair in pairs]
    return float(np.mean(areas)), float(np.mean(precisions))


def checked_chances(probabilities: npt.ArrayLike, shape: tuple[int, ...]) -> npt.NDArray[np.float64]:
    """Probabilities of the labels' shape. Raises `Malformed` on another one, or what is no probability."""
    chances = read_numbers(probabilities, "probabilities")
    if chances.shape != shape:
        raise Malformed(f"probabilities of shape {chances.shape} do not match labels of shape {shape}")
    if not ((chances >= 0) & (chances <= 1)).all():
        raise Malformed("probabilities to judge must lie between 0 and 1; NaN and scores outside are none")
    return chances


def decisions(values: npt.ArrayLike, what: str) -> Decisions:
    """Decisions of 0 and 1 as an array of shape (n, labels). Raises `Malformed` on anything else."""
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise Malformed(f"the {what} of each row must be as many as there are labels, a 0 or 1 for each") from error
    if array.ndim != 2 or not array.size:
        raise Malformed(f"{what} to judge have shape {array.shape}; give a row each, and a column a label")
    if array.dtype.kind not in "buif" or not np.isin(array, (0, 1)).all():
        raise Malformed(f"{what} to judge must be 0 or 1 for each label; a missing one is neither")
    return array.astype(bool)
