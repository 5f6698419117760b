"""Words at the doors: a command line is told of commands and options, a program of calls and arguments."""
# ruff: noqa: E501

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest

import lepton_ai
from lepton_ai import ModelManager
from lepton_ai.datasets.read import labelled
from lepton_ai.errors import LeptonError, at_door, read_at, recorded
from lepton_ai.models import CreditScoringModel

from ..cli_home import Cli

ROOT: Final = Path(lepton_ai.__file__).parent
OF_PYTHON: Final = re.compile(
    r"\bmanager\.|\b[a-z_]+=(?![=>])|@lepton_ai|\bself\.|\bNone\b|NoneType"
    r"|\b(save_version|load_version|load_tensors|load_arrays|load_checkpoint\w*|record_metrics|define_metrics"
    r"|suggest_rollback|add_hyperparameter|load_state_dict)\b|`(expected|reason|rehearse|drop|columns|parents|name|model)`"
)
"""What only who writes Python knows: methods, arguments, names of classes."""
OF_A_COMMAND: Final = re.compile(r"(?<![\w-])--[a-z]")
"""An option."""

FOR_PYTHON_ALONE: Final = (
    # they look at objects of a program, or serve methods that no command calls
    "models/places.py", "models/state.py", "models/model.py", "models/registry.py", "versions/arguments.py",
    "versions/save_request.py", "versions/source.py", "versions/train.py", "versions/runs/run.py",
    "versions/filling.py", "models/arrays.py", "versions/moves/rollback.py", "versions/judging/rehearsal.py", "domain/model/refs.py",
)  # fmt: skip
SAID: Final = (
    "Refused",
    "Malformed",
    "Unavailable",
    "UnknownRevision",
    "GateNotMet",
    "Stale",
    "LockHeld",
    "NewerLedger",
)


def sentences(path: Path) -> Iterator[tuple[str, int, str]]:
    """What a module raises: for which door ("" for both), its line, and its words without what is filled in."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in SAID:
            yield from (("", node.lineno, words(each)) for each in node.args)
            yield from ((each.arg or "", node.lineno, words(each.value)) for each in node.keywords)


def words(node: ast.AST) -> str:
    match node:
        case ast.Constant(value=str() as text):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(words(part) or "{}" for part in parts)
        case _:
            return ""


MODULES = sorted(
    str(path.relative_to(ROOT))
    for path in ROOT.rglob("*.py")
    if not {"tests", "bench", "examples", ".venv", "cli"}.intersection(path.relative_to(ROOT).parts)
)


def test_no_error_tells_one_door_in_the_words_of_the_other() -> None:
    wrong = [
        f"{module}:{line}: {said}"
        for module in MODULES
        for door, line, said in sentences(ROOT / module)
        if (door == "cli" and OF_PYTHON.search(said))
        or (door != "cli" and OF_A_COMMAND.search(re.sub(r"`lepton [^`]*`", "", said)))
        or (door == "" and module not in FOR_PYTHON_ALONE and OF_PYTHON.search(said))
    ]

    assert wrong == []


TEXT = "a,b,y\n" + "".join(f"{n},{n * 3 % 7},{'good' if n % 2 else 'bad'}\n" for n in range(40))
THREE = "a,b,y\n" + "".join(f"{n},{n * 3 % 7},{n % 3}\n" for n in range(40))
BOTH = "a,b,y\n" + "".join(f"{n},{n * 3 % 7},{n % 2}\n" for n in range(40))


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a model of bare tensors on two branches, one with a class that no process has, and rows."""
    folder = tmp_path_factory.mktemp("doors")
    for name, rows in (("text", TEXT), ("three", THREE), ("rows", BOTH), ("index", BOTH.replace("a,", ",", 1))):
        (folder / f"{name}.csv").write_text(rows)
    with ModelManager(folder / "home", actor="ada") as manager:
        for number in range(1, 4):
            manager.save_version({"w": np.full(2, float(number))}, name="toy", metrics={"zeal": number})
        manager.branch("side", "toy@1")
        manager.rollback("toy@2", reason="worse")
        unknown = {"class": "nobody-has-it", "config": {}}
        manager.save_version({"w": np.ones(2)}, name="gone", architecture=unknown)
        manager.save_version({"w": np.zeros(2)}, name="gone", architecture=unknown)
    return folder


@pytest.fixture
def cli(toy: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    monkeypatch.chdir(toy)
    return Cli(toy / "home")


AT_BOTH: list[tuple[str, Callable[[ModelManager], Any], str, str]] = [
    # a command, the call that asks the same, and what each is told to do
    ("log", lambda m: m.log(), "say which by --model", "say which by model="),
    ("suggest --model toy --metric zeal", lambda m: m.suggest_rollback(model="toy", metric="zeal"), "`lepton metric define MODEL zeal --better lower` says so", "say so with better={'zeal': 'lower'} where it is saved, or by define_metrics"),
    ("compare toy@1 toy@2 --metric zeal", lambda m: m.compare("toy@1", "toy@2", metric="zeal"), "`lepton metric define MODEL zeal --better lower` says so", "say so with better={'zeal': 'lower'} where it is saved, or by define_metrics"),
    ("rollback toy@1 --rehearse rows.csv --label y --yes", lambda m: m.rollback("toy@1", rehearse=("rows.csv", "y")), "judge it from Python, in a process that has the class", "judge what it predicted by evaluate_predictions"),
    ("rollback gone@1 --rehearse rows.csv --label y --yes", lambda m: m.rollback("gone@1", rehearse=("rows.csv", "y")), "name the module that registers it with --import, or in LEPTON_IMPORT", "put @lepton_ai.register('nobody-has-it') on it, judge what it predicted by evaluate_predictions"),
    ("evaluate gone@1 rows.csv --label y", lambda m: m.jobs.evaluate("gone@1", "rows.csv", "y"), "start one with `lepton worker --import MODULE`, whose module registers it", "start one with `lepton worker --import MODULE`, or train and evaluate it in this process, with manager.train and manager.evaluate"),
    ("sql 'select 1' --as-of 9999", lambda m: m.sql("select 1", as_of=9999), "ask as of one", "ask as of one"),
    ("cancel 01", lambda m: m.jobs.cancel("01"), "'01' is too short for the id of a job; `lepton jobs` lists them, and 4 characters of its beginning or end are enough where no other has them", "where no other has them"),
    ("logs 7", lambda m: m.jobs.show("7"), "'7' is too short for the id of a job; ", "enough where no other has them"),
    ("runs show 01", lambda m: m.show_run("01"), "'01' is too short for the id of a run; ", "enough where no other has them"),
    ("cancel 0190ffff", lambda m: m.jobs.cancel("0190ffff"), "there is no job '0190ffff'; `lepton jobs` lists them", "`lepton jobs` lists them"),
    ("merge toy@2 --into nowhere", lambda m: m.merge("toy@2", into="nowhere"), "`lepton branch` lists them", "`lepton branch` lists them"),
    ("adopt nothing", lambda m: m.adopt("nothing"), "`lepton kept` lists them", "`lepton kept` lists them"),
    ("train credit-scoring-model rows.csv --label y --type a=none", lambda m: m.jobs.train("credit-scoring-model", "rows.csv", "y", types={"a": "none"}), "column 'a' cannot be of type 'none'; its type is number, text or date", "its type is number, text or date"),
    ("train credit-scoring-model rows.csv --label y --drop q", lambda m: m.jobs.train("credit-scoring-model", "rows.csv", "y", drop=["q"]), "has no column 'q'; it has 'a', 'b', 'y'", "it has 'a', 'b', 'y'"),
    ("clear toy@1 --reason x", lambda m: m.clear("toy@1", reason="x"), "version 1 of toy was never rolled back from; there is nothing to clear", "there is nothing to clear"),
    ("export toy@9 -o x.safetensors", lambda m: m.load_tensors("toy@9"), "`lepton log toy` lists them", "`lepton log toy` lists them"),
    ("--home nowhere log", lambda m: ModelManager("nowhere").log(), "--home or LEPTON_HOME names the home of another", "home= or LEPTON_HOME names the home of another"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "call", "at_a_terminal", "in_a_program"), AT_BOTH, ids=[line for line, *_ in AT_BOTH])
def test_what_to_do_is_told_in_the_words_of_the_door(
    line: str, call: Callable[[ModelManager], Any], at_a_terminal: str, in_a_program: str, cli: Cli
) -> None:
    ended = cli(line)
    with ModelManager(cli.home) as manager, pytest.raises(LeptonError) as raised:
        call(manager)

    assert ended.code in (1, 4)
    assert ended.err.count("\n") == 1
    assert at_a_terminal in ended.err
    assert not OF_PYTHON.search(ended.err)
    assert in_a_program in str(raised.value)
    assert not OF_A_COMMAND.search(re.sub(r"`lepton [^`]*`", "", str(raised.value)))


LEARNT: list[tuple[str, str]] = [
    ("text", "the labels are text; set the hyperparameter 'positive_label' to the one that is positive"),
    ("three", "the labels have 3 classes, and this model tells two apart; make them two, or name another column"),
]  # fmt: skip


@pytest.mark.parametrize(("rows", "sentence"), LEARNT, ids=[rows for rows, _ in LEARNT])
@pytest.mark.filterwarnings("ignore::lepton_ai.DataWarning")
def test_what_a_worker_refuses_is_true_at_both_doors(rows: str, sentence: str, toy: Path, tmp_path: Path) -> None:
    columns = [line.split(",") for line in (toy / f"{rows}.csv").read_text().splitlines()[1:]]
    labels = [line[2] if rows == "text" else int(line[2]) for line in columns]
    data = {"a": [float(line[0]) for line in columns], "b": [float(line[1]) for line in columns]}

    with ModelManager(tmp_path) as manager, pytest.raises(LeptonError) as raised:
        manager.train(CreditScoringModel(), data, labels)

    assert str(raised.value) == recorded(raised.value) == sentence
    assert not OF_PYTHON.search(sentence)


def test_an_index_that_pandas_wrote_is_dropped_by_whoever_reads_it(toy: Path) -> None:
    with pytest.raises(LeptonError) as raised:
        labelled(str(toy / "index.csv"), "y")

    assert str(raised.value).endswith(
        "drop the column '', write the file without its index, or give the column a name if it is a feature"
    )


def test_a_model_is_named_behind_a_command_that_takes_it_there(cli: Cli) -> None:
    assert cli("archive").err == "lepton: this ledger holds several models, gone, toy; name one of them\n"


def test_a_record_has_the_words_of_no_door() -> None:
    error = LeptonError("it is so", python="call it", cli="`lepton it`")

    assert (str(error), recorded(error)) == ("it is so; call it", "it is so")
    with read_at("cli"):
        assert str(error) == f"it is so; {at_door(python='', cli='`lepton it`')}"
    error.kept_as("3f9c")
    assert recorded(error) == "it is so; what was to be saved is kept: `lepton adopt 3f9c` takes it in, also elsewhere"


STOOD: list[tuple[str, str, str]] = [
    # what stood already is said to: the first answer and the second
    ("branch hotfix toy@1", "branch hotfix opened at version 1 of toy", "branch hotfix already stands at version 1 of toy"),
    ("tag v1 toy@1", "tag v1 bound to version 1 of toy", "tag v1 is already bound to version 1 of toy"),
    ("alias live toy@1", "alias live stands on version 1 of toy", "alias live already stands on version 1 of toy"),
    ("metric define toy zeal --better lower", "zeal of toy is better lower", "zeal of toy is better lower, as it was defined already"),
    ("clear toy@3 --reason alarm", "version 3 of toy may be suggested again", "version 3 of toy may already be suggested again"),
    ("archive gone", "model gone is archived; `lepton unarchive` opens it again", "model gone is already archived; `lepton unarchive` opens it again"),
    ("unarchive gone", "model gone is open", "model gone is open already"),
    ("merge toy@3 --into side --strategy theirs", "version 4 of toy merges 1 and 3 into side", "version 4 of toy holds that already, and is the head of side"),
    ("annotate toy@1 a=1", "version 1 of toy bears 1 note\n  a  1", "version 1 of toy bears 1 note\n  a  1"),
    ("rollback toy@1 --yes", "rolled back", "nothing moved: main stands on version 1"),
    ("init", "the ledger was already in", "the ledger was already in"),
]  # fmt: skip


def test_what_stood_already_is_said_to_and_records_nothing(cli: Cli, tmp_path: Path) -> None:
    import shutil

    shutil.copytree(cli.home, tmp_path / "home")
    cli = Cli(tmp_path / "home")
    for line, first, again in STOOD:
        done = cli(line)
        end = cli.end()
        repeated = cli(line)

        assert (done.code, repeated.code, repeated.err) == (0, 0, ""), (line, done, repeated)
        assert first in done.out, line
        assert again in repeated.out, line
        assert cli.end() == end, line
        assert "already" not in done.out or line == "init"


def test_a_file_that_is_saved_twice_makes_one_version(cli: Cli, tmp_path: Path) -> None:
    home = Cli(tmp_path / "home")
    assert cli("export toy@1 -o toy.safetensors").code == 0

    assert home("save toy.safetensors --model toy").out == "toy on main has version 1\n"
    assert home("save toy.safetensors --model toy").out == "toy on main holds that already, as version 1\n"
    (cli.home.parent / "toy.safetensors").unlink()


def test_what_is_sent_again_under_its_key_is_answered_as_it_was(cli: Cli, tmp_path: Path) -> None:
    home = Cli(tmp_path / "home")
    with ModelManager(home.home) as manager:
        manager.save_version({"w": np.ones(1)}, name="toy")

    assert home("tag v1 --key k").out == "tag v1 bound to version 1 of toy\n"
    assert home("tag v1 --key k").out == "tag v1 bound to version 1 of toy\n"
    assert home("tag v1").out == "tag v1 is already bound to version 1 of toy\n"
