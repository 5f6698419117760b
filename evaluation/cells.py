"""Cells: rows that no figure tells apart, so that a draw of rows is known by how many it has of each cell."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt

Codes = npt.NDArray[np.int64]
Counts = npt.NDArray[np.float64]


class Cells:
    """The cell of each row, counted from 0 to below `size`, none of them empty."""

    def __init__(self, codes: Codes) -> None:
        self.codes, self.rows = codes, np.bincount(codes)
        """How many rows each cell has, shape (size,)."""

    @property
    def size(self) -> int:
        return len(self.rows)

    @cached_property
    def order(self) -> Codes:
        """The rows by their cells."""
        return np.argsort(self.codes, kind="stable")

    @cached_property
    def _starts(self) -> Codes:
        return np.concatenate([[0], np.cumsum(self.rows)[:-1]])

    def of_ordered(self, weights: Counts) -> Counts:
        """Sums by cell, shape (draws, size), of weights in the order of the cells, shape (draws, n)."""
        if self.size == weights.shape[1]:
            return weights
        return np.add.reduceat(weights, self._starts, axis=1)

    @cached_property
    def _ordered(self) -> bool:
        return bool((self.codes[1:] >= self.codes[:-1]).all())

    def sums(self, weights: Counts) -> Counts:
        """Sums by cell, shape (draws, size), of the rows' weights, shape (draws, n)."""
        if self._ordered:
            return self.of_ordered(weights)
        if len(weights) == 1:
            return np.bincount(self.codes, weights=weights[0], minlength=self.size)[None].astype(np.float64)
        return self.of_ordered(weights[:, self.order])


def cells_of(*codes: Codes) -> tuple[Cells, tuple[Codes, ...]]:
    """The cells of rows that are alike in all of `codes`, by the first ones first; and what each cell has of each."""
    joint = np.zeros(len(codes[0]), np.int64)
    for each in codes:
        joint = np.unique(joint * (int(each.max()) + 1) + each, return_inverse=True)[1]
    cells = Cells(joint)
    first = np.zeros(cells.size, np.int64)
    first[joint] = np.arange(len(joint))
    return cells, tuple(each[first] for each in codes)


def codes_of(values: Sequence[object] | npt.NDArray[np.generic]) -> tuple[npt.NDArray[np.str_], Codes]:
    """The levels of values as texts, and the level of each value: values that read alike are one level.

    Numbers of an array are in their order, all else is in that of its texts.
    """
    if isinstance(values, np.ndarray) and values.dtype.kind in "biuf":
        numbers, codes = np.unique(values, return_inverse=True)
        return numbers.astype(str), codes.astype(np.int64)
    seen: dict[str, int] = {}
    places = np.array([seen.setdefault(str(value), len(seen)) for value in values], np.int64)
    levels, codes = np.unique(np.array(list(seen), str), return_inverse=True)
    return levels, codes[places] if len(places) else places
