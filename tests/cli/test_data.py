"""`lepton data`: names given, shown, compared and completed; and the doors that take a name in place of a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from ..cli_home import Cli
from ..cli_home import cli as cli
from ..cli_home import made as made


def test_a_name_says_whether_it_is_new_and_which_rows_it_stands_for(cli: Cli) -> None:
    first = cli("data add holdout loans.csv --label default -m 'of the spring'").out
    again = cli("data add holdout loans.csv --label default").out

    assert first.startswith("holdout stands for 120 rows\nholdout, version 1 of 1\n")
    assert again.startswith("holdout stands for these 120 rows already\n")
    assert "loans.csv" in first
    assert "of the spring" in again
    assert [each["name"] for each in cli("data --json").json["data_sets"]] == ["holdout", "quarter"]


def test_versions_of_a_name_are_shown_and_compared(cli: Cli) -> None:
    shown, drift = cli("data show quarter@1 --json").json, cli("data drift quarter@1 quarter")

    assert (shown["data_sets"][0]["rows"], shown["data_sets"][0]["versions"]) == (60, 2)
    assert drift.out.startswith("quarter@2 against quarter@1: no drift beyond chance in what was tested of 4 columns\n")
    assert "compared by their profiles" in drift.out


@pytest.mark.parametrize(
    ("line", "code", "words"),
    [
        ("data add holdout", 2, "add needs a name and a file: lepton data add NAME FILE"),
        ("data show", 2, "show needs a name"),
        ("data list quarter", 2, "list takes no name"),
        ("data drift quarter", 2, "drift needs two names"),
        ("data show quartre", 1, "there is no data named 'quartre', and no file; did you mean quarter?"),
        ("data add a/b loans.csv --label default", 1, "'a/b' cannot name data, for it looks like a file's path"),
        ("data add x loans.csv --label defautl", 1, "it has no column 'defautl' for the labels"),
        (
            "evaluate main loans.csv",
            2,
            "missing option '--label'",
        ),
        ("evaluate main quartre", 1, "there is no data named 'quartre'"),
        ("rollback 2 --rehearse loans.csv --dry-run", 2, "--rehearse and --label go together; give both"),
        ("rollback 2 --rehearse quartre --dry-run", 1, "there is no data named 'quartre'"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(cli: Cli, line: str, code: int, words: str) -> None:
    ended = cli(line)

    assert (ended.code, ended.out) == (code, "")
    assert words in ended.err


def test_a_rollback_is_rehearsed_on_named_data(cli: Cli) -> None:
    ended = cli("rollback 2 --rehearse quarter --dry-run --reason known --json")

    assert ended.json["plan"]["rehearsal"]["to_version"] == 2


def test_names_stand_beside_files_in_a_folder(cli: Cli) -> None:
    Path("quarter").write_text("")

    ended = cli("rollback 2 --rehearse quarter --dry-run")

    assert "'quarter' is named data and a file in this folder; write data:quarter or ./quarter" in ended.err
