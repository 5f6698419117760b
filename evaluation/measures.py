"""Figures of rows that count more or less often: what each draw of the bootstrap is measured by.

With every weight 1 they are the figures that `binary`, `multiclass` and `regression` give, which tests hold.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import numpy.typing as npt

from .intervals import Measure
from .resampling import Weights

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]
BINS: Final = 15
"""Guo et al. 2017 (On Calibration of Modern Neural Networks) report ECE over 15 bins."""


def of_decisions(truth: Floats, called: npt.NDArray[np.bool_]) -> Measure:
    """Accuracy, precision, recall and F1 of the positive class; labels of 0 and 1 and calls, both of shape (n,)."""
    cells = np.stack([(truth == 1) & called, (truth == 0) & called, (truth == 1) & ~called], axis=0).astype(float)

    def measure(weights: Weights) -> Mapping[str, float]:
        tp, fp, fn = (cells @ weights).tolist()
        return {
            "accuracy": 1 - (fp + fn) / float(weights.sum()),
            "precision": _ratio(tp, tp + fp),
            "recall": _ratio(tp, tp + fn),
            "f1": _ratio(2 * tp, 2 * tp + fp + fn),
        }

    return measure


def of_probabilities(truth: Floats, chance: Floats) -> Measure:
    """ROC AUC, KS, Gini, average precision, Brier score, ECE and log loss; both of shape (n,)."""
    ranked = Ranking(truth, chance)
    clipped = np.clip(chance, np.finfo(float).eps, 1 - np.finfo(float).eps)
    losses = np.stack([(chance - truth) ** 2, -np.log(np.where(truth == 1, clipped, 1 - clipped))])
    bins = bins_of(chance, BINS)
    gaps = truth - chance

    def measure(weights: Weights) -> Mapping[str, float]:
        whole = float(weights.sum())
        brier, loss = (losses @ weights / whole).tolist()
        ece = float(np.abs(np.bincount(bins, weights=gaps * weights, minlength=BINS)).sum() / whole)
        return {**ranked.figures(weights), "brier": brier, "ece": ece, "log_loss": loss}

    return measure


def expected_calibration_error(truth: Floats, chance: Floats, bins: int = BINS) -> float:
    """Mean gap of frequency and probability over bins of equal width, weighted by rows (Naeini et al. 2015).

    Taken over the positive class's probability, not over the winning class's confidence as for many classes: in
    credit scoring a well-known 3 % risk matters, and confidence would fold it onto 97 %.
    """
    return float(np.abs(np.bincount(bins_of(chance, bins), weights=truth - chance)).sum() / len(truth))


def bins_of(chance: Floats, bins: int) -> Codes:
    """The bin of each probability: the edges belong to the bin below them, (0, 1/15] and so on, as in Guo et al.

    Probability 0 joins the first.
    """
    return np.clip(np.ceil(chance * bins).astype(np.int64) - 1, 0, bins - 1)


class Ranking:
    """Rows sorted once by their score, so that a draw's curves are running sums of its weights."""

    def __init__(self, truth: Floats, score: Floats) -> None:
        self._order = np.argsort(-score, kind="stable")
        self._positive = truth[self._order] == 1
        falling = score[self._order]
        self._ends = np.flatnonzero(np.append(falling[1:] != falling[:-1], True))
        """The last row of each level of the score: rows of one level are told apart by no threshold."""

    def counts(self, weights: Weights) -> tuple[Floats, Floats]:
        """How many positive rows, and how many rows, are called at each threshold, from the highest to the lowest."""
        ordered = weights[self._order]
        hits = np.cumsum(np.where(self._positive, ordered, 0.0))
        return hits[self._ends], np.cumsum(ordered)[self._ends]

    def figures(self, weights: Weights) -> Mapping[str, float]:
        """ROC AUC (ties count half), KS, Gini and average precision; NaN where a class has no weight."""
        hits, calls = self.counts(weights)
        positives, negatives = hits[-1], calls[-1] - hits[-1]
        if not positives or not negatives:
            return dict.fromkeys(("roc_auc", "ks", "gini", "average_precision"), np.nan)
        false = calls - hits
        gained, missed = np.diff(hits, prepend=0.0), np.diff(false, prepend=0.0)
        auc = float(np.dot(missed, hits - gained / 2) / (positives * negatives))
        precision = np.divide(hits, calls, out=np.zeros_like(hits), where=calls > 0)
        return {
            "roc_auc": auc,
            "ks": float(np.abs(hits / positives - false / negatives).max()),
            "gini": 2 * auc - 1,
            "average_precision": float(np.dot(gained, precision) / positives),
        }


def of_classes(truth: Codes, called: Codes, classes: int) -> Measure:
    """Accuracy and averages over classes; both are codes of shape (n,) from 0 to below `classes`.

    As in scikit-learn what is 0 / 0 counts as 0, and a class counts where a row of the draw has or is called it.
    """
    cells = truth * classes + called

    def measure(weights: Weights) -> Mapping[str, float]:
        table = np.bincount(cells, weights=weights, minlength=classes**2).reshape(classes, classes).astype(np.float64)
        right, rows, calls = np.diagonal(table), table.sum(axis=1), table.sum(axis=0)
        there = (rows + calls) > 0
        precision, recall = _ratios(right, calls), _ratios(right, rows)
        f1 = _ratios(2 * right, rows + calls)
        share = float(right.sum() / table.sum())
        return {
            "accuracy": share,
            "balanced_accuracy": float(recall[rows > 0].mean()),
            "macro_precision": float(precision[there].mean()),
            "macro_recall": float(recall[there].mean()),
            "macro_f1": float(f1[there].mean()),
            "micro_f1": share,
            "weighted_f1": float(np.dot(f1, rows) / rows.sum()),
        }

    return measure


def of_errors(truth: Floats, predicted: Floats) -> Measure:
    """RMSE, MAE, R² and the greatest error of predicted numbers; both of shape (n,)."""
    error = np.abs(truth - predicted)
    sums = np.stack([error, error**2, truth])

    def measure(weights: Weights) -> Mapping[str, float]:
        whole = float(weights.sum())
        absolute, squared, mean = (sums @ weights / whole).tolist()
        counted = weights > 0
        alike = np.ptp(truth[counted]) == 0
        return {
            "rmse": float(np.sqrt(squared)),
            "mae": absolute,
            "max_error": float(error[counted].max()),
            "r2": np.nan if alike else 1 - squared * whole / float(np.dot(weights, (truth - mean) ** 2)),
        }

    return measure


def together(*measures: Measure) -> Measure:
    """Several measures of the same rows as one."""
    return lambda weights: {name: value for measure in measures for name, value in measure(weights).items()}


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else np.nan


def _ratios(part: Floats, whole: Floats) -> Floats:
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)
