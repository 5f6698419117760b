"""How far two sets of rows differ in one column: the population stability index, and a test where rows are at hand.

The index is Σ (p − q) ln(p / q) over the same bins of both (Siddiqi 2006): below 0.1 small, above 0.25 large.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from ..columns import Column

Floats = npt.NDArray[np.float64]

_HALF: Final = 0.5
"""Added to each bin's count, so that an empty one makes no infinite index."""
_EXPECTED: Final = 5
"""Rows that a level must have by expectation to be tested by itself (Cochran 1954); rarer ones are pooled."""
_TENTHS: Final = tuple(tenth / 10 for tenth in range(1, 10))
_SHOWN: Final = 20
"""Levels that have a bin of their own."""


@dataclass(frozen=True, slots=True)
class Shift:
    """How far a column moved; `p` is not yet corrected for how many columns are looked at."""

    psi: float | None
    test: Literal["ks", "chi2"] | None = None
    statistic: float | None = None
    p: float | None = None


def shift_of_rows(one: Column, other: Column) -> Shift:
    """From the values of both: Kolmogorov-Smirnov for numbers and dates, chi-square for levels, of one kind both.

    Where values are missing, whether more are than before is tested beside: p is twice the smaller of the two.
    """
    if one.kind == "array":
        return Shift(None)  # pictures and windows have no one distribution
    if one.kind == "category" or _few(one, other):
        return _of_levels(_level_counts(one), _level_counts(other))
    from scipy import stats

    a, b = one.values[~one.missing], other.values[~other.missing]
    psi = _psi(*_binned(a, b, len(one.values), len(other.values))) if len(a) else None
    gaps = _gaps(one, other)
    if not len(a) or not len(b):
        return Shift(psi, "chi2", None, gaps)
    found: Any = stats.ks_2samp(a, b, method="auto")
    p = float(found.pvalue) if gaps is None else min(1.0, 2 * min(float(found.pvalue), gaps))
    return Shift(psi, "ks", float(found.statistic), p)


def shift_of_profiles(one: Mapping[str, Any], other: Mapping[str, Any], rows: tuple[int, int]) -> Shift:
    """From two profiles alone, as far as both tell the same: levels are tested, quantiles only compared."""
    if "levels" in one and "levels" in other:
        return _of_levels(_told_levels(one, other, rows[0]), _told_levels(other, one, rows[1]))
    if one.get("quantiles") and other.get("quantiles"):
        return Shift(_psi(*_told_shares(one, other, rows)))
    return Shift(None)


def _of_levels(one: Mapping[str, int], other: Mapping[str, int]) -> Shift:
    """By the counts of each level, missing ones among them."""
    from scipy import stats

    counts = _pooled(one, other)
    if counts.shape[1] < 2:
        return Shift(0.0, "chi2", 0.0, 1.0)
    found: Any = stats.chi2_contingency(counts, correction=False)
    return Shift(_psi(*counts.astype(np.float64)), "chi2", float(found.statistic), float(found.pvalue))


def _pooled(one: Mapping[str, int], other: Mapping[str, int]) -> npt.NDArray[np.int64]:
    """Counts of both by level, shape (2, bins): what is rare in the two together shares a bin."""
    total = {level: one.get(level, 0) + other.get(level, 0) for level in {**one, **other}}
    rows = np.array([sum(one.values()), sum(other.values())], np.float64)
    least = _EXPECTED * rows.sum() / max(1.0, rows.min())
    apart = sorted(
        (level for level, count in total.items() if count >= least), key=lambda level: (-total[level], level)
    )
    bins = [[one.get(level, 0), other.get(level, 0)] for level in apart[:_SHOWN]]
    rest = rows.astype(np.int64) - np.array(bins, np.int64).reshape(-1, 2).sum(axis=0)
    if rest.sum():
        bins.append(rest.tolist())
    return np.array(bins, np.int64).reshape(-1, 2).T


def _binned(a: Floats, b: Floats, rows: int, others: int) -> tuple[Floats, Floats]:
    """Counts in the tenths of the first one's values, and of what is missing."""
    edges = np.unique(np.quantile(a, _TENTHS, method="inverted_cdf"))
    counts = [np.bincount(np.searchsorted(edges, values), minlength=len(edges) + 1) for values in (a, b)]
    first, second = (np.append(each, n) for each, n in zip(counts, (rows - len(a), others - len(b)), strict=True))
    return first.astype(np.float64), second.astype(np.float64)


def _psi(one: Floats, other: Floats) -> float:
    """The index of two sets of counts; bins that both leave empty say nothing."""
    some = (one + other) > 0
    p, q = ((each[some] + _HALF) / (each[some] + _HALF).sum() for each in (one, other))
    return float(((p - q) * np.log(p / q)).sum())


def _gaps(one: Column, other: Column) -> float | None:
    """The chance of as different shares of missing values; None where none is missing."""
    from scipy import stats

    table = np.array([[each.missing.sum(), (~each.missing).sum()] for each in (one, other)], np.int64)
    if not table.sum(axis=0).all():
        return None
    found: Any = stats.fisher_exact(table) if table.min() < _EXPECTED else stats.chi2_contingency(table)
    return float(found.pvalue)


def _few(one: Column, other: Column) -> bool:
    """Whether two columns of numbers have so few values that each is a level."""
    if one.kind != "number":
        return False
    return len(np.unique(np.concatenate([each.values[~each.missing] for each in (one, other)]))) <= _SHOWN


def _level_counts(column: Column) -> dict[str, int]:
    made = column.as_categories()
    counts = np.bincount(made.values[made.values >= 0], minlength=len(made.levels)).tolist()
    return dict(zip((f"={level}" for level in made.levels), counts, strict=True)) | {"": int(made.missing.sum())}


def _told_levels(one: Mapping[str, Any], other: Mapping[str, Any], rows: int) -> dict[str, int]:
    """The counts that both profiles tell, what is missing, and the rest."""
    shared = {f"={level}": count for level, count in one["levels"].items() if level in other["levels"]}
    return shared | {"": one["missing"], "*": rows - one["missing"] - sum(shared.values())}


def _told_shares(one: Mapping[str, Any], other: Mapping[str, Any], rows: tuple[int, int]) -> tuple[Floats, Floats]:
    """Counts in the tenths that the first profile tells, read off both as lines between what they tell."""
    points = [[(share, _number(value)) for share, value in each["quantiles"]] for each in (one, other)]
    edges = sorted({value for share, value in points[0] if share in _TENTHS})
    counts = list[Floats]()
    for each, known, n in zip((one, other), points, rows, strict=True):
        below = [0.0, *(_share_below(known, edge) for edge in edges), 1.0]
        shares = np.maximum(np.array([high - low for low, high in pairwise(below)]), 0.0)
        counts.append(np.append(shares * (n - each["missing"]), float(each["missing"])))
    return counts[0], counts[1]


def _share_below(points: list[tuple[float, float]], value: float) -> float:
    """The share of rows that do not exceed a value."""
    shares, values = np.array([share for share, _ in points]), np.array([number for _, number in points])
    if value < values[0]:
        return float(shares[0]) / 2  # somewhere in a tail that is not told
    place = int(np.searchsorted(values, value, side="right"))
    if place == len(values):
        return float(shares[-1]) if value == values[-1] else (float(shares[-1]) + 1) / 2
    low, high = values[place - 1], values[place]
    return float(shares[place - 1] + (shares[place] - shares[place - 1]) * (value - low) / (high - low))


def _number(value: Any) -> float:
    return float(np.datetime64(value, "D").astype(np.int64)) if isinstance(value, str) else float(value)
