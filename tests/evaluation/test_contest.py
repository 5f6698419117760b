"""Contests of two models: which test a figure calls for, how large a difference is, and what is no contest."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import f1_score, roc_auc_score
from statsmodels.stats.proportion import proportion_effectsize

from lepton_ai.errors import Malformed
from lepton_ai.evaluation.contests.contest import paired_test
from lepton_ai.evaluation.contests.effects import of_shares
from lepton_ai.evaluation.outcomes import Outcomes
from lepton_ai.evaluation.paired import delong, diebold_mariano, holm, mcnemar
from lepton_ai.evaluation.predictions import outcomes_of_predictions
from lepton_ai.evaluation.resampling import Sampling
from lepton_ai.results import Effect, PairedTest
from lepton_ai.results.contests.contest import verdict_of

GENERATOR = np.random.default_rng(11)
N = 300
TRUTH = (GENERATOR.random(N) < 0.4).astype(float)
SERIES = GENERATOR.normal(size=N).cumsum()
GROUPS = np.arange(N) // 3


def binary(skill: float, sampling: Sampling | None = None, seed: int = 1) -> Outcomes:
    chances = np.clip(skill * TRUTH + (1 - skill) * np.random.default_rng(seed).random(N), 0, 1)
    return Outcomes("binary", TRUTH, (chances >= 0.5).astype(float), chances, (0, 1), 0.5, sampling or Sampling())


def numbers(noise: float, task: str = "regression", sampling: Sampling | None = None) -> Outcomes:
    called = SERIES + noise * np.random.default_rng(int(10 * noise)).normal(size=N)
    return Outcomes(task, SERIES, called, sampling=sampling or Sampling())


def classes(wrong: float, names: tuple[str, ...] = ("a", "b", "c")) -> Outcomes:
    generator = np.random.default_rng(3)
    truth = generator.choice(["a", "b", "c"], N)
    called = np.where(generator.random(N) < wrong, "a", truth)
    code = {name: place for place, name in enumerate(names)}
    codes = [np.array([code[each] for each in side]) for side in (truth, called)]
    return Outcomes("multiclass", codes[0], codes[1], classes=names)


def labels(wrong: float) -> Outcomes:
    generator = np.random.default_rng(4)
    truth = generator.random((N, 3)) < 0.4
    called = truth ^ (generator.random((N, 3)) < wrong)
    return Outcomes("multilabel", truth.astype(int), called.astype(int), classes=("a", "b", "c"))


def ranking(noise: float) -> Outcomes:
    relevance = np.random.default_rng(5).integers(0, 3, N)
    scores = relevance + noise * np.random.default_rng(6).normal(size=N)
    return Outcomes("ranking", relevance.astype(float), scores, sampling=Sampling(GROUPS))


@pytest.mark.parametrize(
    ("figure", "one", "other", "test"),
    [
        ("mae", numbers(0.01), numbers(0.02), "paired bootstrap, rows, 200 draws"),
        ("micro_f1", labels(0.3), labels(0.2), "paired bootstrap, rows, 200 draws"),
        ("ndcg", ranking(0.9), ranking(0.2), "paired bootstrap, groups, 200 draws"),
        ("roc_auc", binary(0.2), binary(0.4), "DeLong"),
        ("gini", binary(0.2, Sampling(stratified=True)), binary(0.4), "DeLong"),
        ("accuracy", binary(0.2), binary(0.4), "McNemar"),
        ("micro_f1", classes(0.4), classes(0.2), "McNemar"),
        ("f1", binary(0.2), binary(0.4), "paired bootstrap, rows, 200 draws"),
        ("f1", binary(0.2, Sampling(stratified=True)), binary(0.4), "paired bootstrap, stratified, 200 draws"),
        ("roc_auc", binary(0.2, Sampling(GROUPS)), binary(0.4), "paired bootstrap, groups, 200 draws"),
        ("accuracy", binary(0.2), binary(0.4, Sampling(GROUPS)), "paired bootstrap, groups, 200 draws"),
        ("rmse", numbers(0.6, sampling=Sampling(block=5)), numbers(0.4), "paired bootstrap, blocks of 5, 200 draws"),
        ("mae", numbers(0.6, "forecasting"), numbers(0.4, "forecasting"), "Diebold-Mariano"),
        ("r2", numbers(0.6), numbers(0.4), "paired bootstrap, rows, 200 draws"),
    ],
    ids=range(14),
)
def test_a_figure_and_its_rows_call_for_a_test(figure: str, one: Outcomes, other: Outcomes, test: str) -> None:
    found = paired_test(figure, one, other, draws=200)

    assert (found.test, found.figure, found.n) == (test, figure, N)


def test_the_difference_is_the_second_ones_figure_minus_the_first_ones() -> None:
    one, other = binary(0.2), binary(0.4)
    f1, auc = paired_test("f1", one, other, draws=100), paired_test("gini", one, other)

    assert f1.difference == pytest.approx(f1_score(TRUTH, other.called) - f1_score(TRUTH, one.called))
    assert one.chances is not None
    assert other.chances is not None
    areas = [roc_auc_score(TRUTH, side.chances) for side in (one, other)]
    exact = delong(TRUTH, one.chances, other.chances)
    assert auc.difference == pytest.approx(2 * (areas[1] - areas[0]))
    assert (auc.low, auc.high, auc.p) == pytest.approx((2 * exact.low, 2 * exact.high, exact.p))


def test_every_figure_differs_by_what_it_is_of_either_side() -> None:
    one, other = binary(0.2), binary(0.4)
    sides = [side.measure(np.ones(N)) for side in (one, other)]
    found = {figure: paired_test(figure, one, other, draws=50).difference for figure in sides[0]}

    assert found == pytest.approx({figure: sides[1][figure] - value for figure, value in sides[0].items()})


@pytest.mark.parametrize("figure", ["rmse", "mae", "mase"])
def test_forecasts_differ_in_the_figures_own_unit(figure: str) -> None:
    block = Sampling(block=4)
    sides = numbers(0.6, "forecasting", block), numbers(0.4, "forecasting")
    one, other = (replace(side, step=0.5) for side in sides)
    found = paired_test(figure, one, other)
    power = 2 if figure == "rmse" else 1
    losses = [np.abs(side.truth - side.called) ** power for side in (one, other)]
    figures = [side.measure(np.ones(N))[figure] for side in (one, other)]

    assert found.difference == pytest.approx(figures[1] - figures[0])
    assert found.p == diebold_mariano(losses[0], losses[1], figure, horizon=4).p
    assert found.low is not None
    assert found.high is not None
    assert found.low < found.difference < found.high


def test_classes_in_another_order_are_the_same_classes() -> None:
    one, other = classes(0.4), classes(0.2, ("c", "zebra", "b", "a"))

    assert paired_test("accuracy", one, other).p == mcnemar(~one.wrong, ~other.wrong).p
    assert paired_test("macro_f1", one, other, draws=100).difference > 0


def test_an_effect_of_shares_is_cohens_h_as_statsmodels_has_it() -> None:
    one, other = binary(0.2), binary(0.4)
    shares = [1 - side.wrong.mean() for side in (one, other)]
    effect = paired_test("accuracy", one, other).effect

    assert effect is not None
    assert effect.measure == "Cohen's h"
    assert effect.value == pytest.approx(proportion_effectsize(shares[1], shares[0]))
    assert of_shares(0.5, 0.6) == pytest.approx(0.2014, abs=1e-4)  # Cohen 1988, table 6.2.1


def test_an_effect_of_losses_is_cohens_d_by_both_variances() -> None:
    one, other = numbers(0.6), numbers(0.4)
    losses = [np.abs(side.truth - side.called) for side in (one, other)]
    effect = paired_test("mae", one, other, draws=100).effect

    assert effect is not None
    spread = np.sqrt((losses[0].var(ddof=1) + losses[1].var(ddof=1)) / 2)
    assert effect.value == pytest.approx((losses[1].mean() - losses[0].mean()) / spread)


def test_an_area_is_as_far_from_another_as_the_scores_that_it_stands_for() -> None:
    """Two classes whose scores are normal and d apart have the area Φ(d / √2) under the ROC curve."""
    scores = [stats.norm.ppf((np.arange(N) + 0.5) / N), stats.norm.ppf((np.arange(N) + 0.5) / N)]
    truth = np.repeat([0.0, 1.0], N)
    sides = [np.concatenate([scores[0], scores[1] + d]) for d in (0.5, 1.3)]
    one, other = (Outcomes("binary", truth, truth, 1 / (1 + np.exp(-side)), (0, 1), 0.5, Sampling()) for side in sides)
    effect = paired_test("roc_auc", one, other).effect

    assert effect is not None
    assert effect.value == pytest.approx(0.8, abs=0.02)


@pytest.mark.parametrize(
    ("value", "size"),
    [(0.0, "negligible"), (-0.19, "negligible"), (0.2, "small"), (-0.5, "medium"), (0.79, "medium"), (-0.8, "large")],
)
def test_an_effect_has_a_word_by_cohens_convention(value: float, size: str) -> None:
    assert Effect("Cohen's d", value).size == size


def test_an_effect_has_the_sign_of_its_difference() -> None:
    for figure in ("rmse", "mae", "r2"):
        found = paired_test(figure, numbers(0.6), numbers(0.4), draws=100)
        assert found.effect is not None
        assert found.effect.value * found.difference > 0
    for noise in (0.6, 0.01):  # no share, however small
        sides = numbers(noise, "forecasting"), numbers(0.8 * noise, "forecasting")
        assert paired_test("bias", *sides, draws=100).effect is None


def test_rows_that_are_needed_are_those_of_the_formula() -> None:
    """Cohen 1988: a paired t test of d = 0.5 has 80 % power with 34 pairs; by the normal distribution 32."""
    generator = np.random.default_rng(1)
    gaps = generator.normal(size=50)
    gaps = (gaps - gaps.mean()) / gaps.std(ddof=1) + 0.5
    found = diebold_mariano(np.zeros(50), gaps, "mae")

    assert found.rows_needed == pytest.approx(33, abs=2)
    assert mcnemar([True, False], [True, False]).rows_needed is None


@pytest.mark.parametrize(
    ("difference", "p", "better", "verdict"),
    [
        (0.1, 0.01, "higher", "better"),
        (0.1, 0.01, "lower", "worse"),
        (-0.1, 0.01, "higher", "worse"),
        (0.1, 0.06, "higher", "not known"),
        (0.0, 0.0, "lower", "not known"),
    ],
)
def test_better_and_worse_are_beyond_chance(difference: float, p: float, better: str, verdict: str) -> None:
    assert verdict_of(PairedTest("McNemar", "f1", difference, None, None, p, 9, 0.95), better) == verdict


def test_holm_for_more_than_were_made_is_no_weaker_than_for_all_of_them() -> None:
    for seed in range(200):
        ps = np.random.default_rng(seed).random(6) ** 3
        whole = holm(ps.tolist())
        some = holm(ps[:3].tolist(), of=6)
        assert all(few >= all_ - 1e-12 for few, all_ in zip(some, whole[:3], strict=True))


def test_the_best_of_equals_is_not_said_to_be_better_too_often() -> None:
    """Four models that are equally good, each set against whichever came out best: 200 experiments."""
    alarms = 0
    for seed in range(200):
        generator = np.random.default_rng(seed)
        truth = (generator.random(200) < 0.5).astype(float)
        right = generator.random((4, 200)) < 0.7
        sides = [Outcomes("binary", truth, np.where(each, truth, 1 - truth), classes=(0, 1)) for each in right]
        sides.sort(key=lambda side: side.wrong.sum())
        ps = [paired_test("accuracy", sides[0], other).p for other in sides[1:]]
        alarms += min(holm(ps, of=6)) <= 0.05
    assert stats.binomtest(alarms, 200).proportion_ci(0.99).low <= 0.05


@pytest.mark.parametrize(
    ("figure", "one", "other", "says"),
    [
        ("f1", binary(0.2), numbers(0.2), "one is judged as binary and the other as regression"),
        ("f1", binary(0.2), replace(binary(0.2), truth=TRUTH[:9], called=TRUTH[:9], chances=TRUTH[:9]), "300 and 9"),
        ("f1", binary(0.2), replace(binary(0.2), truth=1 - TRUTH), "300 of 300 rows have another label"),
        ("rmse", binary(0.2), binary(0.4), "no test by 'rmse' for the task binary; compare by accuracy"),
        ("", numbers(0.2), numbers(0.4), "no test by '' for the task regression; compare by rmse"),
        ("roc_auc", binary(0.2), replace(binary(0.2), chances=None), "the second of the two has no roc_auc"),
        ("brier", replace(binary(0.2), chances=None), binary(0.2), "the first of the two has no brier"),
        ("f1", binary(0.2, Sampling(GROUPS)), binary(0.2, Sampling(block=3)), "by groups on one side and by blocks"),
        ("f1", binary(0.2, Sampling(GROUPS)), binary(0.2, Sampling(GROUPS // 2)), "with the same groups"),
        ("r2", *[Outcomes("regression", np.ones(9), np.arange(9.0))] * 2, "r2 is undefined on these rows"),
        (
            "roc_auc",
            *[outcomes_of_predictions("binary", [0, 0, 1], [0, 0, 1], [0.1, 0.2, 0.9])] * 2,
            "two rows of each",
        ),
    ],
    ids=range(11),
)
def test_what_is_no_contest_is_refused_in_one_sentence(figure: str, one: Outcomes, other: Outcomes, says: str) -> None:
    with pytest.raises(Malformed) as refusal:
        paired_test(figure, one, other, draws=50)
    assert says in str(refusal.value)
    assert "\n" not in str(refusal.value)
