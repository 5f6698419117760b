"""Reports of labels, orders, series, masks and tags: with every unit once their measures are the tasks' own figures."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lepton_ai.evaluation import forecasting, multilabel, ranking, segmentation, sequences
from lepton_ai.evaluation import structured_measures as measures
from lepton_ai.evaluation.intervals import Measure
from lepton_ai.results import TaskPerformance

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


@settings(max_examples=30)
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


@settings(max_examples=30)
@given(GRADES, GRADES)
def test_orders_are_measured_query_by_query(gains: Any, scores: Any) -> None:
    queries = np.repeat(["a", "b", "c", "d"], 3)
    gains[::3] += 1  # every query has something relevant

    def score(kept: Any) -> TaskPerformance:
        rows = np.isin(queries, np.array(["a", "b", "c", "d"])[kept])
        return ranking.score(gains[rows], scores[rows], queries[rows])

    check(measures.of_queries(ranking.of_queries(ranking.by_query(gains, scores, queries))), 4, score)


@settings(max_examples=30)
@given(SERIES, SERIES)
def test_series_are_measured_row_by_row(truth: Any, forecast: Any) -> None:
    low, high = forecast - 5, forecast + 5

    def score(kept: Any) -> TaskPerformance:
        ends = (low[kept], high[kept])
        return forecasting.score(truth[kept], forecast[kept], past=[1.0, 3.0, 2.0], interval=ends)

    step, inside = forecasting.seasonal_step([1.0, 3.0, 2.0], 1), forecasting.inside(truth, low, high)
    check(measures.of_forecast(truth, forecast, step, inside), 9, score)


@settings(max_examples=30)
@given(MASKS, MASKS)
def test_masks_are_measured_image_by_image(truth: Any, called: Any) -> None:
    truth[:, 0, 0] = 1  # every image has a class
    overlaps = segmentation.overlaps(truth, called)

    check(measures.of_masks(overlaps), 3, lambda kept: segmentation.score(truth[kept], called[kept]))


@settings(max_examples=30)
@given(TAGS, TAGS)
def test_tags_are_measured_sequence_by_sequence(truth: Any, called: Any) -> None:
    truth[0][0] = "B-a"  # kept in both halves, so that spans are counted in both

    def score(kept: Any) -> TaskPerformance:
        return sequences.score([truth[place] for place in kept], [called[place] for place in kept])

    check(measures.of_sequences(truth, called), 5, score)
