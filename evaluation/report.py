"""The report of predictions: figures, intervals, curves, calibration, costs, slices and groups of one evaluation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ..errors import Malformed
from ..results import Confusion, CostCurve, Curve, Interval, Report, Slice
from . import measures
from .diagnostics import calibration, slices
from .diagnostics.costs import Costs, cost_curve
from .diagnostics.fairness import by_group, without_rare
from .intervals import DRAWS, LEVEL, Progress, bootstrap, checked_terms
from .outcomes import Outcomes
from .structured import tasks

Floats = npt.NDArray[np.float64]
Values = Sequence[Any] | npt.NDArray[Any]
POINTS: Final = 200
"""Points of a curve at most."""
UNITS: Final = {
    ("ranking", "groups"): "queries", ("sequence", "groups"): "sequences", ("segmentation", "rows"): "images",
}  # fmt: skip
"""What is drawn, by task, where it has a name of its own."""
CLASSES: Final = 100
"""Classes of a table of confusion at most: more are no table that anyone reads."""


@dataclass(frozen=True)
class Asked:
    """What a report is asked with: `columns`, with a value a row, shape (n,), are searched for slices that do worse,
    those of `sensitive` compared for fairness."""

    columns: Mapping[str, Values] = field(default_factory=dict[str, "Values"])
    sensitive: Mapping[str, Values] = field(default_factory=dict[str, "Values"])
    costs: Costs | None = None
    draws: int = DRAWS
    level: float = LEVEL
    seed: int = 0
    progress: Progress | None = field(default=None, compare=False, repr=False)
    """Called now and then with how much is done and how much there is to do, from 0 to `of`."""

    def __post_init__(self) -> None:
        for name, value in zip(
            ("draws", "level", "seed"), checked_terms(self.draws, self.level, self.seed), strict=True
        ):
            object.__setattr__(self, name, value)
        if self.progress is not None and not callable(self.progress):  # pyright: ignore[reportUnnecessaryComparison]
            raise Malformed("progress is called with how much is done and how much there is to do; give a function")


def report_of(outcomes: Outcomes, asked: Asked) -> Report:
    """The report of outcomes of any task. Raises `Malformed` where what was asked does not fit them."""
    if asked.sensitive and outcomes.task != "binary":
        raise Malformed(f"fairness compares what was called positive, and {outcomes.task} calls nothing so")
    if asked.costs is not None and (outcomes.task != "binary" or outcomes.chances is None):
        raise Malformed("a threshold of least cost needs a binary classifier's probabilities; leave costs out")
    if asked.columns and outcomes.task in ("ranking", "sequence"):
        raise Malformed(f"slices are searched among rows that are independent, and those of a {outcomes.task} are not")
    steps = _Steps(asked, (asked.draws, slices.PERMUTATIONS if asked.columns else 0))
    parts = _PARTS[outcomes.task](outcomes, asked)
    intervals = _intervals(outcomes, asked, steps.of_part(0))
    parts |= {"own": outcomes.own_figures, "slices": _slices(outcomes, asked, steps.of_part(1))}
    return Report(outcomes.performance, *intervals, **parts)


class _Steps:
    """The progress of a report, whose parts are draws and permutations."""

    def __init__(self, asked: Asked, steps: Sequence[int]) -> None:
        self._progress, self._steps = asked.progress, steps

    def of_part(self, place: int) -> Progress | None:
        """What a part tells of itself, told as that of the whole report."""
        if (progress := self._progress) is None:
            return None
        before, whole = sum(self._steps[:place]), sum(self._steps)
        return lambda done, _: progress(before + done, whole)


def _binary(outcomes: Outcomes, asked: Asked) -> dict[str, Any]:
    truth, chance = outcomes.truth.astype(np.float64), outcomes.chances
    called = outcomes.called.astype(np.float64)
    fairness = {
        name: by_group(
            truth, called, without_rare(groups), draws=max(asked.draws, 1), seed=asked.seed, level=asked.level
        )
        for name, groups in asked.sensitive.items()
    }
    told = {"confusion": _confusion(outcomes), "fairness": fairness}
    if chance is None:
        return told
    return told | {
        "curves": _curves(truth, chance) if len(np.unique(truth)) > 1 else {},
        "calibration": calibration.reliability(truth, chance, seed=asked.seed),
        "costs": None if asked.costs is None else _thinned(cost_curve(truth, chance, asked.costs)),
    }


def _several(outcomes: Outcomes, _: Asked) -> dict[str, Any]:
    size = len(outcomes.classes)
    true, called, right = (
        np.bincount(codes.astype(np.int64), minlength=size)
        for codes in (outcomes.truth, outcomes.called, outcomes.truth[~outcomes.wrong])
    )
    there = np.flatnonzero(true + called)
    names = tuple(str(outcomes.classes[place]) for place in there.tolist())
    f1 = tasks.by_class(names, 2 * right[there], (true + called)[there], true[there])
    return {"confusion": _confusion(outcomes) if len(names) <= CLASSES else None, "by_class": {"f1": f1}}


def _numbers(outcomes: Outcomes, _: Asked) -> dict[str, Any]:
    some = np.linspace(0, len(outcomes) - 1, min(len(outcomes), POINTS)).astype(int)
    return {"curves": {"residuals": _curve(outcomes.called[some], (outcomes.truth - outcomes.called)[some])}}


_PARTS: Final[Mapping[str, Callable[[Outcomes, Asked], dict[str, Any]]]] = {
    "binary": _binary,
    "multiclass": _several,
    "regression": _numbers,
    "forecasting": lambda outcomes, asked: _numbers(outcomes, asked) | tasks.forecasts_parts(outcomes),
    "multilabel": lambda outcomes, _: tasks.labels_parts(outcomes),
    "ranking": lambda outcomes, _: tasks.order_parts(outcomes),
    "segmentation": lambda outcomes, _: tasks.masks_parts(outcomes),
    "sequence": _several,
}
"""What a report has beside figures, intervals and slices, by task."""


def _intervals(
    outcomes: Outcomes, asked: Asked, progress: Progress | None
) -> tuple[Mapping[str, Interval], str, int, int]:
    """The interval of each figure that has one, and the scheme, the draws and the seed it was found by."""
    if not asked.draws or len(outcomes) < 2:
        return {}, "", 0, asked.seed
    scheme = outcomes.scheme
    draws = bootstrap(outcomes.measure, scheme, asked.draws, asked.seed, progress=progress)
    ends = {name: draws.interval(name, asked.level) for name in draws.figures}
    known = {name: Interval(*each, asked.level) for name, each in ends.items() if each is not None}
    return known, UNITS.get((outcomes.task, scheme.method), scheme.method), asked.draws, asked.seed


def _curves(truth: Floats, chance: Floats) -> dict[str, Curve]:
    """ROC and precision over recall, thinned to POINTS."""
    hits, calls = measures.Ranking(truth, chance).counts(np.ones(len(truth)))
    false = calls - hits
    start = np.zeros(1)
    return {
        "roc": _curve(np.append(start, false / false[-1]), np.append(start, hits / hits[-1])),
        "precision_recall": _curve(hits / hits[-1], hits / calls),
    }


def _thinned(curve: CostCurve) -> CostCurve:
    """POINTS of a cost curve, its best one among them."""
    last = len(curve.costs) - 1
    some = {*np.linspace(0, last, POINTS).astype(int).tolist(), curve.costs.index(curve.best[1])}
    return CostCurve(*(tuple(each[place] for place in sorted(some)) for each in (curve.thresholds, curve.costs)))


def _curve(x: Floats, y: Floats) -> Curve:
    some = np.unique(np.linspace(0, len(x) - 1, POINTS).astype(int))
    return Curve(tuple(x[some].tolist()), tuple(y[some].tolist()))


def _confusion(outcomes: Outcomes) -> Confusion:
    """The classes that a row is or was called, in their order."""
    rows = len(outcomes)
    both: npt.NDArray[np.int64] = np.concatenate([outcomes.truth, outcomes.called]).astype(np.int64)
    there, codes = np.unique(both, return_inverse=True)
    size = len(there)  # of as many classes as a model may know most are in no table
    counts = np.bincount(codes[:rows] * size + codes[rows:], minlength=size**2).reshape(size, size)
    places: list[int] = there.tolist()
    return Confusion(tuple(str(outcomes.classes[place]) for place in places), tuple(map(tuple, counts.tolist())))


def _slices(outcomes: Outcomes, asked: Asked, progress: Progress | None) -> tuple[Slice, ...]:
    if not asked.columns:
        return ()
    units = outcomes.sampling.units(len(outcomes))
    return tuple(slices.worst(outcomes.losses, asked.columns, units=units, seed=asked.seed, progress=progress))
