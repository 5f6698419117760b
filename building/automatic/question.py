"""The question that labels ask: two classes, several or a number, and what its answers are judged by."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from typing import Final, Literal

from ...datasets.columns import Column, Label
from ..plan import PredictedTask
from ..targets import Target

METRICS: Final[dict[str, str]] = {"binary": "roc_auc", "multiclass": "macro_f1", "regression": "rmse"}
"""What is searched for where nobody says."""


def question_of(labels: Column, task: PredictedTask | Literal["auto"], positive: Label | None) -> Target:
    """What these labels ask for: as a training takes them, but that any two labels are two classes.

    Of two texts the rarer is the positive one where nobody names it. Raises `Malformed` where all labels are the same,
    or they are not what `task` takes.
    """
    positive = _as_labels_are(labels, positive)
    occurring = Counter(labels.labels()) if labels.kind in ("category", "number") else Counter[Label]()
    if task == "regression" or len(occurring) != 2:
        return Target.of(labels, task, positive)
    if positive is None and labels.kind == "category":
        positive = min(occurring, key=lambda label: (occurring[label], label))
    return Target.of(labels, "binary", positive)


def _as_labels_are(labels: Column, positive: Label | None) -> Label | None:
    """The positive label as a number or as text, whichever the labels are."""
    if positive is None or labels.kind != "number" or not isinstance(positive, str):
        return str(positive) if positive is not None and labels.kind == "category" else positive
    with suppress(ValueError):
        return float(positive)
    return positive
