"""Charts of what judging found, as specifications of Vega-Lite by Altair: of a report, or of one of its parts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from ...errors import Malformed
from ..judging.sentences import RATES, Sentences
from .drawing import altair

if TYPE_CHECKING:
    from ..judging.performance import TaskPerformance
    from ..judging.report import ByClass, Confusion, Curve, Report, Series
    from ..judging.robustness import Robustness
    from ..judging.statistics import Calibration, CostCurve, Fairness, Slice

BLUE: Final = "#3987c9"
ORANGE: Final = "#d9822b"
GREY: Final = "#80878f"
"""Colours that stand out from white and from black."""
SIZE: Final = 320
"""Pixels of a side of a chart."""
BARS: Final = 30
"""Bars of a chart at most."""
CELLS: Final = 12
"""Classes of a table of confusion whose counts are written into it at most."""
TITLES: Final = {
    "roc": "ROC curve",
    "precision_recall": "Precision over recall",
    "calibration": "Reliability",
    "confusion": "Confusion",
    "by_class": "Figures by class",
    "ranking": "NDCG of the first places",
    "forecast": "Forecast over time",
    "residuals": "Residuals",
    "costs": "Cost by threshold",
    "slices": "Loss by slice",
    "fairness": "Rates by group",
}
"""Every chart by its name, in the order they are shown in."""


def charts_of(report: Report) -> tuple[str, ...]:
    """The names of the charts that a report has, in the order they are shown in."""
    there: dict[str, Any] = {
        **report.curves,
        "calibration": report.calibration,
        "confusion": report.confusion,
        "by_class": report.by_class,
        "forecast": report.series,
        "costs": report.costs,
        "slices": report.slices,
        "fairness": report.fairness,
    }
    return tuple(name for name in TITLES if there.get(name))


def chart(report: Report, name: str, told: Sentences | None = None) -> Any:
    """One chart of a report. Raises `Malformed` where it has none of that name, `Unavailable` without Altair."""
    if name not in charts_of(report):
        known = ", ".join(charts_of(report)) or "none"
        raise Malformed(f"this report has no chart {name!r}; it has {known}")
    return _DRAWN[name](report, told or Sentences())


def whole(report: Report, told: Sentences | None = None) -> Any:
    """All charts of a report, two in a row. Raises `Malformed` where it has none, `Unavailable` without Altair."""
    names = charts_of(report)
    if not names:
        raise Malformed(f"a report of the task {report.performance.task!r} has nothing to draw; print it instead")
    return altair().concat(*(chart(report, name, told) for name in names), columns=2)


def of_roc(curve: Curve, told: Sentences) -> Any:
    """ROC curve beside what chance gives."""
    line = _line(curve, told, "false positive rate", "true positive rate", interpolate="linear")
    return _titled(altair().layer(_diagonal(), line), "roc", told)


def of_precision(curve: Curve, told: Sentences) -> Any:
    """Precision over recall."""
    line = _line(curve, told, "recall", "precision", interpolate="step-before")
    return _titled(altair().layer(line), "precision_recall", told)


def of_ranking(curve: Curve, told: Sentences) -> Any:
    """NDCG by how many places are looked at."""
    line = _line(curve, told, "places looked at", "NDCG", interpolate="linear", point=True)
    return _titled(altair().layer(line), "ranking", told)


def of_residuals(curve: Curve, told: Sentences) -> Any:
    """What each prediction is off by, over what was predicted."""
    alt = altair()
    zero = alt.Chart(_rows(y=(0.0,))).mark_rule(color=GREY, strokeDash=[4, 4]).encode(y="y:Q")
    x = alt.X("x:Q").title(told.word("predicted")).scale(zero=False)
    y = alt.Y("y:Q").title(told.word("truth - predicted"))
    points = alt.Chart(_rows(x=curve.x, y=curve.y)).mark_point(color=BLUE, opacity=0.6).encode(x=x, y=y)
    return _titled(alt.layer(zero, points), "residuals", told)


def of_series(series: Series, told: Sentences) -> Any:
    """Truth and forecast over time, and the interval that was forecast."""
    alt = altair()
    truth, forecast = told.word("truth"), told.word("forecast")
    lines = [
        {"x": place, "y": value, "line": name}
        for name, values in ((truth, series.truth), (forecast, series.forecast))
        for place, value in zip(series.places, values, strict=True)
    ]
    x = alt.X("x:Q").title(told.word("place in time")).scale(zero=False, nice=False)
    y = alt.Y("y:Q").title(told.word("value")).scale(zero=False)
    colours = alt.Scale(domain=[truth, forecast], range=[ORANGE, BLUE])
    colour = alt.Color("line:N").title(None).scale(colours).legend(orient="top")
    drawn = alt.Chart(alt.Data(values=lines)).mark_line(strokeWidth=1.8).encode(x=x, y=y, color=colour)
    if series.low is None or series.high is None:
        return _titled(alt.layer(drawn), "forecast", told)
    ends = alt.Chart(_rows(x=series.places, low=series.low, high=series.high))
    band = ends.mark_area(color=BLUE, opacity=0.2).encode(x=x, y=alt.Y("low:Q").title(told.word("value")), y2="high:Q")
    return _titled(alt.layer(band, drawn), "forecast", told)


def of_calibration(calibration: Calibration, told: Sentences) -> Any:
    """How often rows are positive, by their probability, with the interval of each bin."""
    alt, bins = altair(), calibration.bins
    rows = _rows(
        x=[each.probability for each in bins], y=[each.frequency for each in bins],
        low=[each.least for each in bins], high=[each.most for each in bins], rows=[each.rows for each in bins],
    )  # fmt: skip
    base = alt.Chart(rows).encode(x=alt.X("x:Q").title(told.word("probability")).scale(domain=[0, 1]))
    ends = base.mark_rule(color=BLUE).encode(y=alt.Y("low:Q").title(told.word("frequency")), y2="high:Q")
    points = base.mark_point(color=BLUE, filled=True, size=60).encode(y="y:Q", tooltip=["rows:Q", "x:Q", "y:Q"])
    return _titled(alt.layer(_diagonal(), ends, points), "calibration", told)


def of_confusion(table: Confusion, told: Sentences) -> Any:
    """How often each class was called each class; shades are shares of the true class's rows."""
    alt, names = altair(), list(table.classes)
    cells = [
        {"true": true, "called": called, "rows": count, "share": count / max(1, sum(counts))}
        for true, counts in zip(names, table.counts, strict=True)
        for called, count in zip(names, counts, strict=True)
    ]
    side = {"labelLimit": 110, "labelOverlap": True}
    angle = -45 if len(names) > 2 else 0
    base = alt.Chart(alt.Data(values=cells)).encode(
        x=alt.X("called:N").title(told.word("called")).sort(names).axis(**side, labelAngle=angle),
        y=alt.Y("true:N").title(told.word("true")).sort(names).axis(**side),
        tooltip=["true:N", "called:N", "rows:Q"],
    )
    colour = alt.Color("share:Q").legend(None).scale(range=["#e4eef8", BLUE], domain=[0, 1])
    squares = base.mark_rect().encode(color=colour)
    if len(names) > CELLS:
        return _titled(alt.layer(squares), "confusion", told)
    return _titled(alt.layer(squares, base.mark_text(color="#10151c").encode(text="rows:Q")), "confusion", told)


def of_costs(curve: CostCurve, told: Sentences) -> Any:
    """The cost of a row at each threshold, and the least."""
    alt = altair()
    x = alt.X("x:Q").title(told.word("threshold")).scale(domain=[0, 1], clamp=True)
    y = alt.Y("y:Q").title(told.word("cost a row")).scale(zero=False)
    some = range(0, len(curve.costs), -(-len(curve.costs) // 500))
    points = _rows(x=[curve.thresholds[place] for place in some], y=[curve.costs[place] for place in some])
    line = alt.Chart(points).mark_line(color=BLUE, interpolate="step-after").encode(x=x, y=y)
    best = alt.Chart(_rows(x=curve.best[:1])).mark_rule(color=ORANGE, strokeDash=[4, 4]).encode(x=x)
    return _titled(alt.layer(line, best), "costs", told)


def of_slices(slices: Sequence[Slice], level: float, told: Sentences) -> Any:
    """The mean loss of each slice, beside that of all other rows; darker where it is worse beyond chance."""
    alt, worst = altair(), slices[:12]
    rows = _rows(
        condition=[each.condition for each in worst], loss=[each.loss for each in worst],
        others=[each.others for each in worst], p=[each.p for each in worst],
    )  # fmt: skip
    base = alt.Chart(rows).encode(y=alt.Y("condition:N").title(None).sort(None).axis(labelLimit=180))
    shade = alt.condition(f"datum.p <= {1 - level:.6g}", alt.value(BLUE), alt.value("#9dbfe0"))
    bars = base.mark_bar().encode(
        x=alt.X("loss:Q").title(told.word("loss")), color=shade, tooltip=["condition:N", "p:Q"]
    )
    beside = base.mark_tick(color=ORANGE, thickness=3).encode(x="others:Q")
    return _titled(alt.layer(bars, beside), "slices", told, len(worst))


def of_fairness(fairness: Mapping[str, Fairness], told: Sentences) -> Any:
    """Rates of each group, column by column; the wider a row of points, the further groups are apart."""
    alt = altair()
    kinds = [name for name in RATES if name.endswith("rate") and name != "base_rate"]
    places = [
        {"group": f"{column} = {group.group}", "rate": told.word(RATES[kind]), "share": share}
        for column, groups in fairness.items()
        for group in groups.groups
        for kind in kinds
        if (share := getattr(group, kind)) is not None
    ]
    colours = alt.Scale(domain=[told.word(RATES[kind]) for kind in kinds], range=[BLUE, "#3f9e6b", ORANGE])
    points = alt.Chart(alt.Data(values=places)).mark_point(filled=True, size=80, opacity=0.9)
    drawn = points.encode(
        x=alt.X("share:Q").title(told.word("share")).scale(domain=[0, 1]),
        y=alt.Y("group:N").title(None).sort(None).axis(labelLimit=180, grid=True),
        color=alt.Color("rate:N").title(None).scale(colours).legend(orient="top", columns=1),
    )
    return _titled(alt.layer(drawn), "fairness", told, sum(len(each.groups) for each in fairness.values()))


def of_classes(figures: Mapping[str, ByClass], told: Sentences) -> Any:
    """A figure by class, the lowest first where there are many."""
    name, each = next(iter(figures.items()))
    known = [(cls, value) for cls, value in zip(each.classes, each.values, strict=True) if value is not None]
    shown = sorted(known, key=lambda pair: pair[1])[:BARS] if len(known) > BARS else known
    left = told.word("{shown} of {all} classes, the lowest", shown=BARS, all=len(known)) if len(known) > BARS else ""
    return _titled(_bars(shown, name), "by_class", told, len(shown), left)


def of_robustness(robustness: Robustness, told: Sentences) -> Any:
    """What each perturbation does to the figure, the worst first, with its interval."""
    alt = altair()
    some = [each for each in robustness.trials if each.difference is not None][:BARS]
    if not some:
        raise Malformed("no perturbation was answered, so there is nothing to draw")
    names = [f"{told.word(each.kind)} {each.severity:g} {each.column or ''}".strip() for each in some]
    base = alt.Chart(
        _rows(
            name=names,
            difference=[each.difference for each in some],
            low=[each.low for each in some],
            high=[each.high for each in some],
        )
    ).encode(y=alt.Y("name:N").title(None).sort(None).axis(labelLimit=180))
    ends = base.mark_rule(color=GREY).encode(x=alt.X("low:Q").title(told.word("difference")), x2="high:Q")
    points = base.mark_point(color=BLUE, filled=True).encode(x="difference:Q", tooltip=["name:N", "difference:Q"])
    drawn = alt.layer(ends, points)
    heading = told.word("{figure} where inputs are perturbed", figure=robustness.figure)
    return drawn.properties(title=heading, width=SIZE, height=_height(len(some)))


def of_figures(performance: TaskPerformance, told: Sentences) -> Any:
    """The figures of a performance that are shares. Raises `Malformed` where the task's figures are none."""
    shares = [(name, value) for name, value in performance.to_dict().items() if name in performance.shares]
    known = [(name, value) for name, value in shares if value is not None]
    if not known:
        raise Malformed(f"figures of the task {performance.task!r} share no scale to draw them on; plot its report")
    drawn = _bars(known, told.word("share"))
    return drawn.properties(title=told.word("Figures"), width=SIZE, height=_height(len(known)))


_DRAWN: Final[Mapping[str, Callable[[Any, Sentences], Any]]] = {
    "roc": lambda report, told: of_roc(report.curves["roc"], told),
    "precision_recall": lambda report, told: of_precision(report.curves["precision_recall"], told),
    "ranking": lambda report, told: of_ranking(report.curves["ranking"], told),
    "residuals": lambda report, told: of_residuals(report.curves["residuals"], told),
    "calibration": lambda report, told: of_calibration(report.calibration, told),
    "confusion": lambda report, told: of_confusion(report.confusion, told),
    "by_class": lambda report, told: of_classes(report.by_class, told),
    "forecast": lambda report, told: of_series(report.series, told),
    "costs": lambda report, told: of_costs(report.costs, told),
    "slices": lambda report, told: of_slices(report.slices, report.level, told),
    "fairness": lambda report, told: of_fairness(report.fairness, told),
}


def _line(curve: Curve, told: Sentences, x: str, y: str, **look: Any) -> Any:
    alt = altair()
    drawn = alt.Chart(_rows(x=curve.x, y=curve.y)).mark_line(color=BLUE, order=False, **look)
    return drawn.encode(x=alt.X("x:Q").title(told.word(x)), y=alt.Y("y:Q").title(told.word(y)))


def _bars(values: Iterable[tuple[str, float]], axis: str) -> Any:
    alt = altair()
    names, shares = zip(*values, strict=True)
    base = alt.Chart(_rows(name=names, share=shares)).encode(
        y=alt.Y("name:N").title(None).sort(None).axis(labelLimit=180),
        x=alt.X("share:Q").title(axis).scale(domain=[0, 1]),
        tooltip=["name:N", "share:Q"],
    )
    return alt.layer(base.mark_bar(color=BLUE))


def _titled(drawn: Any, name: str, told: Sentences, bars: int | None = None, below: str = "") -> Any:
    """A chart under its title, square or as high as its bars."""
    title = altair().TitleParams(told.word(TITLES[name]), **({"subtitle": below} if below else {}))
    wide, high = (2 * SIZE, 0.8 * SIZE) if name == "forecast" else (SIZE, SIZE if bars is None else _height(bars))
    return drawn.properties(title=title, width=wide, height=high)


def _height(bars: int) -> int:
    return max(80, 26 * bars)


def _diagonal() -> Any:
    ends = altair().Chart(_rows(x=(0.0, 1.0), y=(0.0, 1.0)))
    return ends.mark_line(color=GREY, strokeDash=[4, 4]).encode(x="x:Q", y="y:Q")


def _rows(**columns: Iterable[Any]) -> Any:
    return altair().Data(values=list(_records(columns)))


def _records(columns: Mapping[str, Iterable[Any]]) -> Iterator[dict[str, Any]]:
    names = list(columns)
    return (dict(zip(names, row, strict=True)) for row in zip(*columns.values(), strict=True))
