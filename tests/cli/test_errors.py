"""What the command line refuses: one sentence on stderr, an exit code, nothing on stdout, and nothing changed."""
# ruff: noqa: E501

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import numpy as np
import pytest

from lepton_ai import ModelManager
from lepton_ai.errors import GateNotMet

from ..cli_home import Cli, loans, make

BAD: list[tuple[str, int, str]] = [
    # revisions
    ("log nope", 1, "credit has no branch, tag or alias 'nope'; `lepton log credit` lists what it has"),
    ("show mian", 1, "credit has no branch, tag or alias 'mian'; did you mean main?"),
    ("show 99", 1, "credit has no version 99; `lepton log credit` lists them"),
    ("show 1~5", 1, "'credit@1~5' names nothing: version 1 has no parent"),
    ("show 'main@{99}'", 1, "'main' cannot go back 99 moves: @{6} was its first place"),
    ("show ''", 1, "'' is no revision; write a number, a name or a digest, then ~n, ^n or @{...}"),
    ("log credt@1", 1, "there is no model 'credt'; did you mean credit?"),
    ("log --model credt", 1, "there is no model 'credt'; this ledger holds credit"),
    ("log 1..nope", 1, "credit has no branch, tag or alias 'nope'; `lepton log credit` lists what it has"),
    ("diff 1", 2, "a diff is of two versions; write A B or A..B"),
    # names
    ("branch 9lives", 1, "'9lives' cannot name a branch; begin with a letter from a to z, go on with those, digits or ._-/"),
    ("branch risk 1", 1, "branch 'risk' stands on version 3 already; `rollback` moves it, or choose another name"),
    ("branch v1.0", 1, "'v1.0' is a tag of credit; branches, tags and aliases share one name space"),
    ("branch -d nope", 1, "credit has no branch 'nope'; `lepton branch` lists them"),
    ("branch x -d risk", 2, "-d gives up a name and makes none; leave the other out"),
    ("tag -d nope", 1, "credit has no tag 'nope'; `lepton tag` lists them"),
    ("alias production", 2, "alias production needs a version to stand on; name one behind it"),
    ("alias production 4 --expect 1", 1, "alias 'production' is at 2, not at 1; look at what moved it and try again"),
    ("alias production 4 --expect 0", 1, "alias 'production' is at 2, not at nowhere; look at what moved it and try again"),
    ("alias -d nope", 1, "credit has no alias 'nope'; `lepton alias` lists them"),
    # rollback
    ("rollback", 2, "a branch is rolled back to a version; name one, or let `lepton suggest` propose it"),
    ("rollback 2", 2, "without a terminal to ask on, rollback needs --yes; add it if sure"),
    ("rollback 4 --branch risk --yes", 1, "branch 'risk' never reached version 4; `lepton log risk` lists where it has been"),
    ("rollback 2 --expect 3 --yes", 1, "branch 'main' is at 7, not at 3; look at what moved it and try again"),
    ("rollback 2 --branch nope --yes", 1, "credit has no branch 'nope'; `lepton branch` lists them"),
    ("rollback 2 --branch main --alias production --yes", 2, "--branch and --alias are two rollbacks; ask for one"),
    ("rollback 4 --alias production --yes", 1, "alias 'production' never stood on version 4; `lepton alias production 4` puts it there"),
    ("rollback --alias production --move-alias x --yes", 2, "--move-alias goes along with a branch; roll back each alias in a call of its own"),
    ("rollback 2 --rehearse loans.csv --yes", 2, "--rehearse and --label go together; give both"),
    ("rollback 2 --rehearse nope.csv --label default --yes", 1, "there is no file 'nope.csv'; give a file of rows, or a folder of pictures"),
    # merge
    ("merge nope", 1, "credit has no branch, tag or alias 'nope'; `lepton log credit` lists what it has"),
    ("merge 6 --into nope", 1, "credit has no branch 'nope'; `lepton branch` lists them"),
    ("merge 6 --weight 2", 1, "weight is 2.0; it is theirs' share, from 0 to 1"),
    # notes
    ("annotate main ticket", 2, "'ticket' is no note; write KEY=VALUE"),
    ("annotate main '=x'", 2, "'=x' is no note; write KEY=VALUE"),
    ("annotate main '-a=x'", 2, "no such option '-a'; `lepton annotate --help` shows how"),
    ("archive nope", 1, "there is no model 'nope'; this ledger holds credit"),
    # comparing
    (
        "compare 1 5 --metric nope",
        1,
        "none of these versions has a metric 'nope'; they have accuracy, brier, ece, f1, gini, ks, log_loss, precision, "
        "recall, roc_auc",
    ),
    ("suggest --branch nope", 1, "credit has no branch 'nope'; `lepton branch` lists them"),
    # work
    ("train credit-scoring-model nope.csv --label default", 1, "there is no file 'nope.csv'; give a file of rows, or a folder of pictures"),
    ("train credit-scoring-model loans.csv --label defualt", 1, "loans.csv has no column 'defualt'; did you mean default?"),
    ("train credit-scoring-model loans.csv --label z", 1, "loans.csv has no column 'z'; it has 'income', 'debt', 'kind', 'default'"),
    ("train credit-scoring-model loans.txt --label z", 1, "loans.txt is neither .csv nor .parquet; give the file the ending of what it holds"),
    ("train credit-scoring-model ragged.csv --label b", 1, "ragged.csv cannot be read as csv: row 3 has 3 columns where 2 were expected; mend the row"),
    ("train credit-scoring-model empty.csv --label b", 1, "empty.csv cannot be read as csv: it is empty; give a file with a line of column names and rows"),
    ("train credit-scoring-model fake.parquet --label b", 1, "fake.parquet cannot be read as parquet: its bytes are not of that kind; check the file"),
    ("train credit-scorin-model loans.csv --label default", 1, "there is no model 'credit-scorin-model' to train; did you mean credit-scoring-model?"),
    ("train credit-scoring-model loans.csv", 2, "missing option '--label'; `lepton train --help` shows how"),
    ("train credit-scoring-model loans.csv --label default --set epochs", 2, "--set 'epochs' sets nothing; write KEY=VALUE"),
    ("evaluate nope loans.csv --label default", 1, "credit has no branch, tag or alias 'nope'; `lepton log credit` lists what it has"),
    ("evaluate main loans.csv --label default --type kind=text", 1, "version 7 of credit recorded the columns that it learnt and their types, and is judged by these; leave types, drop and columns out (they are for versions that recorded none)"),
    ("evaluate main loans.csv --label default --better fid", 2, "--better 'fid' says no way; write METRIC=higher"),
    ("train credit-scoring-model loans.csv --label default --better fid=down", 1, "metric 'fid' is said to be better 'down'; say 'higher' or 'lower'"),
    ("train credit-scoring-model loans.csv --label default --validation nope.csv", 1, "there is no file 'nope.csv'; give a file of rows, or a folder of pictures"),
    ("find \"version.acter = 'ada'\"", 1, None),
    # asking
    ("sql 'drop table versions'", 1, "a query is one SELECT, and this is DROP; only reading is allowed here"),
    ("sql \"select * from read_csv('/etc/passwd')\"", 1, "a query reads the ledger's views alone, and 'read_csv' reaches beyond them; leave it out"),
    ("sql 'select 1; select 2'", 1, "a query is one SELECT, and this is 2 statements; send them one by one"),
    ("sql 'select 1' --as-of yesterday", 1, "'yesterday' is no place in the log; write an event's number, a date or a time"),
    ("sql 'select 1' --as-of 100000", 1, None),
    ("sql 'select 1' -o x.csv", 2, "a table is for people; write a file with --format csv, json or parquet"),
    ("sql 'select 1' --json --format csv", 2, "--json and --format both fill stdout; send one of them to a file with -o"),
    ("sql 'select 1' --format csv -o no/where.csv", 1, "no/where.csv cannot be written (No such file or directory); name another place"),
    ("find 'metric.f1 >'", 1, None),
    ("snapshot loans.csv", 1, "loans.csv exists; name a file that does not"),
    ("events --after -1", 2, "invalid value for '--after': -1 is not in the range x>=0; `lepton events --help` shows how"),
    ("events --stream model/credti", 1, "there is no stream 'model/credti'; did you mean model/credit?"),
    ("events --stream x", 1, "there is no stream 'x'; a model's is model/NAME, a run's run/ID"),
    # the ledger
    ("forget nobody --yes", 1, "there is nobody named 'nobody' here; `lepton log` shows who acted"),
    ("forget bob", 2, "without a terminal to ask on, forget needs --yes; add it if sure"),
    # the command line itself
    ("lgo", 2, "there is no command 'lgo'; did you mean log?"),
    ("frobnicate", 2, "there is no command 'frobnicate'; `lepton --help` lists them"),
    ("log --frob", 2, "no such option '--frob'; `lepton log --help` shows how"),
    ("show 1 2", 2, "got unexpected extra argument (2); `lepton show --help` shows how"),
    ("log -n 0", 2, "invalid value for '-n': 0 is not in the range x>=1; `lepton log --help` shows how"),
    ("--home s3://bucket/home models", 1, "a home is a folder or a server's https:// address; s3:// is neither"),
    ("--home loans.csv models", 1, None),
    ("--home loans.csv/inner log", 1, None),
]  # fmt: skip
"""Call, exit code, and the sentence; None where another room's test holds its words."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    make(folder / "home", loans(folder / "loans.csv"))
    shutil.copy(folder / "loans.csv", folder / "loans.txt")
    (folder / "ragged.csv").write_text("a,b\n1,2\n1,Smith,3\n")
    (folder / "empty.csv").write_text("")
    (folder / "fake.parquet").write_text("PAR0")
    return folder


@pytest.fixture
def cli(made: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    monkeypatch.chdir(made)
    return Cli(made / "home")


@pytest.mark.parametrize(("line", "code", "sentence"), BAD, ids=[line for line, _, _ in BAD])
@pytest.mark.parametrize("as_json", [False, True], ids=["text", "json"])
def test_it_is_refused_in_one_sentence_and_changes_nothing(
    line: str, code: int, sentence: str | None, as_json: bool, cli: Cli
) -> None:
    before, files = cli.end(), sorted(cli.home.parent.iterdir())

    ended = cli(f"{line} --json" if as_json and line.partition(" ")[0] not in ("lgo", "frobnicate") else line)

    assert ended.code == code
    assert ended.err.startswith("lepton: ")
    assert ended.err.count("\n") == 1
    assert sentence is None or ended.err == f"lepton: {sentence}\n"
    assert "Smith" not in ended.err
    assert cli.end() == before
    assert sorted(cli.home.parent.iterdir()) == files
    if "rollback" not in line:  # which shows its plan first
        assert ended.out == ""


FAILING = [
    ("train credit-scoring-model loans.csv --label default --set epochs=0", "hyperparameter 'epochs' must be a whole number of at least 1, not 0; give one that is"),
    ("evaluate 1 loans.csv --label kind", None),
]  # fmt: skip
"""Call and sentence of work that only its worker finds it cannot do."""


@pytest.mark.parametrize(("line", "sentence"), FAILING, ids=[line for line, _ in FAILING])
def test_work_that_fails_says_why_in_one_sentence_and_is_recorded(line: str, sentence: str | None, cli: Cli) -> None:
    ended = cli(line)

    assert (ended.code, ended.out) == (1, "")
    assert ended.err.count("\n") == 1
    assert sentence is None or ended.err == f"lepton: {sentence}\n"
    assert "Smith" not in ended.err
    job = cli("jobs -n 1 --json").json["jobs"][0]
    assert job["status"] == "failed"
    assert ended.err == f"lepton: {job['reason']}\n"


def test_nothing_given_shows_the_help(cli: Cli) -> None:
    ended = cli("")

    assert (ended.code, ended.out) == (2, "")
    assert "rollback" in ended.err


def test_an_empty_ledger_says_what_to_do(tmp_path: Path) -> None:
    cli = Cli(tmp_path / "new")
    assert cli("init").code == 0

    ended = cli("log")

    assert (ended.code, ended.err) == (
        1,
        "lepton: there is no model yet; `lepton train` or `lepton save` makes the first\n",
    )


def test_of_several_models_a_bare_revision_is_refused(tmp_path: Path) -> None:
    with ModelManager(tmp_path) as manager:
        manager.save_version({"w": np.ones(1)}, name="one")
        manager.save_version({"w": np.ones(1)}, name="two")

    assert Cli(tmp_path)("show 1").err == "lepton: this ledger holds several models, one, two; write MODEL@1\n"

    sentence = "lepton: this ledger holds several models, one, two; say which by --model\n"
    assert [Cli(tmp_path)(line).err for line in ("log", "branch", "tag", "alias", "suggest")] == [sentence] * 5


def test_an_archived_model_is_meant_by_no_bare_revision(tmp_path: Path) -> None:
    with ModelManager(tmp_path) as manager:
        manager.save_version({"w": np.ones(1)}, name="one")
        manager.save_version({"w": np.ones(1)}, name="two")
        manager.archive("one")
        assert manager.show(1).version.model == manager.log("1..main").model == manager.log().model == "two"
        manager.archive("two")
        assert manager.show("one@1").version.model == "one"

    assert "several models, one, two" in Cli(tmp_path)("show 1").err


def test_a_ledger_that_somebody_holds_is_away_for_now(cli: Cli) -> None:
    held = sqlite3.connect(cli.home / "main.db", isolation_level=None)
    held.execute("BEGIN IMMEDIATE")
    try:
        ended = cli("annotate 1 a=1", LEPTON_WAIT="0.1")
    finally:
        held.close()

    assert ended.code == 3
    assert ended.err.count("\n") == 1


def test_a_changed_event_is_damage(cli: Cli, tmp_path: Path) -> None:
    shutil.copytree(cli.home, tmp_path / "home")
    database = sqlite3.connect(tmp_path / "home" / "main.db")
    (table,) = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")} & {
        "events"
    }
    database.execute(
        f"UPDATE {table} SET envelope = replace(CAST(envelope AS TEXT), 'first fit', 'other fit') WHERE seq = 5"
    )
    database.execute(f"UPDATE {table} SET envelope = CAST(envelope AS BLOB) || x'20' WHERE seq = 5")
    database.commit()
    database.close()
    broken = Cli(tmp_path / "home")

    assert broken("verify").code == 5
    assert "event 5" in broken("verify").err
    assert broken("fsck --events").code == 5
    assert "event 5" in broken("fsck --events").out


def test_a_gate_that_is_not_met_exits_with_four(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def gate(manager: ModelManager) -> list[str]:
        raise GateNotMet("f1 is 0.5, below 0.6; train on")

    monkeypatch.setattr(ModelManager, "models", gate)

    assert cli("models") == (4, "", "lepton: f1 is 0.5, below 0.6; train on\n")


def test_a_fault_of_our_own_is_said_to_be_one(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def fault(manager: ModelManager) -> list[str]:
        raise KeyError("x")

    monkeypatch.setattr(ModelManager, "models", fault)

    sentence = "lepton: this is a fault of Lepton itself (KeyError: 'x'); report it with what LEPTON_DEBUG=1 shows\n"
    assert cli("models") == (70, "", sentence)
    assert "Traceback" in cli("models", LEPTON_DEBUG="1").err
    assert cli("models", LEPTON_DEBUG="1").code == 70
