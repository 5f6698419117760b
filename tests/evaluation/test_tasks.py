"""The figures of several classes and of regressions, against scikit-learn, and how each task's result prints."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import sklearn.metrics
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lepton_ai.domain.model.metric import better_when, tables
from lepton_ai.errors import Malformed
from lepton_ai.evaluation.predictions import outcomes_of_predictions
from lepton_ai.results import Evaluation, MulticlassPerformance, Performance, RegressionPerformance, TaskPerformance
from lepton_ai.results.judging.performance import performance_of
from lepton_ai.results.version import Version

from ..examples import examples


def judge(*asked: Any) -> TaskPerformance:
    """The figures of predictions."""
    return outcomes_of_predictions(*asked).performance


CLASSES = ["apple", "pear", "plum"]
CALLED = st.lists(st.tuples(st.sampled_from(CLASSES), st.sampled_from(CLASSES)), min_size=1, max_size=40)
MULTICLASS = MulticlassPerformance(
    accuracy=0.75, macro_precision=0.7, macro_recall=0.6, macro_f1=0.6451, micro_f1=0.75, weighted_f1=0.74,
    log_loss=None, classes=3, n=20,
)  # fmt: skip
REGRESSION = RegressionPerformance(rmse=0.012345, mae=0.01, max_error=0.1, r2=None, n=20)
BINARY = judge("binary", [0, 1, 1], [0, 1, 0])


@settings(max_examples=examples(60), deadline=None)
@given(CALLED)
def test_the_figures_of_several_classes_are_scikit_learns(rows: list[tuple[str, str]]) -> None:
    truth, called = zip(*rows, strict=True)

    found = judge("multiclass", truth, called)

    theirs = {kind: sklearn.metrics.f1_score(truth, called, average=kind) for kind in ("macro", "micro", "weighted")}
    assert isinstance(found, MulticlassPerformance)
    assert (found.macro_f1, found.micro_f1, found.weighted_f1) == pytest.approx(tuple(theirs.values()), abs=1e-12)
    assert found.accuracy == sklearn.metrics.accuracy_score(truth, called)
    assert (found.classes, found.n) == (len({*truth, *called}), len(rows))


def test_the_log_loss_goes_by_the_order_in_which_the_model_names_its_classes() -> None:
    chances = [[0.7, 0.1, 0.2], [0.2, 0.5, 0.3]]

    found = judge("multiclass", ["plum", "apple"], ["plum", "pear"], chances, ["plum", "pear", "apple"])

    assert found.figures()["log_loss"] == pytest.approx(-(math.log(0.7) + math.log(0.3)) / 2)


def test_without_named_classes_or_with_a_label_that_is_none_of_them_there_is_no_log_loss() -> None:
    chances = [[0.7, 0.3], [0.5, 0.5]]

    assert "log_loss" not in judge("multiclass", ["a", "b"], ["a", "a"], chances).figures()
    assert "log_loss" not in judge("multiclass", ["a", "c"], ["a", "a"], chances, ["a", "b"]).figures()


@settings(max_examples=examples(60), deadline=None)
@given(st.lists(st.tuples(st.integers(-50, 50), st.floats(-1e6, 1e6)), min_size=2, max_size=40))
def test_the_figures_of_a_regression_are_scikit_learns(rows: list[tuple[int, float]]) -> None:
    truth, called = map(np.array, zip(*rows, strict=True))

    found = judge("regression", truth, called)

    assert isinstance(found, RegressionPerformance)
    assert found.rmse == pytest.approx(math.sqrt(sklearn.metrics.mean_squared_error(truth, called)))
    assert found.mae == pytest.approx(sklearn.metrics.mean_absolute_error(truth, called))
    assert found.max_error == sklearn.metrics.max_error(truth, called)
    alike = len(set(truth.tolist())) == 1
    assert found.r2 == (None if alike else pytest.approx(sklearn.metrics.r2_score(truth, called)))


def test_binary_predictions_without_probabilities_leave_undefined_what_is_measured_on_these() -> None:
    assert isinstance(BINARY, Performance)
    assert (BINARY.confusion, BINARY.precision, BINARY.recall) == (((1, 0), (1, 1)), 1.0, 0.5)
    assert {name for name, figure in BINARY.to_dict().items() if figure is None} == {
        "roc_auc", "ks", "gini", "brier", "ece", "log_loss", "threshold",
    }  # fmt: skip
    with_ = judge("binary", [0, 1, 1], [0, 1, 0], [[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]])
    assert with_.figures()["roc_auc"] == 1.0
    assert with_.figures()["f1"] == BINARY.f1


@pytest.mark.parametrize(
    "form", [list, np.array, torch.tensor, pd.Series, pa.array, lambda labels: pd.DataFrame({"label": labels})]
)
def test_labels_and_predictions_may_be_held_by_anything(form: object) -> None:
    labels, called = [1, 2, 3, 2], [1, 2, 2, 2]

    assert judge("multiclass", form(labels), form(called)) == judge("multiclass", labels, called)  # type: ignore[operator]
    assert judge("regression", form(labels), form(called)) == judge("regression", labels, called)  # type: ignore[operator]


def test_classes_are_the_same_as_numbers_and_as_text() -> None:
    assert judge("multiclass", [1, 2, 3], ["1", "2", "2"]) == judge("multiclass", [1.0, 2.0, 3.0], [1, 2, 2])


@pytest.mark.parametrize("labels", [["True", "False", "True"], ["true", "false", "true"], ["1.0", "0", "1"]])
def test_truth_values_and_numbers_are_classes_however_they_are_written(labels: list[str]) -> None:
    chances = [[0.1, 0.9], [0.8, 0.2], [0.3, 0.7]]

    found = judge("multiclass", labels, [True, False, False], chances, [False, True])

    assert found == judge("multiclass", [1, 0, 1], [1, 0, 0], chances, [0, 1])
    assert found.figures()["accuracy"] == pytest.approx(2 / 3)


def test_numbers_that_are_all_wrong_count_as_wrong_where_labels_are_their_text() -> None:
    assert judge("multiclass", ["1", "2"], [3, 3]).figures()["accuracy"] == 0.0


def test_probabilities_of_torch_that_still_know_their_gradient_are_judged() -> None:
    chances = torch.tensor([[0.9, 0.1], [0.2, 0.8]], requires_grad=True)

    assert judge("binary", [0, 1], [0, 1], chances).figures()["roc_auc"] == 1.0


@pytest.mark.parametrize(
    ("task", "labels", "predictions", "more", "sentence"),
    [
        ("divination", [1], [1], (), "there are no figures for the task 'divination'"),
        ("regression", [1, 2], [1, None], (), "the predictions cannot be judged (1 labels are missing"),
        ("regression", [1, 2], 3.0, (), "the predictions cannot be judged"),
        ("regression", [1, 2], [1, 2, 3], (), "there are 2 labels for 3 rows"),
        ("regression", ["a", "b"], [1, 2], (), "holds text where the model learnt numbers"),
        ("regression", [], [], (), "no rows to judge"),
        ("binary", ["good", "bad"], ["bad", "bad"], (), "the labels are text; name them by classes"),
        ("binary", [1, 2], [1, 1], (), "labels to judge must be 0 or 1"),
        ("binary", [1, 0], [1, 2], (), "predictions to judge must be 0 or 1"),
        ("multiclass", [0.5, 1], [1, 1], (), "numbers that are measured are a regression"),
        ("multiclass", [1, 2], [1, 2], ([[0.5, 0.5]], [1, 2]), "are not a row a label and a column a class"),
        ("multiclass", [1, 2], [1, 2], ([[0.5, 0.6], [1, 0]], [1, 2]), "sum to 1 in each row"),
        ("multiclass", [], [], (), "give one a row, and at least one"),
        ("multiclass", [1, 2], [1, 2], ([[0.5, 0.5], [1]], [1, 2]), "the probabilities are ragged or no numbers"),
        ("multiclass", [1, 2], [1, 2], ([["a", 0.5], [0.1, 0.9]], [1, 2]), "the probabilities are ragged or no"),
        ("multiclass", [1, 2], [1, 2], ([[0.5, 0.5], [0.1, 0.9]], 7), "classes_ cannot be read"),
        ("multiclass", [1, 1], [1, 1], ([[0.5, 0.5], [0.1, 0.9]], [1, 1]), "name each class once"),
        ("binary", [1, 0], [1, 0], (["likely", "not"],), "the probabilities are ragged or no numbers"),
        ("binary", [1, 0], [1, 0], (["0.9", "0.1"],), "the probabilities are ragged or no numbers"),
        ("binary", [1, 0], [1, 0], (0.5,), "probabilities of shape () cannot be judged"),
        ("binary", [1, 0], [1, 0], (np.ones((2, 0)),), "probabilities of shape (2, 0) cannot be judged"),
        ("binary", [1, 0], [1, 0], (np.ones((2, 3)) / 3,), "probabilities of two classes, not of 3"),
        ("multiclass", ["yes", "no"], [True, False], (), "labels are text and predictions numbers, and they share no"),
        ("multiclass", [0, 1], ["cat", "dog"], (), "labels are numbers and predictions text, and they share no class"),
    ],
)
def test_what_does_not_fit_its_task_is_refused_in_one_sentence(
    task: str, labels: object, predictions: object, more: tuple[object, ...], sentence: str
) -> None:
    with pytest.raises(Malformed) as refusal:
        judge(task, labels, predictions, *more)  # type: ignore[arg-type]

    assert sentence in str(refusal.value)


def test_each_task_has_its_line_in_chinese_and_in_english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LEPTON_LANG", raising=False)
    assert str(MULTICLASS) == "准确率0.75，宏平均F1分数0.65，微平均F1分数0.75"
    assert str(REGRESSION) == "均方根误差0.01235，平均绝对误差0.01，决定系数无定义"
    monkeypatch.setenv("LEPTON_LANG", "en")
    assert str(MULTICLASS) == "accuracy 0.75, macro F1 0.65, micro F1 0.75"
    assert str(REGRESSION) == "RMSE 0.01235, MAE 0.01, R² undefined"


@pytest.mark.parametrize("performance", [MULTICLASS, REGRESSION, BINARY], ids=lambda each: each.task)
def test_every_result_is_its_dictionary_and_its_representation(performance: TaskPerformance) -> None:
    assert performance_of(json.loads(json.dumps(performance.to_dict()))) == performance
    assert eval(repr(performance), {type(performance).__name__: type(performance)}) == performance
    assert "<td>-</td>" in performance._repr_html_()
    assert all(isinstance(figure, float) for figure in performance.figures().values())
    assert performance.headline in performance.figures()


def test_a_task_without_figures_of_its_own_is_none_of_these() -> None:
    assert performance_of({"task": "segmentation", "dice": 0.9}) is None


def test_a_figure_that_overflows_is_undefined_and_the_others_stand() -> None:
    far = judge("regression", [-1e308, 1e308], [1e308, 1e308])
    large = judge("regression", [0.0, 1.0], [1e200, 1.0])

    assert far.figures() == {"n": 2.0}
    assert large.figures() == {"mae": 5e199, "max_error": 1e200, "n": 2.0}
    assert performance_of(json.loads(json.dumps(far.to_dict(), allow_nan=False))) == far


@pytest.mark.parametrize("figure", ["Infinity", "NaN", math.inf, math.nan, True, "much", [1.0]])
def test_what_was_stored_in_place_of_a_finite_figure_is_undefined(figure: object) -> None:
    stored = performance_of(REGRESSION.to_dict() | {"rmse": figure})

    assert stored == replace(REGRESSION, rmse=None)
    assert "决定系数无定义" in str(stored)


@pytest.mark.parametrize(
    "stored", [{"task": ["regression"]}, {"task": None}, {"task": "regression"}, {"f1": 1.0}, {"task": {}}, {}]
)
def test_what_is_no_whole_performance_is_none(stored: dict[str, Any]) -> None:
    assert performance_of(stored) is None


def test_an_evaluation_is_plain_json_whatever_its_figures() -> None:
    version = Version(1, model="line", digest="sha256:0", branch="main")
    infinite = Evaluation(version, "rows", replace(REGRESSION, rmse=math.inf, mae=math.nan))

    told = json.loads(json.dumps(infinite.to_dict(), allow_nan=False))

    assert told["performance"] == replace(REGRESSION, rmse=None, mae=None).to_dict()
    assert infinite.performance.figures() == {"max_error": 0.1, "n": 20.0}


def test_every_figure_has_a_direction_or_tells_how_many() -> None:
    lower = {"rmse", "mae", "max_error", "log_loss", "brier", "ece"}
    for performance in (MULTICLASS, REGRESSION, BINARY):
        for name in performance.to_dict().keys() - {"task"}:
            try:
                assert better_when(name) == ("lower" if name in lower else "higher"), name
            except Malformed:
                assert name in {"n", "classes", "threshold", "positives"} or name.endswith(("tives",)), name


def test_the_page_of_metrics_has_the_names_whose_direction_is_known() -> None:
    page = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text("utf-8")

    assert page.endswith(tables()), "run `make docs`"


def test_numbers_beside_classes_that_write_numbers_are_their_names() -> None:
    truth, called, chances = [1, 0, 0, 1], [1, 0, 1, 1], [0.1, 0.8, 0.7, 0.2]

    found = outcomes_of_predictions("binary", truth, called, chances, ["1", "0"])

    assert found.truth.tolist() == [0, 1, 1, 0], "the class named 0 is the positive one"
    assert found.performance.figures()["roc_auc"] == 1


def test_tensors_of_half_precision_are_read() -> None:
    chances = torch.tensor([0.25, 0.75, 0.5], dtype=torch.bfloat16, requires_grad=True)

    assert outcomes_of_predictions("binary", [0, 1, 1], [0, 1, 1], chances).performance.figures()["brier"] == 0.125
    several = torch.tensor([[0.75, 0.25]] * 2, dtype=torch.bfloat16)
    told = outcomes_of_predictions("multilabel", [[1, 0]] * 2, [[1, 0]] * 2, several).chances
    assert told is not None
    assert told.tolist() == [[0.75, 0.25]] * 2


def test_a_column_that_leaves_out_its_commonest_value_holds_labels() -> None:
    labels = pd.arrays.SparseArray([0, 0, 1, 0])

    assert outcomes_of_predictions("binary", labels, [0, 0, 1, 1]).truth.tolist() == [0, 0, 1, 0]
