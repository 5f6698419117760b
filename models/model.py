"""What every Lepton model is: hyperparameters, a plain fit, predictions, and an architecture to rebuild it from."""

from __future__ import annotations

import copy
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self, TypeAlias

from ..errors import Malformed, Refused
from ..plain import plain_value
from . import hyperparameter
from .card import LibraryCard
from .hyperparameter import Json

if TYPE_CHECKING:
    import numpy.typing as npt
    import torch
    from pydantic import BaseModel

    from ..evaluation.outcomes import Outcomes
    from ..evaluation.resampling import Sampling
    from ..results import TaskPerformance

OnEpoch: TypeAlias = Callable[[int, Mapping[str, float]], object]


class Model(ABC):
    """A model that Lepton can train, judge, keep and rebuild; its parameters are those of the `nn.Module` in `.module`.

    It is no `nn.Module` itself, since `train(data, labels)` here and `train(mode)` there would collide.
    A subclass fills `HYPERPARAMETERS`, `TASK`, `train` and `predict`, and is made known by `@register("name")`.
    A classifier may have `predict_proba(data)` too: one row a row of data, one column a class, each row summing to 1;
    and, where these are several, `classes_`, the labels in the columns' order (without it there is no log loss).
    """

    HYPERPARAMETERS: ClassVar[type[BaseModel]] = hyperparameter.NoHyperparameters
    """A pydantic model: each field a hyperparameter, its default, the values it may have and how it is searched.

    Validators of a field judge a value as it is set, those of the whole model all values as a training starts.
    """
    TASK: ClassVar[str] = ""
    """What it predicts, and so what it is judged by: binary (1 or 0), multiclass or regression."""
    CARD: ClassVar[LibraryCard | None] = None
    """What `lepton library` tells of it, beside its hyperparameters."""
    RESUMES: ClassVar[bool] = False
    """Whether `train` takes `progress` too, a `progress.Progress`, and goes on from it."""

    def __init_subclass__(cls, **named: Any) -> None:
        """What `predict_proba` gives is corrected as a version's settings say, what `predict` calls is not.

        Raises `Malformed` where its card is none.
        """
        from .corrected import follow_corrections

        super().__init_subclass__(**named)
        if not isinstance(cls.CARD, LibraryCard | None):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise Malformed(f"CARD of {cls.__qualname__} is no card; make it a lepton_ai.models.LibraryCard")
        follow_corrections(cls)

    def __init__(self) -> None:
        self.module: torch.nn.Module | None = None
        self.hyperparameters: dict[str, Json] = hyperparameter.defaults(self.HYPERPARAMETERS)
        self.settings: dict[str, Json] = {}
        self.metrics: dict[str, float] = {}
        self.validation: dict[str, Json] | None = None
        """Fingerprint of the rows that `metrics` are of: `train` sets both, or versions are not compared by them."""
        self.data: dict[str, Json] | None = None

    def predicts(self, task: str) -> None:
        """Say what this object predicts, where its labels decide that and not its class."""
        vars(self)["TASK"] = task

    @property
    def label_type(self) -> Literal["number", "category"] | None:
        """What labels are read as from a file, "number" or "category" (text); None where they are what they seem."""
        return None

    @property
    def reads_in_parts(self) -> bool:
        """Whether the next fit takes `ParquetRows`, which it reads by itself, in place of a file's rows in memory."""
        return False

    @property
    def name(self) -> str:
        """The class's name in kebab case, under which versions are kept unless another is given."""
        return kebab(type(self).__name__)

    def add_hyperparameter(self, name: str, value: Json) -> Self:
        """Set a hyperparameter for the next fit. Raises `Malformed` on an unknown name or a value against its rule."""
        known = self.HYPERPARAMETERS.model_fields
        if name not in known:
            raise Malformed(
                f"{self.name} has no hyperparameter {name!r}; it knows {', '.join(sorted(known)) or 'none'}"
            )
        value = plain_value(value, f"hyperparameter {name!r}")
        hyperparameter.check(self.HYPERPARAMETERS, name, value)
        self.hyperparameters[name] = value
        return self

    def check_hyperparameters(self) -> None:
        """Hold all hyperparameters against the model of them, as `manager.train` and jobs do before they train.

        Raises `Malformed` on values that do not go together, and on a required one that was not set.
        """
        hyperparameter.check_together(self.HYPERPARAMETERS, self.hyperparameters)

    @classmethod
    def search_space(cls) -> dict[str, dict[str, Any]]:
        """The hyperparameters that are searched, each with its distribution as Optuna writes its own in JSON."""
        return hyperparameter.search_space(cls.HYPERPARAMETERS)

    @abstractmethod
    def train(
        self, data: Any, labels: Any, *, validation: tuple[Any, Any] | None = None, on_epoch: OnEpoch | None = None
    ) -> Self:
        """Fit to rows of data and their labels, and keep nothing anywhere else.

        `validation` is (data, labels) for early stopping in place of held-out rows; `on_epoch(epoch, losses)` is
        called after each epoch and stops the fit by raising, which leaves the model as it was. What sets `metrics` sets
        `validation` too, to the fingerprint of the rows they are of (`lepton_ai.datasets.tables.identity`), else no
        versions are compared by them.
        """

    @abstractmethod
    def predict(self, data: Any) -> npt.NDArray[Any]:
        """The label that the model gives each row, shape (n,)."""

    def evaluate(self, data: Any, labels: Any) -> TaskPerformance:
        """Judge the model on labelled rows by its `TASK`, and by its probabilities where it gives some.

        Raises `Refused` where its class declares no task, `Malformed` where labels or predictions do not fit it.
        """
        return self.outcomes(data, labels).performance

    def outcomes(self, data: Any, labels: Any, sampling: Sampling | None = None) -> Outcomes:
        """What each labelled row is and what the model says of it, from which figures and reports are made.

        Raises what `evaluate` does.
        """
        from ..evaluation.predictions import outcomes_of_predictions

        if not self.TASK:
            raise Refused(
                f"{self.name} does not say what it predicts, so it cannot be judged",
                python="set TASK to 'binary', 'multiclass' or 'regression' on its class, or write its "
                "evaluate(data, labels)",
                cli="its class is to say so, in Python",
            )
        predict_proba: Callable[[Any], Any] | None = getattr(self, "predict_proba", None)
        chances = predict_proba(data) if predict_proba and self.TASK != "regression" else None
        classes = getattr(self, "classes_", None)
        return outcomes_of_predictions(self.TASK, labels, self.predict(data), chances, classes, sampling)

    def architecture(self) -> dict[str, Json]:
        """What rebuilds the empty module: the class's registered name and the arguments that made this object."""
        from .registry import captured

        return captured(self)

    @classmethod
    def from_architecture(cls, config: Mapping[str, Json]) -> Self:
        """The empty object of the shape in `architecture()["config"]`, whose tensors are still to be filled."""
        from .registry import construct

        return construct(cls, config)

    def state_dict(self) -> dict[str, torch.Tensor]:
        """The module's parameters and buffers, live. Raises `Refused` before the first fit."""
        return dict(self.trained().state_dict())

    def load_state_dict(self, state: Mapping[str, torch.Tensor]) -> None:
        """Fill every parameter and buffer, bit for bit. Raises `Malformed` unless names, shapes and dtypes all fit."""
        from .places import fill
        from .state import tensors_of

        fill(self, tensors_of(state))

    def recall(
        self,
        *,
        hyperparameters: Mapping[str, Json],
        settings: Mapping[str, Json],
        data: Mapping[str, Json] | None,
        metrics: Mapping[str, float],
        validation: Mapping[str, Json] | None = None,
    ) -> Self:
        """Take back what a version recorded beside its tensors. Unchecked: a version keeps names that today lacks."""
        self.hyperparameters |= copy.deepcopy(dict(hyperparameters))
        self.settings = copy.deepcopy(dict(settings))
        self.data = None if data is None else copy.deepcopy(dict(data))
        self.metrics = dict(metrics)
        self.validation = None if validation is None else dict(validation)
        return self

    def make_room(self, shapes: Mapping[str, tuple[str, tuple[int, ...]]]) -> None:  # noqa: B027 (most need none)
        """Take the dtypes and shapes of the tensors that come, where they say its shape and not its architecture."""

    def holder(self) -> torch.nn.Module | Mapping[str, torch.Tensor]:
        """What holds its parameters: its module, or tensors by name. Raises `Refused` before the first fit."""
        return self.trained()

    def trained(self) -> torch.nn.Module:
        """The module. Raises `Refused` before the first fit."""
        if self.module is None:
            raise Refused(f"{self.name} has no parameters before its first fit; call train(data, labels) first")
        return self.module


def recorded_figures(performance: TaskPerformance) -> dict[str, float]:
    """What a fit keeps as `metrics`: the figures that are defined; the threshold is a setting, and counts are told by
    the data's fingerprint."""
    figures = performance.to_dict()
    return {name: value for name, value in figures.items() if isinstance(value, float) and name != "threshold"}


def kebab(name: str) -> str:
    """CreditScoringModel → credit-scoring-model."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|_", "-", name).lower()
