"""Figures of labels, orders, series, masks and tags, against scikit-learn and cases done by hand."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import sklearn.metrics
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lepton_ai.errors import Malformed
from lepton_ai.evaluation.structured import forecasting, multilabel, ranking, segmentation, sequences
from lepton_ai.results.judging.performance import performance_of

from ..examples import examples

DECISIONS = arrays(np.int64, (7, 4), elements=st.integers(0, 1))
GRADES = arrays(np.float64, 12, elements=st.integers(0, 3).map(float))
SCORES = arrays(np.float64, 12, elements=st.integers(0, 9).map(float))
MASKS = arrays(np.int64, (3, 4, 5), elements=st.integers(0, 2))
SERIES = arrays(np.float64, 9, elements=st.integers(-50, 50).map(float))


@settings(max_examples=examples(40))
@given(DECISIONS, DECISIONS, arrays(np.float64, (7, 4), elements=st.integers(0, 10).map(lambda n: n / 10)))
def test_several_labels_a_row_are_scikit_learns(truth: Any, called: Any, chances: Any) -> None:
    found = multilabel.score(truth, called, chances)

    assert found.subset_accuracy == pytest.approx(sklearn.metrics.accuracy_score(truth, called))
    assert found.hamming_loss == pytest.approx(sklearn.metrics.hamming_loss(truth, called))
    for kind in ("micro", "macro", "weighted", "samples"):
        theirs = sklearn.metrics.f1_score(truth, called, average=kind, zero_division=0)
        assert getattr(found, f"{kind}_f1") == pytest.approx(theirs)
    both = [each for each in range(4) if 0 < truth[:, each].sum() < 7]
    if both:
        theirs = sklearn.metrics.roc_auc_score(truth[:, both], chances[:, both], average="macro")
        assert found.macro_roc_auc == pytest.approx(theirs)
    else:
        assert found.macro_roc_auc is None


@settings(max_examples=examples(40))
@given(GRADES, SCORES)
def test_the_ndcg_of_each_query_is_scikit_learns(gains: Any, scores: Any) -> None:
    queries = ["a"] * 6 + ["b"] * 6
    sides = [slice(0, 6), slice(6, 12)]
    if not gains.any():
        return
    theirs = [
        sklearn.metrics.ndcg_score(gains[side][None, :], scores[side][None, :]) for side in sides if gains[side].any()
    ]

    found = ranking.score(gains, scores, queries)

    assert found.ndcg == pytest.approx(np.mean(theirs))
    assert (found.queries, found.n) == (len(theirs), 12)


@settings(max_examples=examples(40))
@given(GRADES, st.permutations(range(12)))
def test_where_all_scores_differ_average_precision_is_scikit_learns(gains: Any, order: list[int]) -> None:
    if not gains.any():
        return
    found = ranking.score(gains, order, [1] * 12)

    theirs = sklearn.metrics.average_precision_score(gains > 0, order)
    assert found.map == pytest.approx(theirs)
    assert found.mrr == pytest.approx(1 / (1 + sum(np.array(order) > max(np.array(order)[gains > 0]))))


def test_a_constant_score_gains_nothing_by_the_order_of_the_rows() -> None:
    found = ranking.score([1, 0, 0, 0], [5, 5, 5, 5], ["q"] * 4)

    assert (found.mrr, found.map) == (0.25, 0.25)


@settings(max_examples=examples(40))
@given(SERIES, SERIES)
def test_forecasts_are_scikit_learns(truth: Any, forecast: Any) -> None:
    found = forecasting.score(truth, forecast)

    assert found.mae == pytest.approx(sklearn.metrics.mean_absolute_error(truth, forecast))
    assert found.rmse == pytest.approx(sklearn.metrics.root_mean_squared_error(truth, forecast))
    if truth.all():
        assert found.mape == pytest.approx(sklearn.metrics.mean_absolute_percentage_error(truth, forecast))
    else:
        assert found.mape is None


def test_the_scaled_error_of_a_seasonal_naive_forecast_is_that_of_its_past() -> None:
    past = [1.0, 5.0, 2.0, 7.0, 3.0, 9.0]  # steps of two rows: 1, 2, 1, 2

    found = forecasting.score([4.0, 11.0], [3.0, 9.0], past, season=2, interval=([3.5, 12.0], [4.5, 13.0]))

    assert found.mase == pytest.approx(1.5 / 1.5)
    assert found.coverage == 0.5
    assert found.bias == -1.5


@given(st.integers(4, 60), st.integers(1, 4), st.integers(0, 3), st.one_of(st.none(), st.integers(1, 9)))
def test_a_walk_forward_never_learns_from_what_it_judges_or_from_later(
    n: int, horizon: int, gap: int, window: int | None
) -> None:
    first = max(1, n // 2 - gap - horizon)
    if first + gap + horizon > n:
        return
    parts = list(forecasting.walk_forward(n, horizon=horizon, gap=gap, first=first, window=window))

    assert parts
    for learnt, judged in parts:
        assert len(judged) == horizon
        assert learnt[-1] + gap + 1 == judged[0]
        assert window is None or len(learnt) <= window
    assert [judged[0] for _, judged in parts] == sorted({judged[0] for _, judged in parts})


@settings(max_examples=examples(40))
@given(MASKS, MASKS)
def test_masks_are_scikit_learns_image_by_image(truth: Any, called: Any) -> None:
    found = segmentation.score(truth, called)

    dices, ious = [], []
    for image in range(3):
        for name in (1, 2):
            sides = (truth[image].ravel() == name, called[image].ravel() == name)
            if sides[0].any() or sides[1].any():
                dices.append(sklearn.metrics.f1_score(*sides))
                ious.append(sklearn.metrics.jaccard_score(*sides))
    assert found.dice == (pytest.approx(np.mean(dices)) if dices else None)
    assert found.iou == (pytest.approx(np.mean(ious)) if ious else None)
    assert found.pixel_accuracy == pytest.approx((truth == called).mean())


def test_whole_spans_count_as_conll_counts_them() -> None:
    true = [["B-PER", "I-PER", "O", "B-LOC"], ["O", "B-ORG", "I-ORG", "O"]]
    given = [["B-PER", "I-PER", "O", "B-ORG"], ["O", "B-ORG", "O", "O"]]

    found = sequences.score(true, given)

    assert (found.entity_precision, found.entity_recall, found.entity_f1) == pytest.approx((1 / 3, 1 / 3, 1 / 3))
    assert (found.sequences, found.n, found.exact_match, found.accuracy) == (2, 8, 0, 0.75)


def test_tags_that_mark_no_spans_have_no_entities() -> None:
    assert sequences.score([["A", "C", "G"]], [["A", "C", "T"]]).entity_f1 is None


EVERY = [
    multilabel.score([[1, 0], [1, 1]], [[1, 0], [0, 1]]),
    ranking.score([1, 0, 2], [3, 2, 1], ["q", "q", "q"]),
    forecasting.score([1.0, 2.0], [1.5, 2.5]),
    segmentation.score([[[0, 1]]], [[[1, 1]]]),
    sequences.score([["B-A", "O"]], [["B-A", "O"]]),
]


@pytest.mark.parametrize("performance", EVERY, ids=lambda each: each.task)
def test_each_task_is_told_in_both_languages_and_read_back_as_it_was_stored(
    performance: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEPTON_LANG", "en")
    english = str(performance)
    monkeypatch.setenv("LEPTON_LANG", "zh")

    assert english.isascii()
    assert not str(performance).isascii()
    assert str(performance) in performance._repr_html_() or performance.task in performance._repr_html_()
    assert performance_of(json.loads(json.dumps(performance.to_dict()))) == performance
    assert performance.headline in performance.figures()


@pytest.mark.parametrize(
    ("call", "advice"),
    [
        (lambda: multilabel.score([[1, 0]], [[1]]), "do not match"),
        (lambda: multilabel.score([[1, 2]], [[1, 0]]), "0 or 1 for each label"),
        (lambda: multilabel.score([[1], [1, 0]], [[1], [0]]), "as many as there are labels"),
        (lambda: multilabel.score([], []), "a row each"),
        (lambda: multilabel.score([[1, 0]], [[1, 0]], [[float("nan"), 1]]), "NaN"),
        (lambda: ranking.score([1, 0], [1, 2], ["q"]), "one of each a row"),
        (lambda: ranking.score([0, 0], [1, 2], ["q", "q"]), "no query has anything relevant"),
        (lambda: ranking.score([-1, 1], [1, 2], ["q", "q"]), "not be negative"),
        (lambda: ranking.score([1, 1], [1, float("nan")], ["q", "q"]), "finite"),
        (lambda: forecasting.score([1.0], [1.0, 2.0]), "one a row"),
        (lambda: forecasting.score([], []), "at least one row"),
        (lambda: forecasting.score([float("nan")], [1.0]), "fill or leave out"),
        (lambda: forecasting.score([1.0], [1.0], [1.0], season=2), "longer past"),
        (lambda: forecasting.score([1.0], [1.0], interval=([2.0], [1.0])), "above its upper end"),
        (lambda: list(forecasting.walk_forward(5, horizon=9)), "are fewer than"),
        (lambda: list(forecasting.walk_forward(5, horizon=0)), "at least 1"),
        (lambda: segmentation.score([[0, 1]], [[0, 1]]), "images, height and width"),
        (lambda: segmentation.score([[[0, 1]]], [[[0.5, 1]]]), "cut probabilities"),
        (lambda: segmentation.score([[[0, 1]]], [[[0]]]), "do not match"),
        (lambda: sequences.score([["A"]], [["A", "B"]]), "give one each"),
        (lambda: sequences.score(["ACGT"], ["ACGT"]), "a list of its tags"),
        (lambda: sequences.score([["A"]], []), "give one each"),
    ],
    ids=[
        "labels-shape", "labels-values", "labels-ragged", "labels-empty", "labels-chances", "ranking-lengths",
        "ranking-nothing", "ranking-negative", "ranking-nan", "series-lengths", "series-empty", "series-nan",
        "series-season", "series-interval", "walk-short", "walk-horizon", "mask-shape", "mask-values", "mask-size",
        "tags-lengths", "tags-text", "tags-count",
    ],
)  # fmt: skip
def test_what_cannot_be_judged_is_refused_in_a_sentence(call: Any, advice: str) -> None:
    with pytest.raises(Malformed, match=advice):
        call()
