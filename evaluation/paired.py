"""Paired tests: whether two models differ on the same rows by more than chance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from ..errors import Malformed
from ..results import PairedTest
from .intervals import DEFINED, DRAWS, LEVEL, Progress, check_rows, resampled, widened
from .measures import Measure, differences
from .probabilities import read_numbers
from .resampling import Scheme

Floats = npt.NDArray[np.float64]


def delong(labels: npt.ArrayLike, first: npt.ArrayLike, second: npt.ArrayLike, level: float = LEVEL) -> PairedTest:
    """The difference of two ROC AUCs on the same rows (DeLong, DeLong and Clarke-Pearson 1988; Sun and Xu 2014).

    `labels` of 0 and 1, scores of both models, each of shape (n,). Rows must be independent of each other.
    Raises `Malformed` on unequal lengths, or fewer than two rows of a class.
    """
    from scipy.special import ndtr, ndtri
    from scipy.stats import rankdata

    _check(level)
    truth, scores = read_numbers(labels, "labels"), np.stack(_pair(first, second))
    _of_length(len(truth), scores.shape[1])
    if not np.isin(truth, (0.0, 1.0)).all():
        raise Malformed("labels to judge must be 0 or 1; map the positive class to 1")
    positives, negatives = scores[:, truth == 1], scores[:, truth != 1]
    m, k = positives.shape[1], negatives.shape[1]
    if m < 2 or k < 2:
        raise Malformed("DeLong's test needs two rows of each class; evaluate on more rows")
    joint = np.stack([rankdata(np.concatenate([p, q])) for p, q in zip(positives, negatives, strict=True)])
    above = (joint[:, :m] - rankdata(positives, axis=1)) / k
    below = 1 - (joint[:, m:] - rankdata(negatives, axis=1)) / m
    areas = above.mean(axis=1)
    contrast = np.array([-1.0, 1.0])
    variance = contrast @ (np.cov(above) / m + np.cov(below) / k) @ contrast
    difference, error = float(areas[1] - areas[0]), float(np.sqrt(max(variance, 0.0)))
    p = float(2 * ndtr(-abs(difference) / error)) if error else float(difference == 0)
    reach = float(ndtri((1 + level) / 2)) * error
    return PairedTest("DeLong", "roc_auc", difference, difference - reach, difference + reach, p, m + k, level)


def mcnemar(first: npt.ArrayLike, second: npt.ArrayLike, level: float = LEVEL) -> PairedTest:
    """The difference of two accuracies on the same rows: McNemar's exact test (1947), of the rows that one got right.

    `first` and `second` say of each row whether the model was right, shape (n,). The interval is the one of Tango
    (1998), which inverts the score test, so it is honest for few rows too.
    Raises `Malformed` on unequal lengths or no rows.
    """
    from scipy.stats import binomtest

    _check(level)
    sides = _pair(first, second)
    if not all(np.isin(each, (0.0, 1.0)).all() for each in sides):
        raise Malformed("McNemar's test asks whether each row was called right; give True or False for it")
    one, other = (each.astype(bool) for each in sides)
    gained, lost, n = int(np.sum(other & ~one)), int(np.sum(one & ~other)), len(one)
    if not n:
        raise Malformed("no rows to compare; give at least one")
    p = float(binomtest(gained, gained + lost).pvalue) if gained + lost else 1.0
    low, high = _tango(gained, lost, n, level)
    return PairedTest("McNemar", "accuracy", (gained - lost) / n, low, high, p, n, level)


def paired_bootstrap(
    figure: str,
    first: Measure,
    second: Measure,
    scheme: Scheme,
    draws: int = DRAWS,
    seed: int = 0,
    level: float = LEVEL,
    progress: Progress | None = None,
) -> PairedTest:
    """The difference of any figure on the same rows, both models measured on the same draws.

    By the spread of the differences over the draws, as much wider as draws of few units are too narrow, and Student's t
    with the scheme's degrees of freedom: of a difference of two figures that is closer to its level than ends read off
    the draws, and interval and p agree.
    Raises `Malformed` where the figure is undefined for one of the two, or for more than a tenth of the draws.
    """
    return paired_bootstraps([figure], first, second, scheme, draws, seed, level, progress)[figure]


def paired_bootstraps(
    figures: Sequence[str],
    first: Measure,
    second: Measure,
    scheme: Scheme,
    draws: int = DRAWS,
    seed: int = 0,
    level: float = LEVEL,
    progress: Progress | None = None,
) -> dict[str, PairedTest]:
    """The tests of several figures by name, all on the same draws. Raises `Malformed` as `paired_bootstrap` does."""
    _check(level)
    if draws < 2:
        raise Malformed(f"{draws} draws have no spread; give at least 2, {DRAWS:,} are usual")
    measure, freedom = differences(first, second), scheme.freedom
    check_rows(measure, scheme)
    gaps = measure(np.ones(scheme.n))
    drawn = resampled(measure, scheme, draws, seed, progress=progress)
    name, tests = f"paired bootstrap, {scheme.method}, {draws} draws", dict[str, PairedTest]()
    for figure in figures:
        gap, known = gaps.get(figure, np.nan), drawn.get(figure, np.empty(0))
        known = known[np.isfinite(known)]
        if not np.isfinite(gap) or len(known) < max(2, DEFINED * draws):
            raise Malformed(f"{figure} is undefined on these rows; compare by a figure that both models have")
        error = float(known.std(ddof=1)) * widened(freedom)
        tests[figure] = _by_student(name, figure, gap, error, freedom, scheme.n, level)
    return tests


def diebold_mariano(
    first: npt.ArrayLike, second: npt.ArrayLike, figure: str, horizon: int = 1, level: float = LEVEL
) -> PairedTest:
    """The difference of mean losses of two forecasts of one series (Diebold and Mariano 1995).

    `first` and `second` are each forecast's losses in time order, shape (n,), `horizon` steps ahead, whose errors
    depend on each other up to `horizon - 1` steps. With the small-sample correction of Harvey, Leybourne and Newbold
    (1997); where the variance comes out negative, Bartlett's weights (Newey and West 1987) keep it above 0.
    Raises `Malformed` on unequal lengths, or no more than `horizon + 1` rows.
    """
    _check(level)
    one, other = _pair(first, second)
    gaps, n = other - one, len(one)
    if horizon < 1:
        raise Malformed(f"a forecast is at least 1 step ahead, not {horizon}; give how many steps it looks ahead")
    if n <= horizon + 1:
        raise Malformed(f"{n} forecasts are too few for a test {horizon} steps ahead; give more than {horizon + 1}")
    difference = float(gaps.mean())
    centred = gaps - difference
    lags = np.array([np.dot(centred[lag:], centred[: n - lag]) for lag in range(horizon)])
    spread = 2 * lags.sum() - lags[0]
    if spread <= 0:
        spread = 2 * np.dot(1 - np.arange(horizon) / horizon, lags) - lags[0]
    shrunk = (n + 1 - 2 * horizon + horizon * (horizon - 1) / n) / n
    error = float(np.sqrt(max(spread, 0.0) / n**2 / shrunk)) if shrunk > 0 else float("nan")
    return _by_student("Diebold-Mariano", figure, difference, error, n - 1, n, level)


def holm(ps: Sequence[float], of: int | None = None) -> list[float]:
    """p-values corrected for how many there are (Holm 1979): the chance of any false alarm stays below the level.

    They may be some `of` more comparisons that were or could have been made, as where all are set against the one that
    turned out best: whichever of the others is taken for the smallest, the correction is no weaker than that of all.
    """
    if not all(0 <= p <= 1 for p in ps):
        raise Malformed("p-values to correct must lie between 0 and 1; leave out the tests that gave none")
    order, whole = np.argsort(ps), max(len(ps), of or 0)
    raised = np.asarray(ps, dtype=np.float64)[order] * np.arange(whole, whole - len(ps), -1)
    corrected = np.empty(len(ps))
    corrected[order] = np.minimum(np.maximum.accumulate(raised), 1.0)
    return corrected.tolist()


_CLOSE: Final = 1e-10


def _tango(gained: int, lost: int, n: int, level: float) -> tuple[float, float]:
    """The differences that the score test does not exclude, by bisection on either side."""
    from scipy.optimize import brentq
    from scipy.special import ndtri

    limit, difference = float(ndtri((1 + level) / 2)), (gained - lost) / n

    def score(delta: float) -> float:
        # The probability of a lost row where the difference is delta: the root of the constrained likelihood.
        half = -gained - lost + (2 * n - gained + lost) * delta
        product = -lost * delta * (1 - delta)
        root = (np.sqrt(max(half**2 - 8 * n * product, 0.0)) - half) / (4 * n)
        variance = n * (2 * root + delta * (1 - delta))
        return (gained - lost - n * delta) / np.sqrt(variance) if variance > 0 else 0.0

    low = -1.0 if score(-1 + _CLOSE) <= limit else brentq(lambda d: score(d) - limit, -1 + _CLOSE, difference)
    high = 1.0 if score(1 - _CLOSE) >= -limit else brentq(lambda d: score(d) + limit, difference, 1 - _CLOSE)
    return float(low), float(high)


def _by_student(
    test: str, figure: str, difference: float, error: float, freedom: float, n: int, level: float
) -> PairedTest:
    """The test of a difference with its standard error, by Student's t; without a known error no interval."""
    from scipy.stats import t

    if not error > 0:
        return PairedTest(test, figure, difference, None, None, float(difference == 0), n, level)
    p = float(2 * t.sf(abs(difference) / error, freedom))
    reach = float(t.ppf((1 + level) / 2, freedom)) * error
    return PairedTest(test, figure, difference, difference - reach, difference + reach, p, n, level)


def _check(level: float) -> None:
    if not 0 < level < 1:
        raise Malformed(f"a level of {level} is not between 0 and 1; 0.95 is usual")


def _pair(first: npt.ArrayLike, second: npt.ArrayLike) -> tuple[Floats, Floats]:
    one, other = (read_numbers(each, "paired values") for each in (first, second))
    if one.ndim != 1 or one.shape != other.shape:
        raise Malformed(f"paired values have shapes {one.shape} and {other.shape}; give one a row for both models")
    if not (np.isfinite(one).all() and np.isfinite(other).all()):
        raise Malformed("paired values must be finite numbers; leave out the rows that a model has none for")
    return one, other


def _of_length(labels: int, scores: int) -> None:
    if labels != scores:
        raise Malformed(f"{labels} labels do not match {scores} scores; give one a row")
