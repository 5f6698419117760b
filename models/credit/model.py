"""The credit scoring model: the risk that a borrower defaults, from numbers and categories with gaps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar, Literal, Self, cast

import numpy as np
import numpy.typing as npt
import torch
from pydantic import BaseModel

from ...datasets.columns import Kind, Label, Schema, Table
from ...datasets.examination import examine
from ...datasets.tables import fingerprint, identity, read_labels, read_table
from ...evaluation.answers.corrections import corrected
from ...evaluation.binary import best_threshold, score
from ...evaluation.outcomes import Outcomes
from ...evaluation.resampling import Sampling
from ...results import Performance
from ..device import named_device
from ..encoding import Layout, table_inputs
from ..hyperparameter import Json
from ..labels import targets, two_classes
from ..model import Model, OnEpoch, recorded_figures
from ..progress import Progress
from ..registry import name_of, rebuilding, register
from .encoding import Encoder
from .fit import Outcome, Schedule, fit, given, out_of_fold
from .hyperparameters import CreditScoringHyperparameters
from .scoring import ScoringNet

Rows = tuple[Table, npt.NDArray[np.int64]]


@register("credit-scoring-model")
class CreditScoringModel(Model):
    """Binary scoring by a bag of small wide-and-deep nets; the positive class is the one to beware of (default).

    `data` is a 2-d array, DataFrame, Arrow table or mapping of columns, with gaps; `labels` are two numbers (the
    greater is positive) or two texts (name the positive one by `positive_label`). A row is called positive where its
    probability reaches the threshold: the hyperparameter's, or else the one with the best F1 on held-out rows.
    A `positive_weight` other than 1 moves the probabilities too: they rank as well, but no longer are frequencies.
    """

    HYPERPARAMETERS: ClassVar[type[BaseModel]] = CreditScoringHyperparameters
    TASK: ClassVar[str] = "binary"
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

        Without `validation` each net holds out other rows (one in `members`, at least 5), and these stop the fit, set
        the threshold and give `metrics`; with it, its rows do. Raises `Malformed` on data that is no table of numbers
        and categories or labels that are not two classes, `Refused` where the fit diverges or the device is absent.
        """
        table = read_table(data)
        column = read_labels(labels, table.rows)
        examine(table, column)
        classes = two_classes(column, self.hyperparameters["positive_label"])
        rows, held = (table, targets(column, classes)), None
        if validation is not None:
            other = read_table(validation[0]).aligned(table.schema)
            held = (other, targets(read_labels(validation[1], other.rows), classes))
        module, outcome, truth = self._fit(rows, held, on_epoch, progress)
        performance = self._judge(outcome, truth)
        judged = np.flatnonzero(~np.isnan(outcome.held_out))
        assert performance.threshold is not None
        module.decide_by(performance.threshold, classes)
        self.module, self._schema = module, table.schema
        self.settings = self._settings(outcome, performance, "out of fold" if held is None else "validation")
        self.metrics = recorded_figures(performance)
        self.data = fingerprint(table, column)
        self.validation = (
            identity(*validation)
            if validation is not None
            else identity(table.take(judged), replace(column, values=column.values[judged]))
        )
        return self

    def predict_proba(self, data: Any) -> npt.NDArray[np.float64]:
        """Probabilities of the negative and the positive class, shape (rows, 2).

        `data` must have the training columns, in any order (an array: in that order). A level that training never
        showed counts as one of the rare ones. Raises `Malformed` naming what does not fit.
        """
        positive = self.trained().probabilities(read_table(data).aligned(self._schema))
        return np.stack([1.0 - positive, positive], axis=1)

    def predict(self, data: Any) -> npt.NDArray[Any]:
        """One of the two labels a row, shape (rows,): the positive one where its probability reaches the threshold."""
        module = self.trained()
        called = self.predict_proba(data)[:, 1] >= module.threshold.item()
        return np.array(module.classes())[called.astype(np.int64)]

    def evaluate(self, data: Any, labels: Any) -> Performance:
        """Judge the model on labelled rows, at its threshold. Raises `Malformed` on other labels than it learnt."""
        return cast("Performance", super().evaluate(data, labels))

    def outcomes(self, data: Any, labels: Any, sampling: Sampling | None = None) -> Outcomes:
        """What each row is, and its probability beside the threshold. Raises `Malformed` on labels it never learnt."""
        module = self.trained()
        table = read_table(data)
        truth = targets(read_labels(labels, table.rows), module.classes())
        own, threshold = module.probabilities(table.aligned(self._schema)), module.threshold.item()
        called = (own >= threshold).astype(np.float64)
        chances: npt.NDArray[np.float64] = corrected(own, self.settings)
        moved: float = corrected(np.array([threshold]), self.settings)[0].item()
        # a correction may make rows equal that the threshold tells apart: then none of the corrected ones calls as it
        known = moved if ((chances >= moved) == called).all() else None
        return Outcomes(self.TASK, truth, called, chances, module.classes(), known, sampling or Sampling())

    @property
    def classes_(self) -> tuple[Label, Label]:
        """The negative and the positive label, in the order of `predict_proba`'s columns."""
        return self.trained().classes()

    @property
    def label_type(self) -> Literal["number", "category"]:
        """What its labels are: numbers or text."""
        return "category" if isinstance(self.trained().classes()[1], str) else "number"

    def trained(self) -> ScoringNet:
        """The module. Raises `Refused` before the first fit."""
        return cast("ScoringNet", super().trained())

    def architecture(self) -> dict[str, Json]:
        """The class, its columns' names and types and its parts' sizes. Raises `Refused` before the first fit."""
        module = self.trained()
        layout = module.encoder.layout
        config: dict[str, Json] = {
            "columns": [{"name": name, "type": kind} for name, kind in self._schema],
            "flagged": list(layout.flagged),
            "hidden": list(module.hidden),
            "levels": list(layout.levels),
            "members": module.members,
        }
        return {"class": name_of(type(self)), "config": config}

    @classmethod
    def from_architecture(cls, config: Mapping[str, Json]) -> Self:
        """The empty model of that shape. Raises `Malformed` where it is none."""
        shape = cast("dict[str, Any]", config)
        model = cls()
        with rebuilding(cls):
            model._schema = tuple((str(column["name"]), cast("Kind", column["type"])) for column in shape["columns"])
            numbers = sum(kind != "category" for _, kind in model._schema)
            encoder = Encoder(Layout(numbers, tuple(shape["flagged"]), tuple(shape["levels"])))
            model.module = ScoringNet(encoder, shape["hidden"], shape["members"])
        return model

    def _fit(
        self, rows: Rows, held: Rows | None, on_epoch: OnEpoch | None, progress: Progress | None
    ) -> tuple[ScoringNet, Outcome, npt.NDArray[np.int64]]:
        """A new module, how its fit went, and the targets of all rows that it saw, those held out last."""
        chosen: dict[str, Any] = self.hyperparameters
        device = _device(chosen["device"])
        setup = torch.Generator("cpu").manual_seed(chosen["seed"])
        with torch.inference_mode(False), torch.enable_grad(), torch.device("cpu"):  # whatever the caller is inside of
            encoder = Encoder.learnt(rows[0], chosen["max_levels"])
            module = ScoringNet(encoder, chosen["hidden"], chosen["members"])
            module.nets.initialise(setup, silent=len(encoder.layout.levels))
            split = (
                out_of_fold(rows[1], module.members, setup)
                if held is None
                else given(len(rows[1]), len(held[1]), module.members)
            )
            seen = (rows,) if held is None else (rows, held)
            features = torch.cat([encoder(*table_inputs(table)) for table, _ in seen])
            truth = np.concatenate([some for _, some in seen])
            outcome = fit(
                module.nets.to(device),
                features.to(device),
                torch.from_numpy(truth).to(device, torch.float32),
                split.to(device),
                self._schedule(rows[1]),
                torch.Generator(device).manual_seed(chosen["seed"]),
                on_epoch,
                progress,
            )
        module.to("cpu")  # small enough to answer from there, and the same answers wherever it is loaded
        return module, outcome, truth

    def _schedule(self, learnt: npt.NDArray[np.int64]) -> Schedule:
        chosen: dict[str, Any] = self.hyperparameters
        weight = chosen["positive_weight"]
        return Schedule(
            learning_rate=chosen["learning_rate"],
            weight_decay=chosen["weight_decay"],
            dropout_rate=chosen["dropout_rate"],
            batch_size=chosen["batch_size"],
            epochs=chosen["epochs"],
            patience=chosen["patience"],
            positive_weight=float((learnt == 0).sum() / (learnt == 1).sum()) if weight == "balanced" else float(weight),
        )

    def _judge(self, outcome: Outcome, truth: npt.NDArray[np.int64]) -> Performance:
        """How the fit does on the rows that were held out, at the threshold that is chosen there or was given."""
        judged = ~np.isnan(outcome.held_out)
        labels, chances = truth[judged], outcome.held_out[judged]
        chosen = cast("float | None", self.hyperparameters["threshold"])
        return score(labels, chances, best_threshold(labels, chances) if chosen is None else chosen)

    def _settings(self, outcome: Outcome, performance: Performance, held_out: str) -> dict[str, Json]:
        return {
            "best_epoch": outcome.best_epoch,
            "device": _device(cast("str", self.hyperparameters["device"])).type,
            "epochs": outcome.epochs,
            "held_out": held_out,
            "held_out_rows": performance.n,
            "positive_weight": outcome.positive_weight,
            "seed": self.hyperparameters["seed"],
            "threshold": performance.threshold,
        }


def _device(name: str) -> torch.device:
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return named_device(name)
