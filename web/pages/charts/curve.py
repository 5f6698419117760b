"""A curve of a run as a chart that a reader explores: the very points that its page draws."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ....results.pages.plots import Plot, PlotAxis
from ....results.pages.tables import ChartTable
from ..html import translated
from .figure import Chart, of_plot

if TYPE_CHECKING:
    from ..curves import MetricCurve


def curve_chart(curve: MetricCurve) -> Chart:
    """The chart of a curve; the page itself has its table."""
    x = PlotAxis(translated("Steps" if curve.stepped else "Points"), "number")
    plot = Plot("line", x, PlotAxis(curve.name, "number"), None, [list(point) for point in curve.drawn])
    return of_plot(curve.name, curve.name, plot, ChartTable((), (), 0))
