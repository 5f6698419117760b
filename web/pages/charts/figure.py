"""A chart of a page: the server's drawing, the table of the same values, and an address that programs draw it from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Final

from starlette.responses import Response

from ....errors import LeptonError, Malformed
from ....media import JSON
from ....results.figures import figure as figured
from ....results.pages.drawing import check_drawing
from ....results.pages.tables import ChartTable
from ...drawings import Drawing, StillDrawing, drawn
from ..html import translated
from ..page import answered
from ..waiting import LateResponse

if TYPE_CHECKING:
    from markupsafe import Markup

    from ....results.judging.report import Report
    from ....results.pages.plots import Plot
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
    place: str
    """The address of its specification."""
    is_past: bool
    """Whether its page reads the same whenever it is read: then it is not shown without a chart that is late."""
    wanted: Future[Drawing] | LeptonError
    """The drawing, or why it was not begun."""

    @cached_property
    def _drawn(self) -> Drawing | LeptonError:
        """What came of it by the time that it is shown."""
        try:
            return self.wanted if isinstance(self.wanted, LeptonError) else drawn(self.wanted)
        except StillDrawing as error:
            if self.is_past:
                raise
            return error
        except LeptonError as error:
            return error

    @property
    def svg(self) -> Markup | None:
        """The drawing."""
        from markupsafe import Markup

        return Markup(self._drawn.svg) if isinstance(self._drawn, Drawing) else None  # noqa: S704 - `own_svg` let shapes alone pass

    @property
    def sentence(self) -> str:
        """Why there is none."""
        return "" if isinstance(self._drawn, Drawing) else _why(self._drawn)

    @property
    def spec(self) -> str:
        """The address of its specification, where there is one."""
        return self.place if isinstance(self._drawn, Drawing) else ""

    @property
    def is_late(self) -> bool:
        """Whether it is there when the page is opened again."""
        return isinstance(self._drawn, StillDrawing)

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
    """Charts as figures of a page, which waits for them within a bound of time.

    Raises `StillDrawing` for a page of the past where too many charts wait for their turn.
    """
    shown = list[ChartFigure]()
    for chart in charts:
        try:
            wanted = _begun(page, chart)
            page.waits.append(wanted)
        except StillDrawing as error:
            if page.at is not None:
                raise
            wanted = error
        except LeptonError as error:
            wanted = error
        shown.append(ChartFigure(chart, page.here(spec=chart.key), page.at is not None, wanted))
    page.patience = SECONDS if page.at is None else PATIENCE
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
    wanted = _begun(page, chart)

    def sent(_: Visit) -> Response:
        return Response(drawn(wanted).spec, media_type=JSON)

    return LateResponse([wanted], PATIENCE, partial(answered, page.request, sent, as_json=page.is_json))


def _begun(page: Visit, chart: Chart) -> Future[Drawing]:
    check_drawing()
    assert page.visitor is not None  # nobody else is shown a chart
    return page.service.drawings.begun(chart.order, page.visitor.name)


def _why(error: LeptonError) -> str:
    """Why there is no drawing: a sentence of the reader's language where it is the usual one."""
    if isinstance(error, StillDrawing):
        return translated("This chart is still being drawn; reload the page to see it. Its table says the same.")
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
