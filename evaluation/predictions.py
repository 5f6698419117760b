"""Predictions judged by task, whatever holds labels and predictions: arrays, lists, columns of a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ..datasets.columns import Column, Label
from ..datasets.tables import read_labels
from ..errors import Malformed
from .outcomes import Outcomes
from .probabilities import read_probabilities
from .resampling import Sampling
from .structured.predictions import READERS, outcomes_of

TASKS: Final = ("binary", "multiclass", "regression", *READERS)


def outcomes_of_predictions(
    task: str | None,
    labels: Any,
    predictions: Any,
    probabilities: Any = None,
    classes: Sequence[Any] | None = None,
    sampling: Sampling | None = None,
) -> Outcomes:
    """One prediction a row beside its label, and probabilities, one column a class, where there are any.

    Of two columns the second is the positive class's. `classes` names the labels in the columns' order; of a binary
    task the negative and the positive one, where they are not 0 and 1. Without a task it is what labels and
    predictions seem to be; `structured/predictions.py` says what further tasks take. Raises `Malformed` on a task
    that has no figures, and where they do not fit it.
    """
    if task is not None and task in READERS:
        return outcomes_of(task, labels, predictions, probabilities, classes, sampling or Sampling())
    truth, predicted = _read(labels, predictions)
    task = task or _seeming(truth, predicted, classes)
    drawn = sampling or Sampling()
    if task == "regression":
        return Outcomes(task, _numbers(truth), _numbers(predicted), sampling=drawn)
    chances = None if probabilities is None else read_probabilities(probabilities)
    if task == "binary":
        named = _named(truth, predicted) if classes is None else tuple(classes)
        true, called = (_two(each, named) for each in (truth, predicted))
        return Outcomes(task, true, called, _positive(chances, len(true)), named, sampling=drawn)
    if task != "multiclass":
        raise Malformed(f"there are no figures for the task {task!r}; it is {', '.join(TASKS)}")
    return _of_classes(truth, predicted, chances, classes, drawn)


def _seeming(truth: Column, predicted: Column, classes: Sequence[Any] | None) -> str:
    """The task that labels and predictions seem to be of. Raises `Malformed` where they may be of two."""
    if classes is not None:
        return "binary" if len(classes) == 2 else "multiclass"
    if truth.kind != "number" or predicted.kind != "number":
        return "multiclass"
    values = np.unique(np.concatenate([truth.values, predicted.values]).astype(np.float64))
    if np.isin(values, (0, 1)).all():
        return "binary"
    if (np.mod(values, 1) != 0).any():
        return "regression"
    raise Malformed(
        "whole numbers may name classes or be measured; say which by task, multiclass or regression, or name two by "
        "classes"
    )


def _named(truth: Column, predicted: Column) -> tuple[Any, ...]:
    """0 and 1, where nobody named the classes. Raises `Malformed` on text, where either may be the positive one."""
    if "category" in (truth.kind, predicted.kind):
        raise Malformed("the labels are text; name them by classes, the negative one first and then the positive")
    return (0, 1)


def _two(column: Column, classes: tuple[Any, ...]) -> npt.NDArray[np.float64]:
    """Labels of two classes as 0 and 1."""
    if len(classes) != 2 or classes[0] == classes[1]:
        raise Malformed(f"a binary task has two classes, the negative and the positive one, not {list(classes)}")
    words = all(isinstance(each, str) for each in classes) and any(_is_word(_written(each)) for each in classes)
    if classes == (0, 1) or (column.kind == "number" and words):
        return _numbers(column)  # given as codes of the classes already; numbers beside "1" and "2" are their names
    true, names = _of_one_kind([column, _column(classes, "classes cannot be read", "name two")])
    if others := sorted({str(label) for label in true if label not in names}):
        raise Malformed(f"labels are {names[0]!r} or {names[1]!r}, and there is {', '.join(others[:5])}; name both")
    return np.array([float(label == names[1]) for label in true])


def _of_classes(
    truth: Column,
    predicted: Column,
    chances: npt.NDArray[np.float64] | None,
    classes: Sequence[Any] | None,
    sampling: Sampling,
) -> Outcomes:
    named = [] if classes is None else [_column(classes, "classes_ cannot be read", "name each class once")]
    true, called, *names = _of_one_kind([truth, predicted, *named])
    known = list(names[0]) if names and chances is not None else []
    if len(set(known)) < len(known):
        raise Malformed("the names of the classes are not all different; name each class once")
    if chances is not None and known and chances.shape != (len(true), len(known)):
        raise Malformed(f"probabilities of shape {chances.shape} are not a row a label and a column a class")
    every = (*known, *sorted({*true, *called} - {*known}, key=lambda label: (isinstance(label, str), label)))
    code = {label: place for place, label in enumerate(every)}
    codes = [np.array([code[label] for label in each], np.int64) for each in (true, called)]
    return Outcomes("multiclass", codes[0], codes[1], chances if known else None, every, sampling=sampling)


def _read(labels: Any, predictions: Any) -> tuple[Column, Column]:
    predicted = _column(predictions, "the predictions cannot be judged", "give one label a row")
    return read_labels(labels, len(predicted.values)), predicted


def _column(values: Any, trouble: str, advice: str) -> Column:
    try:
        return read_labels(values, len(values))
    except (Malformed, TypeError) as error:
        raise Malformed(f"{trouble} ({error}); {advice}") from error


def _positive(chances: npt.NDArray[np.float64] | None, n: int) -> npt.NDArray[np.float64] | None:
    """The positive class's probability, shape (n,)."""
    if chances is not None and len(chances) != n:
        raise Malformed(f"there are {len(chances)} probabilities for {n} rows; give one a row, or one column a class")
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
