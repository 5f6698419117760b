"""The figures of a binary classifier: what it decided, how it ranked and how far its probabilities can be believed."""

from __future__ import annotations

from typing import Any, Final, cast

import numpy as np
import numpy.typing as npt

from ..errors import Malformed
from ..results import Performance
from .probabilities import read_probabilities

Floats = npt.NDArray[np.float64]
BINS = 15  # Guo et al. 2017 (On Calibration of Modern Neural Networks) report ECE over 15 bins
_OF_CHANCES: Final = ("roc_auc", "ks", "gini", "brier", "ece", "log_loss")


def score(labels: npt.ArrayLike, probabilities: npt.ArrayLike, threshold: float = 0.5) -> Performance:
    """Judge the positive class's probabilities, shape (n,), against labels of 0 and 1, shape (n,).

    A row is called positive where its probability is at least `threshold`. What one class alone leaves undefined
    (ROC AUC, KS, Gini; precision without a positive call; recall without a positive row) is None.
    Raises `Malformed` on no rows, unequal lengths, other labels, or probabilities outside 0 to 1.
    """
    truth, chance = checked(labels, probabilities)
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


def expected_calibration_error(labels: npt.ArrayLike, probabilities: npt.ArrayLike, bins: int = BINS) -> float:
    """Mean gap of frequency and probability over bins of equal width, weighted by rows (Naeini et al. 2015).

    Taken over the positive class's probability, not over the winning class's confidence as for many classes: in
    credit scoring a well-known 3 % risk matters, and confidence would fold it onto 97 %.
    """
    truth, chance = checked(labels, probabilities)
    # The edges belong to the bin below them, (0, 1/15] and so on, as in Guo et al.; probability 0 joins the first.
    place = np.clip(np.ceil(chance * bins).astype(np.int64) - 1, 0, bins - 1)
    gap = np.bincount(place, weights=truth - chance, minlength=bins)
    return float(np.abs(gap).sum() / len(truth))


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


def _decisions(truth: Floats, called: npt.NDArray[np.bool_]) -> dict[str, Any]:
    """The figures of what was called positive, by name."""
    from sklearn import metrics

    (tn, fp), (fn, tp) = metrics.confusion_matrix(truth, called, labels=[0, 1]).tolist()
    return {
        "accuracy": float(metrics.accuracy_score(truth, called)),
        "precision": _ratio(tp, tp + fp),
        "recall": _ratio(tp, tp + fn),
        "f1": _ratio(2 * tp, 2 * tp + fp + fn),
        "true_negatives": tn,
        "false_positives": fp,
        "false_negatives": fn,
        "true_positives": tp,
    }


def _chances(truth: Floats, chance: Floats) -> dict[str, Any]:
    """The figures of the probabilities, by name."""
    from sklearn import metrics

    auc, ks = _ranking(truth, chance)
    return {
        "roc_auc": auc,
        "ks": ks,
        "gini": None if auc is None else 2 * auc - 1,
        "brier": float(metrics.brier_score_loss(truth, chance, pos_label=1)),
        "ece": expected_calibration_error(truth, chance),
        "log_loss": float(metrics.log_loss(truth, chance, labels=[0, 1])),
    }


def _ranking(truth: Floats, chance: Floats) -> tuple[float | None, float | None]:
    """ROC AUC and KS (the greatest distance of the classes' distribution functions); None where one class is absent."""
    from sklearn import metrics

    if len(np.unique(truth)) < 2:
        return None, None
    false, true = cast("tuple[Floats, Floats]", metrics.roc_curve(truth, chance, drop_intermediate=False)[:2])
    return float(cast("float", metrics.roc_auc_score(truth, chance))), float(np.abs(true - false).max())


def checked(labels: npt.ArrayLike, probabilities: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Labels of 0 and 1 and probabilities, as two arrays of shape (n,); `Malformed` where they are none."""
    truth, chance = np.asarray(labels, dtype=np.float64), read_probabilities(probabilities)
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


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None
