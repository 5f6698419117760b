"""Fairness: how a classifier's calls and errors differ between groups of people, with intervals of the gaps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import numpy.typing as npt

from ..errors import Malformed
from ..results import Fairness, Gap, GroupFigures
from .binary import Floats, checked
from .intervals import DRAWS, LEVEL, bootstrap
from .resampling import Strata, Units, Weights, as_given, check_complete

RATES: Final = ("selection_rate", "true_positive_rate", "false_positive_rate", "precision")


def by_group(
    labels: npt.ArrayLike,
    called: npt.ArrayLike,
    groups: npt.ArrayLike,
    *,
    draws: int = DRAWS,
    seed: int = 0,
    level: float = LEVEL,
) -> Fairness:
    """Compare groups; labels and calls of 0 and 1, and each row's group, all of shape (n,).

    Gaps: difference and ratio of selection rates (demographic parity; US EEOC's four-fifths rule looks at the ratio),
    difference of true positive rates (equal opportunity; Hardt, Price and Srebro 2016), and the greater one of true and
    false positive rates (equalized odds). A greatest difference is above 0 by chance alone: its p says how often
    groups that say nothing are as far apart, by dealing them to the rows anew `draws` times. For intervals rows are
    drawn within their group.
    Raises `Malformed` where there are fewer than two groups, a row has none, or labels or calls are not 0 and 1.
    """
    truth, decided = checked(labels, called)
    if not np.isin(decided, (0.0, 1.0)).all():
        raise Malformed("calls to compare must be 0 or 1; cut probabilities by a threshold first")
    names, codes = _groups(groups, len(truth))
    rates = _Rates(truth, decided == 1, codes, len(names))
    each = rates.of(np.ones(len(truth)))
    found = bootstrap(lambda weights: _gaps(rates.of(weights)), Strata(codes), draws, seed)
    dealt = _dealt(truth, decided == 1, codes, len(names), draws, seed)
    gaps = tuple(
        Gap(name, _known(value), *(found.interval(name, level) or (None, None)), _p(name, value, dealt[name]))
        for name, value in found.figures.items()
    )
    rows = np.bincount(codes).tolist()
    base = (np.bincount(codes, weights=truth) / rows).tolist()
    figures = tuple(
        GroupFigures(name, rows[place], base[place], *(_known(each[rate][place]) for rate in RATES))  # pyright: ignore[reportArgumentType]
        for place, name in enumerate(names)
    )
    return Fairness(figures, gaps, level, draws)


def _dealt(
    truth: Floats, called: npt.NDArray[np.bool_], codes: Units, groups: int, draws: int, seed: int
) -> Mapping[str, Floats]:
    """The gaps where groups were dealt to the rows anew: among all rows for calls, within a label for its errors.

    How many of the called rows a group is then dealt is a multivariate hypergeometric count, so no row is moved.
    """
    generator = np.random.default_rng(seed)

    def shares(rows: npt.NDArray[np.bool_]) -> Floats:
        sizes = np.bincount(codes[rows], minlength=groups)
        counts = generator.multivariate_hypergeometric(sizes, int(called[rows].sum()), draws, method="marginals")
        with np.errstate(invalid="ignore"):
            return counts / sizes

    drawn = (shares(np.ones(len(truth), bool)), shares(truth == 1), shares(truth == 0))
    found = [_gaps(dict(zip(RATES, each, strict=False))) for each in zip(*drawn, strict=True)]
    return {name: np.array([each[name] for each in found]) for name in found[0]}


def _p(name: str, value: float, dealt: Floats) -> float | None:
    """The share of deals with a gap as wide; a ratio is the wider, the smaller it is."""
    if not np.isfinite(value):
        return None
    known = dealt[np.isfinite(dealt)]
    wide = known <= value + 1e-12 if name.endswith("ratio") else known >= value - 1e-12
    return float((1 + wide.sum()) / (1 + len(known)))


class _Rates:
    """Rates by group of rows that count as often as their weight says."""

    def __init__(self, truth: Floats, called: npt.NDArray[np.bool_], codes: Units, groups: int) -> None:
        self._codes, self._groups = codes, groups
        self._columns = (called, (truth == 1) & called, truth == 1, (truth == 0) & called, truth == 0)

    def of(self, weights: Weights) -> Mapping[str, Floats]:
        called, hits, positive, false, negative = (self._sums(weights * column) for column in self._columns)
        with np.errstate(invalid="ignore", divide="ignore"):
            rates = (called / (positive + negative), hits / positive, false / negative, hits / called)
        return dict(zip(RATES, rates, strict=True))

    def _sums(self, values: Floats) -> Floats:
        return np.bincount(self._codes, weights=values, minlength=self._groups).astype(np.float64)


def _gaps(rates: Mapping[str, Floats]) -> dict[str, float]:
    selected, hits, false = (rates[name] for name in RATES[:3])
    opportunity = float(np.ptp(hits))
    return {
        "demographic_parity_difference": float(np.ptp(selected)),
        "demographic_parity_ratio": float(selected.min() / selected.max()) if selected.max() else np.nan,
        "equal_opportunity_difference": opportunity,
        "equalized_odds_difference": float(np.maximum(opportunity, np.ptp(false))),  # NaN where one is undefined
    }


def _groups(groups: npt.ArrayLike, n: int) -> tuple[list[str], Units]:
    array = as_given(groups)
    if array.shape != (n,):
        raise Malformed(f"there are {n} rows and groups of shape {array.shape}; give one group a row")
    check_complete(array, "group")
    names, codes = np.unique(array.astype(str), return_inverse=True)
    if len(names) < 2:
        raise Malformed(f"all rows are of the group {names[0]!r}; fairness compares at least two")
    return names.tolist(), codes.astype(np.int64)


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
