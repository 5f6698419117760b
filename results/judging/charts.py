"""Charts of a report: Vega-Lite by Altair, drawn as SVG, PNG or one HTML page without a network."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ...errors import Malformed, Unavailable
from ..words import Language, word
from .report import Report

if TYPE_CHECKING:
    import altair

BLUE: Final = "#3987c9"
ORANGE: Final = "#d9822b"
GREY: Final = "#8a8f98"
"""Colours that stand out from white and from black."""
FORMATS: Final = ("svg", "png", "html", "json")
_TITLES: Final = {
    "roc": "ROC curve",
    "precision_recall": "Precision over recall",
    "calibration": "Reliability",
    "confusion": "Confusion",
    "residuals": "Residuals",
    "costs": "Cost by threshold",
    "slices": "Loss by slice",
}


def charts_of(report: Report) -> tuple[str, ...]:
    """The names of the charts that a report has, in the order they are shown in."""
    there = {
        "calibration": report.calibration,
        "confusion": report.confusion,
        "costs": report.costs,
        "slices": report.slices,
        **report.curves,
    }
    return tuple(name for name in _TITLES if there.get(name))


def chart(report: Report, name: str, *, english: bool = True) -> altair.Chart | altair.LayerChart:
    """One chart of a report. Raises `Malformed` where it has none of that name, `Unavailable` without Altair."""
    if name not in charts_of(report):
        known = ", ".join(charts_of(report)) or "none"
        raise Malformed(f"this report has no chart {name!r}; it has {known}")
    language: Language = "en" if english else "zh"
    words: _Words = partial(word, into=language)
    drawn = _DRAWN[name](report, words) if name in _DRAWN else _curve(report, name, words)
    return drawn.properties(title=words(_TITLES[name]), width=320, height=320)


def draw(charts: Iterable[Any], path: Path) -> None:
    """Write charts, two in a row, as the ending of `path` says: .svg, .png, .html (one page), .json.

    Raises `Malformed` on another ending, `Unavailable` where the library that draws is not installed.
    """
    kind = path.suffix[1:].lower()
    if kind not in FORMATS:
        raise Malformed(f"{path.name} does not say how to draw; end it in .{', .'.join(FORMATS)}")
    spec = _spec(charts)
    drawn: Mapping[str, Callable[[], str | bytes]] = {
        "json": lambda: json.dumps(spec, indent=2, ensure_ascii=False),
        "svg": lambda: _vega().vegalite_to_svg(spec),
        "png": lambda: _vega().vegalite_to_png(spec, scale=2),
        "html": lambda: _vega().vegalite_to_html(spec, bundle=True),
    }
    content = drawn[kind]()
    path.write_bytes(content if isinstance(content, bytes) else content.encode())


def svg(charts: Iterable[Any]) -> str:
    """Charts as one element of SVG, without a background. Raises `Unavailable` where nothing can draw them."""
    return _vega().vegalite_to_svg(_spec(charts))


def _spec(charts: Iterable[Any]) -> dict[str, Any]:
    drawn = list(charts)
    whole = drawn[0] if len(drawn) == 1 else _altair().concat(*drawn, columns=2)
    return whole.configure(background="transparent", **_LOOK).to_dict()


_LOOK: Final = {
    "axis": {"labelColor": GREY, "titleColor": GREY, "gridColor": GREY, "gridOpacity": 0.25, "domainColor": GREY,
             "tickColor": GREY},
    "title": {"color": GREY, "anchor": "start"},
    "legend": {"labelColor": GREY, "titleColor": GREY},
    "view": {"stroke": None},
}  # fmt: skip

_Words = Callable[[str], str]


def _curve(report: Report, name: str, words: _Words) -> altair.LayerChart:
    alt = _altair()
    x, y = {
        "roc": ("false positive rate", "true positive rate"),
        "precision_recall": ("recall", "precision"),
        "residuals": ("predicted", "truth - predicted"),
    }[name]
    line = report.curves[name]
    rows = _rows(x=line.x, y=line.y)
    base = alt.Chart(rows).encode(x=alt.X("x:Q").title(words(x)), y=alt.Y("y:Q").title(words(y)))
    if name == "residuals":
        zero = alt.Chart(_rows(y=(0.0,))).mark_rule(color=GREY, strokeDash=[4, 4]).encode(y="y:Q")
        return alt.layer(zero, base.mark_point(color=BLUE, opacity=0.6))
    drawn = base.mark_line(color=BLUE, interpolate="linear" if name == "roc" else "step-after", order=False)
    return alt.layer(_diagonal(), drawn) if name == "roc" else alt.layer(drawn)


def _calibration(report: Report, words: _Words) -> altair.LayerChart:
    alt, bins = _altair(), report.calibration.bins if report.calibration else ()
    rows = _rows(
        x=[each.probability for each in bins], y=[each.frequency for each in bins],
        low=[each.least for each in bins], high=[each.most for each in bins], rows=[each.rows for each in bins],
    )  # fmt: skip
    base = alt.Chart(rows).encode(x=alt.X("x:Q").title(words("probability")).scale(domain=[0, 1]))
    ends = base.mark_rule(color=BLUE).encode(y=alt.Y("low:Q").title(words("frequency")), y2="high:Q")
    points = base.mark_point(color=BLUE, filled=True, size=60).encode(y="y:Q", tooltip=["rows:Q", "x:Q", "y:Q"])
    return alt.layer(_diagonal(), ends, points)


def _confusion(report: Report, words: _Words) -> altair.LayerChart:
    alt, table = _altair(), report.confusion
    assert table is not None
    cells = [
        {"true": true, "called": called, "rows": count, "share": count / max(1, sum(counts))}
        for true, counts in zip(table.classes, table.counts, strict=True)
        for called, count in zip(table.classes, counts, strict=True)
    ]
    base = alt.Chart(alt.Data(values=cells)).encode(
        x=alt.X("called:N").title(words("called")).sort(list(table.classes)),
        y=alt.Y("true:N").title(words("true")).sort(list(table.classes)),
    )
    colour = alt.Color("share:Q").legend(None).scale(range=["#d8e7f5", BLUE], domain=[0, 1])
    return alt.layer(base.mark_rect().encode(color=colour), base.mark_text(color="#10151c").encode(text="rows:Q"))


def _costs(report: Report, words: _Words) -> altair.LayerChart:
    alt, curve = _altair(), report.costs
    assert curve is not None
    rows = _rows(x=curve.thresholds, y=curve.costs)
    base = alt.Chart(rows).encode(
        x=alt.X("x:Q").title(words("threshold")), y=alt.Y("y:Q").title(words("cost a row")).scale(zero=False)
    )
    best = alt.Chart(_rows(x=curve.best[:1])).mark_rule(color=ORANGE, strokeDash=[4, 4]).encode(x="x:Q")
    return alt.layer(base.mark_line(color=BLUE, interpolate="step-after"), best)


def _slices(report: Report, words: _Words) -> altair.LayerChart:
    alt, worst = _altair(), report.slices[:12]
    rows = _rows(
        condition=[each.condition for each in worst], loss=[each.loss for each in worst],
        others=[each.others for each in worst], p=[each.p for each in worst],
    )  # fmt: skip
    base = alt.Chart(rows).encode(y=alt.Y("condition:N").title(None).sort(None).axis(labelLimit=220))
    bars = base.mark_bar().encode(
        x=alt.X("loss:Q").title(words("loss")),
        color=alt.condition("datum.p <= 0.05", alt.value(BLUE), alt.value("#a9c8e4")),
    )
    return alt.layer(bars, base.mark_tick(color=ORANGE, thickness=3).encode(x="others:Q"))


_DRAWN: Final[Mapping[str, Callable[[Report, _Words], Any]]] = {
    "calibration": _calibration,
    "confusion": _confusion,
    "costs": _costs,
    "slices": _slices,
}


def _diagonal() -> altair.Chart:
    ends = _altair().Chart(_rows(x=(0.0, 1.0), y=(0.0, 1.0)))
    return ends.mark_line(color=GREY, strokeDash=[4, 4]).encode(x="x:Q", y="y:Q")


def _rows(**columns: Iterable[Any]) -> Any:
    names = list(columns)
    values = [dict(zip(names, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    return _altair().Data(values=values)


def _altair() -> Any:
    try:
        import altair
    except ImportError as error:
        raise Unavailable("charts need Altair; install lepton-ai-sdk[plot]") from error
    return altair


def _vega() -> Any:
    try:
        import vl_convert
    except ImportError as error:
        raise Unavailable("drawing charts needs vl-convert; install lepton-ai-sdk[plot]") from error
    return vl_convert
