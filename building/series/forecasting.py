"""A model of forecasts: the next value of a series by a window of its past, and an interval around it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, cast

import numpy as np
import numpy.typing as npt
import torch
from pydantic import BaseModel
from torch import Tensor, nn

from ...datasets.columns import Column
from ...datasets.splits.places import SplitRows, split_latest
from ...errors import Malformed
from ...evaluation.measures import fewest
from ...evaluation.outcomes import Outcomes
from ...evaluation.resampling import Sampling
from ...models.registry import register
from ..arrays import ArrayPredictor, Stack
from ..neural import Labelled
from ..objective import Loss, huber
from ..targets import Target
from .hyperparameters import ForecastHyperparameters
from .model import WindowModel
from .nets import SeriesNet

_STILL = 1e-3
"""The least that a series is taken to move at a step, in standard deviations of the channel."""


class NextValue(nn.Module):
    """The last value of the first channel, and what a net adds to it in units of how much the window moved.

    So it begins as the forecast that nothing changes, and what it learns holds at any level (reversible instance
    normalisation, Kim et al. 2022).
    """

    def __init__(self, shape: Mapping[str, Any], channels: int, steps: int) -> None:
        super().__init__()
        self.change = SeriesNet(shape, channels, steps, 1)
        nn.init.zeros_(self.change.head.weight)
        nn.init.zeros_(self.change.head.bias)
        self.ratio = nn.Buffer(torch.ones(()))
        self.offset = nn.Buffer(torch.zeros(()))

    def converts(self, ratio: float, offset: float) -> None:
        """Say how the first channel's units become the target's."""
        self.ratio.fill_(ratio)
        self.offset.fill_(offset)

    def forward(self, windows: Tensor) -> Tensor:
        """The next value and how much the window moved at a step, both in the target's units, shape (rows, 2)."""
        last = windows[:, :, -1:]
        spread = windows.std(dim=2, keepdim=True, correction=0).clamp(min=_STILL)
        moved = windows[:, 0].diff(dim=1).square().mean(dim=1).sqrt().clamp(min=_STILL)
        value = last[:, 0, 0] + self.change((windows - last) / spread) * moved
        return torch.stack([value * self.ratio + self.offset, moved * self.ratio], dim=1)


class ForecastPredictor(ArrayPredictor):
    """A net that forecasts, and how wide intervals are."""

    def __init__(self, net: nn.Module, shape: Mapping[str, Any], example: tuple[int, ...], labels: int) -> None:
        super().__init__(net, shape, example, labels)
        self.width = nn.Buffer(torch.zeros((), dtype=torch.float64))
        """Half of an interval, in units of how much a window moved at a step."""

    def mean(self, target: Target) -> None:
        """Keep what is predicted, and its units."""
        super().mean(target)
        centre, scale = self.mean_of_channel[0].item(), self.scale_of_channel[0].item()
        cast("NextValue", self.net).converts(scale / target.scale, (centre - target.mean) / target.scale)


@register("forecast-model")
class ForecastModel(WindowModel[ForecastHyperparameters]):
    """Forecasts a value by the window before it, and an interval that should hold it.

    `data` are windows in time order, of shape (windows, time) or (windows, time, channels), of which the first channel
    is the series that is forecast; `labels` are the values that came (`lepton_ai.datasets.windows` makes both). The
    latest windows are held out: they stop the fit, and set how wide intervals are (split conformal, Lei et al. 2018).
    """

    HYPERPARAMETERS: ClassVar[type[BaseModel]] = ForecastHyperparameters
    TASK: ClassVar[str] = "forecasting"
    PREDICTOR: ClassVar[type[ArrayPredictor]] = ForecastPredictor

    def predict(self, data: Any) -> npt.NDArray[np.float64]:
        """The value that is forecast behind each window, shape (windows,)."""
        return self._forecast(self._asked_about(data))[0]

    def predict_interval(self, data: Any) -> npt.NDArray[np.float64]:
        """The lower and the upper end of the interval around each forecast, shape (windows, 2)."""
        return _interval(*self._forecast(self._asked_about(data)))

    @classmethod
    def _net(cls, shape: Mapping[str, Any], example: tuple[int, ...], outputs: int) -> nn.Module:
        del outputs
        channels, steps = example
        if steps < 2:
            raise Malformed("a window of one step does not tell how a series moves; give windows of at least two")
        return NextValue(shape, channels, steps)

    def _asked(self, plan: ForecastHyperparameters, labels: Column) -> Target:
        del plan
        return Target.of_numbers(labels, "forecasting")

    def _parts(
        self, plan: ForecastHyperparameters, target: Target, labels: Column, apart: Mapping[str, Column]
    ) -> SplitRows:
        del target, apart
        return split_latest(len(labels.values), plan.held_out)

    def _loss(self, plan: ForecastHyperparameters, target: Target, labels: Column) -> Loss:
        del plan, target, labels
        return lambda outputs, targets: huber(outputs[:, 0], targets)

    def _decide(self, plan: ForecastHyperparameters, held: Labelled[Stack]) -> None:
        value, moved = self._forecast(held.rows, wide=1.0)
        off = np.sort(np.abs(self.target.numbers(held.labels) - value) / moved)
        place = min(len(off), fewest(plan.coverage, len(off) + 1)) - 1
        cast("ForecastPredictor", self.trained()).width.fill_(off[place])

    def _forecast(self, rows: Stack, wide: float | None = None) -> tuple[npt.NDArray[np.float64], Any]:
        """Values, and how far an interval reaches on either side of each, both of shape (windows,)."""
        said, target = self._outputs(rows).double().numpy(), self.target
        width = cast("ForecastPredictor", self.trained()).width.item() if wide is None else wide
        return said[:, 0] * target.scale + target.mean, said[:, 1] * target.scale * width

    def _outcomes(self, rows: Stack, labels: Column, sampling: Sampling | None) -> Outcomes:
        value, reach = self._forecast(rows)
        truth = self.target.numbers(labels)
        return Outcomes("forecasting", truth, value, sampling=sampling or Sampling(), ends=_interval(value, reach))


def _interval(value: npt.NDArray[np.float64], reach: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.stack([value - reach, value + reach], axis=1)
