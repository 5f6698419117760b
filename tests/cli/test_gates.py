"""Gates at the command line: exit codes, files, protected aliases, and the workflow that the docs show."""
# ruff: noqa: E501

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest
import yaml

from lepton_ai import ModelManager
from lepton_ai.cli.app import lepton

from ..cli_home import Cli

ROOT = Path(__file__).parents[2]
BETTER = "--require 'f1 >= against.f1 - 0.01'"


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """A model net: 1, 2, 3 on main with figures of the same rows; production on 1."""
    monkeypatch.chdir(tmp_path)
    rows = (np.arange(6.0).reshape(3, 2), np.array([0, 1, 1]))
    with ModelManager(tmp_path / "home", actor="ada") as manager:
        for f1 in (0.8, 0.7, 0.9):
            manager.save_version({"w": np.full(2, f1)}, name="net", metrics={"f1": f1}, validation=rows, task="binary")
        manager.alias("production", "net@1")
    return Cli(tmp_path / "home")


def test_a_gate_that_is_met_exits_with_0_and_one_that_is_not_with_4(cli: Cli) -> None:
    passed = cli(f"gate 3 --against production {BETTER} --require 'f1 > parent.f1' --junit g.xml --markdown g.md")
    failed = cli(f"gate 2 --against production {BETTER} --junit g.xml --markdown g.md --json")

    assert (passed.code, passed.err) == (0, "")
    assert passed.out.startswith("version 3 of net passes the gate, against 1, parent 2\n")
    assert failed.code == 4
    assert failed.err == "lepton: version 2 of net does not meet 'f1 >= against.f1 - 0.01': not 0.7 >= 0.79\n"
    assert failed.json["passed"] is False
    assert failed.json["requirements"][0]["numbers"] == {"f1": 0.7, "against.f1": 0.8}
    assert 'failures="1"' in Path("g.xml").read_text()
    assert Path("g.md").read_text().startswith("### ❌ version 2 of net does not pass the gate, against 1\n")


@pytest.mark.parametrize(
    ("line", "code", "says"),
    [
        ("gate 2 --require ''", 1, "in '' at character 1: expected a name, found 'the end'"),
        ("gate 2", 1, "a gate has 100 requirements at most, and one at least, such as 'f1 >= against.f1 - 0.01'"),
        ("gate 2 --require 'f2 > 0'", 1, "in 'f2 > 0' at character 1: no version that is judged here has a figure 'f2'; there are f1"),
        ("gate 2 --require 'f1 >= against.f1'", 1, "a requirement compares with against., and there is no version for it; name one by --against REV"),
        ("gate 1 --require 'f1 >= parent.f1'", 1, "version 1 of net has no parent to be compared with; compare it with another version by against."),
        ("gate 1 --against production --require 'f1 > 0'", 1, "version 1 of net is not gated against itself; name the version that it is to follow"),
        ("gate 2 --require 'f1 > 0' --name spring", 1, "no figure of version 2 of net is known to be of any rows called 'spring'; --data FILE --label COLUMN judges them on the same rows now"),
        ("gate 2 --require 'f1 > 0' --label default", 2, "--label is a column of --data; give both"),
        ("gate 2 --require 'f1 > 0' --data nope.csv --label y", 1, "version 2 of net was saved as bare tensors, without a class; judge it from Python, in a process that has the class"),
        ("gate 2 --require 'f1 > 0' --junit no/where.xml", 1, "no/where.xml cannot be written (No such file or directory); name another place"),
        ("gate 2 --require 'f1 > 0' --markdown home", 1, "home is no file; name one"),
        ("alias production 2 --require 'f1 > 0'", 2, "--require, --against and --suite protect an alias; write `lepton alias protect NAME`"),
        ("alias protect", 2, "protect is about an alias; name one behind it"),
        ("alias unprotect", 2, "unprotect is about an alias; name one behind it"),
        ("alias protect production", 1, "say what a version must meet for production to move to it; as in --require 'f1 >= against.f1 - 0.01'"),
        ("alias protect main --require 'f1 > 0'", 1, "'main' is a branch of net; branches, tags and aliases share one name space"),
        ("alias unprotect production", 1, "alias 'production' of net is not protected; there is nothing to take off"),
    ],
    ids=range(17),
)  # fmt: skip
def test_what_is_asked_wrongly_is_refused_and_records_nothing(cli: Cli, line: str, code: int, says: str) -> None:
    before = cli.end()

    ended = cli(line)

    assert (ended.code, ended.out) == (code, "")
    assert ended.err.rstrip("\n").endswith(says)
    assert cli.end() == before


def test_a_protected_alias_says_which_command_judges_its_gate(cli: Cli) -> None:
    protected = cli(f"alias protect production {BETTER} --reason audit")
    refused = cli("alias production 3")

    assert protected.out.startswith("alias production of net moves only to versions that passed a gate:\n")
    assert (refused.code, refused.out) == (4, "")
    (command,) = re.findall("`lepton (.*?)`", refused.err)
    assert cli(command).code == 0
    assert cli("alias production 3").code == 0
    listed = cli("alias --json").json
    assert listed["aliases"]["production"]["version"] == 3
    assert listed["protected"]["production"]["requirements"] == ["f1 >= against.f1 - 0.01"]
    assert "f1 >= against.f1 - 0.01" in cli("alias").out


def test_a_protected_alias_is_moved_back_and_given_up_only_on_purpose(cli: Cli) -> None:
    cli("alias production 3")
    cli("alias protect production --require 'f1 > 0.85'")

    for line in ("alias production 2", "rollback --alias production --yes", "rollback 1 --move-alias production --yes",
                 "rollback --alias production --dry-run"):  # fmt: skip
        ended = cli(line)
        assert (ended.code, ended.out) == (4, ""), line
    assert cli("alias -d production").code == 1
    assert "give --reason" in cli("rollback --alias production --override --yes").err
    assert cli("rollback --alias production --override --reason alarms --yes").code == 0
    assert cli("alias production 2 --override --reason 'a try'").code == 0
    assert cli("alias unprotect production").out == "alias production moves freely again\n"
    assert cli("alias -d production").code == 0


def workflow() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "examples" / "gate.yml").read_text())


def test_the_workflow_in_the_docs_is_the_example() -> None:
    (shown,) = re.findall(r"^```yaml\n(.*?)^```$", (ROOT / "docs" / "gates.md").read_text(), re.DOTALL | re.MULTILINE)

    assert yaml.safe_load(shown) == workflow()


def test_every_command_of_the_workflow_is_one_with_these_options() -> None:
    steps = workflow()["jobs"]["gate"]["steps"]
    lines = [line for step in steps for line in step.get("run", "").splitlines() if line.startswith("lepton ")]
    assert [line.split()[1] for line in lines] == ["branch", "train", "gate"]

    with click.Context(lepton) as root:
        for line in lines:
            _, name, *words = shlex.split(line)
            command = lepton.get_command(root, name)
            assert command is not None
            asked = command.make_context(name, words, parent=root).params
            assert "production" in (asked.get("rev"), asked.get("against")) or name == "train"


def test_the_workflow_comments_what_the_gate_wrote() -> None:
    steps = {step.get("name"): step.get("run", "") for step in workflow()["jobs"]["gate"]["steps"]}

    (written,) = re.findall(r"--markdown (\S+)", steps["Judge"])
    assert f"--body-file {written} " in steps["Comment"]
    assert workflow()["permissions"] == {"contents": "read", "pull-requests": "write"}
