"""The figures of a model that predicts numbers: how far it is off, and how much of the spread it explains."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..errors import Malformed
from ..results import RegressionPerformance
from ..results.judging.performance import finite
from . import measures
from .probabilities import read_numbers


def score(labels: npt.ArrayLike, predicted: npt.ArrayLike) -> RegressionPerformance:
    """Judge predicted numbers, shape (n,), against the true ones; RMSE, MAE and greatest error are in their unit.

    R² is 1 less the squared errors over those of the labels' mean, None where the labels are all alike. A figure that
    overflows, as the RMSE of errors beyond 1e154 does, is None too: the data leave it undefined in 64 bits.
    Raises `Malformed` on no rows, unequal lengths, or numbers that are not finite.
    """
    truth, called = read_numbers(labels, "labels"), read_numbers(predicted, "predictions")
    if truth.ndim != 1 or truth.shape != called.shape:
        raise Malformed(f"labels of shape {truth.shape} do not match predictions of shape {called.shape}")
    if not len(truth):
        raise Malformed("no rows to judge; give at least one label and its prediction")
    if not (np.isfinite(truth).all() and np.isfinite(called).all()):
        raise Malformed(
            "numbers to judge must be finite; drop the rows that are not, or find out why they were predicted"
        )
    with np.errstate(over="ignore", invalid="ignore"):
        figures = {**measures.of_errors(truth, called)(np.ones(len(truth))), "max_error": np.abs(truth - called).max()}
    return RegressionPerformance(**{name: finite(value) for name, value in figures.items()}, n=len(truth))
