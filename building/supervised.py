"""Models that learn two classes, several, or a number from labelled examples, whatever an example is."""

from __future__ import annotations

from typing import Any, Generic, Literal, TypeVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ..datasets.columns import Column, Label
from ..errors import Malformed
from ..evaluation.answers.corrections import corrected
from ..evaluation.binary import best_threshold
from ..evaluation.outcomes import Outcomes
from ..evaluation.resampling import Sampling
from .neural import Labelled, NeuralModel, P, R
from .objective import Loss, balanced, binary, huber, multiclass
from .plan import SupervisedHyperparameters
from .targets import Target

S = TypeVar("S", bound=SupervisedHyperparameters)


class SupervisedModel(NeuralModel[R, P, S], Generic[R, P, S]):
    """Predicts two classes, several, or a number.

    Which of them follows from the labels, or from the hyperparameter `task`: 0 and 1 are two classes (as are any two
    where `positive_label` names one), text and few whole numbers several, others numbers.
    """

    def predict_proba(self, data: Any) -> npt.NDArray[np.float64]:
        """Probabilities of the classes in the order of `classes_`, shape (examples, classes).

        Raises `Malformed` naming what does not fit what was learnt from, and where a number is predicted.
        """
        if self.target.task == "regression":
            raise Malformed("this model predicts a number, which has no probability; call predict")
        return self._chances(self._asked_about(data))

    def predict(self, data: Any) -> npt.NDArray[Any]:
        """The label or the number that the model gives each example, shape (examples,)."""
        target, rows = self.target, self._asked_about(data)
        if target.task == "regression":
            return target.unscaled(self._said(rows))
        return np.array(target.classes)[self._called(self._chances(rows))]

    @property
    def classes_(self) -> tuple[Label, ...]:
        """The labels in the order of `predict_proba`'s columns; none where a number is predicted."""
        return self.target.classes

    @property
    def label_type(self) -> Literal["number", "category"]:
        """What its labels are: numbers or text."""
        return "category" if any(isinstance(each, str) for each in self.target.classes) else "number"

    def _asked(self, plan: S, labels: Column) -> Target:
        return Target.of(labels, plan.task, plan.positive_label)

    def _loss(self, plan: S, target: Target, labels: Column) -> Loss:
        if target.task == "regression":
            return huber
        codes = torch.from_numpy(target.codes(labels))
        weights = balanced(codes, len(target.classes)) if plan.class_weight else None
        if target.task == "multiclass":
            return multiclass(weights)
        return binary(1.0 if weights is None else float(weights[1] / weights[0]))

    def _decide(self, plan: S, held: Labelled[R]) -> None:
        target = self.target
        if target.task == "binary":
            truth = target.codes(held.labels)
            self.trained().threshold.fill_(self._threshold(plan, truth, self._chances(held.rows)[:, 1]))

    def _threshold(self, plan: S, truth: npt.NDArray[np.int64], chances: npt.NDArray[np.float64]) -> float:
        """The threshold that was chosen, or the one with the best F1 on the held-out examples."""
        return best_threshold(truth, chances) if plan.threshold is None else plan.threshold

    def _said(self, rows: R) -> Tensor:
        """What the net says of each example, the mean of its members: a number, log-odds or logits as they are."""
        said = self._outputs(rows).double()
        return said if said.ndim == 1 else said.mean(dim=1)

    def _chances(self, rows: R) -> npt.NDArray[np.float64]:
        """The probability of each class, the mean of the members', shape (examples, classes)."""
        said = self._outputs(rows).double()
        if self.target.task == "binary":
            positive = said.sigmoid() if said.ndim == 1 else said.sigmoid().mean(dim=1)
            return torch.stack([1.0 - positive, positive], dim=1).numpy()
        chances = said.softmax(dim=-1)
        return (chances if chances.ndim == 2 else chances.mean(dim=1)).numpy()

    def _called(self, chances: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
        """The code of the class that each example is called."""
        if self.target.task == "binary":
            return (chances[:, 1] >= self.trained().threshold.item()).astype(np.int64)
        return chances.argmax(axis=1)

    def _outcomes(self, rows: R, labels: Column, sampling: Sampling | None) -> Outcomes:
        target, drawn = self.target, sampling or Sampling()
        if target.task == "regression":
            return Outcomes(target.task, target.numbers(labels), target.unscaled(self._said(rows)), sampling=drawn)
        own, truth = self._chances(rows), target.codes(labels)
        chances = corrected(own[:, 1] if target.task == "binary" else own, self.settings)
        called = self._called(own)
        return Outcomes(target.task, truth, called, chances, target.classes, sampling=drawn)
