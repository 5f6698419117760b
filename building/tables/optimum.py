"""The best setting of what can be set, by a model that predicts what comes of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ...datasets.columns import Column, Table
from ...errors import Malformed

_POPULATION: Final = 12
"""Settings of a generation, for each column that is free."""
_GENERATIONS: Final = 60

_STEEP: Final = 10.0
"""How much worse a setting is held a standard deviation away from the rows, by the range of what is predicted of them.
"""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class BestSetting:
    """A setting, and what a model says will come of it."""

    values: Mapping[str, float | str]
    """By column; a date as days since 1970."""
    predicted: float
    """The mean of the model's members."""
    spread: float
    """The standard deviation of what its members say; 0 where it has but one."""


def best_setting(
    table: Table,
    predicted: Callable[[Table], Floats],
    *,
    sign: float,
    fixed: Mapping[str, Any],
    bounds: Mapping[str, tuple[float, float]],
    caution: float,
    near: float | None,
    seed: int,
) -> BestSetting:
    """Search settings by differential evolution (Storn and Price 1997) for the highest `sign` × mean - `caution` ×
    spread of what is predicted, shape (settings, members).

    A number stays between the least and the greatest of the rows, or its bounds; a category is one of those that occur.
    A setting stays as near to some row as the share `near` of the rows are to another. Raises `Malformed` on a column
    that is not there or has no value to stay between.
    """
    from scipy.optimize import Bounds, differential_evolution

    free = [column for column in table.columns if column.name not in fixed]
    for name in (*fixed, *bounds):
        if name not in table.by_name:
            raise Malformed(f"there is no column {name!r}; it knows {', '.join(table.by_name)}")
    if not free:
        raise Malformed("every column is fixed; leave one free to be set")
    held = {name: _held(table.by_name[name], value) for name, value in fixed.items()}
    lows, highs = zip(*(_limits(column, bounds.get(column.name)) for column in free), strict=True)

    def settings(points: Floats) -> Table:
        found = {column.name: _column(column, values) for column, values in zip(free, points, strict=True)}
        found |= {name: _column(table.by_name[name], np.full(points.shape[1], value)) for name, value in held.items()}
        return Table(tuple(found[column.name] for column in table.columns), points.shape[1])

    ground = None if near is None else _Ground(table, near)
    steep = _STEEP * max(float(np.ptp(predicted(table))), 1e-9)

    def cost(points: Floats) -> Floats:
        asked = settings(points.reshape(len(free), -1))
        said = predicted(asked)
        away = 0.0 if ground is None else ground.away(asked) * steep
        return caution * said.std(axis=1) - sign * said.mean(axis=1) + away

    evolved: Any = differential_evolution  # whose types know no vectorised cost
    found = evolved(
        cost, Bounds(lows, highs), popsize=_POPULATION, maxiter=_GENERATIONS, rng=seed, polish=False, vectorized=True,
        integrality=[column.kind == "category" for column in free], updating="deferred", tol=1e-6,
    )  # fmt: skip
    best = settings(np.asarray(found.x, np.float64)[:, None])
    said = predicted(best)[0]
    values = {column.name: column.labels()[0] for column in best.columns}
    return BestSetting(values, float(said.mean()), float(said.std()))


class _Ground:
    """Where rows lie, each column by its standard deviation, each category as one side of a corner."""

    def __init__(self, table: Table, share: float) -> None:
        from scipy.spatial import KDTree

        self._middles = {each.name: _middle(each) for each in table.columns}
        rows = np.unique(self._points(table), axis=0)
        self._tree = KDTree(rows)
        nearest: Any = self._tree.query(rows, k=2)[0]  # infinitely far, where there is but one row
        self._limit = float(np.quantile(nearest[:, 1], share)) if len(rows) > 1 else 0.0

    def away(self, settings: Table) -> Floats:
        """How much further from the nearest row each setting is than rows are from each other, shape (settings,)."""
        return np.maximum(self._tree.query(self._points(settings))[0] - self._limit, 0.0)

    def _points(self, table: Table) -> Floats:
        parts: list[Floats] = []
        for column in table.columns:
            if column.kind == "category":
                parts.append((column.values[:, None] == np.arange(len(column.levels))) / np.sqrt(2.0))
            else:
                middle, scale = self._middles[column.name]
                parts.append(np.where(column.missing, 0.0, (column.values - middle) / scale)[:, None])
        return np.concatenate(parts, axis=1)


def _middle(column: Column) -> tuple[float, float]:
    """The mean and the standard deviation of the numbers that are there; 0 and 1 of none, or of a category."""
    known = column.values[~column.missing].astype(np.float64)
    if column.kind == "category" or not len(known):
        return 0.0, 1.0
    return float(known.mean()), float(known.std()) or 1.0


def _limits(column: Column, given: tuple[float, float] | None) -> tuple[float, float]:
    if column.kind == "category":
        if given is not None:
            raise Malformed(f"column {column.name!r} holds text, which has no bounds; fix it, or leave it free")
        low, high = 0.0, len(column.levels) - 1.0
    elif given is not None:
        low, high = given
    elif column.missing.all():
        raise Malformed(f"column {column.name!r} has no value to stay between; give its bounds, or fix it")
    else:
        known = column.values[~column.missing]
        low, high = float(known.min()), float(known.max())
    if not np.isfinite([low, high]).all() or low > high:
        raise Malformed(f"the bounds of column {column.name!r} are {low} and {high}; give the lower and the upper one")
    return low, high


def _held(column: Column, value: Any) -> float:
    """A fixed value as the column holds it."""
    if column.kind != "category":
        try:
            return float(value)
        except (TypeError, ValueError):
            raise Malformed(f"column {column.name!r} holds numbers, and {value!r} is none") from None
    if str(value) not in column.levels:
        raise Malformed(f"column {column.name!r} never was {value!r}; fix it at one of {', '.join(column.levels[:5])}")
    return float(column.levels.index(str(value)))


def _column(column: Column, values: Any) -> Column:
    return replace(column, values=np.rint(values).astype(np.int64) if column.kind == "category" else values)
