"""Whatever predicts is judged: scikit-learn's, torch modules, boosters, pipelines, and none is left changed."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pytest
import torch
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from lepton_ai.errors import DataWarning, LeptonError, Malformed, Refused
from lepton_ai.evaluation.subjects import outcomes_of
from lepton_ai.results import Performance

GENERATOR = np.random.default_rng(4)
ROWS = GENERATOR.normal(size=(120, 3)).astype(np.float32)
TRUTH = (ROWS[:, 0] + 0.5 * GENERATOR.normal(size=120) > 0).astype(int)
THREE = np.digitize(ROWS[:, 1], (-0.5, 0.5))
NUMBERS = 2 * ROWS[:, 0] + ROWS[:, 1]


def linear(outputs: int, *after: nn.Module) -> nn.Sequential:
    torch.manual_seed(3)
    return nn.Sequential(nn.Linear(3, outputs), nn.Dropout(0.5), *after)


def test_logits_are_read_as_the_probabilities_that_they_stand_for() -> None:
    module = linear(1)

    judged = outcomes_of(module, ROWS, TRUTH)

    with torch.no_grad():
        chances = torch.sigmoid(module.eval()(torch.from_numpy(ROWS)))[:, 0].numpy()
    assert judged.task == "binary"
    assert judged.chances == pytest.approx(chances, abs=1e-6)
    assert isinstance(judged.performance, Performance)
    assert judged.performance.threshold == 0.5
    assert judged.performance.accuracy == ((chances >= 0.5) == TRUTH).mean()


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(torch.from_numpy(ROWS), id="tensor"),
        pytest.param(ROWS.astype(np.float64), id="float64"),
        pytest.param([*ROWS], id="rows"),
        pytest.param([torch.from_numpy(row) for row in ROWS], id="tensors"),
        pytest.param({"a": ROWS[:, 0], "b": ROWS[:, 1], "c": ROWS[:, 2]}, id="columns"),
        pytest.param(pa.table({"a": ROWS[:, 0], "b": ROWS[:, 1], "c": ROWS[:, 2]}), id="arrow"),
        pytest.param(DataLoader(TensorDataset(torch.from_numpy(ROWS)), batch_size=50), id="loader"),
    ],
)
def test_rows_are_judged_alike_whatever_holds_them(data: Any) -> None:
    module = linear(1)

    assert outcomes_of(module, data, TRUTH).performance == outcomes_of(module, ROWS, TRUTH).performance


def test_batches_may_bring_their_labels_even_shuffled() -> None:
    loader = DataLoader(TensorDataset(torch.from_numpy(ROWS), torch.from_numpy(TRUTH)), batch_size=50, shuffle=True)
    module = linear(1)

    assert outcomes_of(module, loader).performance.figures() == pytest.approx(
        outcomes_of(module, ROWS, TRUTH).performance.figures()
    )
    with pytest.raises(Malformed, match="labels are not those given"):
        outcomes_of(module, loader, TRUTH)


def test_a_module_is_left_in_the_modes_that_it_had_and_without_gradients() -> None:
    module = linear(1).train()
    module[0].eval()

    outcomes_of(module, ROWS, TRUTH)
    with pytest.raises(Refused, match="does not take these rows"):
        outcomes_of(module, ROWS[:, :2], TRUTH)

    assert [part.training for part in module] == [False, True]
    assert module.training
    assert all(parameter.grad is None for parameter in module.parameters())


def test_columns_of_outputs_are_classes() -> None:
    judged = outcomes_of(linear(3), ROWS, THREE)
    named = linear(3)
    named.classes_ = ["low", "middle", "high"]  # pyright: ignore[reportArgumentType]
    texts = np.array(named.classes_)[THREE]

    assert judged.task == "multiclass"
    assert judged.chances is not None
    assert judged.chances.sum(axis=1) == pytest.approx(1)
    assert outcomes_of(named, ROWS, texts).performance.figures() == pytest.approx(judged.performance.figures())


def test_two_columns_of_logits_are_a_binary_classifier() -> None:
    judged = outcomes_of(linear(2), ROWS, TRUTH)

    assert judged.task == "binary"
    assert judged.chances is not None
    assert judged.chances.shape == (120,)


def test_numbers_are_measured_where_the_labels_are_numbers() -> None:
    module = linear(1)

    assert outcomes_of(module, ROWS, NUMBERS).task == "regression"
    assert outcomes_of(module, ROWS, TRUTH, outputs="values").task == "regression"


def test_outputs_that_could_be_either_are_told_and_what_a_class_declares_is_believed() -> None:
    class Sure(nn.Module):
        TASK: ClassVar[str] = "binary"
        OUTPUTS: ClassVar[str] = "logits"

        def forward(self, rows: Tensor) -> Tensor:
            return rows[:, 0].sigmoid()

    module = linear(1, nn.Sigmoid())

    with pytest.warns(DataWarning, match="read as probabilities"):
        read = outcomes_of(module, ROWS, TRUTH)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert outcomes_of(module, ROWS, TRUTH, outputs="probabilities").performance == read.performance
        declared = outcomes_of(Sure(), ROWS, TRUTH)
    assert declared.chances is not None
    assert (declared.chances > 0.5).all(), "the logit of a probability is above zero"


def test_whole_numbers_stay_whole_for_an_embedding() -> None:
    generator = np.random.default_rng(12)
    torch.manual_seed(3)
    module = nn.Sequential(nn.Embedding(5, 4), nn.Flatten(), nn.Linear(12, 1))
    tokens = generator.integers(0, 5, (60, 3))

    assert len(outcomes_of(module, tokens, tokens[:, 0] > 2)) == 60


def test_an_object_with_forward_that_is_no_torch_module_is_asked_too() -> None:
    class Rule:
        def forward(self, rows: Any) -> Any:
            return {"logits": rows[:, 0] * 4}

    assert outcomes_of(Rule(), ROWS, TRUTH).performance.figures()["accuracy"] > 0.7


def test_estimators_and_pipelines_are_judged_by_what_they_give() -> None:
    pipeline = make_pipeline(StandardScaler(), LogisticRegression()).fit(ROWS, TRUTH)
    texts = np.array(["bad", "good"])[TRUTH]

    assert outcomes_of(pipeline, ROWS, TRUTH).performance.figures()["accuracy"] == pytest.approx(
        pipeline.score(ROWS, TRUTH)
    )
    assert outcomes_of(LogisticRegression().fit(ROWS, texts), ROWS, texts).classes == ("bad", "good")
    assert outcomes_of(LinearSVC().fit(ROWS, TRUTH), ROWS, TRUTH).chances is None
    assert outcomes_of(LinearRegression().fit(ROWS, THREE), ROWS, THREE).task == "regression"


def test_a_booster_that_predicts_probabilities_is_asked_to_say_so() -> None:
    class Booster:
        def predict(self, rows: Any) -> Any:
            return 1 / (1 + np.exp(-rows[:, 0]))

    with pytest.raises(Malformed, match="fractions where labels are 0 and 1; say that the outputs are probabilities"):
        outcomes_of(Booster(), ROWS, TRUTH)
    assert outcomes_of(Booster(), ROWS, TRUTH, outputs="probabilities").task == "binary"
    assert outcomes_of(Booster(), ROWS, TRUTH, "regression").task == "regression"


def test_a_pipeline_of_hugging_face_is_read_by_label_and_score() -> None:
    class Pipeline:
        def __init__(self, every: bool) -> None:
            self.every = every

        def predict(self, texts: list[str]) -> list[Any]:
            rows = [[{"label": "NEG", "score": 0.3}, {"label": "POS", "score": 0.7}] for _ in texts]
            return rows if self.every else [row[1] for row in rows]

    texts, labels = ["fine", "good", "bad"], ["POS", "POS", "NEG"]

    assert outcomes_of(Pipeline(False), texts, labels).chances is None
    assert outcomes_of(Pipeline(True), texts, labels).performance.figures()["accuracy"] == pytest.approx(2 / 3)


class Answers:
    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def forward(self, rows: Any) -> Any:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer(rows) if callable(self.answer) else self.answer


def _streams() -> Iterator[Any]:
    yield ROWS[:60], TRUTH[:60], 1


@pytest.mark.parametrize(
    ("subject", "data", "labels", "asked", "sentence"),
    [
        (object(), ROWS, TRUTH, {}, "has no predict.data. and no forward"),
        (linear(1), "rows.csv", TRUTH, {}, "holds no rows that forward could take"),
        (linear(1), {"a": ["x", "y"]}, [0, 1], {}, "column 'a' holds text; encode it"),
        (linear(1), [ROWS[0], ROWS[1, :2]], [0, 1], {}, "no numbers of one shape"),
        (linear(1), np.where(ROWS > 1, np.nan, ROWS), TRUTH, {}, "answers NaN or infinity for .* rows"),
        (linear(1), ROWS, TRUTH[:5], {}, "5 labels for 120 rows"),
        (linear(1), ROWS, TRUTH, {"outputs": "chances"}, "not 'chances'"),
        (linear(1), ROWS, TRUTH, {"outputs": "probabilities"}, "lie outside of 0 to 1"),
        (linear(3), ROWS, THREE, {"outputs": "probabilities"}, "lie outside of 0 to 1"),
        (linear(3), ROWS, THREE, {"outputs": "values"}, "3; judge each by itself"),
        (linear(1), ROWS, THREE, {}, "say which by task"),
        (linear(1), ROWS, THREE, {"task": "multiclass"}, "one a row; give the task binary"),
        (linear(1), ROWS, NUMBERS, {"task": "regression", "outputs": "logits"}, "logits are of classes"),
        (linear(1), ROWS, TRUTH, {"task": "binary", "outputs": "values"}, "say logits or probabilities"),
        (linear(1), ROWS, None, {}, "there are no labels"),
        (linear(1), _streams(), None, {}, "a batch has 3 parts"),
        (linear(1), iter(()), TRUTH, {}, "no rows to judge"),
        (Answers(0.5), ROWS, TRUTH, {}, "one number for a batch"),
        (Answers("yes"), ROWS, TRUTH, {}, "answers a str; return numbers"),
        (Answers(ValueError("no\nsuch")), ROWS, TRUTH, {}, "does not take these rows .ValueError: no.;"),
        (Answers(lambda rows: rows[:, :, None]), ROWS, TRUTH, {}, "have no figures here"),
        (LinearRegression().fit(ROWS, THREE), ROWS, THREE, {"task": "multiclass"}, "predicts for the task regression"),
    ],
    ids=lambda value: value.replace(" ", "-") if isinstance(value, str) else "",
)
def test_what_cannot_be_judged_is_told_in_one_sentence(
    subject: Any, data: Any, labels: Any, asked: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(LeptonError, match=sentence) as refused:
        outcomes_of(subject, data, labels, **asked)

    assert "\n" not in str(refused.value)
