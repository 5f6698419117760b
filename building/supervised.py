"""Models that learn from labelled examples: two classes, several, or a number, whatever an example is.

A family says how it reads examples and what net it trains (`_read`, `_predictor`); all else is here.
"""

from __future__ import annotations

import json
from abc import abstractmethod
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, NamedTuple, Protocol, Self, TypeVar, cast

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from ..datasets.columns import Column, Label
from ..datasets.splits.split import places_of
from ..datasets.tables import parted, read_labels, without_columns
from ..errors import Malformed
from ..evaluation.answers.corrections import corrected
from ..evaluation.binary import best_threshold
from ..evaluation.outcomes import Outcomes
from ..evaluation.resampling import Sampling
from ..models.model import Model, OnEpoch, recorded_figures
from ..models.progress import Progress
from .objective import Loss, balanced, binary, huber, multiclass
from .plan import PredictedTask, SupervisedHyperparameters
from .state import own_randomness
from .targets import Target
from .trainer import Trainer, answers

if TYPE_CHECKING:
    from collections.abc import Generator

    from .examples import Examples

AT_ONCE = 1_024
"""Examples that are answered at once."""


class ReadRows(Protocol):
    """Examples as a family has read them."""

    @property
    def rows(self) -> int:
        """How many there are."""
        ...

    def take(self, rows: npt.NDArray[Any]) -> Self:
        """Those at these places."""
        ...


R = TypeVar("R", bound=ReadRows)
P = TypeVar("P", bound="NeuralPredictor[Any]")
H = TypeVar("H", bound=SupervisedHyperparameters)


class NeuralPredictor(nn.Module, Generic[R]):
    """All that a prediction needs, as parameters and buffers: a net, and what its outputs mean."""

    net: nn.Module
    """What is trained."""

    def __init__(self, labels: int) -> None:
        super().__init__()
        self.centre = nn.Buffer(torch.zeros((), dtype=torch.float64))
        self.scale = nn.Buffer(torch.ones((), dtype=torch.float64))
        self.threshold = nn.Buffer(torch.tensor(0.5, dtype=torch.float64))
        self.labels = nn.Buffer(torch.zeros(labels, dtype=torch.uint8))

    @abstractmethod
    def examples(self, rows: R, targets: Tensor | None) -> Examples:
        """Rows as the net reads them; without targets where it is only asked."""

    def mean(self, target: Target) -> None:
        """Keep what is predicted."""
        self.labels.copy_(torch.frombuffer(bytearray(target.encoded), dtype=torch.uint8))
        self.centre.fill_(target.mean)
        self.scale.fill_(target.scale)

    def target(self, task: PredictedTask) -> Target:
        """What is predicted."""
        classes: list[Label] = json.loads(self.labels.cpu().numpy().tobytes())
        return Target(task, tuple(classes), self.centre.item(), self.scale.item())


class SupervisedModel(Model, Generic[R, P, H]):
    """Predicts two classes, several, or a number.

    Which of them follows from the labels, or from the hyperparameter `task`: 0 and 1 are two classes (as are any two
    where `positive_label` names one), text and few whole numbers several, others numbers.
    """

    RESUMES: ClassVar[bool] = True

    def train(
        self,
        data: Any,
        labels: Any,
        *,
        validation: tuple[Any, Any] | None = None,
        on_epoch: OnEpoch | None = None,
        progress: Progress | None = None,
    ) -> Self:
        """Fit anew. The same bits for one seed, machine and device, whatever the caller's random state, which stays.

        Without `validation` a share of the rows is held out; these rows, or those, stop the fit, set the threshold and
        give `metrics`. Raises `Malformed` on data that cannot be read or labels that are not what is to be predicted,
        `Refused` where the fit diverges, or the device or a package is absent.
        """
        plan = cast("H", self.HYPERPARAMETERS.model_validate(self.hyperparameters))
        data, apart = parted(data, self._splits_by)
        rows = self._read(data)
        column = read_labels(labels, rows.rows)
        self._examine(rows, column)
        target = Target.of(column, plan.task, plan.positive_label)
        if validation is None:
            strata = None if target.task == "regression" else target.codes(column)
            parts = places_of(
                column, apart, held_out=plan.held_out, groups=plan.split_groups, time=plan.split_time, seed=plan.seed,
                strata=strata,
            )  # fmt: skip
            learn, held = (Labelled(rows.take(part), _taken(column, part)) for part in parts)
        else:
            other = self._alike(parted(validation[0], self._splits_by)[0], rows)
            learn, held = Labelled(rows, column), Labelled(other, read_labels(validation[1], other.rows))
        trainer = Trainer(plan, on_epoch=on_epoch, progress=progress)
        with torch.inference_mode(False), torch.no_grad(), own_randomness(plan.seed, torch.device("cpu")):
            module = self._predictor(plan, target, learn.rows)
            module.mean(target)
            examples = [module.examples(part.rows, target.coded(part.labels)) for part in (learn, held)]
        result = trainer.fit(module.net, examples[0], examples[1], _loss(plan, target, learn.labels))
        with _whole(self):
            self.module = module
            self._keep_shape(rows)
            self.predicts(target.task)
            if target.task == "binary":
                module.threshold.fill_(self._best_threshold(plan.threshold, target, held))
            self.settings = {**result.settings(), "seed": plan.seed, "task": target.task}
            self.metrics = recorded_figures(self._outcomes(held.rows, held.labels, None).performance)
            self.data = self._fingerprint(rows, column)
            self.validation = without_columns(self._fingerprint(held.rows, held.labels))
        return self

    def predict_proba(self, data: Any) -> npt.NDArray[np.float64]:
        """Probabilities of the classes in the order of `classes_`, shape (examples, classes).

        Raises `Malformed` naming what does not fit what was learnt from, and where a number is predicted.
        """
        if self.target.task == "regression":
            raise Malformed("this model predicts a number, which has no probability; call predict")
        return self._chances(self._features(data))

    def predict(self, data: Any) -> npt.NDArray[Any]:
        """The label or the number that the model gives each example, shape (examples,)."""
        target, rows = self.target, self._features(data)
        if target.task == "regression":
            return self._said(rows).numpy() * target.scale + target.mean
        return np.array(target.classes)[self._called(self._chances(rows))]

    def outcomes(self, data: Any, labels: Any, sampling: Sampling | None = None) -> Outcomes:
        """What each example is and what the model says of it. Raises `Malformed` on labels it never learnt."""
        rows = self._features(data)
        return self._outcomes(rows, read_labels(labels, rows.rows), sampling)

    @property
    def target(self) -> Target:
        """What it learnt to predict. Raises `Refused` before the first fit."""
        return self.trained().target(cast("PredictedTask", self.TASK))

    @property
    def classes_(self) -> tuple[Label, ...]:
        """The labels in the order of `predict_proba`'s columns; none where a number is predicted."""
        return self.target.classes

    @property
    def label_type(self) -> Literal["number", "category"]:
        """What its labels are: numbers or text."""
        return "category" if any(isinstance(each, str) for each in self.target.classes) else "number"

    def trained(self) -> P:
        """The module. Raises `Refused` before the first fit."""
        return cast("P", super().trained())

    # ── what a family says ───────────────────────────────────────────────────────────────────────────────────────────

    @abstractmethod
    def _read(self, data: Any) -> R:
        """Examples, of whatever a user has. Raises `Malformed`."""

    @abstractmethod
    def _known(self, data: Any) -> R:
        """Examples that are as those learnt from. Raises `Malformed` naming what does not fit, `Refused` untrained."""

    @abstractmethod
    def _alike(self, data: Any, rows: R) -> R:
        """Examples that are as these. Raises `Malformed` naming what does not fit."""

    @abstractmethod
    def _predictor(self, plan: H, target: Target, rows: R) -> P:
        """A new module for examples like these, its random parameters drawn from torch's own generator."""

    @abstractmethod
    def _keep_shape(self, rows: R) -> None:
        """Keep of the examples learnt from what the architecture tells of them."""

    @abstractmethod
    def _fingerprint(self, rows: R, labels: Column) -> dict[str, Any]:
        """What tells examples apart without showing one."""

    def _examine(self, rows: R, labels: Column) -> None:
        """Remark on what is suspicious about examples; the family says what."""

    # ── what rows are split by ───────────────────────────────────────────────────────────────────────────────────────

    @property
    def _splits_by(self) -> frozenset[str]:
        """The columns that rows are split by and that are not learnt."""
        named = (self.hyperparameters.get(name) for name in ("split_groups", "split_time"))
        return frozenset(name for name in named if isinstance(name, str))

    def _features(self, data: Any) -> R:
        """Examples that are as those learnt from, which may still have such a column."""
        return self._known(parted(data, self._splits_by)[0])

    # ── what its net says ────────────────────────────────────────────────────────────────────────────────────────────

    def _said(self, rows: R) -> Tensor:
        """What the net says of each example, the mean of its members: a number, log-odds or logits as they are."""
        said = self._outputs(rows)
        return said if said.ndim == 1 else said.mean(dim=1)

    def _outputs(self, rows: R) -> Tensor:
        module = self.trained()
        with torch.inference_mode():
            examples = module.examples(rows, None)
        return torch.cat([*answers(module.net, examples, AT_ONCE)]).double()

    def _chances(self, rows: R) -> npt.NDArray[np.float64]:
        """The probability of each class, the mean of the members', shape (examples, classes)."""
        said = self._outputs(rows)
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
            said = self._said(rows).numpy() * target.scale + target.mean
            return Outcomes(target.task, target.numbers(labels), said, sampling=drawn)
        own, truth = self._chances(rows), target.codes(labels)
        chances = corrected(own[:, 1] if target.task == "binary" else own, self.settings)
        called = self._called(own)
        return Outcomes(target.task, truth, called, chances, target.classes, sampling=drawn)

    def _best_threshold(self, chosen: float | None, target: Target, held: Labelled[R]) -> float:
        """The threshold that was chosen, or the one with the best F1 on the held-out examples."""
        if chosen is not None:
            return chosen
        return best_threshold(target.codes(held.labels), self._chances(held.rows)[:, 1])


class Labelled(NamedTuple, Generic[R]):
    """Examples and their labels."""

    rows: R
    labels: Column


@contextmanager
def _whole(model: Model) -> Generator[None]:
    """Change all of a model inside, or, where that fails, nothing."""
    before = dict(vars(model))
    try:
        yield
    except BaseException:
        vars(model).clear()
        vars(model).update(before)
        raise


def _loss(plan: SupervisedHyperparameters, target: Target, labels: Column) -> Loss:
    if target.task == "regression":
        return huber
    codes = torch.from_numpy(target.codes(labels))
    weights = balanced(codes, len(target.classes)) if plan.class_weight else None
    if target.task == "multiclass":
        return multiclass(weights)
    return binary(1.0 if weights is None else float(weights[1] / weights[0]))


def _taken(labels: Column, places: npt.NDArray[np.int64]) -> Column:
    return replace(labels, values=labels.values[places])
