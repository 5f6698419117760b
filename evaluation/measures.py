"""Figures of rows that count more or less often: what each draw of the bootstrap is measured by.

With every weight 1 they are the figures that `binary`, `multiclass` and `regression` give, which tests hold.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ..errors import Malformed
from .cells import Cells, Codes, Counts, cells_of
from .resampling import Weights

Floats = npt.NDArray[np.float64]
Measure = Callable[[Weights], Mapping[str, float]]
"""Figures by name, of rows that each count as often as their weight says, shape (n,); what is undefined is NaN."""
BINS: Final = 15
"""Guo et al. 2017 (On Calibration of Modern Neural Networks) report ECE over 15 bins."""
_AT_ONCE: Final = 1 << 15
"""Elements of an array that stays in the processor's cache."""


@dataclass(frozen=True, eq=False)
class Tabulated:
    """A measure that sees of each row only its cell, so that many draws are measured at once, each by its counts."""

    cells: Cells
    of_counts: Callable[[Counts], Mapping[str, Floats]]
    """Figures by name, shape (draws,), of how often each cell counts, shape (draws, cells)."""

    def __call__(self, weights: Weights) -> Mapping[str, float]:
        return {name: float(value[0]) for name, value in self.of_counts(self.cells.sums(weights[None])).items()}


def of_decisions(truth: Floats, called: npt.NDArray[np.bool_]) -> Tabulated:
    """Accuracy, precision, recall and F1 of the positive class; labels of 0 and 1 and calls, both of shape (n,)."""
    cells, (true, given) = cells_of((truth == 1).astype(np.int64), np.asarray(called, bool).astype(np.int64))
    kinds = np.stack([true & given, (1 - true) & given, true & (1 - given)], axis=1).astype(np.float64)

    def of_counts(counts: Counts) -> Mapping[str, Floats]:
        tp, fp, fn = (counts @ kinds).T
        return {
            "accuracy": 1 - (fp + fn) / counts.sum(axis=1),
            "precision": _ratio(tp, tp + fp),
            "recall": _ratio(tp, tp + fn),
            "f1": _ratio(2 * tp, 2 * tp + fp + fn),
        }

    return Tabulated(cells, of_counts)


def of_probabilities(truth: Floats, chance: Floats) -> Tabulated:
    """ROC AUC, KS, Gini, average precision, Brier score, ECE and log loss; both of shape (n,)."""
    ranked = Ranking(truth, chance)
    true, held = ranked.positive, ranked.score
    clipped = np.clip(held, np.finfo(float).eps, 1 - np.finfo(float).eps)
    losses = ((held - true) ** 2, -np.log(np.where(true == 1, clipped, 1 - clipped)))
    bins = bins_of(held, BINS)
    starts, gaps = np.flatnonzero(np.diff(bins, prepend=-1)), true - held

    def of_counts(counts: Counts) -> Mapping[str, Floats]:
        whole = counts.sum(axis=1)
        brier, loss = (_dot(counts, each) / whole for each in losses)
        ece = np.abs(np.add.reduceat(counts * gaps, starts, axis=1)).sum(axis=1) / whole
        return {**ranked.of_counts(counts), "brier": brier, "ece": ece, "log_loss": loss}

    return Tabulated(ranked.cells, of_counts)


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


def fewest(share: float, count: int) -> int:
    """The fewest of `count`, at least one, that are a share of them or more; `share * count` may round up beyond it."""
    return max(1, int(np.searchsorted(np.arange(count + 1) / count, share)))


class Ranking:
    """Rows sorted once by their score, so that a draw's curves are running sums of its weights."""

    def __init__(self, truth: Floats, score: Floats) -> None:
        levels, level = np.unique(-score, return_inverse=True)
        self.cells, (held, positive) = cells_of(level, (truth == 1).astype(np.int64))
        self.positive, self.score = positive.astype(np.float64), -levels[held]
        """Whether each cell's rows are positive, 1 or 0, and their score, from the highest to the lowest."""
        self._ends = np.flatnonzero(np.append(held[1:] != held[:-1], True))
        """The last cell of each level of the score: rows of one level are told apart by no threshold."""

    def counts(self, weights: Weights) -> tuple[Floats, Floats]:
        """How many positive rows, and how many rows, are called at each threshold, from the highest to the lowest."""
        counts = self.cells.sums(weights[None])[0]
        return np.cumsum(counts * self.positive)[self._ends], np.cumsum(counts)[self._ends]

    def figures(self, weights: Weights) -> Mapping[str, float]:
        """The figures of rows that count as often as their weight says, shape (n,)."""
        return Tabulated(self.cells, self.of_counts)(weights)

    def of_counts(self, counts: Counts) -> Mapping[str, Floats]:
        """ROC AUC (ties count half), KS, Gini and average precision; NaN where a class has no weight."""
        positives = _dot(counts, self.positive)
        negatives = counts.sum(axis=1) - positives
        hit, false = np.zeros((2, len(counts), 1))
        area, precision, apart = np.zeros((3, len(counts)))
        with np.errstate(invalid="ignore", divide="ignore"):
            per_positive, per_negative = 1 / positives[:, None], 1 / negatives[:, None]
            for cells, ends in self._parts(len(counts)):
                part = counts[:, cells]
                right = part * self.positive[cells]
                hits, calls = (np.cumsum(each, axis=1)[:, ends] for each in (right, part))
                hits, calls = hits + hit, calls + (hit + false)
                missed = calls - hits
                before, lost = (np.concatenate([a, b[:, :-1]], axis=1) for a, b in ((hit, hits), (false, missed)))
                area += _sums((missed - lost) * (hits + before)) / 2
                precision += _sums((hits - before) * (hits / np.maximum(calls, _LEAST)))
                gap = np.abs(hits * per_positive - missed * per_negative)
                apart = np.maximum(apart, gap.max(axis=1))
                hit, false = hits[:, -1:], missed[:, -1:]
            both = np.where((positives > 0) & (negatives > 0), 1.0, np.nan)
            auc = both * area / (positives * negatives)
            average = both * precision / positives
        return {"roc_auc": auc, "ks": both * apart, "gini": 2 * auc - 1, "average_precision": average}

    def _parts(self, draws: int) -> Iterator[tuple[slice, Any]]:
        """Cells in parts that end with a level and stay in the cache, and the places of the levels' ends in each."""
        size = max(1, _AT_ONCE // draws)
        begin = first = 0
        while first < len(self._ends):
            last = max(first + 1, int(np.searchsorted(self._ends, begin + size)))
            end = int(self._ends[last - 1]) + 1
            alone = end - begin == last - first
            yield slice(begin, end), slice(None) if alone else self._ends[first:last] - begin
            begin, first = end, last


def of_classes(truth: Codes, called: Codes, classes: int) -> Tabulated:
    """Accuracy and averages over classes; both are codes of shape (n,) from 0 to below `classes`.

    As in scikit-learn what is 0 / 0 counts as 0, and a class counts where a row of the draw has or is called it.
    """
    cells, (true, given) = cells_of(truth, called)

    def of_counts(counts: Counts) -> Mapping[str, Floats]:
        rows, calls, right = np.zeros((3, classes, len(counts)))
        np.add.at(rows, true, counts.T)
        np.add.at(calls, given, counts.T)
        right[true[true == given]] = counts.T[true == given]
        there, whole = (rows + calls) > 0, counts.sum(axis=1)
        precision, recall, f1 = _ratios(right, calls), _ratios(right, rows), _ratios(2 * right, rows + calls)
        share = right.sum(axis=0) / whole
        return {
            "accuracy": share,
            "balanced_accuracy": recall.sum(axis=0) / (rows > 0).sum(axis=0),
            "macro_precision": precision.sum(axis=0) / there.sum(axis=0),
            "macro_recall": recall.sum(axis=0) / there.sum(axis=0),
            "macro_f1": f1.sum(axis=0) / there.sum(axis=0),
            "micro_f1": share,
            "weighted_f1": (f1 * rows).sum(axis=0) / whole,
        }

    return Tabulated(cells, of_counts)


def of_errors(truth: Floats, predicted: Floats) -> Tabulated:
    """RMSE, MAE and R² of predicted numbers; both of shape (n,).

    The greatest error is none of them: draws of rows say nothing of what lies beyond (Bickel and Freedman 1981).
    """
    with np.errstate(invalid="ignore", over="ignore"):
        error, away = np.abs(truth - predicted), truth - truth.mean()
        columns = (error, error**2, away, away**2)

    def of_counts(counts: Counts) -> Mapping[str, Floats]:
        whole = counts.sum(axis=1)
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            absolute, squared, mean, spread = (_dot(counts, column) / whole for column in columns)
            variance = spread - mean**2
            r2 = np.where(variance > _ALIKE * spread, 1 - squared / variance, np.nan)
            return {"rmse": np.sqrt(squared), "mae": absolute, "r2": r2}

    return Tabulated(Cells(np.arange(len(truth))), of_counts)


def together(*measures: Measure) -> Measure:
    """Several measures of the same rows as one."""
    tables = [each for each in measures if isinstance(each, Tabulated)]
    if len(tables) < len(measures):
        return lambda weights: {name: value for measure in measures for name, value in measure(weights).items()}
    cells, parts = joined(tables)
    return Tabulated(
        cells,
        lambda counts: {
            name: value
            for table, part in zip(tables, parts, strict=True)
            for name, value in table.of_counts(part.sums(counts)).items()
        },
    )


def differences(first: Measure, second: Measure) -> Measure:
    """How much higher each figure is by the second measure than by the first one of the same rows."""
    if isinstance(first, Tabulated) and isinstance(second, Tabulated):
        cells, (one, other) = joined([first, second])
        return Tabulated(
            cells, lambda counts: _gaps(first.of_counts(one.sums(counts)), second.of_counts(other.sums(counts)))
        )
    return lambda weights: _gaps(first(weights), second(weights))


def joined(tables: list[Tabulated]) -> tuple[Cells, list[Cells]]:
    """The cells of rows that are alike in all of `tables`, and which cell of each table they make up."""
    rows = {len(each.cells.codes) for each in tables}
    if len(rows) > 1:
        raise Malformed(f"models are compared on {' and '.join(map(str, sorted(rows)))} rows; give both the same")
    wide = sorted(range(len(tables)), key=lambda place: -tables[place].cells.size)
    cells, codes = cells_of(*(tables[place].cells.codes for place in wide))
    return cells, [Cells(codes[wide.index(place)]) for place in range(len(tables))]


def _gaps(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    return {name: second[name] - value for name, value in first.items() if name in second}


_LEAST: Final = 1e-300
_ALIKE: Final = 1e-12
"""A variance this small beside the mean square is that of equal numbers, rounded."""


def _dot(counts: Counts, column: Floats) -> Floats:
    """Weighted sums, shape (draws,); not by BLAS, whose own threads would stand in the way of ours."""
    return np.einsum("ij,j->i", counts, column)


def _sums(products: Floats) -> Floats:
    return products.sum(axis=1)


def _ratio(part: Floats, whole: Floats) -> Floats:
    return np.divide(part, whole, out=np.full_like(part, np.nan), where=whole > 0)


def _ratios(part: Floats, whole: Floats) -> Floats:
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)
