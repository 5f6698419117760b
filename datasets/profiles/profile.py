"""The profile of rows: what may be told of each column, by rules that keep the value of a single row from being told.

docs/data.md states the rules. Computed piece by piece, it is the same as of all rows at once.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ..columns import Column, Table
from ..types import Kind
from .counts import Distinct, LevelCounts, NumberCounts, hashes_of, written

ASKED: Final = (0.0, 0.01, 0.05, 0.1, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.9, 0.95, 0.99, 1.0)
"""The quantiles that are told, each by the rule of `BEHIND`."""
BEHIND: Final = 20
"""Rows that lie at or below a quantile, and at or above it, for it to be told."""
ALIKE: Final = 5
"""Rows of a level for it to be told; those of fewer are counted together."""
SHOWN: Final = 20
"""Levels that are told at most, and distinct numbers of which each is told as a level."""
LONGEST: Final = 60
"""Characters of a level; longer ones are somebody's words."""
_COUNTS: Final = ("name", "type", "missing", "distinct", "about", "identifies", "shape")
UNIQUE: Final[Mapping[Kind, float]] = {"category": 0.5, "number": 0.95}
"""The share of distinct values among texts, or whole numbers, from which they identify rows, and are only counted."""


class Profiler:
    """The profile of rows that come in pieces."""

    def __init__(self) -> None:
        self._columns: dict[str, _ColumnProfiler] = {}
        self._labels: _ColumnProfiler | None = None
        self._rows = 0

    def update(self, table: Table, labels: Column | None = None) -> None:
        """Go on with more rows, of the same columns."""
        for column in table.columns:
            if column.name not in self._columns:
                self._columns[column.name] = _ColumnProfiler(column.name)
            self._columns[column.name].update(column)
        if labels is not None:
            self._labels = self._labels or _ColumnProfiler("label")
            self._labels.update(labels)
        self._rows += table.rows

    def told(self, room: int) -> dict[str, Any]:
        """{"rows", "columns": [{"name", "type", "missing", "distinct", …}, …], "labels"?}, as plain JSON.

        It takes about so many bytes at most: of columns beyond, only counts are told, and of the last not even these.
        """
        labels = {} if self._labels is None else {"labels": self._labels.told() | {"name": None}}
        columns = _within([column.told() for column in self._columns.values()], room)
        return {"rows": self._rows, "columns": columns, **labels}


class _ColumnProfiler:
    """What may be told of one column."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._kind: Kind | None = None
        self._shape: tuple[int, ...] = ()
        self._known = 0
        self._missing = 0
        self._whole = True
        self._distinct = Distinct()
        self._levels = LevelCounts()
        self._numbers = NumberCounts(dates=False)
        self._dates = NumberCounts(dates=True)

    def update(self, column: Column) -> None:
        missing = column.missing
        known = int(len(missing) - missing.sum())
        self._known += known
        self._missing += len(missing) - known
        if column.kind != "number" or known:
            self._kind = column.kind
        self._distinct.update(hashes_of(column))
        if column.kind == "array":
            self._shape = column.values.shape[1:]
            return
        if column.kind == "category":
            self._levels.update(column)
            return
        values = column.values[~missing]
        self._whole = self._whole and not bool((values % 1).any())
        (self._dates if column.kind == "date" else self._numbers).update(values)

    def told(self) -> dict[str, Any]:
        kind = self._kind or "number"
        counted = {"name": self._name, "type": kind, "missing": self._missing, "distinct": self._distinct.number}
        counted |= {} if self._distinct.counted else {"about": True}
        if kind == "array":
            return counted | {"shape": [*self._shape]}
        if self._identifies(kind):
            return counted | {"identifies": True}
        if kind == "category":
            return counted | _levels(self._levels.counts, self._known)
        values, counts = (self._dates if kind == "date" else self._numbers).ranked()
        if kind == "number" and self._distinct.counted and self._distinct.number <= SHOWN:
            by_level = {str(written(value, kind)): count for value, count in zip(values, counts.tolist(), strict=True)}
            if told := _levels(by_level, self._known):
                return counted | told
        quantiles = _quantiles(values, counts, kind)
        return counted | ({"quantiles": quantiles} if quantiles else {})

    def _identifies(self, kind: Kind) -> bool:
        """Whether its values tell rows apart, as names and account numbers do."""
        if kind == "date" or self._known < BEHIND or (kind == "number" and not self._whole):
            return False
        return self._distinct.number >= UNIQUE[kind] * self._known


def _levels(counts: Mapping[str, int], known: int) -> dict[str, Any]:
    """The commonest levels that enough rows have, and how many rows have another; nothing where none is told."""
    common = sorted(counts.items(), key=lambda each: (-each[1], each[0]))
    told = {level: count for level, count in common[:SHOWN] if count >= ALIKE and len(level) <= LONGEST}
    return {"levels": told, "other": known - sum(told.values())} if told else {}


def _quantiles(values: npt.NDArray[np.float64], counts: npt.NDArray[np.int64], kind: Kind) -> list[list[Any]]:
    """Pairs of a share and the rounded value at it, by the rule of `BEHIND`.

    The value at p is the least that at least p of the rows do not exceed (Hyndman & Fan 1996, definition 1).
    """
    below = np.cumsum(counts)
    rows = int(below[-1]) if len(below) else 0
    told = list[list[Any]]()
    for share in ASKED:
        place = int(np.searchsorted(below, max(1, int(np.ceil(share * rows - 1e-9))))) if rows else 0
        if rows and below[place] >= BEHIND and rows - below[place] + counts[place] >= BEHIND:
            told.append([share, written(float(values[place]), kind)])
    return told


def _within(columns: Sequence[dict[str, Any]], room: int) -> list[dict[str, Any]]:
    """The columns as there is room for them."""
    counts = [{name: column[name] for name in _COUNTS if name in column} for column in columns]
    sizes = np.cumsum([_size(each) for each in counts])
    told = counts[: int(np.searchsorted(sizes, room, side="right"))]
    left = room - (int(sizes[len(told) - 1]) if told else 0)
    for place, column in enumerate(columns[: len(told)]):
        left -= _size(column) - _size(counts[place])
        if left < 0:
            break
        told[place] = column
    return told


def _size(column: dict[str, Any]) -> int:
    return len(json.dumps(column, ensure_ascii=False).encode()) + 1
