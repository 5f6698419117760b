"""Intervals of figures by the bootstrap: bias-corrected and accelerated (Efron 1987), over any scheme of drawing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from .cells import Cells
from .measures import Measure, Tabulated
from .resampling import Scheme

DRAWS: Final = 1000
LEVEL: Final = 0.95
DEFINED: Final = 0.9
"""The share of draws that must define a figure; with fewer, those that do are no sample of it."""
PARTS: Final = 400
"""Parts that the jackknife leaves out, one at a time; more units than that are left out in parts of equal size."""
MANY: Final = 100_000
"""Units whose skewness, which falls with the root of their number, a quarter of the parts tells as well."""
_AT_ONCE: Final = 1 << 15
"""Elements of the draws that are measured at once."""

Floats = npt.NDArray[np.float64]
Progress = Callable[[int, int], None]
"""Called with how much is done and how much there is to do."""


@dataclass(frozen=True)
class Draws:
    """What the bootstrap found: figures of all rows, of every draw, and of the rows without one part each."""

    figures: Mapping[str, float]
    drawn: Mapping[str, Floats]
    """Shape (draws,) by figure; NaN where a draw left it undefined."""
    left_out: Mapping[str, Floats]
    """Shape (parts,) by figure."""
    method: str
    freedom: int

    def interval(self, name: str, level: float = LEVEL) -> tuple[float, float] | None:
        """The BCa interval of one figure; None where too few draws define it, or all draws are alike."""
        return bca(self.figures[name], self.drawn[name], self.left_out[name], level, self.freedom)


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
    drawn = resampled(measure, scheme, draws, seed, threads, progress)
    figures = measure(np.ones(len(scheme.units)))
    return Draws(figures, drawn, left_out(measure, scheme, threads), scheme.method, scheme.freedom)


def resampled(
    measure: Measure,
    scheme: Scheme,
    draws: int = DRAWS,
    seed: int = 0,
    threads: int = 2,
    progress: Progress | None = None,
) -> Mapping[str, Floats]:
    """The figures of every draw by name, shape (draws,)."""
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


def _tabulated(measure: Tabulated, scheme: Scheme) -> Callable[[np.random.Generator, int], Mapping[str, Floats]]:
    drawer = scheme.drawer(measure.cells)
    return lambda generator, draws: measure.of_counts(drawer(generator, draws))


def _row_by_row(measure: Measure, scheme: Scheme) -> Callable[[np.random.Generator, int], Mapping[str, Floats]]:
    return lambda generator, draws: _by_name([_array(measure(scheme.draw(generator))) for _ in range(draws)])


def bca(
    figure: float, drawn: Floats, left_out: Floats, level: float = LEVEL, freedom: int | None = None
) -> tuple[float, float] | None:
    """The bias-corrected and accelerated interval; None where it is not known.

    A figure that is biased for so few rows (KS, ECE, a greatest gap, all above 0 by chance alone) may lie outside of
    what the correction gives: its interval is not known then. With the `freedom` of the spread the ends are those of
    Student's t, and as wide as the draws of n units are too narrow (Hesterberg 2015).

    `drawn`, shape (draws,), are the figures of the draws, `left_out`, shape (parts,), those of the jackknife.
    """
    from scipy.special import ndtr, ndtri, stdtrit

    known = drawn[np.isfinite(drawn)]
    if not np.isfinite(figure) or len(known) < DEFINED * len(drawn) or np.ptp(known) == 0:
        return None
    below = float(((known < figure).sum() + (known == figure).sum() / 2) / len(known))
    bias = float(ndtri(min(max(below, 0.5 / len(known)), 1 - 0.5 / len(known))))
    tail = float(ndtri((1 + level) / 2))
    if freedom is not None:
        tail = float(stdtrit(freedom, (1 + level) / 2)) * np.sqrt((freedom + 1) / freedom)
    tails = bias + np.array([-tail, tail])
    shifted = np.asarray(ndtr(bias + tails / (1 - acceleration(left_out) * tails)), np.float64)
    low, high = np.quantile(known, shifted).tolist()
    return (low, high) if low <= figure <= high else None


def acceleration(left_out: Floats) -> float:
    """How fast the spread of a figure changes with its value: the skewness of the jackknife, over six."""
    known = left_out[np.isfinite(left_out)]
    if len(known) < 2:
        return 0.0
    gaps = known.mean() - known
    spread = np.sum(gaps**2) ** 1.5
    return float(np.sum(gaps**3) / (6 * spread)) if spread > 0 else 0.0


def left_out(measure: Measure, scheme: Scheme, threads: int = 2) -> Mapping[str, Floats]:
    """The figures of the rows without one part each, shape (parts,): the jackknife, of units dealt to parts in turn."""
    units = scheme.units
    parts = Cells(_dealt(units))

    def without(begin: int) -> Mapping[str, Floats]:
        some = range(begin, min(begin + at_once, parts.size))
        if not isinstance(measure, Tabulated):
            return _by_name([_array(measure((parts.codes != part).astype(np.float64))) for part in some])
        return measure.of_counts(np.stack([_rest(measure.cells, parts, part) for part in some]))

    at_once = max(1, _AT_ONCE // measure.cells.size) if isinstance(measure, Tabulated) else 1
    with ThreadPoolExecutor(threads) as pool:
        return _by_name(list(pool.map(without, range(0, parts.size, at_once))))


def _rest(cells: Cells, parts: Cells, part: int) -> Floats:
    """How many rows each cell has without those of one part."""
    begin = int(parts.rows[:part].sum())
    gone = parts.order[begin : begin + int(parts.rows[part])]
    return (cells.rows - np.bincount(cells.codes[gone], minlength=cells.size)).astype(np.float64)


def _dealt(units: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The part that each row is left out with: its unit, or of many units one of 400 parts, of very many 100."""
    count = int(units.max()) + 1
    return units if count <= PARTS else units % (PARTS if count <= MANY else PARTS // 4)


def _array(figures: Mapping[str, float]) -> Mapping[str, Floats]:
    return {name: np.array([value], np.float64) for name, value in figures.items()}


def _by_name(batches: list[Mapping[str, Floats]]) -> dict[str, Floats]:
    return {name: np.concatenate([batch[name] for batch in batches]) for name in batches[0]}
