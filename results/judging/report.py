"""A report of one evaluation: its figures with their intervals, and what stands behind them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ..answer import Result
from ..description import Block, dim, grid, section, text, title
from ..figures import figure
from ..words import language
from .performance import TaskPerformance
from .statistics import Calibration, CostCurve, Fairness, Interval, Slice

SHOWN_SLICES: Final = 5
USUAL: Final = 0.95
"""The confidence where nothing else was asked for."""


@dataclass(frozen=True)
class Curve(Result):
    """A line of points from left to right, or points alone; `x` and `y` have the same length."""

    x: tuple[float, ...]
    y: tuple[float, ...]


@dataclass(frozen=True)
class Confusion(Result):
    """How often each true class, a row, was called each class, a column."""

    classes: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Report(Result):
    """What an evaluation says of a model on labelled rows.

    `method` names the bootstrap's scheme, `draws` how many, `seed` what they were drawn from: the same give the same.
    """

    performance: TaskPerformance
    intervals: Mapping[str, Interval]
    method: str
    draws: int
    seed: int
    curves: Mapping[str, Curve] = field(default_factory=dict[str, Curve])
    confusion: Confusion | None = None
    calibration: Calibration | None = None
    costs: CostCurve | None = None
    slices: tuple[Slice, ...] = ()
    fairness: Mapping[str, Fairness] = field(default_factory=dict[str, Fairness])

    @property
    def level(self) -> float:
        """The confidence of the intervals, and of what is beyond chance."""
        return next((each.level for each in self.intervals.values()), USUAL)

    @property
    def worst(self) -> tuple[Slice, ...]:
        """The slices that do worse beyond chance, the worst first."""
        return tuple(each for each in self.slices if each.p <= 1 - self.level)

    def to_dict(self) -> dict[str, Any]:
        """Every part by its name, JSON-ready, with the task."""
        return {"task": self.performance.task} | super().to_dict()

    def blocks(self) -> Iterator[Block]:
        figures = self.performance.to_dict()
        yield title(self.performance.summary(english=language() == "en"))
        rows = ((dim(name), figure(value), str(self.intervals.get(name, ""))) for name, value in figures.items())
        yield grid(rows, right=(1,), indent=2)
        if self.intervals:
            yield text(dim(f"  intervals: {self.level:.0%}, BCa bootstrap over {self.method}, {self.draws:,} draws"))
        yield from self._parts()

    def _parts(self) -> Iterator[Block]:
        if self.calibration is not None:
            yield from ("", title("calibration"), *self.calibration.blocks())
        if self.costs is not None:
            threshold, cost = self.costs.best
            yield from section("costs", [("least cost a row", figure(cost), f"at a threshold of {figure(threshold)}")])
        yield from section("slices that do worse beyond chance", map(_slice, self.worst[:SHOWN_SLICES]))
        for column, fairness in self.fairness.items():
            yield from ("", title(f"by {column}"), *fairness.blocks())


def _slice(each: Slice) -> tuple[str, ...]:
    beside = f"{figure(each.loss)} beside {figure(each.others)}"
    return each.condition, f"{each.rows:,} rows", beside, f"p {each.p:.2g}"
