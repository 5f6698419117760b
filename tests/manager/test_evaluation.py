"""Evaluations with reports: what is recorded of them, what is kept, and what reads it back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from lepton_ai import ModelManager, metric
from lepton_ai.domain.job.kinds import REPORT_OPTIONS
from lepton_ai.errors import LeptonError, Malformed, Refused
from lepton_ai.evaluation.request import ReportOptions, ReportRequest
from lepton_ai.models import CreditScoringModel
from lepton_ai.models.registry import register
from lepton_ai.results import Performance
from lepton_ai.versions.judging.evaluation import kept_outcomes

GENERATOR = np.random.default_rng(12)
ROWS = 240
DATA = pd.DataFrame(
    {
        "age": GENERATOR.normal(40, 9, ROWS),
        "debt": GENERATOR.normal(size=ROWS),
        "kind": GENERATOR.choice(["a", "b"], ROWS),
    }
)
LABELS = (DATA["debt"] + GENERATOR.normal(size=ROWS) > 0.3).astype(int)
PATIENT = np.repeat(np.arange(ROWS // 2), 2)
SEX = GENERATOR.choice(["f", "m"], ROWS)


@pytest.fixture(scope="module")
def manager(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModelManager]:
    with ModelManager(tmp_path_factory.mktemp("evaluation")) as opened:
        model = CreditScoringModel()
        model.add_hyperparameter("epochs", 3)
        opened.train(model, DATA, LABELS, name="credit")
        yield opened


def event_of(manager: ModelManager, name: str) -> dict[str, Any]:
    told = [each["data"] for each in manager.events(stream="model/credit") if each["data"].get("name") == name]
    return told[-1]


def test_an_evaluation_is_recorded_with_intervals_and_how_they_were_found(manager: ModelManager) -> None:
    evaluation = manager.evaluate("credit", DATA, LABELS, name="sure", draws=80, seed=4)

    told = event_of(manager, "sure")
    assert evaluation.report is not None
    assert told["bootstrap"] == {"scheme": evaluation.report.method, "draws": 80, "level": 0.95, "seed": 4}
    low, high = told["intervals"]["roc_auc"]
    assert low <= told["metrics"]["roc_auc"] <= high
    assert manager.report("credit", "sure") == evaluation.report


def test_a_report_comes_back_as_it_was_made(manager: ModelManager) -> None:
    rows = DATA.assign(sex=SEX, patient=PATIENT)

    made = manager.evaluate(
        "credit", rows, LABELS, name="whole", draws=60, groups="patient", slices=["kind"], sensitive=["sex"],
        costs={"false_negative": 5},
    ).report  # fmt: skip

    assert made is not None
    assert made.method == "groups"
    assert made.costs is not None
    assert {each.condition for each in made.slices} <= {"kind = a", "kind = b"}
    assert {each.group for each in made.fairness["sex"].groups} == {"f", "m"}
    assert manager.report("credit", "whole") == made
    assert manager.report("credit") == made


def test_a_search_for_slices_is_the_same_in_a_file_and_in_memory(manager: ModelManager, tmp_path: Path) -> None:
    rows = DATA.assign(patient=PATIENT)
    rows.assign(bad=LABELS).to_csv(tmp_path / "rows.csv", index=False)

    memory = manager.evaluate("credit", rows, LABELS, name="memory", draws=0, slices=True).report
    file = manager.evaluate("credit", str(tmp_path / "rows.csv"), "bad", name="file", draws=0, slices=True).report

    assert memory is not None
    assert file is not None
    assert any("<=" in each.condition or ">" in each.condition for each in file.slices)
    assert file.slices == memory.slices
    assert event_of(manager, "memory")["data"]["digest"] == event_of(manager, "file")["data"]["digest"]


def test_gaps_between_groups_are_figures_that_versions_are_held_to(manager: ModelManager) -> None:
    made = manager.evaluate("credit", DATA, LABELS, name="fair", draws=40, sensitive={"sex": SEX}).report

    assert made is not None
    gap = made.fairness["sex"].gaps[0]
    name = f"sex/{gap.name}"
    told = event_of(manager, "fair")
    assert told["metrics"][name] == gap.value
    assert told["intervals"][name] == [gap.low, gap.high]
    assert manager.gate("credit", require=f"{name} <= 1 and sex/demographic_parity_ratio > 0", name="fair").passed
    assert [int(each) for each in manager.find(f"metric.fair/{name} <= 1")] == [1]


def test_each_rows_outcome_is_kept_unless_it_is_not_to_be(manager: ModelManager) -> None:
    manager.evaluate("credit", DATA, LABELS, name="rows kept", draws=0)
    manager.evaluate("credit", DATA[:100], LABELS[:100], name="rows left out", draws=0, keep_outcomes=False)

    workspace = manager._workspace  # pyright: ignore[reportPrivateUsage]
    state = workspace.model("credit")
    by_name = {each.name: each for each in state.reports[1]}
    outcomes = kept_outcomes(workspace, state, 1, by_name["rows kept"].rows)  # pyright: ignore
    assert outcomes is not None
    assert outcomes.truth.tolist() == LABELS.tolist()
    assert outcomes.performance == manager.evaluate("credit", DATA, LABELS, draws=0).performance
    assert kept_outcomes(workspace, state, 1, by_name["rows left out"].rows) is None  # pyright: ignore
    assert manager.report("credit", "rows left out").draws == 0


def test_labels_kept_twice_take_their_bytes_once(manager: ModelManager, tmp_path: Path) -> None:
    manager.evaluate("credit", DATA, LABELS, name="again", draws=0)

    assert list(manager.fsck()) == []


@pytest.mark.parametrize("task", ["binary", None])
def test_predictions_made_elsewhere_are_judged_on_the_same_rows(manager: ModelManager, task: str | None) -> None:
    own = manager.evaluate("credit", DATA, LABELS, name="model", draws=0)
    rule = manager.evaluate_predictions(
        "credit", (DATA["debt"] > 0).astype(int), LABELS, name="rule", data=DATA, task=task, draws=0
    )

    assert rule.performance.task == "binary"
    assert event_of(manager, "rule")["data"]["digest"] == event_of(manager, "model")["data"]["digest"]
    assert own.performance != rule.performance


def test_a_job_keeps_the_report_that_a_call_does(manager: ModelManager, tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    DATA.assign(sex=SEX, bad=LABELS).to_csv(file, index=False)
    asked: dict[str, Any] = {"draws": 50, "sensitive": ["sex"], "slices": True}

    here = manager.evaluate("credit", str(file), "bad", name="here", **asked)
    manager.jobs.wait(manager.jobs.evaluate("credit", str(file), "bad", name="there", **asked).job)

    assert manager.report("credit", "there") == here.report
    assert event_of(manager, "there")["intervals"] == event_of(manager, "here")["intervals"]


def test_a_class_that_judges_itself_gives_figures_alone(manager: ModelManager) -> None:
    @register("self-judging")
    class SelfJudging(CreditScoringModel):
        def evaluate(self, data: Any, labels: Any) -> Performance:
            return super().evaluate(data[:50], labels[:50])

    model = SelfJudging()
    model.add_hyperparameter("epochs", 1)
    version = manager.train(model, DATA, LABELS, name="own")

    evaluation = manager.evaluate(version, DATA, LABELS)

    assert evaluation.report is None
    assert evaluation.performance.figures()["n"] == 50
    with pytest.raises(Refused, match="judges itself"):
        manager.evaluate(version, DATA, LABELS, slices=True)
    with pytest.raises(Refused, match="no report"):
        manager.report(version)


BAD: list[tuple[dict[str, Any], str]] = [
    ({"groups": "patient"}, "no column 'patient'"),
    ({"sensitive": ["sex"]}, "no column 'sex'"),
    ({"sensitive": "kind"}, "list of names"),
    ({"slices": "kind"}, "list of names"),
    ({"groups": PATIENT, "block": 5}, "one scheme"),
    ({"groups": np.zeros(ROWS, int)}, "all rows are of one group"),
    ({"groups": PATIENT[:7]}, "give one a row"),
    ({"block": ROWS}, "does not fit"),
    ({"costs": {"wrong": 1}}, "costs are given by"),
    ({"costs": {"false_positive": -1.0}}, "check the costs' signs"),
    ({"draws": -1}, "draws"),
    ({"level": 0.2}, "level"),
    ({"drawz": 10}, "no option 'drawz'"),
    ({"task": "regression"}, "binary"),
    ({"task": "regresion"}, "regresion"),
    ({"sensitive": {"sex": [None, *SEX[1:]]}}, "no group|none"),
    ({"sensitive": {"sex": SEX[:9]}}, "one a row|rows"),
    ({"slices": {"kind": [1, 2]}}, "2 values for 240 rows"),
]


@pytest.mark.parametrize(("asked", "words"), BAD, ids=[str(place) for place in range(len(BAD))])
def test_what_does_not_fit_is_refused_in_a_sentence_and_nothing_is_recorded(
    manager: ModelManager, asked: dict[str, Any], words: str
) -> None:
    before = len(list(manager.events()))

    with pytest.raises((Malformed, Refused), match=words) as caught:
        manager.evaluate("credit", DATA, LABELS, **{"draws": 20, **asked})

    assert isinstance(caught.value, LeptonError)
    assert "\n" not in str(caught.value)
    assert len(list(manager.events())) == before


PREDICTIONS: list[tuple[Any, Any, dict[str, Any], str]] = [
    ([1, 0, 1], [1, 0], {}, "give one label a row"),
    ([1.0, float("nan")], [1, 0], {}, "missing"),
    (["yes", "no"], [1, 0], {}, "share no class"),
    ([3, 4, 5], [3, 4, 6], {}, "say which by task"),
    ([1, 0], [1, 2], {"task": "binary"}, "0 or 1"),
    (["a", "b"], ["a", "c"], {"task": "binary", "classes": ["a", "b"]}, "name both"),
    (["a", "b"], ["a", "b"], {"task": "binary", "classes": ["a", "b", "c"]}, "two classes"),
    ([1, 0], [1, 0], {"task": "binary", "probabilities": [0.2, 1.7]}, "between 0 and 1"),
    ([1.5, 2.5], [1.0, float("inf")], {"task": "regression"}, "holds infinity"),
    ([1, 0], [1, 0], {"task": "colours"}, "no figures for the task"),
    ([1, 0], [1, 0], {"groups": "patient"}, "give data=, or the values"),
]


@pytest.mark.parametrize(
    ("predicted", "labels", "asked", "words"), PREDICTIONS, ids=[str(place) for place in range(len(PREDICTIONS))]
)
def test_predictions_that_cannot_be_judged_are_refused_in_a_sentence(
    manager: ModelManager, predicted: Any, labels: Any, asked: dict[str, Any], words: str
) -> None:
    before = len(list(manager.events()))

    with pytest.raises((Malformed, Refused), match=words) as caught:
        manager.evaluate_predictions("credit", predicted, labels, **{"draws": 5, **asked})

    assert "\n" not in str(caught.value)
    assert len(list(manager.events())) == before


def test_a_metric_of_ones_own_is_recorded_with_its_direction_and_ranks_versions(manager: ModelManager) -> None:
    metric("minutes_lost", better="lower")(lambda labels, predictions: float(9 * (labels != predictions).sum()))

    evaluation = manager.evaluate("credit", DATA, LABELS, name="own", draws=40, metrics=["minutes_lost"])

    told = event_of(manager, "own")
    performance = evaluation.performance
    assert isinstance(performance, Performance)
    assert told["metrics"]["minutes_lost"] == 9 * (performance.false_positives + performance.false_negatives)
    assert told["intervals"]["minutes_lost"][0] < told["metrics"]["minutes_lost"]
    assert manager.compare("credit@1", metric="own/minutes_lost").better["own/minutes_lost"] == "lower"
    with pytest.raises(Malformed, match="no metric 'nowhere' is registered"):
        manager.evaluate("credit", DATA, LABELS, metrics=["nowhere"])


def test_the_options_that_callers_name_are_those_of_a_request() -> None:
    assert ReportOptions.__annotations__.keys() == ReportRequest.__dataclass_fields__.keys()
    assert set(REPORT_OPTIONS) <= ReportRequest.__dataclass_fields__.keys()


def test_a_report_tells_how_far_it_is(manager: ModelManager) -> None:
    told: list[tuple[int, int]] = []

    manager.evaluate("credit", DATA, LABELS, draws=64, slices=["kind"], progress=lambda *each: told.append(each))

    assert told[-1][0] == told[-1][1] > 64
    assert told == sorted(told)


@pytest.mark.parametrize(
    ("task", "labels"),
    [
        ("multilabel", [[1, 0, 1], [0, 0, 1], [1, 1, 0]] * 4),
        ("segmentation", [[[0, 1], [1, 1]], [[0, 0], [1, 0]]] * 4),
        ("sequence", [["O", "B-X"], ["O"], ["B-X", "I-X", "O"]] * 4),
    ],
)
def test_predictions_of_several_values_a_row_are_judged_on_rows_that_are_told_apart(
    manager: ModelManager, task: str, labels: list[Any]
) -> None:
    digests: list[str] = []
    for truth in (labels, labels[::-1], labels):
        manager.evaluate_predictions("credit@1", truth, truth, name=task, task=task, draws=30)
        report = manager.report("credit@1", task)
        assert report.rows is not None
        digests.append(report.rows["digest"])

    assert digests[0] == digests[2] != digests[1]
    assert report.rows["rows"] == len(labels)
    assert report.performance.task == task


def test_columns_of_a_text_file_are_searched_as_the_numbers_that_they_are(
    manager: ModelManager, tmp_path: Path
) -> None:
    path = tmp_path / "rows.csv"
    DATA.assign(defaulted=LABELS).to_csv(path, index=False)
    asked: Any = {"draws": 20, "slices": ["age", "kind"], "name": "alike"}

    of_memory = manager.evaluate("credit", DATA, LABELS, **asked).report
    of_file = manager.evaluate("credit", path, "defaulted", **asked).report

    assert of_memory is not None
    assert of_file is not None
    assert any(each.condition.startswith("age ") for each in of_memory.slices)
    assert of_file == of_memory
