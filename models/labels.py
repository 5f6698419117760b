"""Two classes of labels, as 0 for the negative and 1 for the positive one."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from ..datasets.columns import Column, Label
from ..errors import Malformed

Classes: TypeAlias = tuple[Label, Label]


def two_classes(labels: Column, positive: Any = None) -> Classes:
    """The negative and the positive label that occur.

    Of two numbers the greater is positive where none is named; of two texts one must be named, since a guess between
    good and bad would turn every figure round. Raises `Malformed` unless exactly two labels occur.
    """
    occurring = sorted({*labels.labels()})
    if len(occurring) != 2:
        raise Malformed(_not_two(len(occurring)))
    if positive is None and isinstance(occurring[1], str):
        raise Malformed("the labels are text; set the hyperparameter 'positive_label' to the one that is positive")
    chosen = occurring[1] if positive is None else positive
    if chosen not in occurring:
        raise Malformed("the hyperparameter 'positive_label' is none of the two labels; name one of them")
    negative, positive = (occurring[0], occurring[1]) if chosen == occurring[1] else (occurring[1], occurring[0])
    return negative, positive


def _not_two(classes: int) -> str:
    if classes < 2:
        return "all labels are the same; give rows of both classes"
    return f"the labels have {classes:,} classes, and this model tells two apart; make them two, or name another column"


def targets(labels: Column, classes: Classes) -> npt.NDArray[np.int64]:
    """1 for the positive class and 0 for the negative, shape (rows,). Raises `Malformed` on any other label."""
    column = labels.as_categories() if isinstance(classes[1], str) else labels
    place = {classes[0]: 0, classes[1]: 1}
    coded = np.array([place.get(label, -1) for label in column.labels()], np.int64)
    if (coded < 0).any():
        raise Malformed(f"{int((coded < 0).sum())} labels are none of the two that the model learnt; map or drop them")
    return coded
