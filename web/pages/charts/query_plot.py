"""The plot of a query's answer: which columns can be drawn, which are, and why the others cannot."""

# pyright: reportUnknownParameterType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownMemberType=false
# (pyarrow ships no types)

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

from ....errors import Malformed
from ....results.pages.plots import COLOURS, KINDS, Plot, PlotAxis, PlotKind, Scale
from ....results.pages.tables import ChartTable
from ..html import translated
from .figure import Chart, of_plot

if TYPE_CHECKING:
    import pyarrow as pa

    from ...tables import AnsweredTable
    from ..page import Visit

DRAWN: Final = 2_000
"""Rows that are drawn, at most: every so many of them."""
BARS: Final = 60
"""Of a plot."""
TABLED: Final = 40
"""Rows of the table beside it."""
KEY: Final = "plot"
_WORD: Final = 80
"""Characters of a word of an axis."""


@dataclass(frozen=True)
class PlotForm:
    """The columns that can be drawn, and what is chosen: by the address, else by the columns' types."""

    xs: Sequence[str]
    ys: Sequence[str]
    kind: PlotKind
    x: str
    y: str
    color: str

    @property
    def kinds(self) -> Sequence[str]:
        """All kinds of plots."""
        return KINDS


@dataclass(frozen=True)
class QueryPlot:
    """A plot, and what is said of it: how many rows it has, what is left out."""

    chart: Chart
    sentences: Sequence[str]


def plot_form(page: Visit, schema: pa.Schema) -> PlotForm | None:
    """What can be chosen; None where the answer has no column of numbers."""
    scales = _scales(schema)
    numbers = [name for name, scale in scales.items() if scale == "number"]
    if not numbers:
        return None
    x = page.asked("x") or next((name for name, scale in scales.items() if scale != "number"), numbers[0])
    y = page.asked("y") or next((name for name in reversed(numbers) if name != x), numbers[0])
    usual: PlotKind = {"word": "bar", "time": "line", "number": "points"}[scales.get(x, "number")]  # type: ignore[assignment]
    kind = page.asked("plot") or usual
    return PlotForm(tuple(scales), numbers, cast("PlotKind", kind), x, y, page.asked("color"))


def query_plot(page: Visit, table: AnsweredTable) -> QueryPlot | None:
    """The plot that the address asks for; None where it asks for none.

    Raises `Malformed` where it cannot be drawn: the sentence says why.
    """
    if not page.asked("plot"):
        return None
    form = plot_form(page, table.schema)
    if form is None:
        raise Malformed("the answer has no column of numbers to draw; select one, or cast a column to DOUBLE")
    if form.kind not in KINDS:
        raise Malformed(f"{form.kind[:40]!r} is no kind of plot; it is one of {', '.join(KINDS)}")
    x, y = _axis(table.schema, form.x, "x"), _axis(table.schema, form.y, "y")
    if y.scale != "number":
        raise Malformed(
            f"column {_named(form.y)} has no numbers, so that nothing is as high as it says; choose another y"
        )
    color = _axis(table.schema, form.color, "color") if form.color else None
    names = [form.x, form.y, *([form.color] if color else [])]
    read = _rows(table, names, [axis.scale for axis in (x, y, color) if axis], BARS if form.kind == "bar" else DRAWN)
    return _drawn(form, Plot(form.kind, x, y, color and PlotAxis(color.title, "word"), read), names, table.count)


def _drawn(form: PlotForm, plot: Plot, names: Sequence[str], count: int) -> QueryPlot:
    """The plot of those rows that have a place."""
    places = [row for row in plot.rows if row[0] is not None and row[1] is not None]
    if not places:
        raise Malformed(f"no row that would be drawn has both {_named(form.x)} and {_named(form.y)}; leave out null")
    if plot.color is not None:
        places = [[row[0], row[1], translated("null") if row[2] is None else str(row[2])] for row in places]
        many = len({row[2] for row in places})
        if many > len(COLOURS):
            raise Malformed(
                f"column {_named(form.color)} has {many:,} values, and {len(COLOURS)} colours are told apart; "
                "choose another color, or none"
            )
    said = [translated("{shown} of {count} rows are drawn.", shown=f"{len(places):,}", count=f"{count:,}")]
    if left := len(plot.rows) - len(places):
        said.append(translated("{count} rows without a finite value are left out.", count=f"{left:,}"))
    if len(plot.rows) < count:
        said.append(translated("Of the answer every so many rows are taken; a file has all of them."))
    title = translated("{y} by {x}", x=form.x, y=form.y)
    made = Plot(plot.kind, plot.x, plot.y, plot.color, places)
    shown = [
        [_told(value, axis.scale) for value, axis in zip(row, (plot.x, plot.y, plot.color), strict=False) if axis]
        for row in places[:TABLED]
    ]
    return QueryPlot(of_plot(KEY, title, made, ChartTable(names, shown, len(places))), said)


def _scales(schema: pa.Schema) -> dict[str, Scale]:
    """The columns that can be drawn, and as what; of two columns with one name neither."""
    names: list[str] = schema.names
    scales: dict[str, Scale] = {}
    for name in names:
        if names.count(name) == 1 and (scale := _scale(schema.field(name).type)) is not None:
            scales[name] = scale
    return scales


def _axis(schema: pa.Schema, name: str, of: str) -> PlotAxis:
    if name not in schema.names:
        raise Malformed(f"the answer has no column {_named(name)} for {of}; choose one that it has")
    if schema.names.count(name) > 1:
        raise Malformed(f"the answer has two columns {_named(name)}; name one of them otherwise by AS")
    scale = _scale(schema.field(name).type)
    if scale is None:
        kind = str(schema.field(name).type)[:60]
        raise Malformed(
            f"column {_named(name)} is of type {kind}, which has no place on an axis; cast it to a number or text"
        )
    return PlotAxis(_short(name), scale)


def _scale(kind: Any) -> Scale | None:
    import pyarrow as pa

    is_a = pa.types
    if is_a.is_integer(kind) or is_a.is_floating(kind) or is_a.is_decimal(kind):
        return "number"
    if is_a.is_date(kind) or is_a.is_timestamp(kind):
        return "time"
    is_word = is_a.is_string(kind) or is_a.is_large_string(kind) or is_a.is_string_view(kind) or is_a.is_boolean(kind)
    return "word" if is_word or (is_a.is_dictionary(kind) and _scale(kind.value_type) == "word") else None


def _rows(table: AnsweredTable, names: Sequence[str], scales: Sequence[Scale], most: int) -> list[list[Any]]:
    """Some rows of an answer, in their order: as many as are drawn, evenly taken."""
    step = max(1, -(-table.count // most))
    rows, begun = list[list[Any]](), 0
    for batch in table.batches():
        places = range(-begun % step, batch.num_rows, step)
        columns = [
            _column(batch.column(name).take(list(places)), scale) for name, scale in zip(names, scales, strict=True)
        ]
        rows += [list(row) for row in zip(*columns, strict=True)]
        begun += batch.num_rows
    return rows


def _column(values: Any, scale: Scale) -> Iterable[Any]:
    import pyarrow as pa

    match scale:
        case "number":
            return [_finite(value) for value in values.to_pylist()]
        case "time":
            moments = values.cast(pa.timestamp("ms", getattr(values.type, "tz", None)), safe=False)
            return moments.cast(pa.int64()).to_pylist()
        case "word":
            return [None if value is None else _short(str(value)) for value in values.to_pylist()]


def _finite(value: Any) -> int | float | None:
    """A number that a chart has a place for: whole ones that no float holds exactly are drawn where the next is."""
    if value is None or isinstance(value, int):
        return value if value is None or abs(value) < 1 << 53 else float(value)
    number = float(value)
    return number if math.isfinite(number) else None


def _told(value: Any, scale: Scale) -> Any:
    if scale != "time":
        return value
    from datetime import UTC, datetime, timedelta

    try:
        return f"{datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=value):%Y-%m-%d %H:%M:%S}"
    except OverflowError:
        return value


def _short(words: str) -> str:
    return words if len(words) <= _WORD else words[: _WORD - 1] + "…"


def _named(name: str) -> str:
    return repr(name[:60])
