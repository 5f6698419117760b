"""A model of tables: any of the families, for two classes, several, or a number."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any, ClassVar, Literal, Self, TypeAlias, cast

import numpy as np
import numpy.typing as npt
import torch
from pydantic import BaseModel, Field
from torch import Tensor, nn

from ...datasets.columns import Column, Kind, Label, Schema, Table
from ...datasets.examination import examine
from ...datasets.tables import fingerprint, identity, read_labels, read_table
from ...errors import Malformed
from ...evaluation.answers.corrections import corrected
from ...evaluation.binary import best_threshold
from ...evaluation.outcomes import Outcomes
from ...evaluation.resampling import Sampling
from ...models.credit.encoding import table_inputs
from ...models.hyperparameter import Json, Whole
from ...models.model import Model, OnEpoch
from ...models.progress import Progress
from ...models.registry import FROM_PYTHON, INTO, name_of, register
from ..examples import TensorExamples
from ..objective import Loss, balanced, binary, huber, multiclass
from ..plan import TrainingPlan
from ..split import split_rows
from ..state import own_randomness
from ..trainer import Trainer, TrainingResult, answers
from .encoding import TableEncoder, TableLayout
from .nets import Family, TableNet, bins_of
from .targets import TableTask, Target

Labelled: TypeAlias = tuple[Table, Column]

AT_ONCE = 4_096
"""Rows that are answered at once."""


class TableHyperparameters(TrainingPlan):
    """What a user may choose of a model of tables, and how it is searched."""

    blocks: Whole = Field(2, ge=1, le=64, json_schema_extra={"search": {"low": 1, "high": 6}})
    class_weight: Literal["balanced"] | None = None
    dropout_rate: float = Field(0.1, ge=0, le=0.95, json_schema_extra={"search": {"high": 0.5}})
    family: Family = Field(
        "tabm", json_schema_extra={"search": {"choices": ["mlp", "resnet", "ft-transformer", "tabm"]}}
    )
    max_levels: int = Field(64, ge=1, le=65_536)
    members: int = Field(16, ge=1, le=1024, description="nets side by side in tabm; a whole number from 1 to 1024")
    positive_label: float | str | None = Field(None, description="a number, a text or None")
    task: TableTask | Literal["auto"] = "auto"
    threshold: Annotated[float, Field(ge=0, le=1)] | None = None
    width: Whole = Field(128, ge=8, le=8_192, json_schema_extra={"search": {"low": 32, "high": 512, "log": True}})


class TablePredictor(nn.Module):
    """All that a prediction needs, as parameters and buffers: encoder, net, scale, threshold, and the classes' JSON."""

    def __init__(self, encoder: TableEncoder, outputs: int, shape: Mapping[str, Any], labels: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.net = TableNet(encoder.layout, outputs, shape)
        self.centre = nn.Buffer(torch.zeros((), dtype=torch.float64))
        self.scale = nn.Buffer(torch.ones((), dtype=torch.float64))
        self.threshold = nn.Buffer(torch.tensor(0.5, dtype=torch.float64))
        self.labels = nn.Buffer(torch.zeros(labels, dtype=torch.uint8))

    def forward(self, numbers: Tensor, hashes: Tensor) -> Tensor:
        """What the net says of rows. Takes what `TableEncoder` takes."""
        return self.net(*self.encoder(numbers, hashes))

    def target(self, task: TableTask) -> Target:
        """What it predicts."""
        classes: list[Label] = json.loads(self.labels.cpu().numpy().tobytes())
        return Target(task, tuple(classes), self.centre.item(), self.scale.item())


@register("table-model")
class TableModel(Model):
    """Predicts two classes, several, or a number of rows of numbers, dates and categories with gaps.

    `data` is a 2-d array, DataFrame, Arrow table or mapping of columns. What is predicted follows from the labels, or
    from the hyperparameter `task`: 0 and 1 are two classes (as are any two where `positive_label` names one), text and
    few whole numbers several, others numbers. The family is one of `mlp`, `resnet`, `ft-transformer`, `tabm`.
    """

    HYPERPARAMETERS: ClassVar[type[BaseModel]] = TableHyperparameters
    RESUMES: ClassVar[bool] = True

    _schema: Schema = ()

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
        give `metrics`. Raises `Malformed` on data that is no table or labels that are not what is to be predicted,
        `Refused` where the fit diverges, or the device or a package is absent.
        """
        table = read_table(data)
        column = read_labels(labels, table.rows)
        examine(table, column)
        plan = TableHyperparameters.model_validate(self.hyperparameters)
        target = Target.of(column, plan.task, plan.positive_label)
        strata = None if target.task == "regression" else target.codes(column)
        if validation is None:
            learn, held = split_rows(table.rows, plan.held_out, plan.seed, strata)
            learnt, judged = _taken(table, column, learn), _taken(table, column, held)
        else:
            other = read_table(validation[0]).aligned(table.schema)
            learnt, judged = (table, column), (other, read_labels(validation[1], other.rows))
        trainer = Trainer(plan, on_epoch=on_epoch, progress=progress)
        module, result = self._fit(plan, target, learnt, judged, trainer)
        self.module, self._schema = module, table.schema
        self.predicts(target.task)
        if target.task == "binary":
            module.threshold.fill_(self._best_threshold(plan, target, judged))
        self.settings = {**result.settings(), "seed": plan.seed, "task": target.task}
        self.metrics = _figures(self.outcomes(*judged))
        self.data, self.validation = fingerprint(table, column), identity(*judged)
        return self

    def predict_proba(self, data: Any) -> npt.NDArray[np.float64]:
        """Probabilities of the classes in the order of `classes_`, shape (rows, classes).

        Raises `Malformed` naming what does not fit the training columns, and where a number is predicted.
        """
        if self.target.task == "regression":
            raise Malformed("this model predicts a number, which has no probability; call predict")
        return self._chances(data)

    def predict(self, data: Any) -> npt.NDArray[Any]:
        """The label or the number that the model gives each row, shape (rows,)."""
        target = self.target
        if target.task == "regression":
            said = self._said(data)
            return (said if said.ndim == 1 else said.mean(dim=1)).numpy() * target.scale + target.mean
        chances = self._chances(data)
        codes = (
            (chances[:, 1] >= self.trained().threshold.item()).astype(np.int64)
            if target.task == "binary"
            else chances.argmax(axis=1)
        )
        return np.array(target.classes)[codes]

    def outcomes(self, data: Any, labels: Any, sampling: Sampling | None = None) -> Outcomes:
        """What each row is and what the model says of it. Raises `Malformed` on labels it never learnt."""
        target = self.target
        if target.task != "binary":
            return super().outcomes(data, labels, sampling)
        table = read_table(data)
        truth = target.codes(read_labels(labels, table.rows))
        own = self._chances(table)[:, 1]
        called = (own >= self.trained().threshold.item()).astype(np.float64)
        return Outcomes(
            "binary", truth, called, corrected(own, self.settings), target.classes, None, sampling or Sampling()
        )

    @property
    def target(self) -> Target:
        """What it learnt to predict. Raises `Refused` before the first fit."""
        return self.trained().target(cast("TableTask", self.TASK))

    @property
    def classes_(self) -> tuple[Label, ...]:
        """The labels in the order of `predict_proba`'s columns; none where a number is predicted."""
        return self.target.classes

    @property
    def label_type(self) -> Literal["number", "category"]:
        """What its labels are: numbers or text."""
        return "category" if any(isinstance(each, str) for each in self.target.classes) else "number"

    def trained(self) -> TablePredictor:
        """The module. Raises `Refused` before the first fit."""
        return cast("TablePredictor", super().trained())

    def architecture(self) -> dict[str, Json]:
        """The class, its columns' names and types and its parts' sizes. Raises `Refused` before the first fit."""
        module = self.trained()
        config: dict[str, Json] = {
            "columns": [{"name": name, "type": kind} for name, kind in self._schema],
            "labels": len(module.labels),
            "layout": module.encoder.layout.to_dict(),
            "outputs": module.net.outputs,
            "shape": {**module.net.shape},
            "task": self.TASK,
        }
        return {"class": name_of(type(self)), "config": config}

    @classmethod
    def from_architecture(cls, config: Mapping[str, Json]) -> Self:
        """The empty model of that shape. Raises `Malformed` where it is none."""
        told = cast("dict[str, Any]", config)
        model = cls()
        try:
            model._schema = tuple((str(column["name"]), cast("Kind", column["type"])) for column in told["columns"])
            encoder = TableEncoder(TableLayout.of(told["layout"]))
            model.module = TablePredictor(encoder, told["outputs"], told["shape"], told["labels"])
            model.predicts(str(told["task"]))
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            what = f"this is no shape of a {cls.__name__} ({error})"
            raise Malformed(what, python=INTO, cli=FROM_PYTHON) from error
        return model

    def _fit(
        self, plan: TableHyperparameters, target: Target, learnt: Labelled, held: Labelled, trainer: Trainer
    ) -> tuple[TablePredictor, TrainingResult]:
        """A new module, and how its fit went."""
        with torch.inference_mode(False), torch.no_grad(), own_randomness(plan.seed, torch.device("cpu")):
            encoder = TableEncoder.learnt(learnt[0], plan.max_levels)
            learn, judge = (
                TensorExamples(encoder(*table_inputs(table)), target.coded(column)) for table, column in (learnt, held)
            )
            shape = _shape(plan, learn.inputs[0])
            encoded = target.encoded
            module = TablePredictor(encoder, target.outputs, shape, len(encoded))
            module.labels.copy_(torch.frombuffer(bytearray(encoded), dtype=torch.uint8))
            module.centre.fill_(target.mean)
            module.scale.fill_(target.scale)
        return module, trainer.fit(module.net, learn, judge, _loss(plan, target, learn.targets))

    def _said(self, data: Any) -> Tensor:
        """What the net says of each row."""
        module = self.trained()
        with torch.inference_mode():
            inputs = module.encoder(*table_inputs(read_table(data).aligned(self._schema)))
        return torch.cat([*answers(module.net, TensorExamples(inputs, inputs[0]), AT_ONCE)]).double()

    def _chances(self, data: Any) -> npt.NDArray[np.float64]:
        """The probability of each class, the mean of the members', shape (rows, classes)."""
        said = self._said(data)
        if self.target.task == "binary":
            positive = said.sigmoid() if said.ndim == 1 else said.sigmoid().mean(dim=1)
            return torch.stack([1.0 - positive, positive], dim=1).numpy()
        chances = said.softmax(dim=-1)
        return (chances if chances.ndim == 2 else chances.mean(dim=1)).numpy()

    def _best_threshold(self, plan: TableHyperparameters, target: Target, held: Labelled) -> float:
        """The one that was chosen, or the one with the best F1 on the held-out rows."""
        if plan.threshold is not None:
            return plan.threshold
        return best_threshold(target.codes(held[1]), self._chances(held[0])[:, 1])


def _shape(plan: TableHyperparameters, features: Tensor) -> dict[str, Any]:
    """What makes the net, as JSON."""
    shape: dict[str, Any] = {
        "blocks": plan.blocks, "dropout_rate": plan.dropout_rate, "family": plan.family, "width": plan.width,
    }  # fmt: skip
    if plan.family == "tabm":
        shape |= {"bins": bins_of(features), "members": plan.members}
    return shape


def _loss(plan: TableHyperparameters, target: Target, targets: Tensor) -> Loss:
    match target.task:
        case "regression":
            return huber
        case "binary":
            positive = float(targets.sum())
            return binary((len(targets) - positive) / positive if plan.class_weight else 1.0)
        case "multiclass":
            return multiclass(balanced(targets, target.outputs) if plan.class_weight else None)


def _taken(table: Table, labels: Column, places: npt.NDArray[np.int64]) -> Labelled:
    return table.take(places), replace(labels, values=labels.values[places])


def _figures(outcomes: Outcomes) -> dict[str, float]:
    """The figures that are defined; the threshold is a setting, and counts are told by the data's fingerprint."""
    figures = outcomes.performance.to_dict()
    return {name: value for name, value in figures.items() if isinstance(value, float) and name != "threshold"}
