"""Predictions judged by task, whatever holds labels and predictions: arrays, lists, columns of a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..datasets.columns import Column
from ..datasets.tables import read_labels
from ..errors import Malformed
from ..results import TaskPerformance
from . import binary, multiclass, regression


def judge(
    task: str, labels: Any, predictions: Any, probabilities: Any = None, classes: Sequence[Any] | None = None
) -> TaskPerformance:
    """Judge one prediction a row against its label, and probabilities, one column a class, where there are any.

    Of two columns the second is the positive class's; of several `classes` names the labels in the columns' order.
    Raises `Malformed` on a task that has no figures, and where labels or predictions do not fit it.
    """
    truth, predicted = _read(labels, predictions)
    chances = None if probabilities is None else np.asarray(probabilities, dtype=np.float64)
    if task == "regression":
        return regression.score(_numbers(truth), _numbers(predicted))
    if task == "binary":
        positive = chances if chances is None or chances.ndim == 1 else chances[:, -1]
        return binary.score_predictions(_numbers(truth), _numbers(predicted), positive)
    if task != "multiclass":
        raise Malformed(f"there are no figures for the task {task!r}; it is binary, multiclass or regression")
    columns = [truth, predicted, *([] if classes is None else [read_labels(list(classes), len(classes))])]
    if any(column.kind == "category" for column in columns):
        columns = [column.as_categories() for column in columns]
    true, called, *names = (column.labels() for column in columns)
    return multiclass.score(true, called, chances, *names)


def _read(labels: Any, predictions: Any) -> tuple[Column, Column]:
    try:
        predicted = read_labels(predictions, len(predictions))
    except (Malformed, TypeError) as error:
        raise Malformed(f"the predictions cannot be judged ({error}); give one label a row") from error
    return read_labels(labels, len(predicted.values)), predicted


def _numbers(column: Column) -> Any:
    return column.as_kind("number").values
