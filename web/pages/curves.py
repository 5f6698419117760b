"""The curves of a run's metrics: the least and the greatest point of each bucket, drawn as SVG of a few kilobytes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from .views import Row, rows

if TYPE_CHECKING:
    from .page import Visit

POINTS: Final = 1_000
"""Of a curve that are drawn, at most: two a bucket."""
ALL_POINTS: Final = 3_000
"""Of all curves of a page together, at least 200 of each."""
TABLED: Final = 20
"""Rows of the table beside a curve, at most."""
WIDTH: Final = 600
HEIGHT: Final = 160

NAMES: Final = """
SELECT
    name, count(*) AS points, count(value) FILTER (is_finite) AS finite,
    bool_and(step IS NOT NULL) FILTER (is_finite) AS stepped,
    min(step) FILTER (is_finite) AS first, max(step) FILTER (is_finite) AS last
FROM (SELECT name, step, value, isfinite(value) AS is_finite FROM metrics WHERE run = ? AND version IS NULL)
GROUP BY name
ORDER BY name
"""
BUCKETS: Final = """
SELECT
    name, min(n) AS place, arg_min(x, (value, n)) AS low_at, min(value) AS low,
    arg_max(x, (value, -n)) AS high_at, max(value) AS high, count(*) AS points
FROM (
    SELECT name, value, n, CASE WHEN stepped THEN step ELSE n END AS x, (n - 1) * least(?, total) // total AS bucket
    FROM (
        SELECT
            name, value, step, row_number() OVER (PARTITION BY name ORDER BY step, seq, time) AS n,
            count(*) OVER (PARTITION BY name) AS total, bool_and(step IS NOT NULL) OVER (PARTITION BY name) AS stepped
        FROM metrics
        WHERE run = ? AND version IS NULL AND isfinite(value) AND list_contains(?, name)
    )
)
GROUP BY name, bucket
ORDER BY name, place
"""
"""In the order of steps, so that each bucket is a stretch of them; points without steps are numbered instead."""


class Point(NamedTuple):
    """A point of a curve: its step, or its number where it has none, and its value."""

    x: float
    y: float


class Bucket(NamedTuple):
    """A stretch of a curve: its least and its greatest point, and how many points it stands for."""

    low: Point
    high: Point
    points: int


@dataclass(frozen=True)
class MetricCurve:
    """A metric of a run over its steps."""

    name: str
    points: int
    """That were logged."""
    finite: int
    """Of these, all that can be drawn."""
    stepped: bool
    """Whether each of these was logged with a step."""
    first: int
    """The step, or the number, that the curve begins at."""
    last: int
    """And ends at."""
    buckets: Sequence[Bucket] = field(repr=False)

    @property
    def drawn(self) -> Sequence[Point]:
        """The points that are drawn, in their order."""
        return [point for bucket in self.buckets for point in sorted({bucket.low, bucket.high})]

    @property
    def low(self) -> float:
        """The least value."""
        return min(bucket.low.y for bucket in self.buckets)

    @property
    def high(self) -> float:
        """The greatest value."""
        return max(bucket.high.y for bucket in self.buckets)

    @property
    def path(self) -> str:
        """The line, as SVG has it: whole units of a plane of 600 by 160."""
        wide, high = (self.last - self.first) or 1, (self.high - self.low) or 1
        places = [
            (round((x - self.first) / wide * WIDTH), round((self.high - y) / high * HEIGHT)) for x, y in self.drawn
        ]
        if len(places) == 1:
            places = [(0, HEIGHT // 2), (WIDTH, HEIGHT // 2)]
        return "".join(_steps(places))

    @property
    def table(self) -> Sequence[Bucket]:
        """The curve in a few rows, buckets joined."""
        size = -(-len(self.buckets) // TABLED)
        parts = (self.buckets[start : start + size] for start in range(0, len(self.buckets), size or 1))
        return [_joined(part) for part in parts]

    def to_dict(self) -> dict[str, Any]:
        """The curve as JSON: how much it stands for, and its points."""
        told = {"name": self.name, "points": self.points, "finite": self.finite, "stepped": self.stepped}
        return told | {"drawn": [[x, y] for x, y in self.drawn]}


class MetricCurves(NamedTuple):
    """Some curves of a run, and how many points each of its metrics has."""

    drawn: Sequence[MetricCurve]
    points: dict[str, int]


def curves(page: Visit, run: str, only: str, most: int) -> MetricCurves:
    """The curve of one metric of a run, if one is named; else of its first metrics."""
    known = {row["name"]: row for row in rows(page, NAMES, run)}
    names = [name for name in known if only in ("", name)][:most]
    each = max(200, min(POINTS, ALL_POINTS // max(1, len(names))))
    found: dict[str, list[Bucket]] = {name: [] for name in names}
    for row in rows(page, BUCKETS, each // 2, run, names) if names else ():
        low, high = Point(row["low_at"], row["low"]), Point(row["high_at"], row["high"])
        found[row["name"]].append(Bucket(low, high, row["points"]))
    drawn = [_curve(known[name], found[name]) for name in names]
    return MetricCurves(drawn, {name: row["points"] for name, row in known.items()})


def _curve(known: Row, buckets: Sequence[Bucket]) -> MetricCurve:
    stepped, finite = bool(known["stepped"]), known["finite"]
    ends = (known["first"], known["last"]) if stepped else (1, finite)
    return MetricCurve(known["name"], known["points"], finite, stepped, *ends, buckets)


def _steps(places: Sequence[tuple[int, int]]) -> Iterator[str]:
    """Relative moves, which are short."""
    x, y = places[0]
    yield f"M{x} {y}"
    for to_x, to_y in places[1:]:
        if (to_x, to_y) != (x, y):
            yield f"l{to_x - x} {to_y - y}"
        x, y = to_x, to_y


def _joined(buckets: Sequence[Bucket]) -> Bucket:
    low = min((bucket.low for bucket in buckets), key=lambda point: point.y)
    high = max((bucket.high for bucket in buckets), key=lambda point: point.y)
    return Bucket(low, high, sum(bucket.points for bucket in buckets))
