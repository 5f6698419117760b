"""How far probabilities can be believed: reliability by bins, the error beside its noise, and what mends them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any, Final, cast

import numpy as np
import numpy.typing as npt

from ...errors import Malformed
from ...results import Bin, Calibration
from ..binary import Floats, checked
from ..cells import Cells, Codes
from ..measures import BINS, bins_of, expected_calibration_error
from ..probabilities import read_probabilities

NOISE_DRAWS: Final = 1000
"""How often labels are drawn from the probabilities, to see what error chance alone makes."""
STEPS: Final = 64
"""Steps of probability in each bin."""


def reliability(labels: npt.ArrayLike, probabilities: npt.ArrayLike, bins: int = BINS, seed: int = 0) -> Calibration:
    """Frequencies beside probabilities, over `bins` of equal width; labels of 0 and 1, both of shape (n,).

    An ECE is never 0 for few rows. Its noise is that of consistency sampling (Bröcker and Smith 2007).
    Raises `Malformed` as `binary.score` does.
    """
    truth, chance = checked(labels, probabilities)
    if bins < 1:
        raise Malformed(f"{bins} bins hold no probability; give at least 1, {BINS} are usual")
    place = bins_of(chance, bins)
    errors = _chance_errors(chance, place, bins, seed)
    return Calibration(
        tuple(_bin(truth[place == each], chance[place == each], each, bins) for each in np.unique(place).tolist()),
        expected_calibration_error(truth, chance, bins),
        float(np.quantile(errors, 0.95)),
    )


def _chance_errors(chance: Floats, place: Codes, bins: int, seed: int) -> Floats:
    """The ECE of labels drawn from the probabilities themselves, NOISE_DRAWS times, shape (NOISE_DRAWS,).

    A row's label is 1 where a number drawn from 0 to 1 lies below its probability. Rows are sorted into steps of
    probability; below a row's step the label is 1, above it 0, and how many of a step's rows that comes to is binomial.
    Only rows whose number fell into their own step, one of hundreds, are looked at one by one. This is exact.
    """
    generator = np.random.default_rng(seed)
    width = 1 / (bins * STEPS)
    step = np.clip(bins_of(chance, bins * STEPS), place * STEPS, place * STEPS + STEPS - 1)
    steps = Cells(np.unique(step, return_inverse=True)[1])
    floor = width * np.unique(step)
    bin_of_step = np.unique(step) // STEPS
    expected = np.bincount(place, weights=chance, minlength=bins)
    errors = np.empty(NOISE_DRAWS)
    for draw in range(NOISE_DRAWS):
        inside = generator.choice(len(chance), generator.binomial(len(chance), width), replace=False, shuffle=False)
        within = steps.codes[inside]
        positive = generator.random(len(inside)) * width < chance[inside] - floor[within]
        sure = steps.rows - np.bincount(within, minlength=steps.size)
        ones = generator.binomial(sure, floor / (1 - width)) + np.bincount(within[positive], minlength=steps.size)
        errors[draw] = np.abs(np.bincount(bin_of_step, weights=ones, minlength=bins) - expected).sum()
    return errors / len(chance)


def _bin(truth: Floats, chance: Floats, place: int, bins: int) -> Bin:
    low, high = _wilson(int(truth.sum()), len(truth))
    return Bin(
        place / bins,
        (place + 1) / bins,
        len(truth),
        float(chance.mean()),
        float(truth.mean()),
        low,
        high,
    )


def _wilson(ones: int, rows: int) -> tuple[float, float]:
    """The 95% interval of a frequency by Wilson (1927), as in Newcombe (1998).

    It is that of `scipy.stats.binomtest` to the last bit, without the second that scipy.stats takes to import.
    """
    from scipy.special import ndtri

    z, frequency = float(ndtri(0.975)), ones / rows
    divisor = 2 * (rows + z**2)
    middle = (2 * rows * frequency + z**2) / divisor
    reach = z / divisor * sqrt(4 * rows * frequency * (1 - frequency) + z**2)
    return (middle - reach if ones else 0.0), (middle + reach if ones < rows else 1.0)


@dataclass(frozen=True)
class Temperature:
    """Logits divided by one number (Guo et al. 2017): it keeps the order of the rows, and every call at one half."""

    temperature: float

    @classmethod
    def fitted(cls, labels: npt.ArrayLike, probabilities: npt.ArrayLike) -> Temperature:
        """The temperature of least log loss on these rows, from 0.05 to 20."""
        truth, chance = checked(labels, probabilities)
        _both(truth)
        signs, logits = 1 - 2 * truth, _logits(chance)
        return cls(_least(lambda heat: float(np.logaddexp(0.0, signs * logits / heat).mean())))

    @classmethod
    def fitted_to_classes(cls, codes: npt.NDArray[np.int64], probabilities: Floats) -> Temperature:
        """The same of several classes: `probabilities` has a column each, shape (n, k), `codes` names one a row."""
        from scipy.special import log_softmax

        _both(codes)
        logs, rows = _logs(probabilities), np.arange(len(codes))
        return cls(_least(lambda heat: float(-log_softmax(logs / heat, axis=1)[rows, codes].mean())))

    def __call__(self, probabilities: npt.ArrayLike) -> Floats:
        """Of the positive class's probability, shape (n,), or of one column a class, shape (n, k)."""
        from scipy.special import expit, softmax

        chances = _within(probabilities)
        if chances.ndim == 2:
            return softmax(_logs(chances) / self.temperature, axis=1)
        return expit(_logits(chances) / self.temperature)

    def to_dict(self) -> dict[str, Any]:
        """JSON that `correction_of` reads back."""
        return {"method": "temperature", "temperature": self.temperature}


@dataclass(frozen=True)
class Isotonic:
    """A rising line through probabilities (Zadrozny and Elkan 2002): rows may become equal, but never change order."""

    probabilities: tuple[float, ...]
    frequencies: tuple[float, ...]

    @classmethod
    def fitted(cls, labels: npt.ArrayLike, probabilities: npt.ArrayLike) -> Isotonic:
        """The rising line of least squared error on these rows."""
        from sklearn.isotonic import IsotonicRegression

        truth, chance = checked(labels, probabilities)
        _both(truth)
        line: Any = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip").fit(chance, truth)
        return cls(tuple(line.X_thresholds_.tolist()), tuple(line.y_thresholds_.tolist()))

    def __call__(self, probabilities: npt.ArrayLike) -> Floats:
        """Of the positive class's probability, shape (n,), or of two columns, shape (n, 2)."""
        chances = _within(probabilities)
        if chances.ndim == 2:
            positive = self(chances[:, 1])
            return np.stack([1 - positive, positive], axis=1)
        return np.interp(chances, self.probabilities, self.frequencies)

    def to_dict(self) -> dict[str, Any]:
        """JSON that `correction_of` reads back."""
        return {"method": "isotonic", "probabilities": self.probabilities, "frequencies": self.frequencies}


def correction_of(stored: Mapping[str, Any]) -> Temperature | Isotonic:
    """The correction that a `to_dict()` was of. Raises `Malformed` on another method."""
    match stored.get("method"):
        case "temperature" if _number(stored.get("temperature")) > 0:
            return Temperature(float(stored["temperature"]))
        case "isotonic" if _rises(stored.get("probabilities")) and _rises(stored.get("frequencies")):
            line = Isotonic(tuple(stored["probabilities"]), tuple(stored["frequencies"]))
            if len(line.probabilities) == len(line.frequencies):
                return line
            raise Malformed("an isotonic correction has as many frequencies as probabilities; fit it anew")
        case "temperature" | "isotonic" as method:
            raise Malformed(f"what is kept of a correction by {method} is none; fit it anew")
        case other:
            raise Malformed(f"there is no correction {other!r}; it is temperature or isotonic")


def _within(probabilities: npt.ArrayLike) -> Floats:
    chance = read_probabilities(probabilities)
    if not ((chance >= 0) & (chance <= 1)).all():
        raise Malformed("probabilities to correct must lie between 0 and 1; NaN and scores outside are none")
    return chance


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) and np.isfinite(value) else np.nan


def _rises(values: Any) -> bool:
    numbers = list(map(_number, cast("Sequence[Any]", values))) if isinstance(values, list | tuple) else []
    return bool(numbers) and bool((np.diff(numbers, prepend=0.0, append=1.0) >= 0).all())


def _logits(chance: Floats) -> Floats:
    from scipy.special import logit

    least = np.finfo(np.float64).eps
    return logit(np.clip(chance, least, 1 - least))


def _logs(chances: Floats) -> Floats:
    return np.log(np.clip(chances, np.finfo(np.float64).eps, 1.0))


def _least(loss: Callable[[float], float]) -> float:
    """The temperature of least loss."""
    from scipy.optimize import minimize_scalar

    ends = (np.log(0.05), np.log(20))
    best = minimize_scalar(
        lambda exponent: loss(float(np.exp(exponent))), bounds=ends, method="bounded", options={"xatol": 1e-8}
    )
    return float(np.exp(best.x))


def _both(truth: npt.NDArray[Any]) -> None:
    if len(np.unique(truth)) < 2:
        raise Malformed("probabilities cannot be corrected on labels of one class alone; give rows of both")
