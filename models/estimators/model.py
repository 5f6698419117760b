"""An estimator of scikit-learn, XGBoost or LightGBM as a Lepton model: kept, loaded, asked and judged as any other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Self, cast

import numpy as np
import numpy.typing as npt
import torch

from ...datasets.tables import identity
from ...errors import LeptonError, Malformed, Refused
from ...evaluation.outcomes import Outcomes
from ...evaluation.predictions import outcomes_of_predictions
from ...evaluation.resampling import Sampling
from ...evaluation.subjects import answered
from ..hyperparameter import Json
from ..model import Model, OnEpoch, kebab, recorded_figures
from ..registry import name_of, register
from ..state import torch_dtype
from .answers import Answers, answers_of
from .inputs import rows_for
from .kinds import is_booster, library_of
from .libraries import check_libraries, needed, versions_of
from .parts import put_together, taken_apart
from .settings import settings_of


@register("estimator")
class KeptEstimator(Model):
    """Holds a fitted estimator, which `estimator` gives; what it answers is what that answers, bit for bit."""

    def __init__(self) -> None:
        super().__init__()
        self._estimator: Any = None
        self._answers: Answers | None = None
        self._type = ""
        self._told: dict[str, Json] = {}
        self._tensors: dict[str, torch.Tensor] | None = None
        self._stamp: tuple[int, ...] = ()

    @classmethod
    def of(cls, estimator: Any) -> Self:
        """The model of an estimator. Raises `Refused` where it is not fitted."""
        _check_fitted(estimator)
        made = cls()
        made._take(estimator)
        made.hyperparameters = dict(made._told)
        return made

    @property
    def estimator(self) -> Any:
        """The estimator itself. Raises `Refused` where it has a class that is not trusted, or lacks a library."""
        if self._tensors is not None and (self._estimator is None or self._stamp != _stamp(self._tensors)):
            self._take(put_together({name: each.numpy() for name, each in self._tensors.items()}))
            self._stamp = _stamp(self._tensors)
            self._follow_settings(self._told)
        if self._estimator is None:
            raise Refused("this model holds no estimator yet; load one that was saved, or train it first")
        return self._estimator

    @property
    def name(self) -> str:
        """The estimator's class in kebab case."""
        if self._tensors is not None and self._estimator is not None:
            return kebab(type(self.estimator).__name__)  # which may have been written over
        return kebab(self._type.rpartition(".")[2] or type(self).__name__)

    @property
    def classes_(self) -> tuple[Any, ...] | None:
        """The labels in the order of the probabilities; None where it tells no classes."""
        return self._asked.classes or None

    @property
    def label_type(self) -> Literal["number", "category"]:
        """What its labels are: numbers or text."""
        return "category" if any(isinstance(each, str) for each in self._asked.classes) else "number"

    def predict(self, data: Any) -> npt.NDArray[Any]:
        """What the estimator says of each row. Raises `Malformed` or `Refused` on rows that it does not read."""
        asked = self._asked
        return np.asarray(answered(self._words, lambda: asked.predict(self._rows(data))))

    def predict_proba(self, data: Any) -> npt.NDArray[Any]:
        """Probabilities of the classes in the order of `classes_`. Raises `Malformed` where it gives none."""
        asked = self._asked
        if not asked.gives_chances:
            raise Malformed(f"{self._words} gives no probabilities; call predict")
        return np.asarray(answered(self._words, lambda: asked.predict_proba(self._rows(data))))

    def outcomes(self, data: Any, labels: Any, sampling: Sampling | None = None) -> Outcomes:
        """What each labelled row is and what the estimator says of it. Raises `Refused` where it predicts no label."""
        asked = self._asked
        called = self.predict(data) if asked.task else None
        if called is None or called.ndim != 1:
            raise Refused(
                f"{self._words} predicts neither classes nor a number, so it cannot be judged",
                python="judge what it predicted by evaluate_predictions",
                cli="judge what it predicted from Python, by evaluate_predictions",
            )
        chances = self.predict_proba(data) if asked.gives_chances else None
        if chances is not None and not np.allclose(chances.sum(axis=1), 1, atol=1e-3):
            chances = None  # of each class against all others, which are not those of one choice
        return outcomes_of_predictions(asked.task, labels, called, chances, asked.classes or None, sampling)

    def train(
        self,
        data: Any,
        labels: Any,
        *,
        validation: tuple[Any, Any] | None = None,
        on_epoch: OnEpoch | None = None,  # noqa: ARG002 (an estimator tells none of its steps)
    ) -> Self:
        """Fit a copy of the estimator, of the same settings, anew; `validation` gives its metrics, and nothing else.

        Raises `Refused` where it is a booster, which its library trains.
        """
        if is_booster(estimator := self.estimator):
            raise Refused(f"{self._words} is trained by its library; keep what that gives as a version")
        copy = needed("sklearn.base").clone(estimator)
        self._hold(answered(self._words, lambda: copy.fit(data, labels)))
        if validation is not None:
            self.metrics = recorded_figures(self.evaluate(*validation))
            self.validation = identity(*validation)
        return self

    def check_hyperparameters(self) -> None:
        """Nothing: an estimator judges its own."""

    def architecture(self) -> dict[str, Json]:
        """The estimator's class, what it predicts, and the versions of its libraries."""
        estimator = self.estimator
        config: dict[str, Json] = {
            "type": self._type,
            "task": self.TASK,
            "libraries": cast("Json", versions_of(estimator)),
        }
        return {"class": name_of(type(self)), "config": config}

    @classmethod
    def from_architecture(cls, config: Mapping[str, Json]) -> Self:
        """The empty model. Raises `Refused` where a library of it is not installed."""
        made = cls()
        libraries = config.get("libraries")
        check_libraries(libraries if isinstance(libraries, dict) else {})
        made._type = str(config.get("type", ""))
        made.predicts(str(config.get("task", "")))
        return made

    def make_room(self, shapes: Mapping[str, tuple[str, tuple[int, ...]]]) -> None:
        """Take tensors of any dtypes and shapes."""
        with torch.inference_mode(False):
            self._tensors = {
                name: torch.empty(shape, dtype=torch_dtype(kind)) for name, (kind, shape) in shapes.items()
            }
        self._stamp = ()

    def holder(self) -> Mapping[str, torch.Tensor]:
        """The tensors by name."""
        return self.state_dict() if self._tensors is None else self._tensors

    def state_dict(self) -> dict[str, torch.Tensor]:
        """The estimator's arrays by name, and its schema. What was changed in the estimator meanwhile is in them."""
        if self._estimator is None and self._tensors is not None:
            return self._tensors
        estimator = self.estimator
        with torch.inference_mode(False):
            fresh = {name: torch.from_numpy(np.array(each)) for name, each in taken_apart(estimator).items()}
        if self._tensors is not None and not _same(fresh, self._tensors):  # it was fitted anew
            self._tensors, self.settings, self.metrics, self.validation, self.data = None, {}, {}, None, None
        if self._tensors is None:
            _check_comes_back(fresh)
            self._tensors, self._stamp = fresh, _stamp(fresh)
        if (told := settings_of(estimator)) != self._told:
            self._told = told
            self._follow_settings(told)
        return self._tensors

    def recall(self, **told: Any) -> Self:
        """Take back what a version recorded, and build its estimator."""
        self._told = settings_of(self.estimator)
        return super().recall(**told)

    @property
    def _words(self) -> str:
        return f"the estimator {self._type.rpartition('.')[2]}"

    @property
    def _asked(self) -> Answers:
        """Whoever answers for the estimator."""
        estimator = self.estimator
        if self._answers is None:
            self._answers = answers_of(estimator)
        return self._answers

    def _follow_settings(self, told: Mapping[str, Json]) -> None:
        """Take what the estimator was set to as hyperparameters."""
        self.hyperparameters = dict(told)

    def _hold(self, estimator: Any) -> None:
        """Hold another estimator, of which nothing was measured yet."""
        self._take(estimator)
        self._tensors, self.metrics, self.validation, self.data = None, {}, None, None

    def _take(self, estimator: Any) -> None:
        kind = cast("type[object]", type(estimator))
        self._estimator, self._answers, self._told = estimator, answers_of(estimator), settings_of(estimator)
        self._type = f"{kind.__module__}.{kind.__qualname__}"
        self.predicts(self._answers.task)

    def _rows(self, data: Any) -> Any:
        library = library_of(self._estimator)
        spaces = "_" if library == "lightgbm" else " "
        return rows_for(data, self._asked.columns, categories=library in ("lightgbm", "xgboost"), spaces=spaces)


def _check_comes_back(tensors: Mapping[str, torch.Tensor]) -> None:
    """Raise `Refused` where an estimator could be saved, but never loaded."""
    try:
        put_together({name: each.numpy() for name, each in tensors.items()})
    except LeptonError as error:
        raise Refused(f"what is saved of it would not come back: {error.fact}") from error


def _check_fitted(estimator: Any) -> None:
    """Raise `Refused` where it has learnt nothing yet."""
    words = f"{type(estimator).__name__} has learnt nothing yet; fit it first"
    if is_booster(estimator):
        try:
            count = estimator.num_boosted_rounds() if library_of(estimator) == "xgboost" else estimator.num_trees()
        except ValueError:  # XGBoost's own error, where it has not seen a row
            count = 0
        if not count:
            raise Refused(words)
        return
    from sklearn.exceptions import NotFittedError

    try:
        needed("sklearn.utils.validation").check_is_fitted(estimator)
    except NotFittedError as error:
        raise Refused(words) from error
    except TypeError as error:
        raise Malformed(f"{type(estimator).__name__} has no fit(data, labels), and so is no estimator") from error


def _stamp(tensors: Mapping[str, torch.Tensor]) -> tuple[int, ...]:
    """What changes with each write into the tensors."""
    return tuple(each._version for each in tensors.values())


def _same(one: Mapping[str, torch.Tensor], other: Mapping[str, torch.Tensor]) -> bool:
    """Whether both hold the same bits under the same names."""
    return one.keys() == other.keys() and all(
        one[name].dtype == other[name].dtype
        and one[name].shape == other[name].shape
        and one[name].numpy().tobytes() == other[name].numpy().tobytes()
        for name in one
    )
