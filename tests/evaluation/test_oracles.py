"""Statistics beside those of statsmodels, scipy and scikit-learn on the same numbers."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api
from scipy import stats
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import make_scorer
from sklearn.model_selection import FixedThresholdClassifier, TunedThresholdClassifierCV
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from lepton_ai.evaluation import measures, resampling
from lepton_ai.evaluation.cells import codes_of
from lepton_ai.evaluation.diagnostics.calibration import Temperature, reliability
from lepton_ai.evaluation.diagnostics.costs import Costs, cost_curve
from lepton_ai.evaluation.diagnostics.fairness import by_group
from lepton_ai.evaluation.diagnostics.slices import worst
from lepton_ai.evaluation.paired import diebold_mariano, paired_bootstraps

GENERATOR = np.random.default_rng(12)
CHANCE = GENERATOR.random(1500)
TRUTH = (GENERATOR.random(1500) < CHANCE).astype(float)
SURE = CHANCE**2 / (CHANCE**2 + (1 - CHANCE) ** 2)


def test_a_temperature_is_a_logistic_regression_on_logits_without_an_intercept() -> None:
    logits = np.log(SURE / (1 - SURE))[:, None]
    slope = LogisticRegression(C=np.inf, fit_intercept=False, tol=1e-10).fit(logits, TRUTH).coef_[0, 0]

    assert Temperature.fitted(TRUTH, SURE).temperature == pytest.approx(1 / slope, rel=1e-4)


def test_the_interval_of_a_bin_is_wilsons() -> None:
    for each in reliability(TRUTH, CHANCE).bins:
        theirs = proportion_confint(round(each.frequency * each.rows), each.rows, method="wilson")
        assert (each.least, each.most) == pytest.approx(theirs)


def test_the_noise_of_the_calibration_error_is_that_of_labels_drawn_one_by_one() -> None:
    generator = np.random.default_rng(12)
    draws = [
        measures.expected_calibration_error((generator.random(1500) < SURE).astype(float), SURE) for _ in range(1000)
    ]

    assert reliability(TRUTH, SURE).noise == pytest.approx(np.quantile(draws, 0.95), rel=0.05)


@pytest.mark.parametrize("steps", [2, 4])
def test_further_ahead_the_variance_is_that_of_a_regression_with_errors_that_depend(steps: int) -> None:
    """Hansen and Hodrick's (1980) variance by statsmodels, with the factor of Harvey, Leybourne and Newbold."""
    gaps = 0.2 + np.convolve(np.random.default_rng(3).normal(size=150 + steps - 1), np.ones(steps), "valid")
    options = {"maxlags": steps - 1, "kernel": "uniform", "use_correction": False}
    fit = statsmodels.api.OLS(gaps, np.ones(150)).fit(cov_type="HAC", cov_kwds=options)
    factor = (150 + 1 - 2 * steps + steps * (steps - 1) / 150) / 150

    found = diebold_mariano(np.zeros(150), gaps, "mse", steps)

    t = fit.params[0] / fit.bse[0] * np.sqrt(factor)
    assert found.p == pytest.approx(2 * stats.t.sf(abs(t), 149))


def test_the_paired_bootstrap_of_a_mean_is_the_paired_t_test() -> None:
    generator = np.random.default_rng(12)
    truth, one, other = generator.normal(size=(3, 200))
    sides = [measures.of_errors(truth, truth + each) for each in (one, 1.3 * other)]

    found = paired_bootstraps(["mae"], sides[0], sides[1], resampling.SingleRows(200), 4000)["mae"]

    theirs = stats.ttest_rel(1.3 * np.abs(other), np.abs(one))
    assert found.p == pytest.approx(theirs.pvalue, abs=0.01)
    assert (found.low, found.high) == pytest.approx(tuple(theirs.confidence_interval()), abs=0.01)


def test_the_threshold_of_least_cost_is_the_one_that_scikit_learn_tunes() -> None:
    costs = Costs(false_positive=1, false_negative=5)
    curve = cost_curve(TRUTH, CHANCE, costs)
    gain = make_scorer(lambda truth, called: -costs.of_rows(truth, called == 1).mean())
    model = LogisticRegression().fit(CHANCE[:, None], TRUTH)
    said = np.unique(model.predict_proba(CHANCE[:, None])[:, 1])
    tuned = TunedThresholdClassifierCV(model, scoring=gain, thresholds=said, cv="prefit", refit=False)
    tuned.fit(CHANCE[:, None], TRUTH)
    fixed = FixedThresholdClassifier(model, threshold=tuned.best_threshold_).fit(CHANCE[:, None], TRUTH)

    assert -tuned.best_score_ == pytest.approx(curve.best[1])
    assert costs.of_rows(TRUTH, fixed.predict(CHANCE[:, None]) == 1).mean() == pytest.approx(curve.best[1])


def test_of_two_groups_a_gap_has_the_interval_of_agresti_and_caffo_or_of_walter() -> None:
    groups = np.repeat(["a", "b"], [120, 80])
    called = np.concatenate([np.arange(120) < 60, np.arange(80) < 20]).astype(float)

    gaps = {each.name: each for each in by_group(np.tile([0.0, 1.0], 100), called, groups).gaps}

    difference = confint_proportions_2indep(60, 120, 20, 80, method="agresti-caffo", compare="diff")
    ratio = confint_proportions_2indep(20, 80, 60, 120, method="log-adjusted", compare="ratio")
    parity, share = gaps["demographic_parity_difference"], gaps["demographic_parity_ratio"]
    assert (parity.low, parity.high) == pytest.approx(difference)
    assert (share.low, share.high) == pytest.approx(ratio)


@pytest.mark.parametrize("loss", ["wrong", "squared"])
def test_the_p_of_a_search_is_that_of_permuting_the_greatest_score(loss: str) -> None:
    generator = np.random.default_rng(12)
    levels = generator.choice(list("abcd"), 400, p=[0.4, 0.3, 0.2, 0.1])
    losses = (generator.random(400) < 0.3).astype(float) if loss == "wrong" else generator.normal(size=400) ** 2
    members = np.array([levels == level for level in "abcd"])
    sizes = members.sum(axis=1)

    def greatest(dealt: np.ndarray, axis: int = -1) -> np.ndarray:
        means = (np.atleast_2d(dealt) @ members.T) / sizes
        return np.squeeze(((means - losses.mean()) / np.sqrt(1 / sizes - 1 / 400)).max(axis=-1))

    theirs = stats.permutation_test(
        (losses,), greatest, permutation_type="pairings", vectorized=True, n_resamples=4000, alternative="greater",
        rng=generator,
    )  # fmt: skip

    assert worst(losses, {"level": levels})[0].p == pytest.approx(theirs.pvalue, abs=0.03)


def test_levels_are_told_by_how_they_read() -> None:
    levels, codes = codes_of(["b", 1, "1", None, "a", "b"])

    assert levels.tolist() == ["1", "None", "a", "b"]
    assert codes.tolist() == [3, 0, 0, 1, 2, 3]
