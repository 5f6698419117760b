"""Intervals of figures by the bootstrap: Student's t over the spread of the draws, over any scheme of drawing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from operator import index
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ..errors import Malformed
from .measures import Measure, Tabulated
from .resampling import Scheme
from .scales import least_groups, scale_of

DRAWS: Final = 1000
MOST: Final = 100_000
LEVEL: Final = 0.95
DEFINED: Final = 0.9
"""The share of draws that must define a figure; with fewer, those that do are no sample of it."""
_AT_ONCE: Final = 1 << 15
"""Elements of the draws that are measured at once."""

Floats = npt.NDArray[np.float64]
Progress = Callable[[int, int], None]
"""Called with how much is done and how much there is to do."""


@dataclass(frozen=True)
class Draws:
    """What the bootstrap found: figures of all rows, and of every draw."""

    figures: Mapping[str, float]
    drawn: Mapping[str, Floats]
    """Shape (draws,) by figure; NaN where a draw left it undefined."""
    method: str
    freedom: float
    """The degrees of freedom of the draws' spread."""

    def interval(self, name: str, level: float = LEVEL) -> tuple[float, float] | None:
        """The interval of one figure; None where too few draws define it, all are alike, or none would be honest."""
        if self.method == "groups" and self.freedom < least_groups(name) - 1:
            return None
        return interval(name, self.figures[name], self.drawn[name], self.freedom, level)


def bootstrap(
    measure: Measure,
    scheme: Scheme,
    draws: int = DRAWS,
    seed: int = 0,
    threads: int = 2,
    progress: Progress | None = None,
) -> Draws:
    """Draw rows again `draws` times and measure each draw; the same seed gives the same draws on any machine.

    All figures are measured on the same draws, so that they can be compared. `progress` hears how many are done.
    """
    check_rows(measure, scheme)
    drawn = resampled(measure, scheme, draws, seed, threads, progress)
    return Draws(measure(np.ones(scheme.n)), drawn, scheme.method, scheme.freedom)


def resampled(
    measure: Measure,
    scheme: Scheme,
    draws: int = DRAWS,
    seed: int = 0,
    threads: int = 2,
    progress: Progress | None = None,
) -> Mapping[str, Floats]:
    """The figures of every draw by name, shape (draws,)."""
    if draws < 1:
        raise Malformed(f"{draws} draws measure nothing; give at least 1, {DRAWS:,} are usual")
    measured = _tabulated(measure, scheme) if isinstance(measure, Tabulated) else _row_by_row(measure, scheme)
    at_once = max(1, _AT_ONCE // measure.cells.size) if isinstance(measure, Tabulated) else 1
    counts = [min(at_once, draws - begin) for begin in range(0, draws, at_once)]
    found: list[Mapping[str, Floats]] = []
    done = 0
    with ThreadPoolExecutor(threads) as pool:
        generators = map(np.random.default_rng, np.random.SeedSequence(seed).spawn(len(counts)))
        for count, batch in zip(counts, pool.map(measured, generators, counts), strict=True):
            found.append(batch)
            done += count
            if progress is not None:
                progress(done, draws)
    return _by_name(found)


def checked_terms(draws: Any, level: Any, seed: Any, least: int = 0) -> tuple[int, float, int]:
    """How an interval or a test is found, as plain numbers. Raises `Malformed` where one is none of its kind."""
    whole = _whole(draws)
    if whole is None or not least <= whole <= MOST:
        some = "0 (no intervals)" if not least else f"{least}"
        raise Malformed(f"{draws} draws are not between {some} and {MOST:,}; {DRAWS:,} are usual")
    if isinstance(level, str | bytes) or not hasattr(level, "__float__") or not 0.5 <= float(level) < 1:
        raise Malformed(f"a level of {level} is not from 0.5 to below 1; {LEVEL} is usual")
    start = _whole(seed)
    if start is None or not 0 <= start < 2**63:
        raise Malformed(f"a seed of {seed!r} is no whole number from 0 to below 2**63; 0 is usual")
    return whole, float(level), start


def _whole(value: Any) -> int | None:
    """A whole number of whatever library; None for anything else, a truth value among it."""
    try:
        return None if isinstance(value, bool | np.bool_) else index(value)
    except TypeError:
        return None


def check_rows(measure: Measure, scheme: Scheme) -> None:
    """Raise `Malformed` where other rows are measured than are drawn."""
    if isinstance(measure, Tabulated) and len(measure.cells.codes) != scheme.n:
        raise Malformed(f"{len(measure.cells.codes)} rows are measured and {scheme.n} are drawn; give the same rows")


def _tabulated(measure: Tabulated, scheme: Scheme) -> Callable[[np.random.Generator, int], Mapping[str, Floats]]:
    drawer = scheme.drawer(measure.cells)
    return lambda generator, draws: measure.of_counts(drawer(generator, draws))


def _row_by_row(measure: Measure, scheme: Scheme) -> Callable[[np.random.Generator, int], Mapping[str, Floats]]:
    return lambda generator, draws: _by_name([_array(measure(scheme.draw(generator))) for _ in range(draws)])


def interval(
    name: str, figure: float, drawn: Floats, freedom: float, level: float = LEVEL
) -> tuple[float, float] | None:
    """The interval of a figure by the spread of its draws, shape (draws,), on the figure's scale (`scales`).

    Draws of n units are too narrow by the root of (n - 1) / n, and a spread of few units calls for Student's t
    (Hesterberg 2015); with both it keeps its level where BCa (Efron 1987) of the same draws falls short.
    """
    scale = scale_of(name)
    if scale is None or not np.isfinite(figure):
        return None
    with np.errstate(divide="ignore", invalid="ignore"):
        centre, known = float(scale.there(np.array(figure))), scale.there(drawn)
    known = known[np.isfinite(known)]
    if not np.isfinite(centre) or len(known) < DEFINED * len(drawn) or np.ptp(known) == 0:
        return None
    reach = float(known.std(ddof=1)) * student(freedom, level)
    low, high = scale.back(centre + np.array([-reach, reach])).tolist()
    return low, high


def student(freedom: float, level: float) -> float:
    """How many spreads of draws an interval reaches to either side."""
    from scipy.special import stdtrit

    return float(stdtrit(freedom, (1 + level) / 2)) * widened(freedom)


def widened(freedom: float) -> float:
    """What a spread of draws is multiplied with: they are too narrow, since they vary about the sample's own mean."""
    return float(np.sqrt((freedom + 1) / freedom))


def _array(figures: Mapping[str, float]) -> Mapping[str, Floats]:
    return {name: np.array([value], np.float64) for name, value in figures.items()}


def _by_name(batches: list[Mapping[str, Floats]]) -> dict[str, Floats]:
    return {name: np.concatenate([batch[name] for batch in batches]) for name in batches[0]}
