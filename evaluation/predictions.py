"""Predictions judged by task, whatever holds labels and predictions: arrays, lists, columns of a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ..datasets.columns import Column, Label
from ..datasets.tables import read_labels
from ..errors import Malformed
from ..results import TaskPerformance
from . import binary, multiclass, regression
from .probabilities import read_probabilities


def judge(
    task: str, labels: Any, predictions: Any, probabilities: Any = None, classes: Sequence[Any] | None = None
) -> TaskPerformance:
    """Judge one prediction a row against its label, and probabilities, one column a class, where there are any.

    Of two columns the second is the positive class's; of several `classes` names the labels in the columns' order.
    Raises `Malformed` on a task that has no figures, and where labels or predictions do not fit it.
    """
    truth, predicted = _read(labels, predictions)
    if task == "regression":
        return regression.score(_numbers(truth), _numbers(predicted))
    chances = None if probabilities is None else read_probabilities(probabilities)
    if task == "binary":
        return binary.score_predictions(_numbers(truth), _numbers(predicted), _positive(chances))
    if task != "multiclass":
        raise Malformed(f"there are no figures for the task {task!r}; it is binary, multiclass or regression")
    named = [] if classes is None else [_column(classes, "classes_ cannot be read", "name each class once")]
    true, called, *names = _of_one_kind([truth, predicted, *named])
    return multiclass.score(true, called, chances, *names)


def _read(labels: Any, predictions: Any) -> tuple[Column, Column]:
    predicted = _column(predictions, "the predictions cannot be judged", "give one label a row")
    return read_labels(labels, len(predicted.values)), predicted


def _column(values: Any, trouble: str, advice: str) -> Column:
    try:
        return read_labels(values, len(values))
    except (Malformed, TypeError) as error:
        raise Malformed(f"{trouble} ({error}); {advice}") from error


def _positive(chances: npt.NDArray[np.float64] | None) -> npt.NDArray[np.float64] | None:
    """The positive class's probability, shape (n,)."""
    if chances is None or chances.ndim == 1:
        return chances
    if chances.shape[1] > 2:
        raise Malformed(f"a binary model gives probabilities of two classes, not of {chances.shape[1]}")
    return chances[:, -1]


def _numbers(column: Column) -> Any:
    return column.as_kind("number").values


def _of_one_kind(columns: Sequence[Column]) -> list[list[Label]]:
    """Labels, predictions and names of classes as numbers or as text; where they are mixed, numbers are written out.

    Booleans are the numbers 1 and 0, so text that writes a number or a truth value is then that number.
    Raises `Malformed` where labels and predictions are mixed and share no class, since each would count as wrong.
    """
    if len({column.kind for column in columns}) == 1:
        return [column.labels() for column in columns]
    written = [[_written(str(label)) for label in column.as_categories().labels()] for column in columns]
    true, called = ({*each} for each in written[:2])
    if columns[0].kind != columns[1].kind and not true & called and any(map(_is_word, true | called)):
        kinds = ["numbers" if column.kind == "number" else "text" for column in columns]
        raise Malformed(f"labels are {kinds[0]} and predictions {kinds[1]}, and they share no class; give both as one")
    return [list[Label](each) for each in written]


def _written(label: str) -> str:
    """Text as the number that it writes, whole ones without a point: `1` for `1.0` and for `True`."""
    truth = {"true": 1.0, "false": 0.0}.get(label.lower())
    try:
        number = float(label) if truth is None else truth
    except ValueError:
        return label
    return f"{number:.0f}" if number.is_integer() else repr(number)


def _is_word(label: str) -> bool:
    return not label.lstrip("-").replace(".", "", 1).isdecimal()
