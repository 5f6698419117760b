"""How often tests raise false alarms, and what intervals cover: `make study`, a thousand experiments each.

A rate is met where the 99 % binomial interval of what was counted holds it, as DESIGN says; what is exact or holds for
many at once may alarm less often, or cover more, than it states. docs/statistics.md has the rates.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

import numpy as np
import pytest
from scipy import stats

from lepton_ai.evaluation.diagnostics.fairness import by_group
from lepton_ai.evaluation.diagnostics.slices import worst
from lepton_ai.evaluation.intervals import bootstrap
from lepton_ai.evaluation.paired import delong, diebold_mariano, mcnemar, paired_bootstraps

from .populations import CHAIN, ROWS, Sample, sample

pytestmark = [pytest.mark.study, pytest.mark.timeout(3600)]

RUNS = 1000
DRAWS = 250
"""Fewer than are usual: the spread is known a little worse, which is against us."""
SKILL = 0.55
"""How much less noise the better model's score has, of 0.9."""
FIGURES = {
    "binary": (
        "accuracy", "precision", "recall", "f1", "roc_auc", "gini", "average_precision", "brier", "log_loss",
    ),
    "multiclass": (
        "accuracy", "balanced_accuracy", "macro_precision", "macro_recall", "macro_f1", "micro_f1", "weighted_f1",
    ),
    "regression": ("rmse", "mae", "r2"),
}  # fmt: skip
SCHEMES = ("rows", "stratified", "groups", "few groups", "blocks")
SIZES = {"groups": 1600, "few groups": 600}
"""Rows of the samples by group: of 160 groups, and of 60."""
WITHOUT = {("rmse", "groups"), ("rmse", "few groups"), ("average_precision", "few groups")}
"""Figures that have no interval of so few groups."""
EVERY = [(task, scheme) for task in FIGURES for scheme in SCHEMES if (task, scheme) != ("regression", "stratified")]


def within(count: int, rate: float, runs: int = RUNS, *, at_most: bool = False, at_least: bool = False) -> bool:
    """Whether the 99 % interval (Clopper and Pearson 1934) of a count does not exclude a rate, or lies on that side."""
    ends = stats.binomtest(count, runs).proportion_ci(0.99)
    return (ends.low <= rate or at_least) and (rate <= ends.high or at_most)


def told(what: str, counts: Mapping[str, int], runs: int = RUNS) -> None:
    print("\n".join(f"{what}: {name} {count / runs:.1%}" for name, count in counts.items()))


@pytest.mark.parametrize(("task", "scheme"), EVERY)
def test_an_interval_holds_the_true_figure_nineteen_times_in_twenty(task: str, scheme: str) -> None:
    every = 2_000_000
    population = sample(task, scheme, np.random.default_rng(99), every).sides[0](np.ones(every))
    figures = {name for name in FIGURES[task] if (name, scheme) not in WITHOUT}
    covered = Counter(dict.fromkeys(figures, 0))
    for seed in range(RUNS):
        drawn = sample(task, scheme, np.random.default_rng([seed, 3]), SIZES.get(scheme, ROWS))
        draws = bootstrap(drawn.sides[0], drawn.scheme, DRAWS, seed)
        ends = {name: draws.interval(name) for name in population}
        assert {name for name, each in ends.items() if each is not None} == figures
        covered.update(name for name, each in ends.items() if each and each[0] <= population[name] <= each[1])

    told(f"coverage, {task} by {scheme}", covered)
    assert all(within(count, 0.95) for count in covered.values())


def verdicts(task: str, scheme: str, seed: int, skill: float) -> Iterator[tuple[str, float]]:
    """The p-value of the paired bootstrap of each figure in one experiment."""
    drawn = sample(task, scheme, np.random.default_rng([seed, 1]), skill=skill)
    figures = (*FIGURES[task], *(("ks", "ece") if task == "binary" else ()))
    for figure, test in paired_bootstraps(figures, *drawn.sides, drawn.scheme, DRAWS, seed).items():
        yield f"bootstrap of {figure}", test.p


def exact(seed: int, skill: float) -> Iterator[tuple[str, float]]:
    """The p-values of the tests that draw nothing again, in one experiment."""
    truth, one, other = scores(sample("binary", "rows", np.random.default_rng([seed, 1]), skill=skill))
    yield "DeLong", delong(truth, one, other).p
    yield "McNemar", mcnemar((one >= 0.5) == truth, (other >= 0.5) == truth).p
    for steps in (1, 3):
        noise = np.random.default_rng([seed, 2]).normal(size=(2, ROWS + steps - 1))
        losses = [np.convolve(each, CHAIN ** np.arange(steps), "valid") ** 2 for each in noise]
        better = losses[1] * (1 - skill) ** 2
        yield f"Diebold-Mariano, {steps} ahead", diebold_mariano(losses[0], better, "mse", steps).p


def scores(drawn: Sample) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return drawn.truth, *drawn.said


@pytest.mark.parametrize(("task", "scheme"), [each for each in EVERY if each[1] != "few groups"])
def test_two_models_that_are_equally_good_are_told_apart_once_in_twenty_times(task: str, scheme: str) -> None:
    found = Counter[str]()
    for seed in range(RUNS):
        found.update({name: int(p <= 0.05) for name, p in verdicts(task, scheme, seed, 0.0)})

    told(f"false alarms, {task} by {scheme}", found)
    assert all(within(count, 0.05, at_most=True) for count in found.values())


def test_tests_that_draw_nothing_tell_equals_apart_once_in_twenty_times() -> None:
    found = Counter[str]()
    for seed in range(RUNS):
        found.update({name: int(p <= 0.05) for name, p in exact(seed, 0.0)})

    told("false alarms", found)
    assert all(within(count, 0.05, at_most=True) for count in found.values())


def test_a_model_that_is_better_is_found() -> None:
    found = Counter[str]()
    for seed in range(RUNS):
        every = [*exact(seed, SKILL), *verdicts("regression", "rows", seed, 0.2)]
        found.update({name: int(p <= 0.05) for name, p in [*every, *verdicts("binary", "rows", seed, SKILL)]})

    told("power", found)
    sure = (
        "DeLong",
        "Diebold-Mariano, 1 ahead",
        "Diebold-Mariano, 3 ahead",
        "bootstrap of roc_auc",
        "bootstrap of mae",
    )
    assert all(found[name] > 0.8 * RUNS for name in sure)
    assert abs(found["DeLong"] - found["bootstrap of roc_auc"]) < 0.03 * RUNS


def test_a_search_in_noise_finds_a_slice_once_in_twenty_times() -> None:
    found = Counter[str]()
    for seed in range(RUNS):
        generator = np.random.default_rng([seed, 4])
        columns = {
            "a": generator.integers(0, 5, ROWS).astype(str),
            "x": generator.normal(size=ROWS),
            "m": np.where(generator.random(ROWS) < 0.2, np.nan, 1.0),
        }
        losses = {
            "wrong calls": (generator.random(ROWS) < 0.2).astype(float),
            "squared errors": generator.normal(size=ROWS) ** 2,
        }
        for kind, loss in losses.items():
            for pairs in (False, True):
                slices = worst(loss, columns, pairs=pairs, seed=seed)
                found[f"{kind}, {'pairs' if pairs else 'single'}"] += bool(slices) and slices[0].p <= 0.05

    told("searches of noise that found a slice", found)
    assert all(within(count, 0.05, at_most=True) for count in found.values())


@pytest.mark.parametrize("units", [25, 60, 200])
def test_a_search_among_rows_that_depend_on_each_other_finds_a_slice_once_in_twenty_times(units: int) -> None:
    found, unit = Counter[str](), np.repeat(np.arange(units), 6)
    for seed in range(RUNS):
        generator = np.random.default_rng([seed, 9])
        hard = generator.random(units) < 0.3
        loss = np.where(generator.random(6 * units) < 0.8, hard[unit], generator.random(6 * units) < 0.3).astype(float)
        columns = {
            "ward": generator.choice(list("abcd"), units)[unit],
            "age": generator.normal(size=units)[unit],
            "day": generator.normal(size=6 * units),
        }
        slices = worst(loss, columns, units=unit, seed=seed)
        found[f"{units} groups of 6 rows"] += bool(slices) and slices[0].p <= 0.05

    told("searches of noise that found a slice", found)
    assert all(within(count, 0.05, at_most=True) for count in found.values())


GROUPS = {"2 alike": (0.3, 0.3), "3 alike": (0.3, 0.3, 0.3), "2 apart": (0.3, 0.45), "4 apart": (0.2, 0.3, 0.35, 0.45)}
"""Groups by the share that is called positive in each, and by the share of rightly called rows about it."""


@pytest.mark.parametrize("groups", list(GROUPS))
def test_gaps_between_groups_are_told_as_often_as_they_should_be(groups: str) -> None:
    shares = np.array(GROUPS[groups])
    gap, ratio = np.ptp(shares), shares.min() / shares.max()
    true = {
        "demographic_parity_difference": gap,
        "demographic_parity_ratio": ratio,
        "equal_opportunity_difference": gap,
        "equalized_odds_difference": gap,
    }
    alarms, covered = Counter(dict.fromkeys(true, 0)), Counter(dict.fromkeys(true, 0))
    for seed in range(RUNS):
        generator = np.random.default_rng([seed, 5])
        members = generator.integers(0, len(shares), ROWS)
        labels = (generator.random(ROWS) < 0.4).astype(float)
        called = (generator.random(ROWS) < shares[members]).astype(float)
        for each in by_group(labels, called, members, draws=DRAWS, seed=seed).gaps:
            alarms[each.name] += each.p is not None and each.p <= 0.05
            covered[each.name] += each.low is not None and each.low <= true[each.name] <= (each.high or 0)

    told(f"found at 5 %, {groups}", alarms)
    told(f"coverage, {groups}", covered)
    assert all(within(count, 0.95, at_least=True) for count in covered.values())
    if gap == 0:
        assert all(within(count, 0.05, at_most=True) for count in alarms.values())
