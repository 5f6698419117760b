"""A plot of some columns: a line, bars or points. What names and values say is shown, whatever it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple, get_args

from .charts import BLUE, ORANGE
from .drawing import altair

PlotKind = Literal["line", "bar", "points"]
Scale = Literal["number", "time", "word"]
"""What an axis has: numbers; moments, in milliseconds since 1970 in UTC; words, in the order they come in."""
KINDS: Final = get_args(PlotKind)
COLOURS: Final = (BLUE, ORANGE, "#3a9662", "#9a6fd0", "#cc5a58", "#21929b", "#a8822a", "#80878f")
"""Colours that are told apart on white and on black."""
WIDTH: Final = 460
HEIGHT: Final = 260
_TYPES: Final[Mapping[Scale, str]] = {"number": "Q", "time": "T", "word": "N"}
_FEW: Final = 12
"""Whole numbers that an axis has a tick for each of."""
_LONGEST: Final = 240
"""Pixels of a heading of an axis, about 40 letters."""


class PlotAxis(NamedTuple):
    """What an axis is called, and what it has."""

    title: str
    scale: Scale


@dataclass(frozen=True)
class Plot:
    """What is drawn: each row has its place on `x` and on `y`, and with `color` the word that it is coloured by.

    Where it is `parted`, each row ends in a word too, and a line joins only rows of the same one.
    """

    kind: PlotKind
    x: PlotAxis
    y: PlotAxis
    color: PlotAxis | None
    rows: Sequence[Sequence[Any]]
    parted: bool = False

    def to_dict(self) -> dict[str, Any]:
        """The plot as JSON."""
        axes = {name: axis and list(axis) for name, axis in (("x", self.x), ("y", self.y), ("color", self.color))}
        return {"kind": self.kind, **axes, "rows": self.rows, "parted": self.parted}

    @classmethod
    def of_dict(cls, told: Mapping[str, Any]) -> Plot:
        """The plot whose `to_dict()` this was."""
        axes = {name: told[name] and PlotAxis(*told[name]) for name in ("x", "y", "color")}
        return cls(told["kind"], axes["x"], axes["y"], axes["color"], told["rows"], told["parted"])


def of_plot(plot: Plot) -> Any:
    """The chart of a plot. Columns are named by it, so that no name of a column is read as anything."""
    alt = altair()
    names = ("x", "y", *(["color"] if plot.color else []), *(["part"] if plot.parted else []))
    drawn = alt.Chart(alt.Data(values=[dict(zip(names, row, strict=True)) for row in plot.rows]))
    x = _axis(
        alt.X("x:O") if plot.kind == "bar" and plot.x.scale == "number" else _channel(alt.X, "x", plot.x), plot, 0
    )
    shown = {"x": x, "y": _axis(_channel(alt.Y, "y", plot.y), plot, 1)}
    if plot.color is not None:
        scale = alt.Scale(range=list(COLOURS))
        shown["color"] = (
            alt.Color("color:N").title(plot.color.title).scale(scale).sort(None).legend(titleLimit=_LONGEST)
        )
    if plot.parted:
        shown["detail"] = alt.Detail("part:N")
    return alt.layer(_marked(drawn, plot).encode(**shown)).properties(width=WIDTH, height=HEIGHT)


def _channel(channel: Any, name: str, axis: PlotAxis) -> Any:
    return channel(f"{name}:{_TYPES[axis.scale]}")


def _axis(channel: Any, plot: Plot, place: int) -> Any:
    axis, values = (plot.x, plot.y)[place], [row[place] for row in plot.rows]
    numbers = axis.scale == "number" and plot.kind != "bar"
    ticks = _whole_ticks(values, plot.kind) if axis.scale == "number" else {}
    made = channel.title(axis.title).axis(labelLimit=140, labelOverlap=True, titleLimit=_LONGEST, **ticks)
    match axis.scale:
        case "number":
            return made.scale(zero=False, **(_domain(values) if place else {})) if numbers else made
        case "time":
            return made.scale(type="utc")
        case "word":
            return made.sort(None)


def _whole_ticks(values: Sequence[Any], kind: PlotKind) -> dict[str, Any]:
    """Ticks at whole numbers alone, where there is nothing else; the axis of bars reaches to 0."""
    if not values or not all(isinstance(value, int) for value in values):
        return {}
    first, last = min(values), max(values)
    if kind != "bar" and last - first < _FEW:
        return {"values": list(range(first, last + 1)), "format": ",d"}
    return {"tickMinStep": 1}


def _domain(values: Sequence[Any]) -> dict[str, Any]:
    """Room above and below a value that all have, which else would be an axis with one tick of no digits."""
    first, last = min(values, default=0.0), max(values, default=1.0)
    if last - first > 1e-9 * max(abs(first), abs(last)):
        return {}
    room = max(abs(first), abs(last)) / 20 or 1.0
    return {"domain": [first - room, last + room]}


def _marked(drawn: Any, plot: Plot) -> Any:
    own = {} if plot.color is not None else {"color": BLUE}
    match plot.kind:
        case "line":
            return drawn.mark_line(point=len(plot.rows) <= 50 or _is_alone(plot), strokeWidth=1.8, **own)
        case "bar":
            return drawn.mark_bar(**own)
        case "points":
            return drawn.mark_point(filled=True, opacity=0.9, **own)


def _is_alone(plot: Plot) -> bool:
    """Whether a row is joined to no other, so that a line alone would not show it."""
    return plot.parted and 1 in Counter(row[-1] for row in plot.rows).values()
