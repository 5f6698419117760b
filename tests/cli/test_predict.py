"""`predict`: one answer a row, in their order, in a file that is whole, or the true reason why there is none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow.feather
import pyarrow.parquet
import pytest
import torch

from lepton_ai import ModelManager, register
from lepton_ai.errors import Refused
from lepton_ai.models import CreditScoringModel, Model

from ..cli_home import ROWS, Cli
from ..cli_home import cli as cli
from ..cli_home import made as made


def test_each_row_is_answered_as_the_model_itself_does(cli: Cli) -> None:
    assert (
        cli("predict 4 loans.csv --id kind -o told.csv").out
        == f"{ROWS} predictions by version 4 of credit in told.csv\n"
    )

    told, rows = pd.read_csv("told.csv"), pd.read_csv("loans.csv")
    with ModelManager(cli.home) as manager:
        model = manager.load_version("credit@4")
    asked = {"income": rows["income"], "debt": rows["debt"], "kind": [None if v != v else v for v in rows["kind"]]}
    assert list(told) == ["kind", "prediction", "probability_0", "probability_1"]
    assert told["kind"].equals(rows["kind"])
    assert (told["prediction"] == model.predict(asked)).all()
    assert (told[["probability_0", "probability_1"]].to_numpy() == model.predict_proba(asked)).all()


@pytest.mark.parametrize("ending", ["csv", "parquet", "arrow", "jsonl"])
def test_every_form_of_file_says_the_same(ending: str, cli: Cli) -> None:
    """Columns that are carried along stand as they stood in the file: 007 is no 7."""
    rows = pd.read_csv("loans.csv", dtype=str).assign(id=[f"{n:03}" for n in range(ROWS)])
    rows.to_csv("rows.csv", index=False)

    assert cli(f"predict main rows.csv --keep-columns -o told.{ending}").code == 0

    read: dict[str, Any] = {
        "csv": lambda path: pd.read_csv(path, dtype=dict.fromkeys(rows, str)),
        "parquet": lambda path: pyarrow.parquet.read_table(path).to_pandas(),
        "arrow": lambda path: pyarrow.feather.read_table(path).to_pandas(),
        "jsonl": lambda path: pd.DataFrame(map(json.loads, Path(path).read_text().splitlines())),
    }
    told = read[ending](f"told.{ending}")
    assert list(told) == [*rows, "prediction", "probability_0", "probability_1"]
    assert told["id"].tolist() == rows["id"].tolist()
    assert told["prediction"].tolist() == [
        each["prediction"] for each in cli("predict main rows.csv --json").json["rows"]
    ]


def test_without_a_file_rows_go_to_stdout_as_csv_and_need_no_labels(cli: Cli) -> None:
    rows = pd.read_csv("loans.csv").drop(columns="default")
    rows.iloc[::-1].to_parquet("rows.parquet", index=False)

    backwards = cli("predict main rows.parquet").out.splitlines()

    assert backwards[1:] == cli("predict main loans.csv").out.splitlines()[:0:-1]
    rows[:0].to_csv("none.csv", index=False)
    assert cli("predict main none.csv").out == "prediction,probability_0,probability_1\n"


def test_a_file_is_replaced_only_where_that_is_said(cli: Cli) -> None:
    Path("told.csv").write_text("mine")

    ended = cli("predict main loans.csv -o told.csv")

    assert (ended.code, ended.err) == (1, "lepton: told.csv is there already; --force replaces it\n")
    assert Path("told.csv").read_text() == "mine"
    assert cli("predict main loans.csv -o told.csv --force").code == 0
    assert len(pd.read_csv("told.csv")) == ROWS


@pytest.mark.parametrize(
    ("change", "line", "sentence"),
    [
        ("df.drop(columns='debt')", "rows.csv", "rows.csv has no column 'debt', which the version learnt; it has"),
        ("df.assign(income='much')", "rows.csv", "column 'income' holds values that are not a number; the version"),
        ("df.assign(prediction=1)", "rows.csv --keep-columns", "have a column 'prediction' of their own"),
        ("df", "rows.csv --id debts", "rows.csv has no column 'debts'; did you mean debt?"),
        ("df", "rows.csv -o told.xlsx", "give it the ending .csv, .parquet, .arrow or .jsonl"),
        (
            "df",
            "rows.csv -o no/told.csv",
            "no/told.csv cannot be written (No such file or directory)",
        ),
        ("df", "rows.csv -o . --force", "give it the ending"),
        ("df", "nothing.csv", "there is no file 'nothing.csv'"),
    ],
)
def test_rows_and_places_that_do_not_fit_are_refused_and_nothing_is_written(
    change: str, line: str, sentence: str, cli: Cli
) -> None:
    eval(change, {"df": pd.read_csv("loans.csv")}).to_csv("rows.csv", index=False)
    before = sorted(path.name for path in Path().iterdir())

    ended = cli(f"predict main {line}")

    assert (ended.code, ended.out, ended.err.count("\n")) == (1, "", 1)
    assert sentence in ended.err
    assert sorted(path.name for path in Path().iterdir()) == before


def test_columns_that_an_array_gave_are_named_by_their_places(cli: Cli) -> None:
    model, chance = CreditScoringModel(), np.random.default_rng(0)
    rows = chance.normal(size=(40, 3))
    for name, value in {"epochs": 1, "members": 1, "hidden": [2]}.items():
        model.add_hyperparameter(name, value)
    with ModelManager(cli.home, actor="ada") as manager:
        manager.save_version(model.train(rows, chance.random(40) > 0.5), name="places")
    pd.DataFrame(rows).to_csv("rows.csv", index=False)

    assert cli("predict places@1 rows.csv --json").json["count"] == 40
    assert "it learnt from an array, so name the columns 0, 1, 2, ..." in cli("predict places@1 loans.csv").err


class Guesser(Model):
    """Says the same of every row, and fails at a row that it does not like."""

    TASK = "multiclass"
    classes_ = ("a", "b", "c")

    def __init__(self) -> None:
        super().__init__()
        self.module = torch.nn.Linear(1, 1)

    def train(self, data: Any, labels: Any, **_: Any) -> Guesser:
        return self

    def predict(self, data: Any) -> npt.NDArray[Any]:
        if "bad" in data.column_names:
            raise ZeroDivisionError("of a row")
        return np.array(["b"] * (len(data) - ("short" in data.column_names)))

    def predict_proba(self, data: Any) -> npt.NDArray[np.float64]:
        return np.tile([0.1, 0.7, 0.2], (len(data), 1))


def test_a_class_of_ones_own_answers_where_it_is_registered(tmp_path: Path) -> None:
    kept = register("tests-guesser")(Guesser)()
    rows = {name: tmp_path / f"{name}.csv" for name in ("good", "bad", "short")}
    for name, path in rows.items():
        path.write_text(f"{name}\n1\n2\n")
    with ModelManager(tmp_path / "home") as manager:
        manager.save_version(kept, name="guess")

        told = manager.predict("guess@1", rows["good"], keep=None)
        with pytest.raises(Refused, match=r"does not predict these rows \(ZeroDivisionError: of a row\)"):
            manager.predict("guess@1", rows["bad"])
        with pytest.raises(Refused, match="gave 1 values of prediction for 2 rows, not one a row"):
            manager.predict("guess@1", rows["short"])

    expected = {"good": ["1", "2"], "prediction": ["b", "b"]}
    assert told.to_pydict() == expected | {
        "probability_a": [0.1] * 2,
        "probability_b": [0.7] * 2,
        "probability_c": [0.2] * 2,
    }


def test_a_mapping_of_columns_is_answered_row_by_row(cli: Cli) -> None:
    columns = {name: [*values] for name, values in pd.read_csv("loans.csv")[["income", "debt"]].items()}
    columns["kind"] = [None] * ROWS
    with ModelManager(cli.home) as manager:
        told = manager.predict("credit@4", columns)
        none = manager.predict("credit@4", {name: [] for name in columns})

    assert (told.num_rows, none.num_rows) == (ROWS, 0)


def test_what_predicts_nothing_says_why(cli: Cli) -> None:
    @register("tests-silent")
    class Silent(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = torch.nn.Linear(1, 1)

    with ModelManager(cli.home, actor="ada") as manager:
        manager.save_version({"w": np.ones(1)}, name="plain")
        manager.save_version(torch.nn.Linear(1, 1), name="foreign")
        manager.save_version(Silent(), name="silent")
        manager.save_version({"w": np.ones(1)}, name="unknown", architecture={"class": "who", "config": {}})

    reasons = {
        "plain": "version 1 of plain holds plain tensors, which predict nothing",
        "foreign": "is a torch.nn.modules.linear.Linear, whose class was not registered when it was made",
        "silent": "is a 'tests-silent', whose class has no predict(data)",
        "unknown": "is a 'who', and no class of that name is registered in this process",
    }
    for name, reason in reasons.items():
        ended = cli(f"predict {name}@1 loans.csv")
        assert (ended.code, ended.err.count("\n")) == (1, 1)
        assert reason in ended.err
