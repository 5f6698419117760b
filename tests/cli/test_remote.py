"""The command line on a server: every command does what it does on a home, or says where it belongs."""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lepton_ai import Refused

from ..cli_home import Answer, Cli
from ..cli_home import made as made
from ..web.server import served
from .test_reference import KEPT, WITH_JSON, commands, words_of

ELSEWHERE = {
    "build", "chain", "fsck", "init", "intake", "projector", "rebuild", "rejected", "relay", "restore", "serve",
    "snapshot", "upgrade", "worker",
}  # fmt: skip
"""What needs the ledger's own machine."""
ALONE = {"chains", "completion", "logs", "status", "sync", "kept", "adopt", "token", "prove", "demo"}
"""What tells of where it runs, makes a ledger of its own and serves it, or is of a spool that is each door's own; once
there is a token all must show one. Two ledgers' proofs have nothing in common: tests/evidence. A chain's steps have
keys that tell where its rows lie: tests/manager/test_contract.py asks for chains at both doors."""
_VARYING = re.compile(
    r"\d{4}-\d\d-\d\dT[\d:.]+(\+00:00|Z)|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
    r"|packs/../[0-9a-f]{32}|lepton adopt [0-9a-f]{12}|(sha256|blake3):[0-9a-f]{64}|sealed:v1:[\w=-]+"
    r"|\+[0-9a-f]{8}\+[\w+/=]{44}|\n[\w+/]{43}=\n|— \S+ [\w+/=]+"  # a key, and the root and signature in a note
    r"|/(here|there)/"
)


@pytest.fixture
def doors(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Cli, Cli]]:
    """The command line on a home, and on a server of a copy of it."""
    monkeypatch.setenv("LEPTON_ACTOR", "ada")
    monkeypatch.setenv("LEPTON_SPOOL", str(tmp_path / "spool"))
    for name in ("here", "there"):
        shutil.copytree(made, tmp_path / name)
    monkeypatch.chdir(tmp_path / "here")
    with served(tmp_path / "there" / "home") as server:
        yield Cli(tmp_path / "here" / "home"), Cli(tmp_path / "there" / "home", LEPTON_HOME=server.url)


def steady(answer: Any) -> Any:
    """An answer without what no two calls have in common: times, ids, digests of what has these in it, folders."""
    if isinstance(answer, dict):
        return {name: steady(value) for name, value in answer.items()}
    if isinstance(answer, list):
        return [steady(each) for each in answer]
    if isinstance(answer, float):
        return pytest.approx(answer, rel=1e-6, nan_ok=True)
    return _VARYING.sub("…", answer) if isinstance(answer, str) else answer


def test_every_example_answers_the_same_at_both_doors(doors: tuple[Cli, Cli], monkeypatch: pytest.MonkeyPatch) -> None:
    here, there = doors
    for name, example in WITH_JSON:
        if name in ELSEWHERE | ALONE or KEPT in example or _of_one_door(example):
            continue
        answers: list[Answer] = []
        for cli in (here, there):
            monkeypatch.chdir(cli.home.parent)  # each writes its own files
            words = [word for word in _words(example, cli)[1:] if word != "--json"]
            answers.append(cli([*words, "--json"]))
        told, heard = answers
        assert (heard.code, steady(heard.err)) == (told.code, steady(told.err)), example
        if told.code == 0:
            assert _ordered(heard.json, example) == _ordered(told.json, example), example


def _ordered(answer: Any, example: str) -> Any:
    """A steady answer; the rows of SQL that names no order, which have none, by what is in them."""
    if example.startswith("lepton sql") and "order by" not in example.casefold():
        answer = {**answer, "rows": sorted(answer["rows"], key=repr)} if answer["rows"] else answer
    return steady(answer)


def _words(example: str, cli: Cli) -> list[str]:
    """An example's words; what it is about is there from an earlier one."""
    try:
        return words_of(example, cli)
    except Refused:
        return shlex.split(example)


def _of_one_door(example: str) -> bool:
    """Whether a worker does it, which at a home is this process; or it has to do with a file of one machine."""
    return (
        "verify --against" in example
        or ("sign-head" in example and "--leaves" in example)
        or example.startswith(("lepton train", "lepton tune", "lepton evaluate"))
        or ("suite define" in example and ".csv" in example)
    )


def test_a_job_is_asked_for_and_called_off(doors: tuple[Cli, Cli]) -> None:
    _, there = doors

    job = there("evaluate credit@4 quarter --detach --json").json["job"]["job"]

    assert there("jobs --json").json["jobs"][0]["job"] == job
    assert there(f"cancel {job} --json").json["job"]["status"] == "cancelled"


def test_workers_of_a_server_read_no_file_of_this_machine(doors: tuple[Cli, Cli]) -> None:
    _, there = doors
    for line in (
        "train credit-scoring-model loans.csv --label default", "evaluate main loans.csv --label default",
        "tune credit-scoring-model loans.csv --label default --trials 2",
        "suite define weekly --data loans.csv --label default --require 'f1 > 0'",
    ):  # fmt: skip
        ended = there(line)
        assert (ended.code, ended.out) == (1, ""), ended.err
        assert "reads named data, and 'loans.csv' is a file of this machine; name its rows first" in ended.err


def test_what_belongs_on_the_ledgers_machine_says_so(doors: tuple[Cli, Cli]) -> None:
    _, there = doors
    lines = {name: command.examples[0] for name, command in commands().items() if name in ELSEWHERE}
    assert set(lines) == ELSEWHERE
    for name, example in lines.items():
        ended = there(words_of(example, there)[1:])
        assert (ended.code, ended.out) == (1, ""), name
        assert "the ledger's own machine" in ended.err, (name, ended.err)
        assert ended.err.count("\n") == 1


def test_who_acts_is_the_owner_of_the_token(doors: tuple[Cli, Cli]) -> None:
    _, there = doors

    ended = there("models --actor bob")

    assert (ended.code, ended.err) == (
        1,
        "lepton: over HTTP who acts is the owner of the token; leave --actor out\n",
    )


def test_what_waits_is_told_as_of_a_home(doors: tuple[Cli, Cli]) -> None:
    here, there = doors

    assert there("sync --json").json == here("sync --json").json
    assert there("kept --json").json == here("kept --json").json
    assert there("status --json").json["events"] == there.end()
