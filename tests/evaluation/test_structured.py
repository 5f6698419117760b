"""Reports of labels, orders, series, masks and tags: with every unit once their measures are the tasks' own figures."""

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
from lepton_ai.evaluation.intervals import Measure
from lepton_ai.evaluation.outcomes import Outcomes
from lepton_ai.evaluation.predictions import outcomes_of_predictions
from lepton_ai.evaluation.report import Asked, report_of
from lepton_ai.evaluation.resampling import Sampling
from lepton_ai.evaluation.structured import forecasting, measures, multilabel, ranking, segmentation, sequences
from lepton_ai.results import Report, TaskPerformance
from lepton_ai.results.pages import charts

from ..examples import examples

DECISIONS = arrays(np.bool_, (6, 3))
CHANCES = arrays(np.float64, (6, 3), elements=st.integers(0, 10).map(lambda tenths: tenths / 10))
GRADES = arrays(np.float64, 12, elements=st.integers(0, 3).map(float))
SERIES = arrays(np.float64, 9, elements=st.integers(-50, 50).map(float))
MASKS = arrays(np.int64, (3, 4, 5), elements=st.integers(0, 2))
TAGS = st.lists(st.lists(st.sampled_from(["O", "B-a", "I-a", "B-b"]), min_size=4, max_size=4), min_size=5, max_size=5)


def check(measure: Measure, units: int, score: Any) -> None:
    """With every unit once a measure gives the task's figures; with units dropped, those of the rest."""
    few = np.arange(units) % 2 == 0
    for kept in (np.ones(units, bool), few):
        whole: TaskPerformance = score(np.flatnonzero(kept))
        found = measure(kept.astype(np.float64))
        for name, value in whole.figures().items():
            if name in found:
                assert found[name] == pytest.approx(value, abs=1e-12), name
        assert len(found.keys() & whole.figures().keys()) >= 4


@settings(max_examples=examples(30))
@given(DECISIONS, DECISIONS, CHANCES)
def test_labels_are_measured_row_by_row(truth: Any, called: Any, chances: Any) -> None:
    check(
        measures.of_labels(truth, called),
        6,
        lambda kept: multilabel.score(truth[kept], called[kept]),
    )
    whole = multilabel.score(truth, called, chances)
    found = measures.of_labels(truth, called, chances)(np.ones(6))
    if whole.macro_roc_auc is not None:
        assert found["macro_roc_auc"] == pytest.approx(whole.macro_roc_auc)
        assert found["macro_average_precision"] == pytest.approx(whole.macro_average_precision)


@settings(max_examples=examples(30))
@given(GRADES, GRADES)
def test_orders_are_measured_query_by_query(gains: Any, scores: Any) -> None:
    queries = np.repeat(["a", "b", "c", "d"], 3)
    gains[::3] += 1  # every query has something relevant

    def score(kept: Any) -> TaskPerformance:
        rows = np.isin(queries, np.array(["a", "b", "c", "d"])[kept])
        return ranking.score(gains[rows], scores[rows], queries[rows])

    check(measures.of_queries(ranking.of_queries(ranking.by_query(gains, scores, queries))), 4, score)


@settings(max_examples=examples(30))
@given(SERIES, SERIES)
def test_series_are_measured_row_by_row(truth: Any, forecast: Any) -> None:
    low, high = forecast - 5, forecast + 5

    def score(kept: Any) -> TaskPerformance:
        ends = (low[kept], high[kept])
        return forecasting.score(truth[kept], forecast[kept], past=[1.0, 3.0, 2.0], interval=ends)

    step, inside = forecasting.seasonal_step([1.0, 3.0, 2.0], 1), forecasting.inside(truth, low, high)
    check(measures.of_forecast(truth, forecast, step, inside), 9, score)


@settings(max_examples=examples(30))
@given(MASKS, MASKS)
def test_masks_are_measured_image_by_image(truth: Any, called: Any) -> None:
    truth[:, 0, 0] = 1  # every image has a class
    overlaps = segmentation.overlaps(truth, called)

    check(measures.of_masks(overlaps), 3, lambda kept: segmentation.score(truth[kept], called[kept]))


@settings(max_examples=examples(30))
@given(TAGS, TAGS)
def test_tags_are_measured_sequence_by_sequence(truth: Any, called: Any) -> None:
    truth[0][0] = "B-a"  # kept in both halves, so that spans are counted in both

    def score(kept: Any) -> TaskPerformance:
        return sequences.score([truth[place] for place in kept], [called[place] for place in kept])

    check(measures.of_sequences(truth, called), 5, score)


CHANCE = np.random.default_rng(3)
LABELS = CHANCE.random((80, 3)) < 0.4
CALLED = LABELS ^ (CHANCE.random((80, 3)) < 0.2)
ASKED = Asked(draws=40)
QUERIES = np.repeat(np.arange(20), 5)
WALK = CHANCE.normal(size=90).cumsum()
ENDS = np.stack([WALK + 0.3, WALK - 0.7, WALK + 1.3], axis=1)
IMAGES = (CHANCE.random((25, 6, 6)) < 0.5).astype(int)
TAGGED = [CHANCE.choice(["O", "B-a", "I-a"], 7).tolist() for _ in range(30)]
CALLED_TAGS = [[tag if CHANCE.random() < 0.8 else "O" for tag in each] for each in TAGGED]
TASKS: dict[str, tuple[tuple[Any, Any], dict[str, Any], str, tuple[str, ...]]] = {
    "multilabel": ((LABELS, CALLED), {"classes": ("car", "house", "boat")}, "rows", ("by_class",)),
    "ranking": (
        (CHANCE.integers(0, 3, 100), CHANCE.random(100)), {"sampling": Sampling(QUERIES)}, "queries", ("ranking",)
    ),
    "forecasting": ((WALK, ENDS), {}, "blocks of 9", ("forecast", "residuals")),
    "segmentation": (
        (IMAGES, IMAGES ^ (CHANCE.random(IMAGES.shape) < 0.1)), {"classes": ("ground", "road")}, "images", ("by_class",)
    ),
    "sequence": ((TAGGED, CALLED_TAGS), {}, "sequences", ("confusion", "by_class")),
}  # fmt: skip


def outcomes(task: str) -> Outcomes:
    (truth, called), told, _, _ = TASKS[task]
    return outcomes_of_predictions(task, truth, called, **told)


@pytest.mark.parametrize("task", TASKS)
def test_a_report_of_any_task_has_intervals_over_what_is_independent_and_its_charts(task: str) -> None:
    _, _, method, drawn = TASKS[task]
    report = report_of(outcomes(task), ASKED)

    assert report.method == method
    assert charts.charts_of(report) == drawn
    figures = report.performance.figures()
    assert len(report.intervals.keys() & figures.keys()) >= 4
    assert all(each.low <= figures[name] <= each.high for name, each in report.intervals.items())
    assert Report.of_dict(json.loads(json.dumps(report.to_dict(), allow_nan=False))) == report
    assert report.plot().to_dict()


@pytest.mark.parametrize("task", TASKS)
def test_kept_outcomes_of_any_task_give_the_same_report(task: str) -> None:
    once = outcomes(task)
    again = Outcomes.of_tensors(once.tensors())

    assert report_of(again, ASKED) == report_of(once, ASKED)
    assert again.losses.tolist() == once.losses.tolist()
    assert again.losses.shape == (len(once),)


def test_the_interval_that_was_forecast_is_part_of_the_report() -> None:
    report = report_of(outcomes("forecasting"), ASKED)

    assert report.performance.figures()["coverage"] == 1.0
    assert report.series is not None
    assert report.series.low == tuple(ENDS[:, 1].tolist())


def test_figures_by_class_are_scikit_learns() -> None:
    report = report_of(outcomes("multilabel"), ASKED)

    assert report.by_class["f1"].classes == ("car", "house", "boat")
    assert report.by_class["f1"].values == pytest.approx(sklearn.metrics.f1_score(LABELS, CALLED, average=None))
    assert report.by_class["f1"].rows == tuple(LABELS.sum(axis=0).tolist())


@pytest.mark.parametrize(
    ("task", "truth", "called", "told", "words"),
    [
        ("ranking", [1, 0], [0.1, 0.2], {}, "give the query"),
        ("ranking", [1, 0], [0.1], {"sampling": Sampling(["a", "a"])}, "one of each a row"),
        ("multilabel", LABELS, CALLED, {"classes": ("car",)}, "name each once"),
        ("multilabel", LABELS, CALLED[:5], {}, "do not match"),
        ("forecasting", WALK, ENDS[:, :2], {}, "lower and upper end"),
        ("forecasting", WALK, ENDS[:, [0, 2, 1]], {}, "lies above"),
        ("segmentation", IMAGES, IMAGES[:3], {}, "do not match"),
        ("sequence", TAGGED, CALLED_TAGS, {"sampling": Sampling(block=2)}, "whole sequences"),
        ("sequence", [[]], [[]], {}, "no tags"),
        ("divination", [1], [1], {}, "there are no figures"),
    ],
    ids=["query", "length", "names", "rows", "ends", "crossed", "images", "block", "empty", "task"],
)
def test_what_does_not_fit_the_task_is_refused(task: str, truth: Any, called: Any, told: Any, words: str) -> None:
    with pytest.raises(Malformed, match=words):
        outcomes_of_predictions(task, truth, called, **told)


def test_slices_are_not_searched_among_rows_that_depend_on_each_other() -> None:
    with pytest.raises(Malformed, match="independent"):
        report_of(outcomes("ranking"), Asked(columns={"query": QUERIES}))
