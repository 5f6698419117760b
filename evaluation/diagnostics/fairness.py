"""Fairness: how a classifier's calls and errors differ between groups of people, with intervals of the gaps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from ...datasets.profiles.profile import ALIKE
from ...errors import Malformed
from ...results import Fairness, Gap, GroupFigures
from ..binary import Floats, checked
from ..cells import codes_of
from ..intervals import DRAWS, LEVEL
from ..resampling import Units, as_given, check_complete

RARE: Final = f"(< {ALIKE})"
"""The group of all rows whose own group has fewer than ALIKE."""
MOST: Final = 100
"""Groups that are compared at most: of more the widest gap says nothing, and pairs of them fill the memory."""
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
    groups that say nothing are as far apart, by dealing them to the rows anew `draws` times. Its interval holds for
    all pairs of groups at once (Agresti, Bini, Bertaccini and Ryu 2008), since the widest gap was looked for.
    Raises `Malformed` where there are fewer than two groups, a row has none, or labels or calls are not 0 and 1.
    """
    truth, decided = checked(labels, called)
    if not np.isin(decided, (0.0, 1.0)).all():
        raise Malformed("calls to compare must be 0 or 1; cut probabilities by a threshold first")
    if draws < 1:
        raise Malformed(f"{draws} draws say nothing of chance; give at least 1, {DRAWS:,} are usual")
    names, codes = _groups(groups, len(truth))
    rates = {name: _Rate(called, rows) for name, called, rows in _counted(truth == 1, decided == 1, codes, len(names))}
    each = {name: rate.shares for name, rate in rates.items()}
    dealt = _dealt(truth, decided == 1, codes, len(names), draws, seed)
    gaps = tuple(
        Gap(name, _known(value), *_ends(name, value, rates, level), _p(name, value, dealt[name]))
        for name, value in ((name, float(value)) for name, value in _gaps(each).items())
    )
    rows = np.bincount(codes).tolist()
    base = (np.bincount(codes, weights=truth) / rows).tolist()
    figures = tuple(
        GroupFigures(name, rows[place], base[place], *(_known(each[rate][place]) for rate in RATES))  # pyright: ignore[reportArgumentType]
        for place, name in enumerate(names)
    )
    return Fairness(figures, gaps, level, draws)


def without_rare(groups: npt.ArrayLike) -> npt.NDArray[Any]:
    """Groups by name, those of fewer than ALIKE rows together: a report names no level that tells who somebody is."""
    array = as_given(groups)
    if array.ndim != 1 or not len(array):
        return array  # refused where groups are compared
    check_complete(array, "group")
    names, codes = codes_of(array)
    rare = np.bincount(codes, minlength=len(names)) < ALIKE
    return np.where(rare, RARE, names)[codes] if rare.any() else array


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
    return _gaps(dict(zip(RATES, drawn, strict=False)))


def _p(name: str, value: float, dealt: Floats) -> float | None:
    """The share of deals with a gap as wide; a ratio is the wider, the smaller it is."""
    if not np.isfinite(value):
        return None
    known = dealt[np.isfinite(dealt)]
    wide = known <= value + 1e-12 if name.endswith("ratio") else known >= value - 1e-12
    return float((1 + wide.sum()) / (1 + len(known)))


class _Rate(NamedTuple):
    """A rate of each group: how many of its rows were called, of how many that it is counted over."""

    called: Floats
    rows: Floats

    @property
    def shares(self) -> Floats:
        with np.errstate(invalid="ignore"):
            return self.called / self.rows


def _counted(
    truth: npt.NDArray[np.bool_], called: npt.NDArray[np.bool_], codes: Units, groups: int
) -> Iterator[tuple[str, Floats, Floats]]:
    """Each rate's name, and by group the rows that were called and the rows that could be."""
    every = np.ones(len(truth), bool)
    sides = ((called, every), (called & truth, truth), (called & ~truth, ~truth), (called & truth, called))
    for name, side in zip(RATES, sides, strict=True):
        hit, of = (np.bincount(codes[rows], minlength=groups).astype(np.float64) for rows in side)
        yield name, hit, of


def _gaps(rates: Mapping[str, Floats]) -> dict[str, Floats]:
    """The gaps by name, of rates whose last axis are the groups."""
    selected, hits, false = (rates[name] for name in RATES[:3])
    opportunity, most = np.ptp(hits, axis=-1), selected.max(axis=-1)
    return {
        "demographic_parity_difference": np.ptp(selected, axis=-1),
        "demographic_parity_ratio": selected.min(axis=-1) / np.where(most > 0, most, np.nan),
        "equal_opportunity_difference": opportunity,
        "equalized_odds_difference": np.maximum(opportunity, np.ptp(false, axis=-1)),  # NaN where one is undefined
    }


def _ends(name: str, value: float, rates: Mapping[str, _Rate], level: float) -> tuple[float | None, float | None]:
    """The interval of a gap; None where the gap is."""
    if not np.isfinite(value):
        return None, None
    selected, hits, false = (rates[name] for name in RATES[:3])
    if name.endswith("ratio"):
        low, high = _span(*_logarithms(selected), level)
        return min(float(np.exp(-high)), value), max(float(np.exp(-low)), value)
    if name.startswith("equalized"):
        both = [_span(*_shares(rate), level**0.5) for rate in (hits, false)]
        low, high = max(each[0] for each in both), max(each[1] for each in both)
    else:
        low, high = _span(*_shares(selected if name.startswith("demographic") else hits), level)
    return min(low, value), max(min(high, 1.0), value)


def _span(centres: Floats, errors: Floats, level: float) -> tuple[float, float]:
    """The least and the greatest that the widest gap can be where all pairs of groups hold at once.

    By the studentized range (Tukey 1953, Kramer 1956), which is above its level for groups of unequal size.
    """
    from scipy.stats import studentized_range

    reach = float(studentized_range.ppf(level, len(centres), np.inf)) / np.sqrt(2)
    apart = np.abs(centres[:, None] - centres[None, :])
    spread = reach * np.sqrt(errors[:, None] ** 2 + errors[None, :] ** 2)
    return max(0.0, float((apart - spread).max())), float((apart + spread).max())


def _shares(rate: _Rate) -> tuple[Floats, Floats]:
    """Shares and their standard errors with a row more of either kind (Agresti and Caffo 2000), for groups of few."""
    share = (rate.called + 1) / (rate.rows + 2)
    return share, np.sqrt(share * (1 - share) / (rate.rows + 2))


def _logarithms(rate: _Rate) -> tuple[Floats, Floats]:
    """Logarithms of the shares and their standard errors, half a row added (Walter 1975)."""
    called, rows = rate.called + 0.5, rate.rows + 0.5
    return np.log(called / rows), np.sqrt(1 / called - 1 / rows)


def _groups(groups: npt.ArrayLike, n: int) -> tuple[list[str], Units]:
    array = as_given(groups)
    if array.shape != (n,):
        raise Malformed(f"there are {n} rows and groups of shape {array.shape}; give one group a row")
    check_complete(array, "group")
    names, codes = codes_of(array)
    if len(names) < 2:
        raise Malformed(f"all rows are of the group {str(names[0])!r}; fairness compares at least two")
    if len(names) > MOST:
        raise Malformed(f"there are {len(names):,} groups, and fairness compares at most {MOST}; give coarser ones")
    return names.tolist(), codes


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
