"""What a model predicts: two classes, several, or a number; and how labels become targets of a net."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import numpy as np
import numpy.typing as npt
import torch

from ..datasets.columns import Column, Label
from ..errors import Malformed
from ..models.labels import targets, two_classes
from .plan import PredictedTask

TrainedTask: TypeAlias = PredictedTask | Literal["forecasting", "segmentation"]

FEW: Final = 20
"""Whole numbers of at most so many values are taken for classes, where nobody says what they are."""


@dataclass(frozen=True)
class Target:
    """What is predicted of an example: one of `classes`, or a number on its scale."""

    task: TrainedTask
    classes: tuple[Label, ...] = ()
    mean: float = 0.0
    scale: float = 1.0

    @classmethod
    def of(cls, labels: Column, task: PredictedTask | Literal["auto"], positive: Label | None) -> Target:
        """What these labels ask for. Raises `Malformed` where they are no such thing."""
        _check_kind(labels)
        chosen = _seeming(labels, positive) if task == "auto" else task
        if chosen == "regression":
            return cls.of_numbers(labels, chosen)
        if chosen == "binary":
            return cls("binary", two_classes(labels, positive))
        classes = tuple(sorted({*labels.labels()}))
        if len(classes) < 2:
            raise Malformed("all labels are the same; give rows of at least two classes")
        return cls("multiclass", classes)

    @classmethod
    def of_numbers(cls, labels: Column, task: TrainedTask) -> Target:
        """Numbers on the scale of these. Raises `Malformed` where they are none, or all the same."""
        numbers = _numbers(labels)
        if not len(numbers) or float(np.ptp(numbers)) == 0.0:
            raise Malformed("all labels are the same; give rows whose labels differ")
        with np.errstate(over="ignore", invalid="ignore"):
            mean, scale = float(numbers.mean()), float(numbers.std())
        if not np.isfinite([mean, scale]).all() or scale == 0.0:
            raise Malformed("the labels are too far apart, or too near, to be learnt; give them in another unit")
        return cls(task, (), mean, scale)

    @property
    def strata(self) -> bool:
        """Whether each example is of one class, so that as many of each can be held out."""
        return self.task in ("binary", "multiclass")

    @property
    def outputs(self) -> int:
        """Numbers that a net says of an example."""
        return len(self.classes) if self.task == "multiclass" else 1

    def coded(self, labels: Column) -> torch.Tensor:
        """Labels as a net's targets: codes of classes, int64, or scaled numbers, float32. Raises `Malformed`."""
        if not self.classes:
            return torch.from_numpy(((self.numbers(labels) - self.mean) / self.scale).astype(np.float32))
        return torch.from_numpy(self.codes(labels))

    def numbers(self, labels: Column) -> npt.NDArray[np.float64]:
        """Labels that are numbers, as they are. Raises `Malformed` on text."""
        return _numbers(labels)

    def unscaled(self, said: torch.Tensor) -> npt.NDArray[np.float64]:
        """Numbers as they are, of what a net says of them."""
        return said.double().numpy() * self.scale + self.mean

    def codes(self, labels: Column) -> npt.NDArray[np.int64]:
        """The place of each label among the classes. Raises `Malformed` on a label that is none of them."""
        _check_kind(labels)
        if self.task == "binary":
            negative, positive = self.classes
            return targets(labels, (negative, positive))
        column = labels.as_categories() if isinstance(self.classes[0], str) else labels
        place = {label: code for code, label in enumerate(self.classes)}
        coded = np.array([place.get(label, -1) for label in column.labels()], np.int64)
        if (coded < 0).any():
            raise Malformed(
                f"{int((coded < 0).sum())} labels are none of the {len(self.classes)} that the model learnt; map or "
                "drop them"
            )
        return coded

    @property
    def encoded(self) -> bytes:
        """The classes as JSON, which a buffer holds."""
        return json.dumps(self.classes, separators=(",", ":")).encode()


def _seeming(labels: Column, positive: Label | None) -> PredictedTask:
    if positive is not None:
        return "binary"
    if labels.kind == "category":
        return "multiclass"
    values = np.unique(labels.values)
    if np.isin(values, (0, 1)).all():
        return "binary"
    return "multiclass" if len(values) <= FEW and not (np.mod(values, 1) != 0).any() else "regression"


def _numbers(labels: Column) -> npt.NDArray[np.float64]:
    _check_kind(labels)
    if labels.kind == "category":
        raise Malformed("the labels are text where a number is to be predicted; give numbers, or the task multiclass")
    return np.asarray(labels.values, np.float64)


def _check_kind(labels: Column) -> None:
    if labels.kind == "date":
        raise Malformed("the labels are dates; give what is to be predicted as a number, such as days")
    if labels.kind == "array":
        raise Malformed("a label is an array where a class or a number belongs; masks are for segmentation-model")
