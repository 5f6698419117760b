"""How often tests raise false alarms, and what intervals cover: `make study`, a thousand experiments each.

A rate is met where the 99 % binomial interval of what was counted holds it, as DESIGN says; tests that are exact may
alarm less often than they state.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt
import pytest
from scipy import stats

from lepton_ai.evaluation import measures, resampling
from lepton_ai.evaluation.fairness import by_group
from lepton_ai.evaluation.intervals import Measure, bootstrap
from lepton_ai.evaluation.paired import delong, diebold_mariano, mcnemar, paired_bootstrap
from lepton_ai.evaluation.slices import worst

pytestmark = [pytest.mark.study, pytest.mark.timeout(3600)]

Floats = npt.NDArray[np.float64]
RUNS = 1000
ROWS = 400
FIGURES = ("accuracy", "f1", "roc_auc", "brier", "log_loss")


def within(count: int, rate: float, runs: int = RUNS, *, at_most: bool = False) -> bool:
    """Whether the 99 % interval (Clopper and Pearson 1934) of a count does not exclude a rate, or lies below it."""
    ends = stats.binomtest(count, runs).proportion_ci(0.99)
    return ends.low <= rate and (at_most or rate <= ends.high)


def rows(generator: np.random.Generator, n: int, skill: float = 0.0) -> tuple[Floats, Floats, Floats]:
    """Labels, and two models' probabilities of the same skill, or the second one better by `skill`."""
    signal = generator.normal(size=n)
    truth = (signal + generator.normal(size=n) > 0.6).astype(float)
    sides = [signal + noise * generator.normal(size=n) - 0.6 for noise in (0.9, 0.9 - skill)]
    one, other = (1 / (1 + np.exp(-side)) for side in sides)
    return truth, one, other


def measured(truth: Floats, chance: Floats) -> Measure:
    return measures.together(measures.of_decisions(truth, chance >= 0.5), measures.of_probabilities(truth, chance))


def verdicts(seed: int, skill: float) -> Iterator[tuple[str, float]]:
    """The p-value of each paired test in one experiment."""
    truth, one, other = rows(np.random.default_rng([seed, 1]), ROWS, skill)
    sides = [measured(truth, each) for each in (one, other)]
    yield "DeLong", delong(truth, one, other).p
    yield "McNemar", mcnemar((one >= 0.5) == truth, (other >= 0.5) == truth).p
    for figure in FIGURES:
        test = paired_bootstrap(figure, sides[0], sides[1], resampling.SingleRows(ROWS), draws=500, seed=seed)
        yield f"bootstrap of {figure}", test.p
    noise = np.random.default_rng([seed, 2]).normal(size=(2, ROWS + 2))
    losses = [np.convolve(each, (1, 0.5, 0.3), "valid") ** 2 for each in noise]
    yield "Diebold-Mariano, 3 steps", diebold_mariano(losses[0], losses[1] * (1 - skill) ** 2, "mse", 3).p


def alarms(skill: float) -> Mapping[str, int]:
    return Counter(name for seed in range(RUNS) for name, p in verdicts(seed, skill) if p <= 0.05)


def test_two_models_that_are_equally_good_are_told_apart_once_in_twenty_times() -> None:
    found = alarms(0.0)

    print("\n".join(f"false alarms at 5 %: {name} {count / RUNS:.1%}" for name, count in found.items()))
    assert all(within(count, 0.05, at_most=True) for count in found.values())


def test_a_model_that_is_better_is_found() -> None:
    found = alarms(0.45)

    print("\n".join(f"power: {name} {count / RUNS:.1%}" for name, count in found.items()))
    assert min(found["DeLong"], found["bootstrap of brier"], found["Diebold-Mariano, 3 steps"]) > 0.8 * RUNS


@pytest.mark.parametrize("scheme", ["rows", "groups", "blocks"])
def test_an_interval_holds_the_true_figure_nineteen_times_in_twenty(scheme: str) -> None:
    covered, defined = Counter[str](), Counter[str]()
    population = rows(np.random.default_rng(99), 2_000_000)
    truths = measured(*population[:2])(np.ones(len(population[0])))
    for seed in range(RUNS):
        generator = np.random.default_rng([seed, 3])
        truth, chance, _ = rows(generator, ROWS)
        chosen: resampling.Scheme = resampling.SingleRows(ROWS)
        if scheme == "groups":  # each patient's row stands twice
            truth, chance = np.repeat(truth, 2), np.repeat(chance, 2)
            chosen = resampling.scheme_of(2 * ROWS, groups=np.repeat(np.arange(ROWS), 2))
        if scheme == "blocks":
            chosen = resampling.Blocks(ROWS, resampling.block_length(ROWS))
        draws = bootstrap(measured(truth, chance), chosen, 500, seed)
        for figure in FIGURES:
            if ends := draws.interval(figure):
                defined[figure] += 1
                covered[figure] += ends[0] <= truths[figure] <= ends[1]

    print("\n".join(f"coverage by {scheme}: {name} {covered[name] / defined[name]:.1%}" for name in FIGURES))
    assert all(defined[name] == RUNS for name in FIGURES)
    assert all(within(covered[name], 0.95) for name in FIGURES)


def test_a_search_in_noise_finds_a_slice_once_in_twenty_times() -> None:
    found = 0
    for seed in range(RUNS):
        generator = np.random.default_rng([seed, 4])
        columns = {
            "a": generator.integers(0, 5, ROWS).astype(str),
            "x": generator.normal(size=ROWS),
            "m": np.where(generator.random(ROWS) < 0.2, np.nan, 1.0),
        }
        slices = worst((generator.random(ROWS) < 0.2).astype(float), columns, pairs=True, seed=seed)
        found += bool(slices) and slices[0].p <= 0.05

    print(f"searches of noise that found a slice at 5 %: {found / RUNS:.1%}")
    assert within(found, 0.05, at_most=True)


def test_groups_that_are_treated_alike_are_told_apart_once_in_twenty_times() -> None:
    found = Counter[str]()
    for seed in range(RUNS):
        generator = np.random.default_rng([seed, 5])
        labels, called = ((generator.random(ROWS) < share).astype(float) for share in (0.4, 0.3))
        fairness = by_group(labels, called, generator.choice(list("abc"), ROWS), draws=200, seed=seed)
        found.update(gap.name for gap in fairness.gaps if gap.p is not None and gap.p <= 0.05)

    print("\n".join(f"gaps of equal groups at 5 %: {name} {count / RUNS:.1%}" for name, count in found.items()))
    assert all(within(count, 0.05, at_most=True) for count in found.values())
