"""Outputs of a module read by task: as logits, probabilities or values, and called by the likeliest class."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from ...datasets.tables import read_labels
from ...errors import DataWarning, Malformed
from ..outcomes import Outcomes
from ..predictions import outcomes_of_predictions
from ..resampling import Sampling

Kind: TypeAlias = Literal["logits", "probabilities", "values"]
Floats: TypeAlias = npt.NDArray[np.float64]
KINDS: Final = ("logits", "probabilities", "values")
SUM: Final = 1e-3
"""How far the probabilities of a row may be from 1 in sum, for outputs of half precision."""


def outcomes_of_outputs(
    values: Floats,
    labels: Any,
    task: str | None = None,
    kind: str | None = None,
    classes: Sequence[Any] | None = None,
    sampling: Sampling | None = None,
) -> Outcomes:
    """Outcomes of outputs of shape (n,), (n, 1) or, a column a class, (n, k).

    A number a row is a value (regression, forecasting), or the positive class's logit or probability (binary). Columns
    are logits or probabilities of `classes`, 0, 1, … where these have no names. Where `kind` does not say which:
    an output below 0 or above 1 makes all of them logits, and so do rows that do not sum to 1; else they are read as
    probabilities, with a `DataWarning` where one number a row could be either.
    """
    if kind not in (None, *KINDS):
        raise Malformed(f"outputs are {', '.join(KINDS)}, not {kind!r}")
    values = values[:, 0] if values.ndim == 2 and values.shape[1] == 1 else values
    if values.ndim > 2:
        raise Malformed(f"outputs of shape {values.shape} have no figures here; give one a row, or a column a class")
    task = task or _task(values, labels, kind, classes)
    if task in ("regression", "forecasting"):
        return outcomes_of_predictions(task, labels, _numbers(values, kind, task), sampling=sampling)
    if task not in ("binary", "multiclass"):
        raise Malformed(f"outputs are not read for the task {task!r}; judge its predictions by evaluate_predictions")
    if kind == "values":
        raise Malformed(f"values are numbers that are measured, and {task} calls classes; say logits or probabilities")
    return _classified(_probabilities(values, kind), labels, task, classes, sampling)


def _classified(
    chances: Floats, labels: Any, task: str, classes: Sequence[Any] | None, sampling: Sampling | None
) -> Outcomes:
    if task == "binary":
        if classes is not None and len(classes) != 2:
            raise Malformed(f"a binary task has two classes, the negative and the positive one, not {list(classes)}")
        positive = chances if chances.ndim == 1 else chances[:, -1]
        named = (0, 1) if classes is None else classes
        given = [named[int(each)] for each in positive >= 0.5]
        return replace(
            outcomes_of_predictions("binary", labels, given, chances, classes, sampling=sampling), threshold=0.5
        )
    if chances.ndim == 1:
        raise Malformed("several classes need an output each, and there is one a row; give the task binary, or columns")
    names: list[Any] = [*range(chances.shape[1])] if classes is None else list(classes)
    if len(names) != chances.shape[1]:
        raise Malformed(f"there are {chances.shape[1]} columns of outputs for {len(names)} classes; name one a column")
    called: list[Any] = [names[place] for place in chances.argmax(axis=1).tolist()]
    return outcomes_of_predictions("multiclass", labels, called, chances, names, sampling)


def _task(values: Floats, labels: Any, kind: str | None, classes: Sequence[Any] | None) -> str:
    """The task that outputs and labels are of. Raises `Malformed` where they may be of two."""
    if kind == "values":
        return "regression"
    if values.ndim == 2:
        return "binary" if values.shape[1] == 2 else "multiclass"
    column = read_labels(labels, len(values))
    if classes is not None or kind is not None or column.kind != "number" or np.isin(column.values, (0, 1)).all():
        return "binary"
    if (np.mod(column.values, 1) != 0).any():
        return "regression"
    raise Malformed("whole numbers may name classes or be measured; say which by task: binary or regression")


def _numbers(values: Floats, kind: str | None, task: str) -> Floats:
    if values.ndim == 2:
        raise Malformed(f"{task} predicts one number a row, and there are {values.shape[1]}; judge each by itself")
    if kind in ("logits", "probabilities"):
        raise Malformed(f"{kind} are of classes, and {task} predicts numbers; say values, or another task")
    return values


def _probabilities(values: Floats, kind: str | None) -> Floats:
    """Outputs as probabilities, by what they are or by the rule of `outcomes_of_outputs`."""
    if (kind or _kind(values)) == "logits":
        from scipy.special import expit, softmax

        return expit(values) if values.ndim == 1 else softmax(values, axis=1)
    if ((values < 0) | (values > 1)).any():
        raise Malformed("outputs said to be probabilities lie outside of 0 to 1; say that the outputs are logits")
    if values.ndim == 1:
        return values
    sums = values.sum(axis=1)
    if (np.abs(sums - 1) > SUM).any():
        raise Malformed("rows of probabilities do not sum to 1; say that the outputs are logits, or normalise them")
    return values / sums[:, None]


def _kind(values: Floats) -> str:
    if ((values < 0) | (values > 1)).any():
        return "logits"
    if values.ndim == 2:
        return "probabilities" if (np.abs(values.sum(axis=1) - 1) <= SUM).all() else "logits"
    warnings.warn(
        "all outputs lie between 0 and 1 and are read as probabilities; say that the outputs are logits where they are",
        DataWarning,
        stacklevel=2,
    )
    return "probabilities"
