"""Intervals of figures by the bootstrap: bias-corrected and accelerated (Efron 1987), over any scheme of drawing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from .resampling import Scheme, Weights

Measure = Callable[[Weights], Mapping[str, float]]
"""Figures by name, of rows that each count as often as their weight says; what is undefined is NaN."""

DRAWS: Final = 1000
LEVEL: Final = 0.95
LEFT_OUT: Final = 400
"""Parts that the jackknife leaves out, one at a time; more units than that are left out in parts of equal size."""
DEFINED: Final = 0.9
"""The share of draws that must define a figure; with fewer, those that do are no sample of it."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Draws:
    """What the bootstrap found: figures of all rows, of every draw, and of the rows without one part each."""

    figures: Mapping[str, float]
    drawn: Mapping[str, Floats]
    """Shape (draws,) by figure; NaN where a draw left it undefined."""
    left_out: Mapping[str, Floats]
    """Shape (parts,) by figure."""
    method: str

    def interval(self, name: str, level: float = LEVEL) -> tuple[float, float] | None:
        """The BCa interval of one figure; None where too few draws define it, or all draws are alike."""
        return bca(self.figures[name], self.drawn[name], self.left_out[name], level)


def bootstrap(
    measure: Measure,
    scheme: Scheme,
    draws: int = DRAWS,
    seed: int = 0,
    threads: int = 2,
) -> Draws:
    """Draw rows again `draws` times and measure each draw; the same seed gives the same draws on any machine.

    All figures are measured on the same draws, so that they can be compared.
    """
    drawn = resampled(measure, scheme, draws, seed, threads)
    with ThreadPoolExecutor(threads) as pool:
        left_out = list(pool.map(measure, _without(_parts(scheme.units))))
    figures = measure(np.ones(len(scheme.units)))
    return Draws(figures, drawn, _by_name(left_out), scheme.method)


def resampled(
    measure: Measure,
    scheme: Scheme,
    draws: int = DRAWS,
    seed: int = 0,
    threads: int = 2,
) -> Mapping[str, Floats]:
    """The figures of every draw by name, shape (draws,)."""

    def drawn(sequence: np.random.SeedSequence) -> Mapping[str, float]:
        return measure(scheme.draw(np.random.default_rng(sequence)))

    with ThreadPoolExecutor(threads) as pool:
        return _by_name(list(pool.map(drawn, np.random.SeedSequence(seed).spawn(draws))))


def bca(figure: float, drawn: Floats, left_out: Floats, level: float = LEVEL) -> tuple[float, float] | None:
    """The bias-corrected and accelerated interval; None where it is not known.

    A figure that is biased for so few rows (KS, ECE, a greatest gap, all above 0 by chance alone) may lie outside of
    what the correction gives: its interval is not known then.

    `drawn`, shape (draws,), are the figures of the draws, `left_out`, shape (parts,), those of the jackknife.
    """
    from scipy.special import ndtr, ndtri

    known = drawn[np.isfinite(drawn)]
    if not np.isfinite(figure) or len(known) < DEFINED * len(drawn) or np.ptp(known) == 0:
        return None
    below = float(((known < figure).sum() + (known == figure).sum() / 2) / len(known))
    bias = float(ndtri(min(max(below, 0.5 / len(known)), 1 - 0.5 / len(known))))
    tails = bias + np.array([-1.0, 1.0]) * float(ndtri((1 + level) / 2))
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


def _parts(units: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The part that each row is left out with: its unit, or one of LEFT_OUT parts of units dealt in turn."""
    count = int(units.max()) + 1
    return units if count <= LEFT_OUT else units % LEFT_OUT


def _without(parts: npt.NDArray[np.int64]) -> Iterator[Weights]:
    for part in range(int(parts.max()) + 1):
        yield (parts != part).astype(np.float64)


def _by_name(samples: list[Mapping[str, float]]) -> dict[str, Floats]:
    return {name: np.array([sample[name] for sample in samples]) for name in samples[0]}
