"""Calibration: bins against sums by hand, noise against labels drawn, corrections against scikit-learn."""

from __future__ import annotations

import json

import numpy as np
import pytest
import sklearn.metrics
from sklearn.isotonic import IsotonicRegression

from lepton_ai.errors import Malformed
from lepton_ai.evaluation.diagnostics.calibration import Isotonic, Temperature, correction_of, reliability
from lepton_ai.evaluation.measures import expected_calibration_error

GENERATOR = np.random.default_rng(9)
TRUE_CHANCE = GENERATOR.random(2000)
TRUTH = (GENERATOR.random(2000) < TRUE_CHANCE).astype(float)
SURE = TRUE_CHANCE**3 / (TRUE_CHANCE**3 + (1 - TRUE_CHANCE) ** 3)
"""Probabilities whose logits are three times too large."""


def test_bins_hold_all_rows_and_their_gaps_make_the_error() -> None:
    found = reliability(TRUTH, SURE)

    assert sum(each.rows for each in found.bins) == 2000
    gaps = sum(each.rows * abs(each.frequency - each.probability) for each in found.bins) / 2000
    assert found.ece == pytest.approx(gaps) == pytest.approx(expected_calibration_error(TRUTH, SURE))
    assert all(each.least <= each.frequency <= each.most for each in found.bins)


def test_perfect_probabilities_are_believable_and_overconfident_ones_are_not() -> None:
    assert reliability(TRUTH, TRUE_CHANCE).believable
    assert not reliability(TRUTH, SURE).believable


def test_the_temperature_that_was_planted_is_found() -> None:
    correction = Temperature.fitted(TRUTH, SURE)

    assert correction.temperature == pytest.approx(3, rel=0.1)
    assert sklearn.metrics.log_loss(TRUTH, correction(SURE)) < sklearn.metrics.log_loss(TRUTH, SURE)
    assert np.array_equal(np.argsort(correction(SURE[:50]), kind="stable"), np.argsort(SURE[:50], kind="stable"))


def test_the_isotonic_line_is_scikit_learns() -> None:
    theirs = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip").fit(SURE, TRUTH)
    others = np.linspace(0, 1, 101)

    assert Isotonic.fitted(TRUTH, SURE)(others) == pytest.approx(theirs.predict(others))


@pytest.mark.parametrize("kind", [Temperature, Isotonic])
def test_a_correction_is_kept_as_json(kind: type[Temperature | Isotonic]) -> None:
    correction = kind.fitted(TRUTH, SURE)

    again = correction_of(json.loads(json.dumps(correction.to_dict())))

    assert again == correction


@pytest.mark.parametrize("kind", [Temperature, Isotonic])
def test_one_class_alone_corrects_nothing(kind: type[Temperature | Isotonic]) -> None:
    with pytest.raises(Malformed, match="give rows of both"):
        kind.fitted([1, 1, 1], [0.2, 0.4, 0.9])


def test_another_method_is_refused() -> None:
    with pytest.raises(Malformed, match="temperature or isotonic"):
        correction_of({"method": "platt"})
