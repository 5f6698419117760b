"""A file of rows that versions are judged on: each reads it as what it learnt, whatever the rows look like."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from lepton_ai import DataWarning, GateNotMet, ModelManager
from lepton_ai.models import CreditScoringModel

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
