"""The figures of a binary classifier: what it decided, how it ranked and how far its probabilities can be believed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ..errors import Malformed
from ..results import Performance
from ..results.judging.performance import finite
from . import measures
from .probabilities import read_numbers, read_probabilities

Floats = npt.NDArray[np.float64]
_OF_CHANCES: Final = ("roc_auc", "ks", "gini", "brier", "ece", "log_loss")


def score(labels: npt.ArrayLike, probabilities: npt.ArrayLike, threshold: float = 0.5) -> Performance:
    """Judge the positive class's probabilities, shape (n,), against labels of 0 and 1, shape (n,).

    A row is called positive where its probability is at least `threshold`. What one class alone leaves undefined
    (ROC AUC, KS, Gini; precision without a positive call; recall without a positive row) is None.
    Raises `Malformed` on no rows, unequal lengths, other labels, or probabilities outside 0 to 1.
    """
    truth, chance = checked(labels, probabilities)
    if not np.isfinite(threshold):
        raise Malformed(f"a threshold of {threshold} cuts nothing; 0.5 is usual")
    return Performance(**_decisions(truth, chance >= threshold), **_chances(truth, chance), threshold=float(threshold))


def score_predictions(
    labels: npt.ArrayLike, predicted: npt.ArrayLike, probabilities: npt.ArrayLike | None = None
) -> Performance:
    """Judge predictions of 0 and 1, shape (n,), and probabilities where there are any; the threshold is not known.

    Without probabilities all that is measured on them is None. Raises `Malformed` as `score` does.
    """
    if not np.isin(predicted, (0, 1)).all():
        raise Malformed("predictions to judge must be 0 or 1; map the positive class to 1")
    truth, called = checked(labels, predicted)
    measured: dict[str, Any] = (
        dict.fromkeys(_OF_CHANCES) if probabilities is None else _chances(*checked(labels, probabilities))
    )
    return Performance(**_decisions(truth, called == 1), **measured, threshold=None)


def best_threshold(labels: npt.ArrayLike, probabilities: npt.ArrayLike) -> float:
    """The threshold with the highest F1 on these rows, half way to the next lower probability; 0.5 without positives.

    Half way, because a threshold on a row's own probability would turn on that row's last bit.
    """
    truth, chance = checked(labels, probabilities)
    if not truth.any():
        return 0.5
    levels, positives, every = np.unique(chance), np.sort(chance[truth == 1]), np.sort(chance)
    hits = len(positives) - np.searchsorted(positives, levels)
    calls = len(every) - np.searchsorted(every, levels)
    best = int(np.argmax(2 * hits / (calls + len(positives))))
    return float((levels[best] + (levels[best - 1] if best else 0.0)) / 2)


def threshold_of_sensitivity(labels: npt.ArrayLike, probabilities: npt.ArrayLike, share: float) -> float:
    """The highest threshold that finds at least a share of the positives among these rows, half way to the next lower
    probability; 0.5 without positives."""
    truth, chance = checked(labels, probabilities)
    if not truth.any():
        return 0.5
    positives = np.sort(chance[truth == 1])[::-1]
    least = positives[min(len(positives), measures.fewest(share, len(positives))) - 1]
    below = chance[chance < least]
    return float((least + (below.max() if len(below) else 0.0)) / 2)


def _decisions(truth: Floats, called: npt.NDArray[np.bool_]) -> dict[str, Any]:
    """The figures of what was called positive, by name."""
    counts = np.bincount((2 * truth + called).astype(np.int64), minlength=4).tolist()
    cells = dict(zip(("true_negatives", "false_positives", "false_negatives", "true_positives"), counts, strict=True))
    return _defined(measures.of_decisions(truth, called)(np.ones(len(truth)))) | cells


def _chances(truth: Floats, chance: Floats) -> dict[str, Any]:
    """The figures of the probabilities, by name."""
    figures = _defined(measures.of_probabilities(truth, chance)(np.ones(len(truth))))
    return {name: figures[name] for name in _OF_CHANCES}


def _defined(figures: Mapping[str, float]) -> dict[str, Any]:
    return {name: finite(value) for name, value in figures.items()}


def checked(labels: npt.ArrayLike, probabilities: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Labels of 0 and 1 and probabilities, as two arrays of shape (n,); `Malformed` where they are none."""
    truth, chance = read_numbers(labels, "labels"), read_probabilities(probabilities)
    if truth.ndim != 1 or truth.shape != chance.shape:
        raise Malformed(
            f"labels of shape {truth.shape} do not match probabilities of shape {chance.shape}; give one each"
        )
    if not len(truth):
        raise Malformed("no rows to judge; give at least one label and its probability")
    if not np.isin(truth, (0.0, 1.0)).all():
        raise Malformed("labels to judge must be 0 or 1; map the positive class to 1")
    if not ((chance >= 0) & (chance <= 1)).all():
        raise Malformed("probabilities to judge must lie between 0 and 1; NaN and scores outside are none")
    return truth, chance
