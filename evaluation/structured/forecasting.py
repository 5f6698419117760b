"""The figures of forecasts of a series, and the walk forward that makes them without a look at the future."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import Malformed
from ...results import ForecastPerformance
from ...results.judging.performance import finite

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]


def score(
    truth: npt.ArrayLike,
    forecast: npt.ArrayLike,
    past: npt.ArrayLike | None = None,
    season: int = 1,
    interval: tuple[npt.ArrayLike, npt.ArrayLike] | None = None,
) -> ForecastPerformance:
    """Judge forecasts against what came, both of shape (n,).

    `past` is the series that the forecast was made from, for MASE, by steps of `season` rows. `interval` are the lower
    and upper ends that were forecast. sMAPE is the mean of 2 |e| / (|y| + |f|), where both are 0 it is 0.
    Raises `Malformed` on no rows, unequal lengths, or values that are no finite numbers.
    """
    true, given = checked(truth, forecast)
    step = None if past is None else seasonal_step(past, season)
    error = given - true
    size = np.abs(true) + np.abs(given)
    figures: dict[str, float | None] = {
        "mae": float(np.abs(error).mean()),
        "rmse": float(np.sqrt((error**2).mean())),
        "bias": float(error.mean()),
        "mape": float(np.abs(error / true).mean()) if true.all() else None,
        "smape": float(np.divide(2 * np.abs(error), size, out=np.zeros_like(size), where=size > 0).mean()),
        "mase": float(np.abs(error).mean()) / step if step else None,
        "coverage": None if interval is None else float(inside(true, *interval).mean()),
    }
    return ForecastPerformance(**{name: finite(value) for name, value in figures.items()}, n=len(true))


def walk_forward(
    n: int,
    *,
    horizon: int = 1,
    first: int | None = None,
    step: int | None = None,
    window: int | None = None,
    gap: int = 0,
) -> Iterator[tuple[Places, Places]]:
    """Places of a series in time order to learn from and to judge on, each pair later than the one before.

    Each part to judge has `horizon` rows and begins `gap` rows behind its part to learn from, which never reaches into
    it. `first` rows are learnt from in the beginning (half of the series), then `step` more each time (the horizon), or
    the last `window` rows only. Raises `Malformed` where not one part fits.
    """
    begin, ahead = n // 2 if first is None else first, horizon if step is None else step
    if min(horizon, begin, ahead) < 1 or gap < 0 or (window is not None and window < 1):
        raise Malformed("horizon, first, step and window are at least 1, and a gap is not negative")
    if begin + gap + horizon > n:
        raise Malformed(f"{n} rows are fewer than {begin} to learn from, a gap of {gap} and {horizon} to judge")
    places = np.arange(n)
    for end in range(begin, n - gap - horizon + 1, ahead):
        start = 0 if window is None else max(0, end - window)
        yield places[start:end], places[end + gap : end + gap + horizon]


def seasonal_step(past: npt.ArrayLike, season: int) -> float:
    """The mean step of a series over a season, by which MASE scales. Raises `Malformed` where it is too short."""
    series = _series(past, "the past")
    if season < 1 or len(series) <= season:
        raise Malformed(f"a past of {len(series)} rows has no step of {season}; give a longer past or a shorter season")
    return float(np.abs(series[season:] - series[:-season]).mean())


def inside(truth: Floats, low: npt.ArrayLike, high: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """Which true values lie in the interval that was forecast, shape (n,). Raises `Malformed` as `score`."""
    lower, upper = _series(low, "the lower end"), _series(high, "the upper end")
    _of_length(truth, lower, "the lower end")
    _of_length(truth, upper, "the upper end")
    if (lower > upper).any():
        raise Malformed("a lower end of an interval lies above its upper end; give (lower, upper)")
    return (lower <= truth) & (truth <= upper)


def checked(truth: npt.ArrayLike, forecast: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Truth and forecast of one length. Raises `Malformed` as `score`."""
    true, given = _series(truth, "the truth"), _series(forecast, "the forecast")
    _of_length(true, given, "the forecast")
    return true, given


def _series(values: npt.ArrayLike, what: str) -> Floats:
    array: npt.NDArray[Any] = np.asarray(values)
    if array.ndim != 1 or not len(array):
        raise Malformed(f"{what} has shape {array.shape}; give one number a row, and at least one row")
    if array.dtype.kind not in "buif" or not np.isfinite(array).all():
        raise Malformed(f"{what} must hold finite numbers; fill or leave out what is missing")
    return array.astype(np.float64)


def _of_length(true: Floats, other: Floats, what: str) -> None:
    if len(true) != len(other):
        raise Malformed(f"there are {len(true)} true values and {len(other)} of {what}; give one a row")
