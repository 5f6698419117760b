"""A model of tables by an estimator: gradient boosting, a forest of random trees, a linear one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar, Final, Self, TypeAlias, cast

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel

from ...datasets.columns import Column, Kind, Schema, Table
from ...datasets.examination import examine
from ...datasets.splits.split import places_of
from ...datasets.tables import fingerprint, parted, read_labels, read_table, without_columns
from ...errors import Refused
from ...evaluation.answers.corrections import corrected
from ...evaluation.binary import best_threshold
from ...evaluation.outcomes import Outcomes
from ...evaluation.predictions import outcomes_of_predictions
from ...evaluation.resampling import Sampling
from ...models.estimators.model import KeptEstimator
from ...models.hyperparameter import Json
from ...models.memory import within_memory
from ...models.model import Model, OnEpoch, kebab, recorded_figures
from ...models.registry import name_of, rebuilding, register
from ..targets import Target
from .hyperparameters import EstimatorHyperparameters
from .table_estimator import TableEstimator

Labelled: TypeAlias = tuple[Table, Column]
_SPLITS: Final = ("split_groups", "split_time")


@register("estimator-model")
class EstimatorModel(KeptEstimator):
    """Predicts two classes, several, or a number of rows of numbers, dates and categories with gaps.

    `data` is a 2-d array, DataFrame, Arrow table or mapping of columns. The family is one of `hist-gradient-boosting`,
    `lightgbm`, `linear`, `random-forest`, `xgboost`. A level of a category that training never showed counts as one of
    the rare ones.
    """

    HYPERPARAMETERS: ClassVar[type[BaseModel]] = EstimatorHyperparameters

    _schema: Schema = ()

    def train(
        self, data: Any, labels: Any, *, validation: tuple[Any, Any] | None = None, on_epoch: OnEpoch | None = None
    ) -> Self:
        """Fit anew, the same for one seed and machine; `on_epoch` is called once, behind the fit.

        Without `validation` a share of the rows is held out; these rows, or those, give the threshold and `metrics`,
        and where the share is 0 there are none.
        Raises `Malformed` on data that cannot be read or labels that are not what is to be predicted, `Refused` where a
        package is absent.
        """
        plan = EstimatorHyperparameters.model_validate(self.hyperparameters)
        features, apart = parted(data, self._split_by)
        table = read_table(features)
        column = read_labels(labels, table.rows)
        target = Target.of(column, plan.task, plan.positive_label)
        examine(table, column)
        learn, held = (table, column), None
        if validation is not None:
            beside = read_table(parted(validation[0], self._split_by)[0]).aligned(table.schema)
            held = beside, read_labels(validation[1], beside.rows)
        elif plan.held_out:
            learn, held = _parts(plan, target, table, column, apart)
        with within_memory():
            estimator = _learnt(plan, target, *learn)
        if target.task == "binary":
            estimator.threshold_ = np.float64(_threshold(plan, estimator, target, held))
        self._schema = table.schema
        self._hold(estimator)
        self.settings = {"seed": plan.seed, "task": target.task}
        self.data = fingerprint(table, column)
        if held is not None:
            self.metrics = recorded_figures(self.outcomes(*held).performance)
            self.validation = without_columns(fingerprint(*held))
        if on_epoch is not None:
            on_epoch(1, self.metrics)
        return self

    def outcomes(self, data: Any, labels: Any, sampling: Sampling | None = None) -> Outcomes:
        """What each labelled row is and what the estimator says of it, asked once. Raises as `predict_proba` does."""
        if self.TASK == "regression":
            return super().outcomes(data, labels, sampling)
        estimator, rows = self._known(), self._rows(data)
        own = estimator.predict_proba(rows)
        chances = corrected(own, self.settings)
        return outcomes_of_predictions(self.TASK, labels, estimator.called(own), chances, self.classes_, sampling)

    @property
    def name(self) -> str:
        """The class's name in kebab case."""
        return kebab(type(self).__name__)

    def check_hyperparameters(self) -> None:
        """Hold all hyperparameters against the model of them. Raises `Malformed`."""
        Model.check_hyperparameters(self)

    def architecture(self) -> dict[str, Json]:
        """The class, its columns' names and types, what it predicts and the versions of libraries."""
        told = cast("dict[str, Json]", super().architecture()["config"])
        columns: Json = [{"name": name, "type": kind} for name, kind in self._schema]
        return {"class": name_of(type(self)), "config": {**told, "columns": columns}}

    @classmethod
    def from_architecture(cls, config: Mapping[str, Json]) -> Self:
        """The empty model of that shape. Raises `Malformed` where it is none."""
        made = super().from_architecture(config)
        with rebuilding(cls):
            columns = cast("list[dict[str, Any]]", config["columns"])
            made._schema = tuple((str(each["name"]), cast("Kind", each["type"])) for each in columns)
        return made

    def _rows(self, data: Any) -> Table:
        self._known()
        return read_table(parted(data, self._split_by)[0]).aligned(self._schema)

    def _known(self) -> TableEstimator:
        """The estimator. Raises `Refused` where it is another than this model's own."""
        if not isinstance(estimator := self.estimator, TableEstimator):
            raise Refused(f"{self.name} holds a {type(estimator).__name__}; load it as a version of its own")
        return estimator

    def _take(self, estimator: Any) -> None:
        """Hold an estimator; of several classes the rows may have shown two."""
        super()._take(estimator)
        if isinstance(estimator, TableEstimator):
            self.predicts(estimator.task_)

    def _follow_settings(self, told: Mapping[str, Json]) -> None:
        """Nothing: what was chosen is the plan's."""

    @property
    def _split_by(self) -> frozenset[str]:
        named = (self.hyperparameters.get(name) for name in _SPLITS)
        return frozenset(name for name in named if isinstance(name, str))


def _parts(
    plan: EstimatorHyperparameters, target: Target, table: Table, labels: Column, apart: Mapping[str, Column]
) -> tuple[Labelled, Labelled]:
    """The rows that are learnt from, and those held out."""
    places = places_of(
        labels,
        apart,
        held_out=plan.held_out,
        groups=plan.split_groups,
        time=plan.split_time,
        seed=plan.seed,
        strata=target.codes(labels) if target.strata else None,
    )
    learn, held = ((table.take(part), replace(labels, values=labels.values[part])) for part in places)
    return learn, held


def _learnt(plan: EstimatorHyperparameters, target: Target, table: Table, labels: Column) -> TableEstimator:
    told: dict[str, Any] = {"task": target.task, "classes": target.classes}
    if not target.classes:
        return TableEstimator().learn(plan, table, target.numbers(labels), weights=None, **told)
    codes = target.codes(labels)
    weights = _balanced(codes, len(target.classes)) if plan.class_weight else None
    return TableEstimator().learn(plan, table, codes, weights=weights, **told)


def _balanced(codes: npt.NDArray[np.int64], classes: int) -> npt.NDArray[np.float64]:
    """Weights of rows by which each class counts as much as any other."""
    counts = np.bincount(codes, minlength=classes)
    return len(codes) / (classes * counts[codes])


def _threshold(
    plan: EstimatorHyperparameters, estimator: TableEstimator, target: Target, held: Labelled | None
) -> float:
    """The threshold that was chosen, or the one with the best F1 on the held-out rows; 0.5 without any."""
    if plan.threshold is not None or held is None:
        return 0.5 if plan.threshold is None else plan.threshold
    return best_threshold(target.codes(held[1]), estimator.predict_proba(held[0])[:, 1])
