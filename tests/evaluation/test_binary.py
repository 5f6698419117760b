"""The figures of a binary classifier, against scikit-learn and cases done by hand, and how they print."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
import sklearn.metrics
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats

from lepton_ai.errors import Malformed
from lepton_ai.evaluation.binary import best_threshold, score
from lepton_ai.evaluation.measures import expected_calibration_error
from lepton_ai.results import Performance

from ..examples import examples

LABELS = [1, 0, 1, 1, 0, 0]
CHANCES = [0.9, 0.8, 0.7, 0.4, 0.3, 0.1]

ROWS = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 20).map(lambda x: x / 20)), min_size=1, max_size=40)


def test_a_case_done_by_hand() -> None:
    performance = score(LABELS, CHANCES, 0.5)

    assert performance.confusion == ((2, 1), (1, 2))
    assert (performance.n, performance.positives) == (6, 3)
    assert performance.accuracy == pytest.approx(4 / 6)
    assert performance.precision == performance.recall == performance.f1 == pytest.approx(2 / 3)
    assert performance.roc_auc == pytest.approx(7 / 9)  # of nine pairs, 0.8 stands above 0.7 and 0.4
    assert performance.gini == pytest.approx(5 / 9)
    assert performance.ks == pytest.approx(2 / 3)  # between 0.4 and 0.3: all of the positives, one of the negatives
    assert performance.brier == pytest.approx((0.01 + 0.64 + 0.09 + 0.36 + 0.09 + 0.01) / 6)
    assert performance.log_loss == pytest.approx(
        -(sum(map(math.log, (0.9, 0.7, 0.4))) + sum(map(math.log, (0.2, 0.7, 0.9)))) / 6
    )
    assert performance.ece == pytest.approx((0.1 + 0.8 + 0.3 + 0.6 + 0.3 + 0.1) / 6)  # each alone in its bin


@settings(max_examples=examples(80), deadline=None)
@given(ROWS, st.integers(1, 19).map(lambda x: x / 20))
def test_the_figures_are_scikit_learns(rows: list[tuple[int, float]], threshold: float) -> None:
    labels, chances = map(np.array, zip(*rows, strict=True))
    called = (chances >= threshold).astype(int)
    performance = score(labels, chances, threshold)

    assert performance.confusion == tuple(map(tuple, sklearn.metrics.confusion_matrix(labels, called, labels=[0, 1])))
    for name, judge in (
        ("precision", sklearn.metrics.precision_score),
        ("recall", sklearn.metrics.recall_score),
        ("f1", sklearn.metrics.f1_score),
    ):
        theirs = judge(labels, called, zero_division=np.nan)
        assert getattr(performance, name) == (None if math.isnan(theirs) else pytest.approx(theirs)), name
    assert performance.brier == pytest.approx(np.mean((chances - labels) ** 2))
    if len(set(labels.tolist())) == 2:
        assert performance.roc_auc == pytest.approx(sklearn.metrics.roc_auc_score(labels, chances))
        assert performance.ks == pytest.approx(stats.ks_2samp(chances[labels == 1], chances[labels == 0]).statistic)


@settings(max_examples=examples(80), deadline=None)
@given(ROWS)
def test_the_calibration_error_is_the_weighted_gap_of_its_bins(rows: list[tuple[int, float]]) -> None:
    labels, chances = map(np.array, zip(*rows, strict=True))
    gaps = 0.0
    for low, high in zip(np.arange(15) / 15, np.arange(1, 16) / 15, strict=True):
        inside = (chances > low) & (chances <= high) | (low == 0) & (chances == 0)
        if inside.any():
            gaps += inside.sum() * abs(labels[inside].mean() - chances[inside].mean())

    assert expected_calibration_error(labels, chances) == pytest.approx(gaps / len(rows))


@settings(max_examples=examples(80), deadline=None)
@given(ROWS)
def test_no_threshold_has_a_better_f1_than_the_fitted_one(rows: list[tuple[int, float]]) -> None:
    labels, chances = map(np.array, zip(*rows, strict=True))
    assume(labels.any())

    fitted = score(labels, chances, best_threshold(labels, chances)).f1

    assert fitted is not None
    assert all((score(labels, chances, at).f1 or 0) <= fitted + 1e-12 for at in np.unique(chances))


def test_without_a_positive_row_the_threshold_is_a_half() -> None:
    assert best_threshold([0, 0], [0.2, 0.9]) == 0.5


def test_one_class_alone_leaves_figures_undefined_and_they_print_so(monkeypatch: pytest.MonkeyPatch) -> None:
    performance = score([0, 0], [0.1, 0.2])

    assert (performance.precision, performance.recall, performance.f1) == (None, None, None)
    assert (performance.roc_auc, performance.ks, performance.gini) == (None, None, None)
    assert performance.accuracy == 1.0
    assert math.isfinite(performance.log_loss)
    assert json.loads(json.dumps(performance.to_dict()))["roc_auc"] is None
    monkeypatch.delenv("LEPTON_LANG", raising=False)
    assert str(performance) == "精度无定义，召回率无定义，F1分数无定义"
    monkeypatch.setenv("LEPTON_LANG", "en")
    assert str(performance) == "precision undefined, recall undefined, F1 undefined"


@pytest.mark.parametrize(
    ("labels", "chances", "sentence"),
    [
        ([0, 1], [0.5], "labels of shape (2,) do not match probabilities of shape (1,)"),
        ([[0, 1]], [[0.5, 0.5]], "do not match"),
        ([], [], "no rows to judge"),
        ([0, 2], [0.5, 0.5], "labels to judge must be 0 or 1"),
        ([0, 1], [0.5, 1.5], "probabilities to judge must lie between 0 and 1"),
        ([0, 1], [0.5, float("nan")], "probabilities to judge must lie between 0 and 1"),
    ],
)
def test_bad_input_is_refused_in_one_sentence(labels: list[int], chances: list[float], sentence: str) -> None:
    with pytest.raises(Malformed) as refusal:
        score(labels, chances)

    assert sentence in str(refusal.value)


SAMPLE = Performance(
    accuracy=0.97, precision=0.951, recall=0.9249, f1=0.938, roc_auc=0.99, ks=0.9, gini=0.98, brier=0.02, ece=0.01,
    log_loss=0.1, true_negatives=90, false_positives=2, false_negatives=3, true_positives=40, threshold=0.5,
)  # fmt: skip


def test_the_line_of_the_sample_in_chinese_and_in_english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LEPTON_LANG", raising=False)
    assert f"模型性能：{SAMPLE}" == "模型性能：精度0.95，召回率0.92，F1分数0.94"
    monkeypatch.setenv("LEPTON_LANG", "en")
    assert str(SAMPLE) == "precision 0.95, recall 0.92, F1 0.94"


def test_the_representation_has_every_figure_and_no_language(monkeypatch: pytest.MonkeyPatch) -> None:
    chinese = repr(SAMPLE)
    monkeypatch.setenv("LEPTON_LANG", "en")

    assert repr(SAMPLE) == chinese
    assert eval(chinese, {"Performance": Performance}) == SAMPLE
    assert "<td>0.951</td>" in SAMPLE._repr_html_()
    assert SAMPLE.to_dict()["n"] == 135
    assert SAMPLE.to_dict()["positives"] == 43
    assert json.loads(json.dumps(SAMPLE.to_dict())) == SAMPLE.to_dict()


def test_performances_are_equal_by_value() -> None:
    assert score(LABELS, CHANCES) == score(tuple(LABELS), np.array(CHANCES))
    assert score(LABELS, CHANCES) != score(LABELS, CHANCES, 0.35)
