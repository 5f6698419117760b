"""Fairness by group, against sums done by hand."""

from __future__ import annotations

from typing import Any

import fairlearn.metrics
import numpy as np
import pytest

from lepton_ai.errors import Malformed
from lepton_ai.evaluation.diagnostics.fairness import by_group

LABELS = [1, 1, 0, 0, 1, 1, 0, 0]
CALLED = [1, 1, 1, 0, 1, 0, 0, 0]
GROUPS = ["a"] * 4 + ["b"] * 4


def test_a_case_done_by_hand() -> None:
    fairness = by_group(LABELS, CALLED, GROUPS, draws=50)

    a, b = fairness.groups
    assert (a.group, a.rows, a.base_rate, a.selection_rate) == ("a", 4, 0.5, 0.75)
    assert (a.true_positive_rate, a.false_positive_rate, a.precision) == (1.0, 0.5, pytest.approx(2 / 3))
    assert (b.selection_rate, b.true_positive_rate, b.false_positive_rate, b.precision) == (0.25, 0.5, 0.0, 1.0)
    assert {gap.name: gap.value for gap in fairness.gaps} == {
        "demographic_parity_difference": 0.5,
        "demographic_parity_ratio": pytest.approx(1 / 3),
        "equal_opportunity_difference": 0.5,
        "equalized_odds_difference": 0.5,
    }


def test_a_group_without_positive_rows_has_no_true_positive_rate() -> None:
    fairness = by_group([1, 0, 0, 0], [1, 0, 0, 1], ["a", "a", "b", "b"], draws=20)

    assert fairness.groups[1].true_positive_rate is None
    assert {gap.name: gap.value for gap in fairness.gaps}["equal_opportunity_difference"] is None


def test_a_group_without_negative_rows_leaves_equalized_odds_undefined() -> None:
    fairness = by_group([1, 1, 1, 0], [1, 0, 1, 1], ["a", "a", "b", "b"], draws=20)

    assert {gap.name: gap.value for gap in fairness.gaps}["equalized_odds_difference"] is None


def test_a_gap_between_large_groups_has_an_interval_around_it() -> None:
    generator = np.random.default_rng(2)
    groups = np.repeat(["a", "b"], 1000)
    called = (generator.random(2000) < np.where(groups == "a", 0.5, 0.3)).astype(float)

    gap = by_group((generator.random(2000) < 0.4).astype(float), called, groups, draws=300).gaps[0]

    assert gap.low is not None
    assert gap.high is not None
    assert 0.1 < gap.low < 0.2 < gap.high < 0.3


def test_groups_that_say_nothing_have_a_gap_that_chance_explains() -> None:
    generator = np.random.default_rng(4)
    groups = generator.choice(list("abcdef"), 600)
    labels, called = (generator.random(600) < 0.4).astype(float), (generator.random(600) < 0.3).astype(float)

    noise = by_group(labels, called, groups, draws=200)
    favoured = by_group(labels, np.where(groups == "c", 1.0, called), groups, draws=200)

    assert all(gap.p is not None and gap.p > 0.05 for gap in noise.gaps)
    assert all(gap.p is not None and gap.p < 0.01 for gap in favoured.gaps)


@pytest.mark.parametrize(
    ("labels", "called", "groups", "advice"),
    [
        ([1, 0], [1, 0], ["a", "a"], "at least two"),
        ([1, 0], [1, 0], ["a"], "one group a row"),
        ([1, 0], [1, 0], ["a", None], "name one for every row"),
        ([1, 0], [1, 0], ["a", float("nan")], "name one for every row"),
        ([1, 0], [0.5, 0.2], ["a", "b"], "cut probabilities"),
        ([1, 2], [1, 0], ["a", "b"], "labels to judge must be 0 or 1"),
        ([], [], [], "no rows to judge"),
    ],
    ids=["one-group", "length", "missing", "not-a-number", "chances", "labels", "empty"],
)
def test_groups_that_cannot_be_compared_are_refused(labels: Any, called: Any, groups: Any, advice: str) -> None:
    with pytest.raises(Malformed, match=advice):
        by_group(labels, called, groups)


@pytest.mark.parametrize("seed", range(5))
def test_gaps_are_fairlearns(seed: int) -> None:
    generator = np.random.default_rng(seed)
    groups = generator.choice(list("abcd"), 200)
    labels = (generator.random(200) < 0.5).astype(int)
    called = (generator.random(200) < np.where(groups == "a", 0.3, 0.6)).astype(int)

    gaps = {gap.name: gap.value for gap in by_group(labels, called, groups, draws=20).gaps}

    assert gaps == {
        name: pytest.approx(getattr(fairlearn.metrics, name)(labels, called, sensitive_features=groups))
        for name in gaps
    }
