"""Models of windows of series: any of the families of nets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Generic, TypeVar

import numpy.typing as npt
from pydantic import BaseModel
from torch import nn

from ...errors import Malformed
from ...models.registry import register
from ..arrays import ArrayModel, ArrayPredictor, Stack
from ..supervised import SupervisedModel
from .hyperparameters import SeriesHyperparameters, SeriesPlan
from .nets import HEADS, SeriesNet

W = TypeVar("W", bound=SeriesPlan)


class WindowModel(ArrayModel[W], Generic[W]):
    """Reads windows of series, of shape (windows, time) or (windows, time, channels)."""

    WHAT: ClassVar[str] = "windows of series"

    @classmethod
    def _channels_first(cls, values: npt.NDArray[Any], name: str) -> npt.NDArray[Any]:
        if values.ndim == 2:
            return values[:, None]
        if values.ndim != 3:
            raise Malformed(
                f"the arrays of column {name!r} have {values.ndim - 1} dimensions; give time, or time × channels"
            )
        return values.transpose(0, 2, 1)

    @classmethod
    def _net(cls, shape: Mapping[str, Any], example: tuple[int, ...], outputs: int) -> nn.Module:
        channels, steps = example
        return SeriesNet(shape, channels, steps, outputs)

    def _shape_of(self, plan: W) -> dict[str, Any]:
        shape: dict[str, Any] = {
            "blocks": plan.blocks, "dropout_rate": plan.dropout_rate, "family": plan.family, "width": plan.width,
        }  # fmt: skip
        if plan.family == "patch-transformer":
            shape |= {"patch": plan.patch, "width": HEADS * -(-plan.width // HEADS)}
        return shape


@register("series-model")
class SeriesModel(WindowModel[SeriesHyperparameters], SupervisedModel[Stack, ArrayPredictor, SeriesHyperparameters]):
    """Predicts two classes, several, or a number of a window of one series or several.

    `data` is an array of shape (windows, time, channels), or a column of arrays of shape (time,) or (time, channels).
    The family is one of `tcn`, `lstm`, `patch-transformer`.
    """

    HYPERPARAMETERS: ClassVar[type[BaseModel]] = SeriesHyperparameters
