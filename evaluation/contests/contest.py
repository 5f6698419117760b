"""A contest of two models on the same rows: the paired test that a figure and its rows call for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt

from ...errors import Malformed
from ...results import PairedTest
from .. import measures, paired
from ..cells import Cells
from ..intervals import DRAWS, LEVEL
from ..measures import Measure, Tabulated
from ..outcomes import Outcomes
from ..own.metrics import OwnMetric, registered_of
from ..resampling import Sampling
from .effects import LOSSES, effect_of

Floats = npt.NDArray[np.float64]
_OF_CLASSES: Final = ("binary", "multiclass")
"""The tasks that call each row one class."""
_RIGHT: Final = ("accuracy", "micro_f1")
"""Their shares of rows that were called right."""


def paired_test(
    figure: str, one: Outcomes, other: Outcomes, draws: int = DRAWS, seed: int = 0, level: float = LEVEL
) -> PairedTest:
    """Whether `other` differs from `one` in a figure on the same rows by more than chance, and by how much.

    Of rows that are independent of each other DeLong's test for the ROC AUC and Gini, McNemar's for the accuracy; of
    forecasts Diebold and Mariano's, whose horizon is the block's length; for all else the paired bootstrap, which draws
    as the rows depend on each other: by groups, by blocks, within strata, or singly.
    Raises `Malformed` where the two are not of the same rows and task, or one of them does not have the figure.
    """
    check_pair(one, other)
    sampling = _sampling(one, other)
    figures = _figures(figure, one, other)
    independent = sampling.groups is None and sampling.block is None
    if figure in ("roc_auc", "gini") and independent:
        found = _of_areas(figure, one, other, level)
    elif one.task in _OF_CLASSES and figure in _RIGHT and independent:
        found = replace(paired.mcnemar(~one.wrong, ~other.wrong, level), figure=figure)
    elif one.task == "forecasting" and figure in _SCALES:
        found = _of_forecasts(figure, one, other, figures, level)
    else:
        scheme = replace(one, sampling=sampling).scheme
        found = paired.paired_bootstrap(
            figure, _narrow(figure, one), _narrow(figure, other), scheme, draws, seed, level
        )
    return found if _own(figure, one.task) else replace(found, effect=effect_of(figure, one, other, figures))


def check_pair(one: Outcomes, other: Outcomes) -> None:
    """Raise `Malformed` unless both are outcomes of the same rows, of one task."""
    if one.task != other.task:
        raise Malformed(f"one is judged as {one.task} and the other as {other.task}; judge both by the same task")
    if len(one) != len(other):
        raise Malformed(f"a paired test needs the same rows, and there are {len(one):,} and {len(other):,}")
    if not len(one):
        raise Malformed("there are no rows to compare; give at least one")
    if one.truth.shape != other.truth.shape:
        raise Malformed("the labels of both sides have other shapes; a paired test needs the same rows")
    sides = (one.truth, other.truth) if one.classes == other.classes else (_labels(one), _labels(other))
    differing = int(np.sum((sides[0] != sides[1]).reshape(len(one), -1).any(axis=1)))
    if differing:
        raise Malformed(
            f"{differing:,} of {len(one):,} rows have another label on either side; a paired test needs the same rows "
            "in the same order, and the same labels"
        )


def _labels(outcomes: Outcomes) -> npt.NDArray[np.generic]:
    """True labels; codes of several classes by name, since each model may have its classes in an order of its own."""
    if outcomes.task not in ("multiclass", "sequence"):
        return outcomes.truth
    return np.asarray([str(each) for each in outcomes.classes])[outcomes.truth.astype(np.int64)]


def _sampling(one: Outcomes, other: Outcomes) -> Sampling:
    """How the rows depend on each other. Raises `Malformed` where both sides say something else."""
    said = [each.sampling for each in (one, other) if _words(each.sampling) != "independently"]
    if len(said) < 2:
        return said[0] if said else Sampling()
    first, second = said
    if _words(first) != _words(second) or not np.array_equal(_codes(first), _codes(second)):
        raise Malformed(
            f"rows are drawn {_words(first)} on one side and {_words(second)} on the other, or in other groups; "
            "evaluate both with the same groups, block or strata"
        )
    return first


def _codes(sampling: Sampling) -> npt.NDArray[np.int64]:
    return np.empty(0, np.int64) if sampling.codes is None else sampling.codes


def _words(sampling: Sampling) -> str:
    if sampling.groups is not None:
        return "by groups"
    if sampling.block is not None:
        return f"by blocks of {sampling.block}"
    return "within strata" if sampling.stratified else "independently"


def _measured(outcomes: Outcomes) -> Mapping[str, float]:
    return outcomes.measure(np.ones(len(outcomes)))


def _figures(figure: str, one: Outcomes, other: Outcomes) -> tuple[float, float]:
    """The figure of either side. Raises `Malformed` where one or both do not have it."""
    if own := _own(figure, one.task):
        return own.figure(one), own.figure(other)
    sides = _measured(one), _measured(other)
    both = ", ".join(name for name in sides[0] if name in sides[1])
    if not any(figure in side for side in sides):
        raise Malformed(f"there is no test by {figure!r} for the task {one.task}; compare by {both}")
    for place, side in zip(("first", "second"), sides, strict=True):
        if figure not in side:
            raise Malformed(f"the {place} of the two has no {figure}, which needs probabilities; compare by {both}")
        if not np.isfinite(side[figure]):
            raise Malformed(
                f"{figure} is undefined on these rows for the {place} of the two; compare by another figure"
            )
    return sides[0][figure], sides[1][figure]


def _own(figure: str, task: str) -> OwnMetric | None:
    """The metric that somebody registered under that name, for that task."""
    return next((each for each in registered_of([figure]) if each.task in (None, task)), None)


def _narrow(figure: str, outcomes: Outcomes) -> Measure:
    """The measure of as little beside a figure as there is: what few cells tell is drawn a thousand times at once."""
    if own := _own(figure, outcomes.task):
        measure = own.measure(outcomes)
        return lambda weights: {figure: measure(weights)}
    if outcomes.task == "binary" and figure in ("accuracy", "precision", "recall", "f1"):
        return measures.of_decisions(outcomes.truth.astype(np.float64), outcomes.called == 1)
    if outcomes.task == "binary" and figure in ("brier", "log_loss"):
        return _mean(figure, LOSSES[figure](outcomes))
    return outcomes.measure


def _mean(figure: str, losses: Floats) -> Measure:
    levels, codes = np.unique(losses, return_inverse=True)
    return Tabulated(Cells(codes), lambda counts: {figure: np.einsum("ij,j->i", counts, levels) / counts.sum(axis=1)})


def _of_areas(figure: str, one: Outcomes, other: Outcomes, level: float) -> PairedTest:
    """DeLong's test; a Gini is twice its area, less 1."""
    assert one.chances is not None
    assert other.chances is not None
    found = paired.delong(one.truth, one.chances, other.chances, level)
    return found if figure == "roc_auc" else _scaled(found, figure, 2.0)


def _of_forecasts(
    figure: str, one: Outcomes, other: Outcomes, figures: tuple[float, float], level: float
) -> PairedTest:
    """Diebold and Mariano's test of mean losses, its difference in the figure's own unit.

    MASE is the mean absolute error in another unit; two RMSE differ by the difference of their squares over their sum.
    """
    power = 2 if figure == "rmse" else 1
    losses = [np.abs(side.truth - side.called) ** power for side in (one, other)]
    horizon = one.sampling.block or other.sampling.block or 1
    found = paired.diebold_mariano(losses[0], losses[1], figure, horizon, level)
    return _scaled(found, figure, _SCALES[figure](one, sum(figures)))


_SCALES: Final[Mapping[str, Callable[[Outcomes, float], float]]] = {
    "mae": lambda _, __: 1.0,
    "rmse": lambda _, total: 1 / total if total > 0 else 1.0,
    "mase": lambda one, _: 1 / (one.step or 1.0),
}
"""By what the difference of a forecast's mean losses is multiplied to be the figure's."""


def _scaled(found: PairedTest, figure: str, factor: float) -> PairedTest:
    ends = sorted(each * factor for each in (found.low, found.high) if each is not None)
    low, high = ends or (None, None)
    return replace(found, figure=figure, difference=found.difference * factor, low=low, high=high)
