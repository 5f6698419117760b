"""Robustness: a model that leans on a column falls with it, one that does not does not, and rows stay as they were."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch

from lepton_ai import ModelManager
from lepton_ai.errors import LeptonError
from lepton_ai.evaluation.robust.perturbations import UNKNOWN, Perturbation, PerturbedRows
from lepton_ai.evaluation.robust.robustness import robustness_of
from lepton_ai.models import CreditScoringModel
from lepton_ai.results import Robustness

GENERATOR = np.random.default_rng(5)
FRAME = pd.DataFrame(
    {
        "leant": GENERATOR.normal(size=400),
        "idle": GENERATOR.normal(size=400),
        "kind": GENERATOR.choice(["a", "b"], 400),
    }
)
LABELS = (FRAME["leant"] + 0.3 * GENERATOR.normal(size=400) > 0).astype(int)


class LeansOnOne:
    """It calls by one column, and takes what is missing for nothing."""

    def predict(self, rows: Any) -> Any:
        return (np.nan_to_num(np.asarray(pd.DataFrame(rows)["leant"], float)) > 0).astype(int)


class RefusesGaps(LeansOnOne):
    def predict(self, rows: Any) -> Any:
        if np.isnan(rows["leant"]).any():
            raise ValueError("no gaps, please")
        return super().predict(rows)


FOUND = robustness_of(LeansOnOne(), FRAME, LABELS, figure="accuracy", draws=60)


def test_the_column_that_a_model_leans_on_is_found_and_the_idle_one_does_no_harm() -> None:
    by_column = {each.column: each for each in FOUND.trials if each.column is not None}

    assert FOUND.worst == by_column["leant"]
    assert by_column["leant"].worse
    assert not by_column["idle"].worse
    assert by_column["idle"].difference == 0
    assert by_column["idle"].p == 1


def test_more_of_a_perturbation_does_more_harm() -> None:
    missing = {each.severity: each for each in FOUND.trials if each.kind == "missing" and each.column is None}

    assert FOUND.clean > (missing[0.05].value or 0) > (missing[0.2].value or 0) > (missing[0.5].value or 0)
    assert missing[0.5].low is not None
    assert missing[0.5].high is not None
    assert missing[0.5].low < (missing[0.5].difference or 0) < missing[0.5].high < 0


def test_the_same_seed_finds_the_same_and_it_is_told_in_both_languages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEPTON_LANG", "en")
    english = str(FOUND)
    monkeypatch.setenv("LEPTON_LANG", "zh")

    assert robustness_of(LeansOnOne(), FRAME, LABELS, figure="accuracy", draws=60) == FOUND
    assert "clean rows" in english
    assert "扰动" in str(FOUND)
    assert json.loads(json.dumps(FOUND.to_dict()))["trials"][0]["column"] == "leant"
    assert "layer" in FOUND.plot().to_dict()


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(FRAME, id="pandas"),
        pytest.param(pa.table(FRAME), id="arrow"),
        pytest.param(FRAME.to_dict("list"), id="columns"),
    ],
)
def test_whatever_holds_the_rows_is_given_back_and_left_as_it_was(data: Any) -> None:
    rows = PerturbedRows(data)

    changed = rows.perturbed(Perturbation("unknown", 1.0), np.random.default_rng(0))
    emptied = rows.perturbed(Perturbation("missing", 1.0, "idle"), np.random.default_rng(0))

    assert type(changed) is type(data)
    assert set(pd.Series(list(PerturbedRows(changed).columns["kind"].labels()))) == {UNKNOWN}
    assert PerturbedRows(emptied).columns["idle"].missing.all()
    assert not PerturbedRows(data).columns["idle"].missing.any()
    assert PerturbedRows(changed).columns["leant"].values.tolist() == FRAME["leant"].tolist()


def test_a_module_is_tried_on_a_tensor_and_on_pictures() -> None:
    table = torch.tensor(FRAME[["leant", "idle"]].to_numpy(np.float32))
    pictures = np.zeros((60, 8, 8), np.float32)
    truth = np.arange(60) % 2
    pictures[truth == 1, 2:6, 2:6] = 1
    torch.manual_seed(0)

    class Bright(torch.nn.Module):
        TASK, OUTPUTS = "binary", "logits"

        def forward(self, rows: torch.Tensor) -> torch.Tensor:
            return rows.mean(dim=(1, 2)) - 0.1

    found = robustness_of(Bright(), pictures, truth, figure="accuracy", draws=40)
    linear = robustness_of(torch.nn.Linear(2, 1), table, LABELS, task="binary", figure="accuracy", draws=40)

    assert found.clean == 1
    assert {each.kind for each in found.trials} == {"noise", "blur", "brightness"}
    assert {each.worse for each in found.trials if (each.kind, each.severity) == ("brightness", 0.25)} == {True}
    assert {each.kind for each in linear.trials if each.refused} == {"missing"}


def test_what_a_model_refuses_is_told_first() -> None:
    found = robustness_of(RefusesGaps(), FRAME, LABELS, figure="accuracy", draws=40)

    assert found.trials[0].refused is not None
    assert "no gaps, please" in found.trials[0].refused
    assert "no gaps, please" in str(found)
    assert found.worst is not None
    assert found.worst.refused is None


def test_an_error_that_grows_is_worse() -> None:
    found = robustness_of(LeansOnOne(), FRAME, FRAME["leant"], task="regression", draws=40)

    assert (found.figure, found.better) == ("rmse", "lower")
    assert found.worst is not None
    assert (found.worst.difference or 0) > 0


@pytest.mark.parametrize(
    ("data", "asked", "sentence"),
    [
        (FRAME, {"figure": "auc"}, "'auc' is no figure that these rows define; there are accuracy"),
        (FRAME, {"figure": "accuracy", "draws": 1}, "1 draws are not between 2 and"),
        (FRAME, {"perturbations": [Perturbation("missing", 0.5, "age")]}, "have no column 'age'"),
        (FRAME.iloc[:0], {}, "no rows"),
        ([[1.0, 2.0]] * 400, {}, "does not predict these rows"),
    ],
    ids=["figure", "draws", "column", "empty", "list"],
)
def test_what_cannot_be_tried_is_told_in_one_sentence(data: Any, asked: dict[str, Any], sentence: str) -> None:
    with pytest.raises(LeptonError, match=sentence):
        robustness_of(LeansOnOne(), data, LABELS[: len(data)], **asked)


def test_a_version_is_tried_and_nothing_is_recorded(home: Path) -> None:
    model = CreditScoringModel()
    for name, value in {"epochs": 3, "members": 1, "hidden": [4]}.items():
        model.add_hyperparameter(name, value)
    with ModelManager(home, actor="ada") as manager:
        manager.train(model, FRAME, LABELS, name="credit")
        before = len(list(manager.events()))

        found = manager.robustness("credit", FRAME, LABELS, draws=30, metric="roc_auc")

        assert isinstance(found, Robustness)
        assert found.worst is not None
        assert len(list(manager.events())) == before
        assert {"unknown", "swapped", "noise", "shift", "scale", "missing"} == {each.kind for each in found.trials}
