"""A chart of a page: the server's drawing, the table of the same values, and an address that programs draw it from."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from starlette.responses import Response

from ....errors import LeptonError, Malformed, Unavailable
from ....media import JSON
from ....results.figures import figure as figured
from ....results.pages.drawing import check_drawing
from ....results.pages.tables import ChartTable
from ..html import translated

if TYPE_CHECKING:
    from markupsafe import Markup

    from ....results.judging.report import Report
    from ....results.pages.plots import Plot
    from ...drawings import Drawing
    from ..page import Visit

SECONDS: Final = 3.0
"""That a page waits for all its charts; what is drawn later is there when it is opened again."""
PATIENCE: Final = 60.0
"""Seconds that whoever explores a chart waits for it, and a page of the past, which never changes again."""


@dataclass(frozen=True)
class Chart:
    """What is drawn, by the order that the process beside the server is given, and its table."""

    key: str
    """What it is called in addresses and as an element of its page."""
    title: str
    order: Mapping[str, Any]
    table: ChartTable


@dataclass(frozen=True)
class ChartFigure:
    """A chart as a page shows it; where it is not drawn, `sentence` says why."""

    chart: Chart
    svg: Markup | None
    sentence: str
    spec: str

    @property
    def right(self) -> Sequence[bool]:
        """Which columns of the table are numbers."""
        columns = zip(*self.chart.table.rows, strict=True)
        known = ([value for value in column if value is not None] for column in columns)
        return [bool(values) and all(map(_is_number, values)) for values in known]

    @property
    def cells(self) -> Sequence[Sequence[str]]:
        """The table in words."""
        return [[_cell(value) for value in row] for row in self.chart.table.rows]


def of_report(report: Report, name: str, title: str, table: ChartTable, language: str) -> Chart:
    """A chart of a report."""
    return Chart(name, title, {"make": "report", "report": report.to_dict(), "name": name, "language": language}, table)


def of_plot(key: str, title: str, plot: Plot, table: ChartTable) -> Chart:
    """A plot of columns."""
    return Chart(key, title, {"make": "plot", "plot": plot.to_dict()}, table)


def figures(page: Visit, charts: Sequence[Chart]) -> list[ChartFigure]:
    """Charts as figures of a page, drawn as far as that goes within a bound of time."""
    from markupsafe import Markup

    drawings = page.service.drawings
    end, shown = time.monotonic() + (SECONDS if page.at is None else PATIENCE), list[ChartFigure]()
    try:
        check_drawing()
        begun = [drawings.begun(each.order) for each in charts]
    except LeptonError as error:
        return [ChartFigure(each, None, _why(error), "") for each in charts]
    for chart, drawing in zip(charts, begun, strict=True):
        spec = page.here(spec=chart.key)
        try:
            drawn = _within(drawing, end - time.monotonic())
            shown.append(ChartFigure(chart, Markup(drawn.svg), "", spec))  # noqa: S704 - `own_svg` let shapes alone pass
        except LeptonError as error:
            shown.append(ChartFigure(chart, None, _why(error), ""))
    return shown


def spec_sent(page: Visit, charts: Sequence[Chart]) -> Response | None:
    """The specification of the chart that the address names by `spec`; None where it names none.

    Raises `Malformed` where the page has no such chart, `Unavailable` where it cannot be made.
    """
    if not (asked := page.asked("spec")):
        return None
    chart = next((each for each in charts if each.key == asked), None)
    if chart is None:
        raise Malformed(f"this page has no chart {asked[:40]!r}; reload the page that named it")
    check_drawing()
    return Response(_within(page.service.drawings.begun(chart.order), PATIENCE).spec, media_type=JSON)


def _within(drawing: Future[Drawing], seconds: float) -> Drawing:
    try:
        return drawing.result(max(0.0, seconds))
    except (TimeoutError, CancelledError) as error:
        late = "This chart is still being drawn; reload the page to see it. Its table says the same."
        raise Unavailable(translated(late)) from error


def _why(error: LeptonError) -> str:
    """Why there is no drawing: a sentence of the reader's language where it is the usual one."""
    if "lepton-ai-sdk[plot]" in error.fact:
        return translated("This server draws no charts: its extra plot is not installed. The table says the same.")
    return error.fact


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return figured(value) if isinstance(value, float) else str(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
