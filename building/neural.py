"""Models that are nets over labelled examples, whatever an example is and whatever its label.

A family says how it reads examples and what net it trains (`_read`, `_predictor`), a kind of model what its labels are
and how answers are judged (`_asked`, `_loss`, `_outcomes`); the fit is here.
"""

from __future__ import annotations

import json
from abc import abstractmethod
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Final, Generic, NamedTuple, Protocol, Self, TypeVar, cast

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from ..datasets.columns import Column, Label
from ..datasets.splits.places import SplitRows
from ..datasets.splits.split import places_of
from ..datasets.tables import parted, read_labels, without_columns
from ..evaluation.outcomes import Outcomes
from ..evaluation.resampling import Sampling
from ..models.memory import within_memory
from ..models.model import Model, OnEpoch, recorded_figures
from ..models.progress import Progress
from .objective import Loss
from .parallel.group import learning_group
from .plan import TrainingPlan
from .state import own_randomness
from .targets import Target, TrainedTask
from .trainer import Trainer, answers

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from .examples import Examples

AT_ONCE = 1_024
"""Examples that are answered at once."""
_SPLITS: Final = ("split_groups", "split_time")
"""The hyperparameters that name a column which rows are split by."""


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
H = TypeVar("H", bound=TrainingPlan)


class NeuralPredictor(nn.Module, Generic[R]):
    """All that a prediction needs, as parameters and buffers: a net, and what its outputs mean."""

    net: nn.Module
    """What is trained."""

    def __init__(self, labels: int) -> None:
        super().__init__()
        self.centre = nn.Buffer(torch.zeros((), dtype=torch.float64))
        self.scale = nn.Buffer(torch.ones((), dtype=torch.float64))
        self.threshold = nn.Buffer(torch.tensor(0.5, dtype=torch.float64))
        """Of two classes the probability from which on an example is called positive."""
        self.labels = nn.Buffer(torch.zeros(labels, dtype=torch.uint8))

    @abstractmethod
    def examples(self, rows: R, targets: Tensor | None) -> Examples:
        """Rows as the net reads them; without targets where it is only asked."""

    def mean(self, target: Target) -> None:
        """Keep what is predicted."""
        self.labels.copy_(torch.frombuffer(bytearray(target.encoded), dtype=torch.uint8))
        self.centre.fill_(target.mean)
        self.scale.fill_(target.scale)

    def target(self, task: TrainedTask) -> Target:
        """What is predicted."""
        classes: list[Label] = json.loads(self.labels.cpu().numpy().tobytes())
        return Target(task, tuple(classes), self.centre.item(), self.scale.item())


class NeuralModel(Model, Generic[R, P, H]):
    """Predicts something of an example by a net that learns it from labelled ones."""

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

        Without `validation` a share of the rows is held out; these rows, or those, stop the fit, decide what is decided
        behind it (a threshold) and give `metrics`. Raises `Malformed` on data that cannot be read or labels that are
        not what is to be predicted, `Refused` where the fit diverges, or the device or a package is absent,
        `MemoryError` where it takes more memory than there is.
        """
        plan = cast("H", self.HYPERPARAMETERS.model_validate(self.hyperparameters))
        features, apart = parted(data, self._split_by)
        rows = self._read(features)
        column = read_labels(labels, rows.rows)
        target = self._asked(plan, column)
        self._examine(rows, column)
        if (plan.processes > 1 or plan.sharded) and not learning_group().joined:
            from .parallel.launch import train_together

            heard: dict[str, Any] = {"on_epoch": on_epoch, "progress": progress}
            vars(self).update(train_together(self, plan, data, labels, validation=validation, **heard))
            return self
        if validation is None:
            parts = self._parts(plan, target, column, apart)
            learn, held = (Labelled(rows.take(part), _taken(column, part)) for part in parts)
        else:
            other = self._alike(parted(validation[0], self._split_by)[0], rows)
            learn, held = Labelled(rows, column), Labelled(other, read_labels(validation[1], other.rows))
        trainer = Trainer(plan, on_epoch=on_epoch, progress=progress)
        with within_memory():
            with torch.inference_mode(False), torch.no_grad(), own_randomness(plan.seed, torch.device("cpu")):
                module = self._predictor(plan, target, learn.rows)
                module.mean(target)
                examples = [module.examples(part.rows, target.coded(part.labels)) for part in (learn, held)]
            result = trainer.fit(module.net, examples[0], examples[1], self._loss(plan, target, learn.labels))
        with _whole(self):
            self.module = module
            self._keep_shape(rows)
            self.predicts(target.task)
            self._decide(plan, held)
            self.settings = {**result.settings(), "seed": plan.seed, "task": target.task}
            self.metrics = recorded_figures(self._outcomes(held.rows, held.labels, None).performance)
            self.data = self._fingerprint(rows, column)
            self.validation = without_columns(self._fingerprint(held.rows, held.labels))
        return self

    def outcomes(self, data: Any, labels: Any, sampling: Sampling | None = None) -> Outcomes:
        """What each example is and what the model says of it. Raises `Malformed` on labels it never learnt."""
        rows = self._asked_about(data)
        return self._outcomes(rows, read_labels(labels, rows.rows), sampling)

    @property
    def target(self) -> Target:
        """What it learnt to predict. Raises `Refused` before the first fit."""
        return self.trained().target(cast("TrainedTask", self.TASK))

    def trained(self) -> P:
        """The module. Raises `Refused` before the first fit."""
        return cast("P", super().trained())

    # ── what a kind of model says ────────────────────────────────────────────────────────────────────────────────────

    @abstractmethod
    def _asked(self, plan: H, labels: Column) -> Target:
        """What these labels ask for. Raises `Malformed` where they are no such thing."""

    @abstractmethod
    def _loss(self, plan: H, target: Target, labels: Column) -> Loss:
        """What a fit to these labels makes small."""

    @abstractmethod
    def _outcomes(self, rows: R, labels: Column, sampling: Sampling | None) -> Outcomes:
        """What each example is and what the model says of it."""

    def _parts(self, plan: H, target: Target, labels: Column, apart: Mapping[str, Column]) -> SplitRows:
        """The places of examples that are learnt from, and of those held out, by the columns set `apart`."""
        groups, time = (getattr(plan, name, None) for name in _SPLITS)
        strata = target.codes(labels) if target.strata else None
        return places_of(labels, apart, held_out=plan.held_out, groups=groups, time=time, seed=plan.seed, strata=strata)

    def _decide(self, plan: H, held: Labelled[R]) -> None:
        """Decide by the held-out examples what a net does not learn; nothing, unless a kind says what."""

    @property
    def _split_by(self) -> frozenset[str]:
        """The columns that rows are split by and that are not learnt."""
        named = (self.hyperparameters.get(name) for name in _SPLITS)
        return frozenset(name for name in named if isinstance(name, str))

    def _asked_about(self, data: Any) -> R:
        """Examples that are as those learnt from, which may still have such a column."""
        return self._known(parted(data, self._split_by)[0])

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

    # ── what its net says ────────────────────────────────────────────────────────────────────────────────────────────

    def _outputs(self, rows: R) -> Tensor:
        """What the net says of each example, as it is, on the CPU, its first dimension the examples."""
        module = self.trained()
        with torch.inference_mode():
            examples = module.examples(rows, None)
        return torch.cat([*answers(module.net, examples, AT_ONCE)])


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


def _taken(labels: Column, places: npt.NDArray[np.int64]) -> Column:
    return replace(labels, values=labels.values[places])
