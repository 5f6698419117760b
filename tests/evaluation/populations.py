"""Made-up populations that samples are drawn from: labels, what a model says, and what depends on what."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.signal import lfilter

from lepton_ai.evaluation import measures, resampling
from lepton_ai.evaluation.intervals import Measure
from lepton_ai.evaluation.resampling import Scheme

Floats = npt.NDArray[np.float64]
ROWS = 400
GROUP = 10
"""Rows of a group on the average."""
CHAIN = 0.5
"""How much a row of a series is like the one before (AR(1))."""
SHARES = {"binary": (0.7, 0.3), "multiclass": (0.3, 0.3, 0.2, 0.2)}
"""The share of each class where rows are sampled by class."""


@dataclass(frozen=True)
class Sample:
    """What was drawn, what it is measured by, and how it is drawn again."""

    truth: Floats
    said: tuple[Floats, Floats]
    """By two models: probabilities, classes or numbers."""
    sides: tuple[Measure, Measure]
    scheme: Scheme


Normal = Callable[[], Floats]
"""A standard normal number a row, dependent on others as the scheme says."""


def sample(task: str, scheme: str, generator: np.random.Generator, n: int = ROWS, skill: float = 0.0) -> Sample:
    """Rows of a task, of two models that are equally good, or the second one better by `skill`."""
    groups = groups_of(generator, n)

    def normal() -> Floats:
        noise = generator.normal(size=n)
        if "groups" in scheme:
            return np.sqrt(0.5) * noise + np.sqrt(0.5) * generator.normal(size=groups.max() + 1)[groups]
        if scheme == "blocks":
            start = [CHAIN * generator.normal()]
            return lfilter([np.sqrt(1 - CHAIN**2)], [1, -CHAIN], noise, zi=start)[0]
        return noise

    truth, sides = _TASKS[task](normal, skill)
    if scheme == "stratified":
        truth, sides = _by_class(SHARES[task], truth, sides, lambda: _TASKS[task](normal, skill))
    first, second = (_MEASURES[task](truth, side) for side in sides)
    return Sample(truth, (sides[0], sides[1]), (first, second), _scheme(scheme, n, truth, groups))


def groups_of(generator: np.random.Generator, n: int) -> npt.NDArray[np.int64]:
    """Groups of unequal size."""
    shares = generator.integers(1, 2 * GROUP, max(2, n // GROUP))
    return np.sort(
        np.append(np.arange(len(shares)), generator.choice(len(shares), n - len(shares), p=shares / shares.sum()))
    )


def _scheme(scheme: str, n: int, truth: Floats, groups: npt.NDArray[np.int64]) -> Scheme:
    match scheme:
        case "groups" | "few groups":
            return resampling.scheme_of(n, groups=groups)
        case "blocks":
            return resampling.scheme_of(n, block=resampling.block_length(n))
        case "stratified":
            return resampling.scheme_of(n, strata=truth)
        case _:
            return resampling.scheme_of(n)


def _binary(normal: Normal, skill: float) -> tuple[Floats, list[Floats]]:
    signal = normal()
    truth = (signal + normal() > 0.6).astype(float)
    sides = [signal + noise * normal() - 0.6 for noise in (0.9, 0.9 - skill)]
    return truth, [1 / (1 + np.exp(-side)) for side in sides]


def _by_class(
    shares: Sequence[float], truth: Floats, sides: list[Floats], more: Callable[[], tuple[Floats, list[Floats]]]
) -> tuple[Floats, list[Floats]]:
    """As many rows of each class as was decided before, of ever more rows."""
    wanted = [round(share * len(truth)) for share in shares]
    while any((truth == label).sum() < count for label, count in enumerate(wanted)):
        again, others = more()
        truth, sides = np.append(truth, again), [np.append(a, b) for a, b in zip(sides, others, strict=True)]
    some = np.concatenate([np.flatnonzero(truth == label)[:count] for label, count in enumerate(wanted)])
    return truth[some], [side[some] for side in sides]


def _classes(normal: Normal, skill: float) -> tuple[Floats, list[Floats]]:
    edges, signal = (-0.8, 0.2, 1.2), normal()
    sides = [signal + noise * normal() for noise in (0.6, 0.6 - skill)]
    return np.digitize(signal, edges).astype(float), [np.digitize(side, edges).astype(float) for side in sides]


def _numbers(normal: Normal, skill: float) -> tuple[Floats, list[Floats]]:
    signal = normal()
    sides = [signal + (0.5 + 0.2 * np.abs(signal)) * (1 - scale) * normal() for scale in (0.0, skill)]
    return signal, sides


_TASKS = {"binary": _binary, "multiclass": _classes, "regression": _numbers}
_MEASURES: dict[str, Callable[[Floats, Floats], Measure]] = {
    "binary": lambda truth, chance: measures.together(
        measures.of_decisions(truth, chance >= 0.5), measures.of_probabilities(truth, chance)
    ),
    "multiclass": lambda truth, called: measures.of_classes(truth.astype(np.int64), called.astype(np.int64), 4),
    "regression": measures.of_errors,
}
