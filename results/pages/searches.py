"""Charts of a search: its trials with the best so far, and its hyperparameters side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from .charts import BLUE, ORANGE
from .drawing import altair

WIDTH: Final = 460
HEIGHT: Final = 260
_LONGEST: Final = 240
"""Pixels of a heading of an axis."""


@dataclass(frozen=True)
class SearchHistory:
    """What each trial came to, and the best until then."""

    metric: str
    trial: str
    """What the numbers of trials are called, and the two sorts of marks behind it."""
    tried: str
    best: str
    trials: Sequence[int]
    values: Sequence[float]
    bests: Sequence[float]


@dataclass(frozen=True)
class ParallelAxis:
    """One hyperparameter, or the metric, from its lower end (0) to its upper one (1)."""

    name: str
    ticks: Sequence[tuple[float, str]]
    """Where something is written beside it, and what."""


@dataclass(frozen=True)
class ParallelCoordinates:
    """Trials as lines over axes, coloured by what they came to."""

    metric: str
    axes: Sequence[ParallelAxis]
    places: Sequence[Sequence[float | None]]
    """By trial its place on each axis; None where it has none."""
    values: Sequence[float]


@dataclass(frozen=True)
class ImportanceBars:
    """The share of each hyperparameter, the greatest first."""

    title: str
    names: Sequence[str]
    shares: Sequence[float]


def order_of(chart: SearchHistory | ParallelCoordinates | ImportanceBars) -> dict[str, Any]:
    """What the process that draws is asked."""
    return {"make": "search", "kind": type(chart).__name__, "chart": asdict(chart)}


def drawn(kind: str, told: Mapping[str, Any]) -> Any:
    """The chart that an order is for."""
    charts = {SearchHistory: _history, ParallelCoordinates: _parallel, ImportanceBars: _importance}
    return next(chart for each, chart in charts.items() if each.__name__ == kind)(told)


def _history(told: Mapping[str, Any]) -> Any:
    """The chart of a search's history: a point a trial, and a line of the best so far."""
    alt = altair()
    numbers = zip(told["trials"], told["values"], told["bests"], strict=True)
    rows = [{"x": x, "y": y, "best": best, "tried": told["tried"], "of": told["best"]} for x, y, best in numbers]
    drawn = alt.Chart(alt.Data(values=rows))
    x = alt.X("x:Q").title(told["trial"]).axis(tickMinStep=1, titleLimit=_LONGEST).scale(zero=False)
    colour = alt.Scale(domain=[told["tried"], told["best"]], range=[BLUE, ORANGE])

    def y(name: str) -> Any:
        return alt.Y(f"{name}:Q").title(told["metric"]).axis(titleLimit=_LONGEST).scale(zero=False)

    def coloured(name: str) -> Any:
        return alt.Color(f"{name}:N").scale(colour).title(None)

    points = drawn.mark_point(filled=True, opacity=0.7).encode(x=x, y=y("y"), color=coloured("tried"))
    line = drawn.mark_line(interpolate="step-after", strokeWidth=1.8).encode(x=x, y=y("best"), color=coloured("of"))
    return alt.layer(points, line).properties(width=WIDTH, height=HEIGHT)


def _parallel(told: Mapping[str, Any]) -> Any:
    """The chart of parallel coordinates: a line a trial, broken where it has no such hyperparameter."""
    alt = altair()
    names = [axis["name"] for axis in told["axes"]]
    rows = [
        {"axis": at, "y": place, "trial": number, "value": value}
        for number, (places, value) in enumerate(zip(told["places"], told["values"], strict=True))
        for at, place in enumerate(places)
        if place is not None
    ]
    ticks = [
        {"axis": at, "y": place, "text": text} for at, axis in enumerate(told["axes"]) for place, text in axis["ticks"]
    ]
    ends = [{"axis": at, "y": 0, "end": 1, "text": name} for at, name in enumerate(names)]
    x = alt.X("axis:Q").axis(None).scale(domain=[-0.1, len(names) - 0.2], nice=False)
    y = alt.Y("y:Q").axis(None).scale(domain=[-0.04, 1.16], nice=False)
    colour = alt.Color("value:Q").title(told["metric"]).scale(scheme="viridis").legend(titleLimit=_LONGEST)
    lines = alt.Chart(alt.Data(values=rows)).mark_line(strokeWidth=1.4, opacity=0.6, strokeJoin="round")
    lines = lines.encode(x=x, y=y, detail="trial:N", color=colour, order="axis:Q")
    rules = alt.Chart(alt.Data(values=ends)).mark_rule(strokeWidth=1, opacity=0.6).encode(x=x, y=y, y2="end:Q")
    heads = alt.Chart(alt.Data(values=ends)).mark_text(dy=-12, align="left", limit=110, fontWeight=600)
    top = alt.Y("end:Q").axis(None).scale(domain=[-0.04, 1.16], nice=False)
    heads = heads.encode(x=x, y=top, text="text:N")
    labels = alt.Chart(alt.Data(values=ticks)).mark_text(dx=5, align="left", limit=90, fontSize=10)
    labels = labels.encode(x=x, y=y, text="text:N")
    return alt.layer(lines, rules, heads, labels).properties(width=max(WIDTH, 130 * len(names)), height=HEIGHT)


def _importance(told: Mapping[str, Any]) -> Any:
    """The chart of importances: a bar a hyperparameter."""
    alt = altair()
    rows = [{"name": name, "share": share} for name, share in zip(told["names"], told["shares"], strict=True)]
    bars = alt.Chart(alt.Data(values=rows)).mark_bar(color=BLUE)
    y = alt.Y("name:N").sort(None).title(None).axis(labelLimit=180)
    x = alt.X("share:Q").title(told["title"]).scale(domain=[0, 1])
    return alt.layer(bars.encode(x=x, y=y)).properties(width=WIDTH, height=26 * len(rows))
