"""Metrics of one's own: registered by a name, measured with an interval, and told in one sentence where they cannot."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import sklearn.metrics

import lepton_ai
from lepton_ai.errors import LeptonError, Malformed, Refused
from lepton_ai.evaluation.judgement import judge_outcomes
from lepton_ai.evaluation.outcomes import Outcomes
from lepton_ai.evaluation.own import metrics
from lepton_ai.evaluation.own.cost_matrix import CostMatrix
from lepton_ai.evaluation.predictions import outcomes_of_predictions
from lepton_ai.evaluation.request import ReportRequest
from lepton_ai.results import Report

GENERATOR = np.random.default_rng(6)
TRUTH = (GENERATOR.random(300) < 0.4).astype(int)
CHANCE = np.clip(0.3 * TRUTH + 0.6 * GENERATOR.random(300), 0, 1)
OUTCOMES = outcomes_of_predictions("binary", TRUTH, (CHANCE >= 0.5).astype(int), CHANCE)


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    before = dict(metrics._metrics)
    yield
    metrics._metrics.clear()
    metrics._metrics.update(before)


def profit(labels: Any, predictions: Any) -> float:
    return float(np.where(labels == predictions, 1, -3).mean())


def weighted_profit(labels: Any, predictions: Any, weights: Any = None) -> float:
    return float(np.average(np.where(labels == predictions, 1, -3), weights=weights))


def rank(labels: Any, predictions: Any, probabilities: Any) -> Any:
    return sklearn.metrics.roc_auc_score(labels, probabilities)


def judged(*names: str, outcomes: Outcomes = OUTCOMES, draws: int = 60) -> Any:
    return judge_outcomes(outcomes, ReportRequest(metrics=names, draws=draws), None)


def test_a_metric_of_ones_own_is_a_figure_with_an_interval() -> None:
    lepton_ai.metric("loan_profit", better="higher", task="binary")(profit)

    judgement = judged("loan_profit")

    report = judgement.report
    assert judgement.figures["loan_profit"] == pytest.approx(profit(TRUTH, CHANCE >= 0.5))
    assert judgement.better == {"loan_profit": "higher"}
    assert report.intervals["loan_profit"].low < report.own["loan_profit"] < report.intervals["loan_profit"].high
    assert "loan_profit" in str(report)
    assert Report.of_dict(json.loads(json.dumps(report.to_dict()))) == report


def test_rows_repeated_and_rows_weighted_give_the_same_interval() -> None:
    lepton_ai.metric("repeated", better="higher")(profit)
    lepton_ai.metric("weighted", better="higher")(weighted_profit)

    intervals = judged("repeated", "weighted").report.intervals

    assert intervals["weighted"].low == pytest.approx(intervals["repeated"].low)
    assert intervals["weighted"].high == pytest.approx(intervals["repeated"].high)


def test_probabilities_are_given_to_a_function_that_asks_for_them() -> None:
    lepton_ai.metric("rank", better="higher")(rank)

    judgement = judged("rank")

    assert judgement.figures["rank"] == pytest.approx(judgement.performance.roc_auc)
    low, high = (getattr(judgement.report.intervals["rank"], end) for end in ("low", "high"))
    own = judgement.report.intervals["roc_auc"]
    assert (low, high) == pytest.approx((own.low, own.high), abs=0.01)  # a known figure's is found on its own scale


def test_several_classes_are_given_by_their_names() -> None:
    seen: list[Any] = []
    lepton_ai.metric("seen", better="lower")(lambda labels, predictions: seen.append(labels) or 1)

    judged("seen", outcomes=outcomes_of_predictions("multiclass", ["a", "b"] * 9, ["a", "c"] * 9), draws=0)

    assert seen[0].tolist() == ["a", "b"] * 9


def test_outcomes_that_were_kept_are_measured_again_where_the_metric_is_registered() -> None:
    lepton_ai.metric("loan_profit", better="higher")(profit)
    outcomes = judged("loan_profit").outcomes

    again = Outcomes.of_tensors(outcomes.tensors())

    assert again.own_figures == outcomes.own_figures
    assert again.measure(np.ones(300))["loan_profit"] == pytest.approx(outcomes.own_figures["loan_profit"])


def test_what_a_draw_leaves_undefined_has_no_interval() -> None:
    lepton_ai.metric("fragile", better="lower")(lambda labels, predictions: 1 / (len(np.unique(labels)) - 1))
    few = outcomes_of_predictions("binary", [0, 0, 0, 0, 1], [0, 1, 0, 0, 1])

    judgement = judged("fragile", outcomes=few)

    assert judgement.figures["fragile"] == 1
    assert "fragile" not in judgement.report.intervals


@pytest.mark.parametrize(
    ("name", "better", "function", "sentence"),
    [
        ("f1", "higher", profit, "a metric that Lepton measures itself"),
        ("loan profit", "higher", profit, "cannot name a metric"),
        ("test/profit", "higher", profit, "cannot name a metric"),
        ("profit", "up", profit, "say 'higher' or 'lower'"),
        ("profit", "higher", 3, "is an int; give a function"),
        ("profit", "higher", lambda labels: 1, "not called with labels and predictions"),
        ("profit", "higher", lambda labels, predictions, prices: 1, "not called with labels and predictions"),
    ],
    ids=["standard", "space", "slash", "direction", "number", "labels-alone", "more"],
)
def test_what_is_no_metric_is_not_registered(name: str, better: Any, function: Any, sentence: str) -> None:
    with pytest.raises(Malformed, match=sentence):
        lepton_ai.metric(name, better=better)(function)

    assert name not in metrics.registered()


def test_a_name_is_not_given_to_two_functions() -> None:
    lepton_ai.metric("taken", better="higher")(profit)
    lepton_ai.metric("taken", better="lower")(profit)

    with pytest.raises(Malformed, match=r"registered already, by .*profit"):
        lepton_ai.metric("taken", better="higher")(rank)


@pytest.mark.parametrize(
    ("function", "sentence"),
    [
        (lambda labels, predictions: 1 / 0, "cannot be measured on these rows .ZeroDivisionError"),
        (lambda labels, predictions: "good", "returned a str, not a number"),
        (lambda labels, predictions: None, "returned nothing"),
        (lambda labels, predictions: labels, "returned an ndarray, not a number"),
        (lambda labels, predictions: float("nan"), "is nan on these rows"),
        (lambda labels, predictions: float("inf"), "is inf on these rows"),
    ],
    ids=["raises", "text", "nothing", "array", "nan", "infinity"],
)
def test_a_function_that_tells_no_number_is_told_in_one_sentence(function: Any, sentence: str) -> None:
    lepton_ai.metric("odd", better="lower")(function)

    with pytest.raises(Refused, match=sentence) as refused:
        judged("odd")

    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        (["no_such"], "no metric 'no_such' is registered in this process"),
        ("profit", r"write \['profit'\]"),
        (["of_numbers"], "is of the task regression, and these rows are of binary"),
    ],
    ids=["unknown", "text", "task"],
)
def test_a_metric_that_is_not_there_or_does_not_fit_is_refused(names: Any, sentence: str) -> None:
    lepton_ai.metric("of_numbers", better="lower", task="regression")(profit)

    with pytest.raises(LeptonError, match=sentence):
        judge_outcomes(OUTCOMES, ReportRequest(metrics=names), None)


THREE = outcomes_of_predictions("multiclass", ["a", "b", "c", "a", "b", "c"] * 20, ["a", "b", "a", "b", "b", "c"] * 20)


def test_a_cost_matrix_is_the_mean_cost_of_a_row_with_an_interval() -> None:
    prices = CostMatrix({"c": {"a": 10, "c": -1}, "a": {"b": 2}})

    judgement = judge_outcomes(THREE, ReportRequest(cost_matrix=prices, draws=60), None)

    assert judgement.figures["expected_cost"] == pytest.approx((10 + 2 - 1) / 6)
    assert judgement.report is not None
    interval = judgement.report.intervals["expected_cost"]
    assert interval.low < 11 / 6 < interval.high
    of_two = judge_outcomes(OUTCOMES, ReportRequest(cost_matrix={"1": {"0": 5}}, draws=0), None)
    missed = int(((TRUTH == 1) & (CHANCE < 0.5)).sum())
    assert of_two.figures["expected_cost"] == pytest.approx(5 * missed / 300)


@pytest.mark.parametrize(
    ("outcomes", "costs", "sentence"),
    [
        (THREE, {"a": {"d": 1}}, "name a class 'd' that these rows have not; there are a, b, c"),
        (THREE, {"a": {"b": float("nan")}}, "costs nan; give finite numbers"),
        (THREE, {"a": {"b": "much"}}, "costs 'much'; give finite numbers"),
        (THREE, {"a": 3}, "give costs by true class and by call"),
        (Outcomes("regression", CHANCE, CHANCE), {"a": {"b": 1}}, "a cost matrix is of classes"),
    ],
    ids=["class", "nan", "text", "flat", "regression"],
)
def test_costs_that_do_not_fit_are_told_in_one_sentence(outcomes: Outcomes, costs: Any, sentence: str) -> None:
    with pytest.raises(Malformed, match=sentence):
        judge_outcomes(outcomes, ReportRequest(cost_matrix=costs, draws=0), None)


def test_a_metric_that_always_asks_for_weights_is_given_them() -> None:
    @lepton_ai.metric("test-weighted-share", better="higher")
    def weighted_share(labels: Any, predictions: Any, weights: Any) -> float:
        return float(np.average(labels == predictions, weights=weights))

    outcomes = outcomes_of_predictions("binary", [0, 1, 1, 0], [0, 1, 0, 0])
    report = judge_outcomes(outcomes, ReportRequest(metrics=["test-weighted-share"], draws=50), None).report

    assert report is not None
    assert report.own["test-weighted-share"] == report.performance.figures()["accuracy"]
    assert report.intervals["test-weighted-share"].low <= 0.75
