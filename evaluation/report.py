"""The report of predictions: figures, intervals, curves, calibration, costs, slices and groups of one evaluation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ..errors import Malformed
from ..results import Confusion, Curve, Interval, Report, Slice, TaskPerformance
from . import calibration, measures, slices
from .costs import Costs, cost_curve
from .fairness import by_group
from .intervals import DRAWS, LEVEL, bootstrap
from .measures import Measure
from .resampling import scheme_of

Floats = npt.NDArray[np.float64]
POINTS: Final = 200
"""Points of a curve at most."""
CLASSES: Final = 100
"""Classes of a table of confusion at most: more are no table that anyone reads."""


@dataclass(frozen=True)
class Asked:
    """What a report is asked with; rows are given by the value that each has, shape (n,).

    `groups` are what is independent (patients), `block` the rows of one block of a series in time order, `stratified`
    that rows were sampled by class, as many of each as was decided before (else intervals would be too narrow).
    `columns` are searched for slices that do worse, `sensitive` compared for fairness.
    """

    groups: npt.ArrayLike | None = None
    block: int | None = None
    stratified: bool = False
    columns: Mapping[str, Sequence[Any]] = field(default_factory=dict[str, "Sequence[Any]"])
    sensitive: Mapping[str, Sequence[Any]] = field(default_factory=dict[str, "Sequence[Any]"])
    costs: Costs | None = None
    draws: int = DRAWS
    level: float = LEVEL
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.draws <= 100_000:
            raise Malformed(f"{self.draws} draws are not between 0 (no intervals) and 100,000")
        if not 0.5 <= self.level < 1:
            raise Malformed(f"a level of {self.level} is not from 0.5 to below 1; 0.95 is usual")


def of_binary(
    performance: TaskPerformance, truth: Floats, called: Floats, chance: Floats | None, asked: Asked
) -> Report:
    """The report of a binary classifier: labels and calls of 0 and 1, probabilities if any; all of shape (n,)."""
    measure = measures.of_decisions(truth, called == 1)
    if chance is not None:
        measure = measures.together(measure, measures.of_probabilities(truth, chance))
    both = chance is not None and len(np.unique(truth)) > 1
    return Report(
        performance,
        *_intervals(measure, truth, asked),
        curves=_curves(truth, chance) if chance is not None and both else {},
        confusion=_confusion(truth.astype(int), called.astype(int)),
        calibration=None if chance is None else calibration.reliability(truth, chance, seed=asked.seed),
        costs=None if chance is None or asked.costs is None else cost_curve(truth, chance, asked.costs),
        slices=_slices((truth != called).astype(float), asked),
        fairness={
            name: by_group(truth, called, groups, draws=max(asked.draws, 1), seed=asked.seed, level=asked.level)
            for name, groups in asked.sensitive.items()
        },
    )


def of_classes(performance: TaskPerformance, truth: Sequence[Any], called: Sequence[Any], asked: Asked) -> Report:
    """The report of a classifier of several classes; classes are numbers or texts, both of shape (n,)."""
    names, codes = np.unique(np.concatenate([np.asarray(truth), np.asarray(called)]), return_inverse=True)
    true, given = codes[: len(truth)], codes[len(truth) :]
    return Report(
        performance,
        *_intervals(measures.of_classes(true, given, len(names)), true, asked),
        confusion=_confusion(np.asarray(truth), np.asarray(called)) if len(names) <= CLASSES else None,
        slices=_slices((true != given).astype(float), asked),
    )


def of_numbers(performance: TaskPerformance, truth: Floats, predicted: Floats, asked: Asked) -> Report:
    """The report of predicted numbers; both of shape (n,)."""
    some = np.linspace(0, len(truth) - 1, min(len(truth), POINTS)).astype(int)
    return Report(
        performance,
        *_intervals(measures.of_errors(truth, predicted), truth, asked),
        curves={"residuals": _curve(predicted[some], (truth - predicted)[some])},
        slices=_slices((truth - predicted) ** 2, asked),
    )


def _intervals(measure: Measure, truth: npt.NDArray[Any], asked: Asked) -> tuple[Mapping[str, Interval], str, int, int]:
    """The interval of each figure that has one, and the scheme, the draws and the seed it was found by."""
    if not asked.draws or len(truth) < 2:
        return {}, "", 0, asked.seed
    scheme = scheme_of(len(truth), truth if asked.stratified else None, asked.groups, asked.block)
    draws = bootstrap(measure, scheme, asked.draws, asked.seed)
    ends = {name: draws.interval(name, asked.level) for name in draws.figures}
    known = {name: Interval(*each, asked.level) for name, each in ends.items() if each is not None}
    return known, scheme.method, asked.draws, asked.seed


def _curves(truth: Floats, chance: Floats) -> dict[str, Curve]:
    """ROC and precision over recall, thinned to POINTS."""
    hits, calls = measures.Ranking(truth, chance).counts(np.ones(len(truth)))
    false = calls - hits
    start = np.zeros(1)
    return {
        "roc": _curve(np.append(start, false / false[-1]), np.append(start, hits / hits[-1])),
        "precision_recall": _curve(hits / hits[-1], hits / calls),
    }


def _curve(x: Floats, y: Floats) -> Curve:
    some = np.unique(np.linspace(0, len(x) - 1, POINTS).astype(int))
    return Curve(tuple(x[some].tolist()), tuple(y[some].tolist()))


def _confusion(truth: npt.NDArray[Any], called: npt.NDArray[Any]) -> Confusion:
    names, codes = np.unique(np.concatenate([truth, called]), return_inverse=True)
    cells = codes[: len(truth)] * len(names) + codes[len(truth) :]
    counts = np.bincount(cells, minlength=len(names) ** 2).reshape(len(names), len(names))
    return Confusion(tuple(map(str, names.tolist())), tuple(map(tuple, counts.tolist())))


def _slices(losses: Floats, asked: Asked) -> tuple[Slice, ...]:
    return tuple(slices.worst(losses, asked.columns, seed=asked.seed)) if asked.columns else ()
