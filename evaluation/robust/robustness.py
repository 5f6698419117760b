"""Robustness: a figure of a model on clean rows, and on the same rows perturbed, by paired differences."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final, Literal

import numpy as np

from ...datasets.values.arrays import is_tensor, plain_array
from ...errors import LeptonError, Malformed
from ...results.judging.robustness import PerturbedFigure, Robustness
from ..intervals import LEVEL, checked_terms
from ..outcomes import Outcomes
from ..paired import holm, paired_bootstrap
from ..resampling import Sampling
from ..subjects import outcomes_of
from .perturbations import Perturbation, PerturbedRows, of_pictures, of_tables, perturbed_pictures

DRAWS: Final = 200
LOWER: Final = frozenset(
    ("rmse", "mae", "mape", "smape", "mase", "max_error", "brier", "ece", "log_loss", "expected_cost")
)
"""Figures that are better lower."""


def robustness_of(
    subject: Any,
    data: Any,
    labels: Any,
    *,
    figure: str | None = None,
    direction: Callable[[str], Literal["higher", "lower"]] = lambda name: "lower" if name in LOWER else "higher",
    task: str | None = None,
    sampling: Sampling | None = None,
    outputs: str | None = None,
    perturbations: Sequence[Perturbation] | None = None,
    draws: int = DRAWS,
    level: float = LEVEL,
    seed: int = 0,
) -> Robustness:
    """How whatever predicts does on labelled rows, and on copies of them that are perturbed, the worst first.

    Of a table values go missing (at random, and each column whole), numbers are shifted, rescaled and noisy by
    fractions of their spread, categories are unknown or swapped; pictures, arrays of three or four dimensions, are
    noisy, blurred, darker and brighter. `figure` is the task's headline where none is named; `direction` says which way
    it is better.
    A difference is that of the paired bootstrap, its p corrected for all perturbations (Holm 1979). What the model
    refuses to predict is told as that. Raises what `outcomes_of` does on the clean rows.
    """

    def judged(rows: Any) -> Outcomes:
        return outcomes_of(subject, rows, labels, task, sampling, outputs)

    draws, level, seed = checked_terms(draws, level, seed, least=2)
    clean = judged(data)
    name = figure or clean.performance.headline
    value = clean.measure(np.ones(len(clean))).get(name)
    if value is None or not np.isfinite(value):
        known = ", ".join(clean.measure(np.ones(len(clean))))
        raise Malformed(f"{name!r} is no figure that these rows define; there are {known}")
    tried, perturb = _plan(data, perturbations)
    sequences = np.random.SeedSequence(seed).spawn(len(tried))
    trials: list[PerturbedFigure] = []
    for how, own in zip(tried, sequences, strict=True):
        rows = perturb(how, np.random.default_rng(own))
        trials.append(_trial(clean, name, how, partial(judged, rows), draws, seed, level))
    better = direction(name)
    told = _corrected(trials, better, level)
    return Robustness(clean.task, name, better, float(value), len(clean), draws, level, seed, told)


def _plan(
    data: Any, given: Sequence[Perturbation] | None
) -> tuple[list[Perturbation], Callable[[Perturbation, np.random.Generator], Any]]:
    """The perturbations to try, and what perturbs the data."""
    if getattr(data, "ndim", 2) in (3, 4):
        pictures = plain_array(data, "the pictures") if is_tensor(data) else np.asarray(data)
        return [*(of_pictures() if given is None else given)], lambda how, generator: perturbed_pictures(
            pictures, how, generator
        )
    rows = PerturbedRows(data)
    return [*(of_tables(rows.columns) if given is None else given)], rows.perturbed


def _trial(
    clean: Outcomes, figure: str, how: Perturbation, judge: Callable[[], Outcomes], draws: int, seed: int, level: float
) -> PerturbedFigure:
    try:
        worse = judge()
        test = paired_bootstrap(figure, clean.measure, worse.measure, clean.scheme, draws, seed, level)
        value = worse.measure(np.ones(len(worse)))[figure]
    except LeptonError as error:
        return PerturbedFigure(how.kind, how.severity, how.column, refused=str(error))
    return PerturbedFigure(
        how.kind, how.severity, how.column, float(value), test.difference, test.low, test.high, test.p
    )


def _corrected(trials: Sequence[PerturbedFigure], better: str, level: float) -> tuple[PerturbedFigure, ...]:
    """The trials with corrected chances, those that the model refuses first, then the worst."""
    judged = [each for each in trials if each.p is not None]
    ps = holm([each.p for each in judged if each.p is not None]) if judged else []
    sign = 1 if better == "higher" else -1
    known = [
        replace(each, p=p, worse=p <= 1 - level and sign * (each.difference or 0.0) < 0)
        for each, p in zip(judged, ps, strict=True)
    ]
    known.sort(key=lambda each: sign * (each.difference or 0.0))
    return (*(each for each in trials if each.refused is not None), *known)
