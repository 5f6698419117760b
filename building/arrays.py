"""Models of arrays of one shape: pictures, windows of series. A family says how it reads a shape, and its net."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Self, TypeVar, cast

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from ..datasets.columns import Column, Table
from ..datasets.tables import fingerprint, read_table
from ..errors import Malformed
from ..models.hyperparameter import Json
from ..models.registry import name_of, rebuilding
from .examples import Examples, TensorExamples
from .neural import NeuralModel, NeuralPredictor
from .plan import TrainingPlan

if TYPE_CHECKING:
    from .targets import Target

A = TypeVar("A", bound=TrainingPlan)
_AT_ONCE = 4_096
"""Examples whose mean and spread are measured at once."""


@dataclass(frozen=True)
class Stack:
    """Examples that are arrays of one shape: uint8 or float32, shape (examples, channels, …)."""

    table: Table
    values: npt.NDArray[Any]

    @property
    def rows(self) -> int:
        """How many there are."""
        return len(self.values)

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one example, its channels first."""
        return self.values.shape[1:]

    def take(self, rows: npt.NDArray[Any]) -> Stack:
        """Those at these places."""
        return Stack(self.table.take(rows), self.values[rows])


class ArrayPredictor(NeuralPredictor[Stack]):
    """What each channel is scaled by, and a net of a shape over scaled arrays."""

    def __init__(self, net: nn.Module, shape: Mapping[str, Any], example: tuple[int, ...], labels: int) -> None:
        super().__init__(labels)
        self.shape, self.example = dict(shape), example
        self.mean_of_channel = nn.Buffer(torch.zeros(example[0]))
        self.scale_of_channel = nn.Buffer(torch.ones(example[0]))
        self.net = net

    def learn_scale(self, rows: Stack) -> None:
        """Learn the mean and the standard deviation of each channel."""
        axes = tuple(axis for axis in range(rows.values.ndim) if axis != 1)
        pieces = [rows.values[first : first + _AT_ONCE].astype(np.float64) for first in range(0, rows.rows, _AT_ONCE)]
        count = rows.values.size / rows.shape[0]
        mean = sum(piece.sum(axis=axes) for piece in pieces) / count
        squares = sum(np.square(piece).sum(axis=axes) for piece in pieces) / count
        spread = np.sqrt(np.maximum(squares - np.square(mean), 0.0))
        self.mean_of_channel.copy_(torch.from_numpy(np.asarray(mean)))
        self.scale_of_channel.copy_(torch.from_numpy(np.where(spread > 0, spread, 1.0)))

    def examples(self, rows: Stack, targets: Tensor | None) -> Examples:
        """Arrays scaled by channel."""
        wide = (-1, *(1 for _ in rows.shape[1:]))
        values = torch.from_numpy(rows.values.astype(np.float32))
        scaled = (values - self.mean_of_channel.view(wide)) / self.scale_of_channel.view(wide)
        return TensorExamples((scaled,), torch.zeros(rows.rows) if targets is None else targets)


class ArrayModel(NeuralModel[Stack, ArrayPredictor, A], Generic[A]):
    """Predicts something of an array; what, a kind of model says beside it."""

    WHAT: ClassVar[str] = ""
    """What examples are, in words."""
    PREDICTOR: ClassVar[type[ArrayPredictor]] = ArrayPredictor

    _column: str = ""

    def architecture(self) -> dict[str, Json]:
        """The class, its column and its net's shape. Raises `Refused` before the first fit."""
        module = self.trained()
        config: dict[str, Json] = {
            "columns": [{"name": self._column, "type": "array"}],
            "input": [*module.example],
            "labels": len(module.labels),
            "net": {**module.shape},
            "outputs": self.target.outputs,
            "task": self.TASK,
        }
        return {"class": name_of(type(self)), "config": config}

    @classmethod
    def from_architecture(cls, config: Mapping[str, Json]) -> Self:
        """The empty model of that shape. Raises `Malformed` where it is none, `Refused` where a package is absent."""
        told = cast("dict[str, Any]", config)
        model = cls()
        with rebuilding(cls):
            model._column, example = str(told["columns"][0]["name"]), tuple(map(int, told["input"]))
            net = cls._net(told["net"], example, int(told["outputs"]))
            model.module = cls.PREDICTOR(net, told["net"], example, int(told["labels"]))
            model.predicts(str(told["task"]))
        return model

    @classmethod
    @abstractmethod
    def _channels_first(cls, values: npt.NDArray[Any], name: str) -> npt.NDArray[Any]:
        """Examples with their channels first. Raises `Malformed` where they are no such arrays."""

    @classmethod
    @abstractmethod
    def _net(cls, shape: Mapping[str, Any], example: tuple[int, ...], outputs: int) -> nn.Module:
        """A new net of that shape, over examples of that one: outputs of shape (rows,) or (rows, outputs)."""

    @abstractmethod
    def _shape_of(self, plan: A) -> dict[str, Any]:
        """What of the hyperparameters shapes the net."""

    def _new_net(self, plan: A, example: tuple[int, ...], outputs: int) -> nn.Module:
        """The net that is trained."""
        return self._net(self._shape_of(plan), example, outputs)

    def _read(self, data: Any) -> Stack:
        table = read_table(data)
        if len(table.columns) != 1 or table.columns[0].kind != "array":
            held = ", ".join(sorted({column.kind for column in table.columns}))
            raise Malformed(
                f"the data has {len(table.columns)} columns ({held}) where {self.WHAT} belong; give one array, or a "
                "column of arrays"
            )
        column = table.columns[0]
        return Stack(table, self._channels_first(column.values, column.name))

    def _known(self, data: Any) -> Stack:
        return self._as(self._read(data), self.trained().example)

    def _alike(self, data: Any, rows: Stack) -> Stack:
        return self._as(self._read(data), rows.shape)

    def _as(self, rows: Stack, shape: tuple[int, ...]) -> Stack:
        if rows.shape != shape:
            raise Malformed(f"{self.WHAT} have the shape {_written(rows.shape)} where {_written(shape)} was learnt")
        return rows

    def _predictor(self, plan: A, target: Target, rows: Stack) -> ArrayPredictor:
        net = self._new_net(plan, rows.shape, target.outputs)
        predictor = self.PREDICTOR(net, self._shape_of(plan), rows.shape, len(target.encoded))
        predictor.learn_scale(rows)
        return predictor

    def _keep_shape(self, rows: Stack) -> None:
        self._column = rows.table.columns[0].name

    def _fingerprint(self, rows: Stack, labels: Column) -> dict[str, Any]:
        return fingerprint(rows.table, labels)


def _written(shape: tuple[int, ...]) -> str:
    return " × ".join(map(str, shape))
