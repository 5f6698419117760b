"""Costs: every threshold tried one by one, and Elkan's threshold for probabilities that can be believed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lepton_ai.errors import Malformed
from lepton_ai.evaluation.diagnostics.costs import Costs, cost_curve

from ..examples import examples

ROWS = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 20).map(lambda x: x / 20)), min_size=1, max_size=30)
GERMAN = Costs(false_positive=1, false_negative=5)


@settings(max_examples=examples(60))
@given(ROWS)
def test_the_curve_has_the_cost_of_each_threshold_and_misses_no_call(rows: list[tuple[int, float]]) -> None:
    truth, chance = (np.array(each, dtype=float) for each in zip(*rows, strict=True))

    curve = cost_curve(truth, chance, GERMAN)

    by_hand = [GERMAN.of_rows(truth, chance >= threshold).mean() for threshold in curve.thresholds]
    assert curve.costs == pytest.approx(tuple(by_hand))
    every = [GERMAN.of_rows(truth, chance >= threshold).mean() for threshold in np.linspace(0, 1.05, 400)]
    assert curve.best[1] <= min(every) + 1e-12


def test_of_believable_probabilities_elkans_threshold_costs_least() -> None:
    generator = np.random.default_rng(4)
    chance = generator.random(200_000)
    truth = (generator.random(200_000) < chance).astype(float)

    assert GERMAN.threshold == pytest.approx(1 / 6)
    assert cost_curve(truth, chance, GERMAN).best[0] == pytest.approx(1 / 6, abs=0.02)


def test_a_profit_is_a_negative_cost() -> None:
    bank = Costs(false_positive=0, false_negative=1, true_positive=0, true_negative=-0.1)

    assert cost_curve([0, 0, 1], [0.1, 0.2, 0.9], bank).best == (pytest.approx(0.55), pytest.approx(-0.2 / 3))


@pytest.mark.parametrize(
    ("costs", "advice"),
    [
        ({"false_positive": float("nan")}, "finite"),
        ({"false_negative": -1.0}, "no threshold is best"),
        ({"true_negative": 1.0}, "no threshold is best"),
    ],
)
def test_costs_that_make_errors_cheap_are_refused(costs: dict[str, float], advice: str) -> None:
    with pytest.raises(Malformed, match=advice):
        Costs(**costs)
