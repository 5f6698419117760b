"""Paired tests against published examples and other libraries; their rates of false alarms by `make study`."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar as their_mcnemar
from statsmodels.stats.multitest import multipletests

from lepton_ai.errors import Malformed
from lepton_ai.evaluation import measures, resampling
from lepton_ai.evaluation.paired import delong, diebold_mariano, holm, mcnemar, paired_bootstrap

GENERATOR = np.random.default_rng(5)
TRUTH = (GENERATOR.random(400) < 0.4).astype(float)
ONE = (0.4 * TRUTH + GENERATOR.random(400)).round(2)
OTHER = (0.7 * TRUTH + GENERATOR.random(400)).round(2)


def placements(truth: np.ndarray, score: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The definition of DeLong's components: every positive beside every negative, a tie counts half."""
    wins = score[truth == 1][:, None] - score[truth == 0][None, :]
    wins = (wins > 0) + 0.5 * (wins == 0)
    return wins.mean(axis=1), wins.mean(axis=0)


def test_delong_is_its_definition_by_every_pair_of_rows() -> None:
    sides = [placements(TRUTH, score) for score in (ONE, OTHER)]
    above, below = (np.cov(sides[0][part], sides[1][part]) for part in (0, 1))
    covariance = above / (TRUTH == 1).sum() + below / (TRUTH == 0).sum()
    difference = sides[1][0].mean() - sides[0][0].mean()
    z = difference / np.sqrt(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1])

    found = delong(TRUTH, ONE, OTHER)

    assert found.difference == pytest.approx(difference)
    assert found.p == pytest.approx(2 * stats.norm.sf(abs(z)))


def test_the_same_scores_do_not_differ() -> None:
    found = delong(TRUTH, ONE, ONE)

    assert (found.difference, found.low, found.high, found.p) == (0, 0, 0, 1)


def test_mcnemars_p_is_that_of_statsmodels() -> None:
    one, other = (ONE > 0.6) == TRUTH, (OTHER > 0.6) == TRUTH
    table = [[np.sum(one & other), np.sum(one & ~other)], [np.sum(~one & other), np.sum(~one & ~other)]]

    assert mcnemar(one, other).p == pytest.approx(their_mcnemar(table, exact=True).pvalue)


def test_tangos_interval_is_the_published_one() -> None:
    """Airway hyper-responsiveness of 21 children (Bentur et al. 2009), as in Fagerland, Lydersen and Laake 2014."""
    found = mcnemar([False] + [True] * 7 + [True] + [False] * 12, [True] + [False] * 7 + [True] + [False] * 12)

    assert found.difference == pytest.approx(-0.286, abs=5e-4)
    assert (found.low, found.high) == pytest.approx((-0.517, -0.026), abs=5e-4)


def test_no_discordant_rows_are_no_proof_of_sameness() -> None:
    found = mcnemar([True] * 30, [True] * 30)

    assert (found.difference, found.p) == (0, 1)
    assert found.low is not None
    assert found.high is not None
    assert found.low < -0.05 < 0.05 < found.high


def test_the_bootstrap_of_an_roc_auc_agrees_with_delong() -> None:
    sides = [measures.of_probabilities(TRUTH, np.clip(score, 0, 1.7) / 1.7) for score in (ONE, OTHER)]

    found = paired_bootstrap("roc_auc", sides[0], sides[1], resampling.SingleRows(400), draws=400)
    exact = delong(TRUTH, ONE, OTHER)

    assert found.difference == pytest.approx(exact.difference)
    assert found.low == pytest.approx(exact.low, abs=0.02)
    assert found.high == pytest.approx(exact.high, abs=0.02)
    assert found.p < 0.01


def test_one_step_ahead_the_forecasts_test_is_the_paired_t_test() -> None:
    generator = np.random.default_rng(12)
    """With one step HLN's factor turns the variance over n into that over n - 1."""
    losses = np.abs(generator.normal(size=(2, 60)))

    assert diebold_mariano(*losses, "mae").p == pytest.approx(stats.ttest_rel(*losses).pvalue)


def test_further_ahead_errors_that_depend_on_each_other_count_for_less() -> None:
    noise = np.random.default_rng(1).normal(size=202)
    gaps = 0.3 + np.convolve(noise, np.ones(3), "valid")

    near, far = (diebold_mariano(np.zeros(200), gaps, "mae", horizon=steps) for steps in (1, 3))

    assert near.difference == far.difference
    assert near.p < far.p


def test_holms_correction_is_that_of_statsmodels() -> None:
    generator = np.random.default_rng(12)
    ps = generator.random(20).tolist()

    assert holm(ps) == pytest.approx(multipletests(ps, method="holm")[1])


@pytest.mark.parametrize(
    ("call", "advice"),
    [
        (lambda: delong([0, 1, 1, 0], [0.1, 0.2, 0.3], [0.1, 0.2, 0.3]), "give one a row"),
        (lambda: delong([0, 1, 1], [0.1, 0.2, 0.3], [0.1, 0.2, 0.3]), "two rows of each class"),
        (lambda: delong([0, 1], [0.1, 0.2], [0.1]), "for both models"),
        (lambda: mcnemar([], []), "at least one"),
        (lambda: diebold_mariano([1.0, 2.0], [1.0, 2.0], "mae", horizon=3), "more than 4"),
        (
            lambda: paired_bootstrap(
                "roc_auc", *[measures.of_probabilities(np.ones(9), np.ones(9))] * 2, resampling.SingleRows(9), draws=9
            ),
            "undefined on these rows",
        ),
    ],
    ids=["lengths", "one-of-a-class", "unequal", "no-rows", "short-series", "one-class"],
)
def test_what_cannot_be_compared_is_refused(call: object, advice: str) -> None:
    with pytest.raises(Malformed, match=advice):
        call()  # type: ignore[operator]
