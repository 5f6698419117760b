"""Effect sizes: how large the difference of two models is, in units that do not depend on the figure."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
import numpy.typing as npt

from ...results import Effect
from ..outcomes import Outcomes

Floats = npt.NDArray[np.float64]


def effect_of(figure: str, one: Outcomes, other: Outcomes, figures: tuple[float, float]) -> Effect | None:
    """The effect of a figure's difference on the same rows; None for a figure that has no such measure.

    `figures` are those of both models. The sign is that of the second one's figure minus the first one's.
    """
    if figure in _AREAS:
        measure, value = "Cohen's d of areas", _of_areas(figures if figure == "roc_auc" else _areas(figures), one)
    elif figure in LOSSES:
        measure, value = "Cohen's d", _of_losses(LOSSES[figure](one), LOSSES[figure](other))
    elif (one.task not in _OF_NUMBERS or figure == "coverage") and all(0 <= each <= 1 for each in figures):
        measure, value = "Cohen's h", of_shares(*figures)
    else:
        return None
    return None if value is None else Effect(measure, math.copysign(value, figures[1] - figures[0]))


def of_shares(one: float, other: float) -> float:
    """Cohen's h of two figures from 0 to 1 (Cohen 1988, chapter 6): on this scale a step is as wide at either end."""
    return 2 * math.asin(math.sqrt(other)) - 2 * math.asin(math.sqrt(one))


def _areas(ginis: tuple[float, float]) -> tuple[float, float]:
    return (ginis[0] + 1) / 2, (ginis[1] + 1) / 2


def _of_areas(areas: tuple[float, float], outcomes: Outcomes) -> float:
    """The difference of the d between the classes' scores that each area stands for: d = √2 Φ⁻¹(AUC).

    (Salgado 2018, of the area under a normal curve.) An area of 0 or 1 is taken half a pair of rows away from it.
    """
    from scipy.special import ndtri

    positives = int(np.sum(outcomes.truth == 1))
    least = 0.5 / max(positives * (len(outcomes) - positives), 1)
    one, other = (math.sqrt(2) * float(ndtri(min(max(area, least), 1 - least))) for area in areas)
    return other - one


def _of_losses(one: Floats, other: Floats) -> float | None:
    """Cohen's d of two means of losses over the same rows, by the mean of both variances (Lakens 2013, d_av).

    Not by the spread of the rows' differences, which is small where two models err alike: the words would be as large
    as the test is sure.
    """
    spread = math.sqrt((float(one.var(ddof=1)) + float(other.var(ddof=1))) / 2)
    return (float(other.mean()) - float(one.mean())) / spread if spread > 0 else None


def _squared(outcomes: Outcomes) -> Floats:
    return (outcomes.truth - outcomes.called) ** 2


def _absolute(outcomes: Outcomes) -> Floats:
    return np.abs(outcomes.truth - outcomes.called)


def _brier(outcomes: Outcomes) -> Floats:
    assert outcomes.chances is not None
    return (outcomes.chances - outcomes.truth) ** 2


def _log_losses(outcomes: Outcomes) -> Floats:
    assert outcomes.chances is not None
    least = np.finfo(float).eps
    chance = np.clip(outcomes.chances, least, 1 - least)
    return -np.log(np.where(outcomes.truth == 1, chance, 1 - chance))


_OF_NUMBERS: Final = ("regression", "forecasting")
"""The tasks whose figures are no shares, but for the share of truths within an interval."""
_AREAS: Final = ("roc_auc", "gini")
LOSSES: Final[Mapping[str, Callable[[Outcomes], Floats]]] = {
    "brier": _brier,
    "log_loss": _log_losses,
    "rmse": _squared,
    "r2": _squared,
    "mae": _absolute,
    "mase": _absolute,
}
"""The losses of single rows whose mean a figure is made of."""
