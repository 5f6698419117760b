"""Corrections of probabilities that a version keeps in its settings: fitted on outcomes, applied one after another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

import numpy as np
import numpy.typing as npt

from ...errors import Malformed
from ..diagnostics.calibration import Isotonic, Temperature, correction_of
from ..measures import BINS, bins_of
from ..outcomes import Outcomes

SETTING: Final = "calibration"
"""The setting that holds a version's corrections, the first one first."""
METHODS: Final = ("temperature", "isotonic")
FOLDS: Final = 5
KNOTS: Final = 256
"""Points of an isotonic line that are kept; what lies between is interpolated either way."""
FEWEST: Final = 20
"""Rows below which a correction would say more of chance than of the model."""

Floats = npt.NDArray[np.float64]
Correction = Temperature | Isotonic


@dataclass(frozen=True)
class Fitted:
    """A correction, and the expected calibration error before and after it.

    `after` is measured on rows that did not fit the correction, each fifth by one fitted on the others: on its own rows
    an isotonic line is right by construction.
    """

    correction: Correction
    rows: int
    before: float
    after: float


def fitted(outcomes: Outcomes, method: str) -> Fitted:
    """The correction of least loss on these outcomes. Raises `Malformed` where there is nothing to correct."""
    if method not in METHODS:
        raise Malformed(f"there is no correction {method!r}; it is {' or '.join(METHODS)}")
    chances = outcomes.chances
    if chances is None or outcomes.task not in ("binary", "multiclass"):
        raise Malformed("there are no probabilities to correct; only a classifier that gives some can be calibrated")
    if outcomes.task == "multiclass" and method == "isotonic":
        raise Malformed("an isotonic line is of two classes; use the method temperature for several")
    if len(outcomes) < FEWEST:
        raise Malformed(f"{len(outcomes)} rows are too few to correct probabilities by; give {FEWEST} at least")
    if outcomes.task == "multiclass" and int(outcomes.truth.max()) >= chances.shape[1]:
        raise Malformed("some labels are of classes that the model has no probability of; leave their rows out")
    after = np.empty_like(chances)
    fold = np.random.default_rng(0).permutation(len(outcomes)) % FOLDS
    for each in range(FOLDS):
        held = fold == each
        after[held] = _fitted(outcomes, ~held, method)(chances[held])
    correction = _fitted(outcomes, np.ones(len(outcomes), bool), method)
    return Fitted(correction, len(outcomes), _error(outcomes, chances), _error(outcomes, after))


def corrected(chances: Any, settings: Mapping[str, Any]) -> Any:
    """Probabilities as a version's settings correct them; the very same where these hold no correction."""
    for each in corrections(settings):
        chances = correction_of(each)(chances)
    return chances


def corrections(settings: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The corrections that settings hold; a setting of that name that is somebody's own is none."""
    held: Any = settings.get(SETTING)
    listed = cast("list[Any]", held) if isinstance(held, list) else []
    return listed if all(isinstance(each, dict) and "method" in each for each in listed) else []


def with_correction(settings: Mapping[str, Any], correction: Correction) -> dict[str, Any]:
    """Settings with one more correction, behind those that they hold."""
    if SETTING in settings and not corrections(settings):
        raise Malformed(f"the settings hold a {SETTING!r} of the class's own; rename it, for corrections are kept so")
    return {**settings, SETTING: [*corrections(settings), correction.to_dict()]}


def without_corrections(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings without the corrections, which are of other parameters than those to come."""
    mine = bool(corrections(settings))
    return {name: value for name, value in settings.items() if name != SETTING or not mine}


def _fitted(outcomes: Outcomes, rows: npt.NDArray[np.bool_], method: str) -> Correction:
    truth, chances = outcomes.truth[rows], cast("Floats", outcomes.chances)[rows]
    if outcomes.task == "multiclass":
        return Temperature.fitted_to_classes(truth.astype(np.int64), chances)
    if method == "temperature":
        return Temperature.fitted(truth, chances)
    line = Isotonic.fitted(truth, chances)
    some = np.unique(np.linspace(0, len(line.probabilities) - 1, KNOTS).astype(int))
    probabilities, frequencies = np.array(line.probabilities)[some], np.array(line.frequencies)[some]
    return Isotonic(tuple(probabilities.tolist()), tuple(frequencies.tolist()))


def _error(outcomes: Outcomes, chances: Floats) -> float:
    """ECE: of the positive class's probability, or of several classes of the likeliest one's (Guo et al. 2017)."""
    right, sure = outcomes.truth == 1, chances
    if chances.ndim == 2:
        right, sure = outcomes.truth == chances.argmax(axis=1), chances.max(axis=1)
    return float(np.abs(np.bincount(bins_of(sure, BINS), weights=right - sure)).sum() / len(sure))
