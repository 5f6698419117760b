"""Counts of a column's values in bounded memory, the same whatever the pieces and their order."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ..columns import Column

EXACT: Final = 4096
"""Distinct values up to which they are counted; beyond, the count is an estimate within about 3 %."""
MOST_LEVELS: Final = 10_000
"""Levels of a category that are counted one by one; a column of more is no category but text."""
DIGITS: Final = 4
"""Significant digits that numbers are rounded to before they are counted."""


class Distinct:
    """How many values differ, from the smallest of their hashes (KMV: Bar-Yossef et al. 2002)."""

    def __init__(self) -> None:
        self._least = np.empty(0, np.uint64)

    def update(self, hashes: npt.NDArray[np.uint64]) -> None:
        """Go on with more values."""
        if len(self._least) > EXACT:
            hashes = hashes[hashes < self._least[-1]]
        self._least = np.unique(np.concatenate((self._least, hashes)))[: EXACT + 1]

    @property
    def counted(self) -> bool:
        """Whether it is a count, no estimate."""
        return len(self._least) <= EXACT

    @property
    def number(self) -> int:
        """The distinct values; an estimate to two significant digits where they are many."""
        if self.counted:
            return len(self._least)
        return int(float(f"{EXACT / (float(self._least[EXACT]) / 2.0**64):.1e}"))


class LevelCounts:
    """How many rows have each text, as long as there are not too many of these."""

    def __init__(self) -> None:
        self._counts: dict[str, int] | None = {}

    def update(self, column: Column) -> None:
        """Go on with more rows of a category."""
        counts = np.bincount(column.values[column.values >= 0], minlength=len(column.levels))
        if self._counts is None:
            return
        for level, count in zip(column.levels, counts.tolist(), strict=True):
            if count:
                self._counts[level] = self._counts.get(level, 0) + count
        if len(self._counts) > MOST_LEVELS:
            self._counts = None

    @property
    def counts(self) -> dict[str, int]:
        """Rows by level, none where there are too many levels."""
        return self._counts or {}


class NumberCounts:
    """How many rows have each number, rounded: so many numbers are few, and ranks among them stay what they are."""

    def __init__(self, *, dates: bool) -> None:
        self._rounded = _days if dates else _significant
        self._values = np.empty(0)
        self._counts = np.empty(0, np.int64)

    def update(self, numbers: npt.NDArray[np.float64]) -> None:
        """Go on with more numbers, none of them missing."""
        values, counts = np.unique(self._rounded(numbers), return_counts=True)
        self._values, places = np.unique(np.concatenate((self._values, values)), return_inverse=True)
        merged = np.zeros(len(self._values), np.int64)
        np.add.at(merged, places, np.concatenate((self._counts, counts)))
        self._counts = merged

    def ranked(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
        """The rounded numbers, rising, and how many rows have each."""
        return self._values, self._counts


def hashes_of(column: Column) -> npt.NDArray[np.uint64]:
    """64 bits for each distinct known value, the same for the same value of whatever piece."""
    if column.kind == "array":
        return _hashes_of_arrays(column.values)
    if column.kind == "category":
        levels = Column(column.name, "category", np.arange(len(column.levels)), column.levels)
        return levels.hashes().view(np.uint64)
    known = np.unique(column.values[~column.missing]) + 0.0
    return _mixed(np.ascontiguousarray(known, "<f8").view(np.uint64))


def _hashes_of_arrays(values: npt.NDArray[Any]) -> npt.NDArray[np.uint64]:
    import blake3

    digests = b"".join(blake3.blake3(row.astype("<f4").tobytes()).digest(8) for row in values)
    return np.frombuffer(digests, "<u8").astype(np.uint64)


def _mixed(bits: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """SplitMix64 (Steele et al. 2014), by which bits that differ a little become hashes that differ much."""
    with np.errstate(over="ignore"):
        bits = bits + np.uint64(0x9E3779B97F4A7C15)
        bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return bits ^ (bits >> np.uint64(31))


def _significant(numbers: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Numbers of so many significant digits; what no such power of ten scales is 0."""
    sizes = np.abs(numbers)
    with np.errstate(divide="ignore"):
        places = np.where(sizes > 1e-290, DIGITS - 1 - np.floor(np.log10(sizes)), 0.0)
    up, down = 10.0 ** np.maximum(places, 0), 10.0 ** np.maximum(-places, 0)
    return np.round(numbers * up / down) / up * down + 0.0


def _days(numbers: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.floor(numbers)


def written(value: float, kind: str) -> Any:
    """A rounded number as JSON has it: a date by its day, a whole number without a point."""
    if kind == "date":
        return str(np.datetime64(0, "D") + np.timedelta64(int(value), "D"))
    return int(value) if value.is_integer() and abs(value) < 2**53 else float(f"{value:.{DIGITS}g}")
