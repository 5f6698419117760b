"""A model of tables: any of the families of nets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self, TypeAlias, cast

import numpy as np
import numpy.typing as npt
import torch
from pydantic import BaseModel
from torch import Tensor

from ...datasets.columns import Column, Kind, Schema, Table
from ...datasets.examination import examine
from ...datasets.sources.parquet_rows import ParquetRows
from ...datasets.tables import fingerprint, read_table
from ...errors import Malformed
from ...models.encoding import Layout
from ...models.hyperparameter import Json
from ...models.registry import name_of, rebuilding, register
from ..examples import Examples, TensorExamples
from ..neural import NeuralPredictor
from ..supervised import SupervisedModel
from .encoding import TableEncoder
from .hyperparameters import TableHyperparameters
from .nets import TableNet, bins_of
from .optimum import BestSetting, best_setting
from .streamed import StreamedExamples, StreamedTable

if TYPE_CHECKING:
    from ..targets import Target


Rows: TypeAlias = Table | StreamedTable


class TablePredictor(NeuralPredictor[Rows]):
    """An encoder of rows, and a net over what it makes of them."""

    def __init__(self, encoder: TableEncoder, outputs: int, shape: Mapping[str, Any], labels: int) -> None:
        super().__init__(labels)
        self.encoder = encoder
        self.net = TableNet(encoder.layout, outputs, shape)

    def forward(self, numbers: Tensor, hashes: Tensor) -> Tensor:
        """What the net says of rows. Takes what `TableEncoder` takes."""
        return self.net(*self.encoder(numbers, hashes))

    def examples(self, rows: Rows, targets: Tensor | None) -> Examples:
        """Rows encoded."""
        wanted = torch.zeros(rows.rows) if targets is None else targets
        if isinstance(rows, StreamedTable):
            return StreamedExamples(rows, self.encoder, wanted)
        return TensorExamples(self.encoder.encoded(rows), wanted)


@register("table-model")
class TableModel(SupervisedModel[Rows, TablePredictor, TableHyperparameters]):
    """Predicts two classes, several, or a number of rows of numbers, dates and categories with gaps.

    `data` is a 2-d array, DataFrame, Arrow table or mapping of columns; with `rows_at_once` also `ParquetRows`, which
    are learnt from in parts. The family is one of `mlp`, `resnet`, `ft-transformer`, `tabm`. A level of a category that
    training never showed counts as one of the rare ones.
    """

    HYPERPARAMETERS: ClassVar[type[BaseModel]] = TableHyperparameters

    _schema: Schema = ()

    def best_setting(
        self,
        data: Any,
        *,
        goal: Literal["highest", "lowest"] = "highest",
        fixed: Mapping[str, Any] | None = None,
        bounds: Mapping[str, tuple[float, float]] | None = None,
        caution: float = 1.0,
        near: float | None = 0.95,
        seed: int = 0,
    ) -> BestSetting:
        """The setting of the columns of which the highest, or lowest, number is predicted.

        Each column stays between what it was in these rows, or its `bounds`, or is `fixed`. `caution` is how many
        standard deviations of the ensemble's members a setting is held worse than their mean. It stays as near to some
        row as the share `near` of the rows are to another, since of settings that nobody tried a net knows nothing;
        None leaves it free. Raises `Malformed` on columns that do not fit, and where no number is predicted.
        """
        if self.target.task != "regression":
            raise Malformed("this model predicts no number, of which there were a highest or a lowest")
        if goal not in ("highest", "lowest"):  # pyright: ignore[reportUnnecessaryContains]
            raise Malformed(f"goal is {goal!r}; give 'highest' or 'lowest'")
        if near is not None and not 0 < near <= 1:
            raise Malformed(f"near is a share of the rows, above 0 and at most 1, and not {near}")

        def predicted(settings: Table) -> npt.NDArray[np.float64]:
            return self.target.unscaled(self._outputs(settings).reshape(settings.rows, -1))

        return best_setting(
            self._known(data), predicted, sign=1.0 if goal == "highest" else -1.0,
            fixed=fixed or {}, bounds=bounds or {}, caution=caution, near=near,
            seed=seed,
        )  # fmt: skip

    def architecture(self) -> dict[str, Json]:
        """The class, its columns' names and types and its parts' sizes. Raises `Refused` before the first fit."""
        module = self.trained()
        net = cast("TableNet", module.net)
        config: dict[str, Json] = {
            "columns": [{"name": name, "type": kind} for name, kind in self._schema],
            "labels": len(module.labels),
            "layout": module.encoder.layout.to_dict(),
            "outputs": net.outputs,
            "shape": {**net.shape},
            "task": self.TASK,
        }
        return {"class": name_of(type(self)), "config": config}

    @classmethod
    def from_architecture(cls, config: Mapping[str, Json]) -> Self:
        """The empty model of that shape. Raises `Malformed` where it is none."""
        told = cast("dict[str, Any]", config)
        model = cls()
        with rebuilding(cls):
            model._schema = tuple((str(column["name"]), cast("Kind", column["type"])) for column in told["columns"])
            encoder = TableEncoder(Layout.of(told["layout"]))
            model.module = TablePredictor(encoder, told["outputs"], told["shape"], told["labels"])
            model.predicts(str(told["task"]))
        return model

    @property
    def reads_in_parts(self) -> bool:
        """Whether `rows_at_once` is set."""
        return self.hyperparameters["rows_at_once"] is not None

    def _read(self, data: Any) -> Rows:
        at_once = cast("int | None", self.hyperparameters["rows_at_once"])
        if at_once is None:
            return read_table(data)
        if not isinstance(data, ParquetRows):
            raise Malformed("rows_at_once is for a Parquet file by its path; leave it out for rows that are in memory")
        return StreamedTable.of(data, at_once)

    def _known(self, data: Any) -> Table:
        self.trained()
        return read_table(data).aligned(self._schema)

    def _alike(self, data: Any, rows: Rows) -> Rows:
        return read_table(data).aligned(rows.schema)

    def _predictor(self, plan: TableHyperparameters, target: Target, rows: Rows) -> TablePredictor:
        known = rows.sample(plan.seed) if isinstance(rows, StreamedTable) else rows
        encoder = TableEncoder.learnt(known, plan.max_levels)
        shape: dict[str, Any] = {
            "blocks": plan.blocks, "dropout_rate": plan.dropout_rate, "family": plan.family, "width": plan.width,
        }  # fmt: skip
        if plan.family == "tabm":
            shape |= {"bins": bins_of(encoder.encoded(known)[0]), "members": plan.members}
        return TablePredictor(encoder, target.outputs, shape, len(target.encoded))

    def _keep_shape(self, rows: Rows) -> None:
        self._schema = rows.schema

    def _fingerprint(self, rows: Rows, labels: Column) -> dict[str, Any]:
        return rows.fingerprint(labels) if isinstance(rows, StreamedTable) else fingerprint(rows, labels)

    def _examine(self, rows: Rows, labels: Column) -> None:
        if isinstance(rows, Table):
            examine(rows, labels)
