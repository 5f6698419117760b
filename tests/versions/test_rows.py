"""A file of rows that versions are judged on: each reads it as what it learnt, whatever the rows look like."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from lepton_ai import DataWarning, GateNotMet, ModelManager, Refused
from lepton_ai.errors import Malformed
from lepton_ai.models import CreditScoringModel, Model, register

BAD = [place % 2 for place in range(60)]
ROWS = pd.DataFrame({"zip": [f"0{7 + bad}" for bad in BAD], "n": [place % 7 for place in range(60)], "bad": BAD})


def quick() -> CreditScoringModel:
    model = CreditScoringModel()
    for name, value in {"epochs": 60, "members": 1, "hidden": [4], "learning_rate": 0.05}.items():
        model.add_hyperparameter(name, value)
    return model


@pytest.mark.filterwarnings("ignore::lepton_ai.DataWarning")
def test_a_gate_does_not_turn_on_how_the_rows_are_written(home: Path, tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(ROWS.to_csv(index=False))
    data = {"zip": ROWS["zip"], "n": ROWS["n"]}
    with ModelManager(home, actor="ada") as manager:
        manager.train(quick(), data, BAD, name="zips")
        manager.train(quick(), data, BAD, name="zips", types={"zip": "number"}, message="as a number")
        manager.train(quick(), data, BAD, name="zips", drop=["zip"], message="without it")

        judged = {rev: manager.evaluate(f"zips@{rev}", path, "bad").performance for rev in (1, 2, 3)}
        done = manager.rollback("zips@1", rehearse=(str(path), "bad"))
        with pytest.raises(GateNotMet):
            manager.rollback("zips@3", rehearse=(str(path), "bad"))

    assert [judged[rev].roc_auc for rev in (1, 2)] == [1.0, 1.0]
    assert judged[3].roc_auc < 0.9
    assert done.rehearsal is not None
    assert done.rehearsal.metrics_to["roc_auc"] == 1.0


def test_a_suspicious_column_is_warned_of_in_python_too(home: Path) -> None:
    with ModelManager(home, actor="ada") as manager, pytest.warns(DataWarning, match="column 'zip' alone predicts"):
        manager.train(quick(), {"zip": ROWS["zip"], "n": ROWS["n"]}, BAD, name="zips")


@register("texts-are-bad")
class TextsAreBad(Model):
    """A rule that holds text for bad, so that it tells what its rows were read as."""

    TASK = "binary"

    def __init__(self) -> None:
        super().__init__()
        self.module = torch.nn.Linear(1, 1)

    def train(self, data: Any, labels: Any, **_: Any) -> TextsAreBad:
        return self

    def predict(self, data: Any) -> Any:
        return np.array([isinstance(value, str) for value in data["zip"].to_pylist()]).astype(int)


@pytest.mark.filterwarnings("ignore::lepton_ai.DataWarning")
def test_types_are_given_where_a_version_recorded_none_and_refused_where_it_did(home: Path, tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("zip,id,bad\n70,a,1\n80,b,1\n")
    with ModelManager(home, actor="ada") as manager:
        manager.save_version(TextsAreBad(), name="rule")
        manager.train(quick(), {"zip": ROWS["zip"], "n": ROWS["n"]}, BAD, name="zips", metrics={})

        def recall(**asked: Any) -> float | None:
            return manager.evaluate("rule@1", path, "bad", **asked).performance.to_dict()["recall"]

        assert (recall(), recall(types={"zip": "text"}, drop=["id"])) == (0.0, 1.0)
        assert manager.sql("SELECT data->>'$.columns[*].name' AS names FROM evaluations ORDER BY seq")[
            "names"
        ].to_pylist() == [["zip", "id"], ["zip"]]
        frame = pd.read_csv(path)
        told = manager.evaluate("rule@1", frame[["zip", "id"]], frame["bad"], types={"zip": "text"}, columns=["zip"])
        assert told.performance.to_dict()["recall"] == 1.0
        for asked in ({"types": {"zip": "text"}}, {"drop": ["zip"]}, {"columns": ["n"]}):
            for judge in (manager.evaluate, manager.jobs.evaluate):
                with pytest.raises(
                    Refused, match="recorded the columns that it learnt and their types, and is judged by"
                ):
                    judge("zips@1", str(path), "bad", **asked)
        with pytest.raises(Malformed, match="cannot be of type 'zap'"):
            recall(types={"zip": "zap"})
        with pytest.raises(Malformed, match="no column 'zap'; did you mean 'zip'"):
            recall(types={"zap": "text"})
