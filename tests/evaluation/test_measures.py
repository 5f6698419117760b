"""Figures of weighted rows: those of scikit-learn where it weighs rows too, and those of the rows repeated."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pytest
import sklearn.metrics
from hypothesis import given, settings
from hypothesis import strategies as st

from lepton_ai.evaluation import binary, measures, multiclass, regression

from ..examples import examples

DRAWN = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 20), st.integers(0, 3)), min_size=1, max_size=40).filter(
    lambda rows: any(weight for *_, weight in rows)
)
"""Rows of a label, a score in twentieths or a call, and how often the row counts."""


def columns(rows: list[tuple[int, int, int]]) -> tuple[npt.NDArray[np.float64], ...]:
    label, score, weight = np.array(rows, dtype=np.float64).T
    return label, score, weight


def close(measured: Mapping[str, float], figures: Mapping[str, float | None]) -> None:
    for name, value in figures.items():
        if name in measured:
            assert measured[name] == pytest.approx(math.nan if value is None else value, nan_ok=True, abs=1e-9), name


@settings(max_examples=examples(60))
@given(DRAWN)
def test_a_binary_classifier_counts_each_row_as_often_as_it_weighs(rows: list[tuple[int, int, int]]) -> None:
    label, score, weight = columns(rows)
    truth, chance = (label > 1).astype(float), score / 20
    again = np.repeat(np.arange(len(truth)), weight.astype(int))

    measure = measures.together(measures.of_decisions(truth, chance >= 0.5), measures.of_probabilities(truth, chance))

    close(measure(weight), binary.score(truth[again], chance[again]).to_dict())


@settings(max_examples=examples(60))
@given(DRAWN)
def test_average_precision_and_roc_auc_are_scikit_learns(rows: list[tuple[int, int, int]]) -> None:
    label, score, weight = columns([(3, 7, 1), (0, 9, 1), *rows])
    truth = (label > 1).astype(float)

    figures = measures.Ranking(truth, score).figures(weight)

    assert figures["roc_auc"] == pytest.approx(sklearn.metrics.roc_auc_score(truth, score, sample_weight=weight))
    assert figures["average_precision"] == pytest.approx(
        sklearn.metrics.average_precision_score(truth, score, sample_weight=weight)
    )


@settings(max_examples=examples(60))
@given(DRAWN)
def test_classes_count_as_in_the_rows_repeated(rows: list[tuple[int, int, int]]) -> None:
    label, score, weight = columns(rows)
    truth, called = label.astype(np.int64), (score % 4).astype(np.int64)
    again = np.repeat(np.arange(len(truth)), weight.astype(int))

    figures = measures.of_classes(truth, called, 4)(weight)

    close(figures, multiclass.score(truth[again], called[again]).to_dict())
    if set(called[again]) <= set(truth[again]):
        assert figures["balanced_accuracy"] == pytest.approx(
            sklearn.metrics.balanced_accuracy_score(truth[again], called[again])
        )


@settings(max_examples=examples(60))
@given(DRAWN)
def test_errors_count_as_in_the_rows_repeated(rows: list[tuple[int, int, int]]) -> None:
    truth, predicted, weight = columns(rows)
    again = np.repeat(np.arange(len(truth)), weight.astype(int))

    close(measures.of_errors(truth, predicted)(weight), regression.score(truth[again], predicted[again]).to_dict())
