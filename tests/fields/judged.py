"""A model of the library beside its baseline: both fitted to the same rows, both asked about the same others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from lepton_ai import ModelManager
from lepton_ai.domain.model.metric import LOWER
from lepton_ai.evaluation.contests.contest import paired_test
from lepton_ai.evaluation.intervals import bootstrap
from lepton_ai.evaluation.outcomes import Outcomes
from lepton_ai.evaluation.predictions import outcomes_of_predictions
from lepton_ai.evaluation.resampling import Sampling
from lepton_ai.models import Model

M = TypeVar("M", bound=Model)
Places = npt.NDArray[np.int64]
Split = tuple[Places, Places]
"""Rows to learn from, and rows to be asked about."""


class Said(NamedTuple):
    """What was answered about some rows."""

    called: npt.NDArray[Any]
    chances: npt.NDArray[Any] | None = None
    """A column a class, in the order of the classes."""


Baseline = Callable[[Any, Any, Any], Said]
"""Fitted to rows and labels, and asked about others."""


class Pair(NamedTuple):
    """The model's answers and the baseline's, about the same rows."""

    ours: Outcomes
    baseline: Outcomes
    note: str = ""


class Desk:
    """A ledger in which each training becomes a version."""

    def __init__(self, home: Path, say: Callable[[str], None] = print) -> None:
        self.manager = ModelManager(home)
        self.say = say

    def learnt(self, name: str, model: Model, data: Any, labels: Any) -> Any:
        """The model as its version has it."""
        version = self.manager.train(model, data, labels, name=name)
        self.say(f"  {version} learnt from {len(labels):,} rows")
        return self.manager.load_version(version)


@dataclass(frozen=True)
class FieldTask:
    """A question of a field, and how it is answered and judged."""

    field: str
    title: str
    sets: tuple[str, ...]
    model: str
    command: str
    """How a user trains such a model."""
    figure: str
    split: str
    baseline: str
    run: Callable[[Desk], Pair]
    published: str = ""
    miss: str = ""
    """Why it stays below its baseline, where it does."""


class Row(NamedTuple):
    """A line of the page."""

    task: str
    figure: str
    ours: float
    low: float | None
    high: float | None
    baseline: float
    difference: float
    below: float | None
    above: float | None
    rows: int
    seconds: float
    note: str

    @property
    def better(self) -> int:
        """1 where more of the figure is better, -1 where less."""
        return -1 if self.figure in LOWER else 1

    @property
    def holds(self) -> bool:
        """Whether the interval of the difference is not wholly on the worse side."""
        ends = [each for each in (self.below, self.above) if each is not None] or [self.difference]
        return max(self.better * each for each in ends) >= 0


def judged(name: str, task: FieldTask, pair: Pair, seconds: float) -> Row:
    """The figure with its interval, and the difference to the baseline with its own."""
    draws = bootstrap(pair.ours.measure, pair.ours.scheme)
    low, high = draws.interval(task.figure) or (None, None)
    test = paired_test(task.figure, pair.baseline, pair.ours)
    baseline = bootstrap(pair.baseline.measure, pair.baseline.scheme, draws=1).figures[task.figure]
    return Row(
        name, task.figure, draws.figures[task.figure], low, high, baseline, test.difference, test.low, test.high,
        len(pair.ours), seconds, pair.note,
    )  # fmt: skip


def crossed(
    desk: Desk,
    name: str,
    data: Any,
    labels: npt.NDArray[Any],
    splits: Iterable[Split],
    model: Callable[[], Model],
    baseline: Baseline,
    *,
    task: str,
    classes: Sequence[Any] | None = None,
    groups: npt.NDArray[Any] | None = None,
) -> Pair:
    """Both on every split, their answers put together. Rows of one group are drawn together."""
    places: list[Places] = []
    ours: list[Said] = []
    theirs: list[Said] = []
    for learn, test in splits:
        rows, others = taken(data, learn), taken(data, test)
        fitted = desk.learnt(name, model(), rows, labels[learn])
        chances = None if task == "regression" else fitted.predict_proba(others)
        ours.append(Said(fitted.predict(others), chances))
        theirs.append(baseline(rows, labels[learn], others))
        places.append(test)
    asked = np.concatenate(places)
    sampling = Sampling() if groups is None else Sampling(np.unique(groups[asked], return_inverse=True)[1])
    sides = [_outcomes(task, labels[asked], said, classes, sampling) for said in (ours, theirs)]
    return Pair(*sides)


def chosen(model: M, **values: Any) -> M:
    """A model with hyperparameters that are not its defaults."""
    for name, value in values.items():
        model.add_hyperparameter(name, value)
    return model


def taken(data: Any, places: Places) -> Any:
    """Rows of whatever holds them."""
    if hasattr(data, "iloc"):
        return data.iloc[places]
    return [data[int(place)] for place in places] if isinstance(data, list) else data[places]


def fitted_by(estimator: Callable[[], Any], classes: Sequence[Any] | None = None) -> Baseline:
    """A baseline that is an estimator of scikit-learn's."""

    def baseline(data: Any, labels: Any, others: Any) -> Said:
        made = estimator().fit(data, labels)
        if classes is None or not hasattr(made, "predict_proba"):
            return Said(made.predict(others))
        column = {label: place for place, label in enumerate(made.classes_)}
        return Said(made.predict(others), made.predict_proba(others)[:, [column[each] for each in classes]])

    return baseline


def _outcomes(
    task: str, labels: npt.NDArray[Any], said: Sequence[Said], classes: Sequence[Any] | None, sampling: Sampling
) -> Outcomes:
    called = np.concatenate([each.called for each in said])
    chances = [each.chances for each in said if each.chances is not None]
    return outcomes_of_predictions(
        task, labels, called, np.concatenate(chances) if chances else None, classes, sampling
    )
