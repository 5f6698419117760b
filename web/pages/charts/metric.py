"""A metric of a model over its versions: which metrics there are, and the plot of one of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from ....errors import Malformed
from ....results.figures import short
from ....results.pages.plots import COLOURS, Plot, PlotAxis
from ....results.pages.tables import ChartTable
from ..html import translated
from ..views import Row, rows
from .figure import Chart, of_plot

if TYPE_CHECKING:
    from ..page import Visit

DRAWN: Final = 1_000
"""Versions of a plot, the newest."""
TABLED: Final = 50
"""Versions of its table, the newest."""
KEY: Final = "metric"
_NAMES: Final = """
SELECT figure, count(DISTINCT version) AS versions
FROM metrics WHERE model = ? AND version IS NOT NULL AND isfinite(value)
GROUP BY figure ORDER BY versions DESC, max(version) DESC, figure LIMIT 500
"""
_POINTS: Final = """
SELECT version, arg_max(value, seq) AS value, arg_max(rows, seq) AS rows, any_value(branch) AS branch
FROM (SELECT model, version, figure, value, seq, rows FROM metrics WHERE model = ? AND figure = ? AND isfinite(value))
JOIN (SELECT model, version, branch FROM versions) USING (model, version)
GROUP BY version ORDER BY version DESC LIMIT ?
"""


class MetricByVersion(NamedTuple):
    """The metrics that a model has, the one that is drawn, its chart, and on how many sets of rows it was measured."""

    names: Sequence[str]
    metric: str
    chart: Chart | None
    sets: int


def metric_by_version(page: Visit, model: str) -> MetricByVersion:
    """The metric that the address names, else that of most versions. Whoever asks may read the model.

    Raises `Malformed` where no version has it.
    """
    versions = {row["figure"]: row["versions"] for row in rows(page, _NAMES, model)}
    metric = page.asked("metric") or next(iter(versions), "")
    if not metric:
        return MetricByVersion((), "", None, 0)
    if metric not in versions:
        raise Malformed(f"no version of {model} has a metric {metric[:80]!r}; open the model's page for those it has")
    points = rows(page, _POINTS, model, metric, DRAWN)
    chart = of_plot(
        KEY,
        translated("{metric} by version", metric=metric),
        _plot(metric, points[::-1]),
        _table(metric, points, versions[metric]),
    )
    return MetricByVersion(tuple(versions), metric, chart, len({row["rows"] for row in points}))


def _plot(metric: str, points: Sequence[Row]) -> Plot:
    """The plot, whose lines join versions of one branch that were measured on the same rows; no others compare. It is
    coloured by the rows where there are several sets of them, else by the branch."""
    sets, branches = {row["rows"] for row in points}, {row["branch"] for row in points}
    by, words = (translated("Measured on"), _measured) if len(sets) > 1 else (translated("Branch"), _branch)
    colored = 1 < len(sets if len(sets) > 1 else branches) <= len(COLOURS)
    places = [
        [row["version"], row["value"], *([words(row)] if colored else []), f"{row['rows']} {row['branch']}"]
        for row in points
    ]
    axes = PlotAxis(translated("Version"), "number"), PlotAxis(metric, "number")
    return Plot("line", *axes, PlotAxis(by, "word") if colored else None, places, parted=True)


def _measured(row: Row) -> str:
    return short(row["rows"]) if row["rows"] else "–"


def _branch(row: Row) -> str:
    return row["branch"]


def _table(metric: str, points: Sequence[Row], count: int) -> ChartTable:
    head = (translated("Version"), metric, translated("Branch"), translated("Measured on"))
    shown = [(row["version"], row["value"], row["branch"], _measured(row)) for row in points[:TABLED]]
    return ChartTable(head, shown, count)
