"""Outcomes: what each row truly was and what a model said of it, from which all that judges a model is measured."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from ..datasets.columns import Label
from ..errors import Damaged, Malformed
from ..results import TaskPerformance
from . import binary, measures, multiclass, regression
from .intervals import Measure
from .own.metrics import OwnMetric, registered_of
from .resampling import Sampling, Scheme, block_length
from .structured import tasks

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]
_ABOUT: Final = "about"
"""The tensor of bytes that holds what is no array, as JSON."""


@dataclass(frozen=True, eq=False)
class Outcomes:
    """What each row truly was and what a model said of it, in the order of the data.

    A classifier's `truth` and `called` are codes into `classes` (binary: 0 and 1, the second class is the positive
    one), shape (n,); else they are numbers. `chances` are probabilities: binary the positive class's, shape (n,);
    of several classes a column for each of the first `classes`, shape (n, k).
    Of `multilabel` all three have a column a label, of `segmentation` a row is an image, of `ranking` truth is
    relevance and `called` the scores; the groups of `sampling` are its queries, and the sequences of tags.
    """

    task: str
    truth: Array
    called: Array
    chances: Floats | None = None
    classes: tuple[Label, ...] = ()
    threshold: float | None = None
    """The probability from which on a row is called positive, where it is known."""
    sampling: Sampling = field(default_factory=Sampling)
    ends: Floats | None = None
    """The interval that was forecast of each row, its lower and its upper end, shape (n, 2)."""
    step: float | None = None
    """The mean seasonal step of the series before, by which MASE scales a forecast's errors."""
    own: tuple[OwnMetric, ...] = ()
    """What is measured beside the task's figures."""

    def __len__(self) -> int:
        return len(self.truth)

    @cached_property
    def performance(self) -> TaskPerformance:
        """The task's figures."""
        return self._task.performance(self)

    @cached_property
    def measure(self) -> Measure:
        """The figures of rows that count more or less often."""
        if not self.own:
            return self._task.measure(self)
        each = {metric.name: metric.measure(self) for metric in self.own}
        return measures.together(self._task.measure(self), lambda weights: {n: m(weights) for n, m in each.items()})

    @cached_property
    def own_figures(self) -> dict[str, float]:
        """The figures of one's own. Raises `Refused` where one cannot be measured."""
        return {metric.name: metric.figure(self) for metric in self.own}

    def named(self, codes: Array) -> Array:
        """Truth or calls as their functions read them: codes of several classes by name, all else as it is."""
        return np.asarray(self.classes)[codes.astype(np.int64)] if self.task == "multiclass" else codes

    @property
    def scheme(self) -> Scheme:
        """How rows are drawn again for an interval; those of a series by blocks, whose length may be left open."""
        drawn = self.sampling
        if self.task == "forecasting" and drawn.block is None and drawn.groups is None:
            drawn = Sampling(block=block_length(len(self)))
        return drawn.scheme(len(self), self.truth)

    @property
    def losses(self) -> Floats:
        """How bad each row was judged, shape (n,): 1 for a wrong call, or the squared error."""
        return self._task.losses(self)

    @property
    def wrong(self) -> npt.NDArray[np.bool_]:
        """Which rows were called what they are not, shape (n,)."""
        return self.truth != self.called

    def tensors(self) -> dict[str, Array]:
        """Arrays that are kept, from which `of_tensors` makes the same outcomes."""
        about: dict[str, Any] = {"task": self.task, "classes": self.classes, "threshold": self.threshold}
        about |= {"block": self.sampling.block, "stratified": self.sampling.stratified, "step": self.step}
        about |= {"own": [metric.name for metric in self.own]} if self.own else {}
        arrays = {"truth": self.truth, "called": self.called, "chances": self.chances, "ends": self.ends}
        arrays["groups"] = self.sampling.codes
        kept = {name: _compact(array) for name, array in arrays.items() if array is not None}
        return kept | {_ABOUT: np.frombuffer(json.dumps(about, allow_nan=False).encode(), np.uint8)}

    @classmethod
    def of_tensors(cls, arrays: Mapping[str, Array]) -> Outcomes:
        """The outcomes that were kept so. Raises `Damaged` where they are none."""
        try:
            about = json.loads(arrays[_ABOUT].tobytes())
            outcomes = cls(
                about["task"],
                arrays["truth"],
                arrays["called"],
                arrays.get("chances"),
                tuple(about["classes"]),
                about["threshold"],
                Sampling(arrays.get("groups"), about["block"], about["stratified"]),
                arrays.get("ends"),
                about.get("step"),
                registered_of(about.get("own", ())),
            )
            _check_kept(outcomes)
            return outcomes
        except (KeyError, ValueError, TypeError, RecursionError, Malformed) as error:
            raise Damaged("the outcomes of an evaluation", expected="rows and task", found=str(error)) from error

    @property
    def _task(self) -> _Task:
        if self.task not in _TASKS:
            raise Malformed(f"there are no figures for the task {self.task!r}; it is {', '.join(_TASKS)}")
        return _TASKS[self.task]


class _Task(NamedTuple):
    """How outcomes of a task are measured."""

    performance: Callable[[Outcomes], TaskPerformance]
    measure: Callable[[Outcomes], Measure]
    losses: Callable[[Outcomes], Floats]


def _binary(outcomes: Outcomes) -> TaskPerformance:
    if outcomes.threshold is not None and outcomes.chances is not None:
        return binary.score(outcomes.truth, outcomes.chances, outcomes.threshold)
    return binary.score_predictions(outcomes.truth, outcomes.called, outcomes.chances)


def _binary_measure(outcomes: Outcomes) -> Measure:
    truth = outcomes.truth.astype(np.float64)
    decisions = measures.of_decisions(truth, outcomes.called == 1)
    if outcomes.chances is None:
        return decisions
    return measures.together(decisions, measures.of_probabilities(truth, outcomes.chances))


def _classes(outcomes: Outcomes) -> TaskPerformance:
    names = np.asarray(outcomes.classes)
    chances = outcomes.chances
    known = None if chances is None else names[: chances.shape[1]].tolist()
    return multiclass.score(names[outcomes.truth], names[outcomes.called], chances, known)


def _classes_measure(outcomes: Outcomes) -> Measure:
    return measures.of_classes(outcomes.truth.astype(np.int64), outcomes.called.astype(np.int64), len(outcomes.classes))


def _numbers(outcomes: Outcomes) -> TaskPerformance:
    return regression.score(outcomes.truth, outcomes.called)


def _numbers_measure(outcomes: Outcomes) -> Measure:
    return measures.of_errors(outcomes.truth, outcomes.called)


def _wrong(outcomes: Outcomes) -> Floats:
    return outcomes.wrong.astype(np.float64)


def _squared(outcomes: Outcomes) -> Floats:
    with np.errstate(over="ignore"):
        return (outcomes.truth - outcomes.called) ** 2


_TASKS: Final[Mapping[str, _Task]] = {
    "binary": _Task(_binary, _binary_measure, _wrong),
    "multiclass": _Task(_classes, _classes_measure, _wrong),
    "regression": _Task(_numbers, _numbers_measure, _squared),
    "forecasting": _Task(tasks.forecasts, tasks.forecasts_measure, _squared),
    "multilabel": _Task(tasks.labels, tasks.labels_measure, tasks.labels_losses),
    "ranking": _Task(tasks.order, tasks.order_measure, tasks.order_losses),
    "segmentation": _Task(tasks.masks, tasks.masks_measure, tasks.masks_losses),
    "sequence": _Task(tasks.tags, tasks.tags_measure, _wrong),
}


def _compact(array: Array) -> Array:
    """Whole numbers in the smallest type that holds them."""
    if array.dtype.kind not in "iub" or not array.size:
        return array
    return array.astype(np.promote_types(np.min_scalar_type(array.min()), np.min_scalar_type(array.max())))


_CODED: Final = ("binary", "multiclass", "sequence")
"""Tasks whose truth and calls are codes into the classes."""
_WIDE: Final = ("multilabel", "segmentation")
"""Tasks whose rows have more than one value."""


def _check_kept(outcomes: Outcomes) -> None:
    """Hold that the parts of outcomes fit each other, whoever kept them, or raise `ValueError`."""
    truth, sampling, rows = outcomes.truth, outcomes.sampling, len(outcomes)
    arrays = (truth, outcomes.called, outcomes.chances, outcomes.ends, sampling.groups)
    told = [np.asarray(each) for each in arrays if each is not None]
    if outcomes.task not in _TASKS or not rows or truth.shape != outcomes.called.shape:
        raise ValueError(f"no rows of the task {outcomes.task!r}")
    if any(each.dtype.kind not in "biuf" or len(each) != rows or np.isnan(each).any() for each in told):
        raise ValueError(f"arrays that are not {rows} rows of numbers")
    if truth.ndim != 1 and outcomes.task not in _WIDE:
        raise ValueError(f"truth of {truth.ndim} dimensions")
    codes = {"binary": 2}.get(outcomes.task, len(outcomes.classes)) if outcomes.task in _CODED else None
    if codes is not None and any(each.min() < 0 or each.max() >= codes for each in told[:2]):
        raise ValueError(f"codes beyond {codes} classes")
    if outcomes.ends is not None and outcomes.ends.shape != (rows, 2):
        raise ValueError("intervals without two ends")
    if outcomes.chances is not None and outcomes.chances.shape != _chances(outcomes):
        raise ValueError("chances that are not of these classes")
    numbers = (outcomes.threshold, outcomes.step)
    if not all(each is None or math.isfinite(each) for each in numbers):
        raise ValueError("a threshold or step that is no number")
    grouped = sampling.groups is None or np.ndim(sampling.groups) == 1
    if not grouped or not isinstance(sampling.block, int | None):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ValueError("groups or blocks that are none")


def _chances(outcomes: Outcomes) -> tuple[int, ...]:
    """The shape that chances of a task have; of several classes there may be fewer columns than classes."""
    chances = outcomes.chances
    if outcomes.task != "multiclass" or chances is None or chances.ndim != 2:
        return outcomes.truth.shape
    return len(outcomes), min(chances.shape[1], len(outcomes.classes))
