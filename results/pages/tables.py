"""What the charts of a report show, as tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ..judging.sentences import RATES, Sentences
from .charts import BARS

if TYPE_CHECKING:
    from ..judging.report import Report

MOST: Final = 40
"""Rows of the table of a line; every so many of its points."""


@dataclass(frozen=True, slots=True)
class ChartTable:
    """What a chart shows: columns by their headings, numbers and words, and how many rows there would be in all."""

    head: Sequence[str]
    rows: Sequence[Sequence[Any]]
    count: int


def chart_table(report: Report, name: str, told: Sentences | None = None) -> ChartTable:
    """The table of one chart of a report that has it."""
    told = told or Sentences()
    head, rows = _TABLES[name](report, told)
    step = -(-len(rows) // MOST) if name in _LINES else 1
    return ChartTable(head, rows[:: step or 1][:MOST], len(rows))


def _curve(name: str, x: str, y: str) -> Callable[[Report, Sentences], tuple[Sequence[str], Sequence[Any]]]:
    def table(report: Report, told: Sentences) -> tuple[Sequence[str], Sequence[Any]]:
        curve = report.curves[name]
        return (told.word(x), told.word(y)), list(zip(curve.x, curve.y, strict=True))

    return table


def _calibration(report: Report, told: Sentences) -> tuple[Sequence[str], Sequence[Any]]:
    assert report.calibration is not None
    head = (told.word("probability"), told.word("frequency"), told.interval(0.95), told.word("rows"))
    ends = ((each, told.ends(each.least, each.most)) for each in report.calibration.bins)
    return head, [(each.probability, each.frequency, interval, each.rows) for each, interval in ends]


def _confusion(report: Report, told: Sentences) -> tuple[Sequence[str], Sequence[Any]]:
    assert report.confusion is not None
    names = report.confusion.classes
    counts = zip(names, report.confusion.counts, strict=True)
    head = (f"{told.word('true')} \\ {told.word('called')}", *names[:BARS])
    return head, [(name, *row[:BARS]) for name, row in counts]


def _by_class(report: Report, told: Sentences) -> tuple[Sequence[str], Sequence[Any]]:
    name, each = next(iter(report.by_class.items()))
    rows = zip(each.classes, each.values, each.rows, strict=True)
    lowest = sorted(rows, key=lambda row: (row[1] is None, row[1] or 0.0))
    return (told.word("Class"), name, told.word("rows")), lowest[:BARS]


def _series(report: Report, told: Sentences) -> tuple[Sequence[str], Sequence[Any]]:
    assert report.series is not None
    series = report.series
    head, columns = ["place in time", "truth", "forecast"], [series.places, series.truth, series.forecast]
    if series.low is not None and series.high is not None:
        head, columns = [*head, "lower end", "upper end"], [*columns, series.low, series.high]
    return [told.word(each) for each in head], list(zip(*columns, strict=True))


def _costs(report: Report, told: Sentences) -> tuple[Sequence[str], Sequence[Any]]:
    assert report.costs is not None
    head = (told.word("threshold"), told.word("cost a row"))
    return head, list(zip(report.costs.thresholds, report.costs.costs, strict=True))


def _slices(report: Report, told: Sentences) -> tuple[Sequence[str], Sequence[Any]]:
    head = [*map(told.word, ("condition", "rows", "mean loss", "other rows")), "p"]
    return head, [(each.condition, each.rows, each.loss, each.others, each.p) for each in report.slices[:12]]


def _fairness(report: Report, told: Sentences) -> tuple[Sequence[str], Sequence[Any]]:
    rows = [
        (f"{column} = {each.group}", *(getattr(each, rate) for rate in RATES))
        for column, fairness in report.fairness.items()
        for each in fairness.groups
    ]
    return [told.word("group"), *map(told.word, RATES.values())], rows


_TABLES: Final[Mapping[str, Callable[[Any, Sentences], tuple[Sequence[str], Sequence[Any]]]]] = {
    "roc": _curve("roc", "false positive rate", "true positive rate"),
    "precision_recall": _curve("precision_recall", "recall", "precision"),
    "ranking": _curve("ranking", "places looked at", "NDCG"),
    "residuals": _curve("residuals", "predicted", "truth - predicted"),
    "calibration": _calibration,
    "confusion": _confusion,
    "by_class": _by_class,
    "forecast": _series,
    "costs": _costs,
    "slices": _slices,
    "fairness": _fairness,
}
_LINES: Final = frozenset({"roc", "precision_recall", "ranking", "residuals", "forecast", "costs"})
