"""The charts of a study: its history, its Pareto front, hyperparameters side by side, and their importance."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Any, Final

from ....domain.studies.state import Distribution, StudyState
from ....results.figures import figure
from ....results.pages.plots import Plot, PlotAxis
from ....results.pages.searches import ImportanceBars, ParallelAxis, ParallelCoordinates, SearchHistory, order_of
from ....results.pages.tables import ChartTable
from ....results.work.studies import StudyRecord, TrialRecord
from ..charts.figure import Chart, of_plot
from ..html import translated

DRAWN: Final = 1_000
"""Trials of a history, the newest, and of a front."""
LINES: Final = 200
"""Trials of parallel coordinates, the best."""
AXES: Final = 8
"""Hyperparameters of parallel coordinates, the most important."""
TABLED: Final = 40
"""Rows of the table beside a chart."""


def charts_of(study: StudyRecord, known: StudyState, shares: Mapping[str, float], objective: int) -> Iterator[Chart]:
    """The charts of a study that has trials with values, for one objective."""
    if ranked := [each for each in study.ranked if _finite(each, objective)]:
        yield _history(study, objective)
        if len(study.metrics) > 1:
            yield _front(study)
        yield _parallel(study, known, sorted(ranked, key=_by(study, objective))[:LINES], shares, objective)
        if shares:
            yield _importance(shares)


def _history(study: StudyRecord, objective: int) -> Chart:
    metric = study.metrics[objective]
    told = [
        (each.trial, each.values[objective])
        for each in study.trials
        if each.status == "complete" and each.values and _finite(each, objective)
    ]
    better = max if study.directions[objective] == "maximize" else min
    bests = [*accumulate((value for _, value in told), better)]
    rows = [(number, value, best) for (number, value), best in zip(told, bests, strict=True)][-DRAWN:]
    trial, best = translated("Trial"), translated("Best so far")
    numbers, values, until = (list(column) for column in zip(*rows, strict=True))
    history = SearchHistory(metric, trial, translated("A trial"), best, numbers, values, until)
    table = ChartTable((trial, metric, best), rows[::-1][:TABLED], len(rows))
    title = translated("{metric} by trial", metric=metric)
    return Chart("history", title, order_of(history), table)


def _front(study: StudyRecord) -> Chart:
    """The first two metrics of all trials, those that no other beats in another colour."""
    front = {each.trial for each in study.front}
    both = translated("Not beaten"), translated("Beaten")
    shown = [each for each in study.ranked if _finite(each, 0) and _finite(each, 1)][:DRAWN]
    rows = [[*(each.values or ())[:2], both[each.trial not in front]] for each in shown]
    x, y = (PlotAxis(name, "number") for name in study.metrics[:2])
    plot = Plot("points", x, y, PlotAxis(translated("Trial"), "word"), sorted(rows, key=lambda row: both.index(row[2])))
    table = [(each.trial, *(each.values or ())) for each in study.front]
    head = (translated("Trial"), *study.metrics)
    return of_plot("front", translated("Pareto front"), plot, ChartTable(head, table[:TABLED], len(table)))


def _importance(shares: Mapping[str, float]) -> Chart:
    rows = [*shares.items()][:TABLED]
    head = (translated("Hyperparameter"), translated("Importance"))
    bars = ImportanceBars(head[1], *([*column] for column in zip(*rows, strict=True)))
    title = translated("Importance of hyperparameters")
    return Chart("importance", title, order_of(bars), ChartTable(head, rows, len(shares)))


def _parallel(
    study: StudyRecord, known: StudyState, trials: Sequence[TrialRecord], shares: Mapping[str, float], objective: int
) -> Chart:
    metric = study.metrics[objective]
    names = sorted(known.distributions, key=lambda name: -shares.get(name, 0.0))[:AXES]
    values = [(each.values or ())[objective] for each in trials]
    axes = [_Axis(metric, {"kind": "float"}, values)]
    axes += [
        _Axis(name, known.distributions[name], [each.parameters.get(name, _NONE) for each in trials]) for name in names
    ]
    places = [
        [axis.place(value) for axis, value in zip(axes, row, strict=True)]
        for row in zip(*(a.values for a in axes), strict=True)
    ]
    chart = ParallelCoordinates(metric, [ParallelAxis(axis.name, axis.ticks) for axis in axes], places, values)
    head = (translated("Trial"), metric, *names)
    rows = [
        (each.trial, value, *(each.parameters.get(name) for name in names))
        for each, value in zip(trials, values, strict=True)
    ]
    title = translated("Hyperparameters of the best {count} trials", count=len(trials))
    return Chart("parallel", title, order_of(chart), ChartTable(head, rows[:TABLED], len(rows)))


_NONE: Final = object()
"""The value of a hyperparameter that a trial lacks."""


class _Axis:
    """An axis of parallel coordinates: numbers by their place between the least and the greatest, words in order."""

    def __init__(self, name: str, distribution: Distribution, values: Sequence[Any]) -> None:
        self.name = name
        self.values = values
        there = [value for value in values if value is not _NONE]
        self._words: list[Any] = list(distribution.get("choices", ()))
        self._log = bool(distribution.get("log"))
        numbers = [0.0] if self._words or not there else there
        self._low, self._high = min(numbers), max(numbers)

    @property
    def ticks(self) -> list[tuple[float, str]]:
        """What is written beside it."""
        if self._words:
            return [(place, _word(each)) for each in self._words if (place := self.place(each)) is not None]
        if self._low == self._high:
            return [(0.5, figure(self._low))]
        return [(0.0, figure(self._low)), (1.0, figure(self._high))]

    def place(self, value: Any) -> float | None:
        """Where a value stands, from 0 to 1."""
        if value is _NONE:
            return None
        if self._words:
            return self._words.index(value) / max(1, len(self._words) - 1) if value in self._words else None
        if self._low == self._high:
            return 0.5
        low, high, at = (math.log(each) if self._log else each for each in (self._low, self._high, value))
        return (at - low) / (high - low)


def _word(choice: Any) -> str:
    return choice if isinstance(choice, str) else figure(choice)


def _finite(trial: TrialRecord, objective: int) -> bool:
    return trial.values is not None and math.isfinite(trial.values[objective])


def _by(study: StudyRecord, objective: int) -> Callable[[TrialRecord], float]:
    """What trials are ordered by, the best first."""
    sign = -1 if study.directions[objective] == "maximize" else 1

    def cost(trial: TrialRecord) -> float:
        return sign * (trial.values or ())[objective]

    return cost
