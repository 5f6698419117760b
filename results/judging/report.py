"""A report of one evaluation: its figures with their intervals, and what stands behind them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ..answer import Result
from ..description import Block, dim, grid, text, title
from ..figures import figure
from ..file import keep
from .performance import TaskPerformance
from .sentences import Sentences
from .statistics import Calibration, CostCurve, Fairness, Interval, Slice
from .stored import check_lengths, read_back

SHOWN_SLICES: Final = 5
USUAL: Final = 0.95
"""The confidence where nothing else was asked for."""


@dataclass(frozen=True)
class Curve(Result):
    """A line of points from left to right, or points alone; `x` and `y` have the same length."""

    x: tuple[float, ...]
    y: tuple[float, ...]

    def __post_init__(self) -> None:
        check_lengths("a curve", self.x, self.y)


@dataclass(frozen=True)
class Confusion(Result):
    """How often each true class, a row, was called each class, a column."""

    classes: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]

    def __post_init__(self) -> None:
        check_lengths("a table of classes", self.classes, self.counts, *self.counts)

    def plot(self) -> Any:
        """A chart of the table. Raises `Unavailable` without Altair."""
        from ..pages.charts import of_confusion

        return of_confusion(self, Sentences())


@dataclass(frozen=True)
class ByClass(Result):
    """A figure of each class, label or tag; None where it is undefined. All three have the same length."""

    classes: tuple[str, ...]
    values: tuple[float | None, ...]
    rows: tuple[int, ...]
    """How many rows, pixels or tags truly are of the class."""

    def __post_init__(self) -> None:
        check_lengths("figures by class", self.classes, self.values, self.rows)


@dataclass(frozen=True)
class Series(Result):
    """Truth and forecast in time order, and the interval that was forecast, if any; all of the same length."""

    places: tuple[float, ...]
    truth: tuple[float, ...]
    forecast: tuple[float, ...]
    low: tuple[float, ...] | None = None
    high: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        ends = (each for each in (self.low, self.high) if each is not None)
        check_lengths("a series", self.places, self.truth, self.forecast, *ends)

    def plot(self) -> Any:
        """A chart of both over time. Raises `Unavailable` without Altair."""
        from ..pages.charts import of_series

        return of_series(self, Sentences())


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
    by_class: Mapping[str, ByClass] = field(default_factory=dict[str, ByClass])
    """By the figure's name."""
    series: Series | None = None
    own: Mapping[str, float] = field(default_factory=dict[str, float])
    """Figures of metrics of one's own."""
    of: str = field(default="", compare=False, metadata={"json": False})
    """The version, and what the rows are called: `credit@7, holdout`; empty of one that was not recorded."""
    rows: Mapping[str, Any] | None = field(default=None, compare=False, metadata={"json": False})
    """The rows' digest and how many they are, where they are known."""

    @classmethod
    def of_dict(cls, stored: Mapping[str, Any]) -> Report:
        """The report whose `to_dict()` this was, also as JSON. Raises `Malformed` where it is none."""
        return read_back(cls, stored, "the report")

    def plot(self, name: str | None = None) -> Any:
        """One chart by its name, or all of them, two in a row: `charts.charts_of(report)` has the names.

        Raises `Malformed` where the report has no such chart, `Unavailable` without Altair (the extra `plot`).
        """
        from ..pages import charts

        return charts.whole(self) if name is None else charts.chart(self, name)

    @property
    def figures(self) -> dict[str, Any]:
        """The task's figures, then those of metrics of one's own."""
        return self.performance.to_dict() | dict(self.own)

    @property
    def level(self) -> float:
        """The confidence of the intervals, and of what is beyond chance."""
        return next((each.level for each in self.intervals.values()), USUAL)

    @property
    def worst(self) -> tuple[Slice, ...]:
        """The slices that do worse beyond chance, the worst first."""
        return tuple(each for each in self.slices if each.p <= 1 - self.level)

    def html(self, title: str | None = None) -> str:
        """One page that needs no network, with charts, on light and dark. Raises `Unavailable` without Altair."""
        from ..pages.page import page

        return page(self, title)

    def markdown(self, title: str | None = None) -> str:
        """The figures, verdicts and groups, as a pull request shows them."""
        from ..pages.markdown import markdown

        return markdown(self, title)

    def save(self, path: str | os.PathLike[str], title: str | None = None) -> None:
        """Write it whole to a file, as the ending says: .html, .md, .json, or all charts as .svg or .png.

        Raises `Malformed` on another ending, `Unavailable` where charts are asked for without the extra `plot`.
        """
        from ..pages.saving import content

        keep(content(self, path, title), path)

    def to_dict(self) -> dict[str, Any]:
        """Every part by its name, JSON-ready, with the task."""
        return {"task": self.performance.task} | super().to_dict()

    def blocks(self) -> Iterator[Block]:
        yield title(Sentences().summary(self))
        yield from self.parts()

    def parts(self) -> Iterator[Block]:
        """The report without its first line."""
        told = Sentences()
        shown = self.figures.items()
        rows = ((dim(name), figure(value), str(self.intervals.get(name, ""))) for name, value in shown)
        yield grid(rows, right=(1,), indent=2)
        if self.intervals:
            yield text(dim(f"  {told.method(self)}"))
        if positive := told.positive(self):
            yield text(dim(f"  {positive}"))
        yield from self._parts(told)

    def _parts(self, told: Sentences) -> Iterator[Block]:
        if self.calibration is not None:
            yield from ("", title(told.word("Calibration")), *self.calibration.blocks())
        if self.costs is not None:
            yield from ("", title(told.word("Costs")), *self.costs.blocks())
        if self.slices:
            yield from self._slices(told)
        for column, fairness in self.fairness.items():
            yield from ("", title(told.word("Fairness by {column}", column=column)), *fairness.blocks())

    def _slices(self, told: Sentences) -> Iterator[Block]:
        head = [*map(told.word, ("condition", "rows", "mean loss", "other rows")), "p"]
        rows = [
            (each.condition, f"{each.rows:,}", figure(each.loss), figure(each.others), figure(each.p))
            for each in self.worst[:SHOWN_SLICES]
        ]
        shown = grid(rows, head=head, right=range(1, 5), indent=2) if rows else text(f"  {told.no_slices(self)}")
        yield from ("", title(told.word("Slices that do worse")), shown)
