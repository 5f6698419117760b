"""Chains: held whole against what a chain may be, done step by step, and gone on with where they stopped."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from lepton_ai import ModelManager
from lepton_ai.errors import Malformed
from lepton_ai.results import ChainRecord

from ..cli_home import Cli, loans

CHAIN = """
[steps.promote]
kind = "alias"
version = "step:gate"
alias = "production"
after = ["tag"]

[steps.train]
kind = "train"
class = "credit-scoring-model"
model = "credit"
data = "loans.csv"
label = "default"
hyperparameters = { epochs = 2, members = 1, hidden = [4] }

[steps.judge]
kind = "evaluate"
version = "step:train"
data = "loans.csv"
label = "default"
name = "loans"
draws = 0

[steps.gate]
kind = "gate"
version = "step:train"
require = "f1 >= 0"
name = "loans"
after = ["judge"]

[steps.tag]
kind = "tag"
version = "step:gate"
tag = "v1"
"""
TAG = {"kind": "tag", "version": 1, "tag": "v1"}


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a chain that was asked for, left, and gone on with."""
    folder = tmp_path_factory.mktemp("chain")
    loans(folder / "loans.csv")
    (folder / "credit.toml").write_text(CHAIN)
    with ModelManager(folder / "home", actor="ada") as manager:
        begun, again = (manager.chain(folder / "credit.toml", wait=False) for _ in range(2))
        assert states(begun) == states(again)
        assert [step.status for step in begun.steps] == ["queued", "waiting", "waiting", "waiting", "waiting"]
        assert begun.status == "running"
        assert len(manager.jobs.recent()) == 2
        manager.chain(folder / "credit.toml")
    return folder


@pytest.fixture
def folder(done: Path, tmp_path: Path) -> Path:
    """A copy of it, which a test may change."""
    shutil.copytree(done, tmp_path, dirs_exist_ok=True)
    return tmp_path


@pytest.fixture
def manager(folder: Path) -> Iterator[ModelManager]:
    with ModelManager(folder / "home", actor="ada") as manager:
        yield manager


def states(chain: ChainRecord) -> dict[str, tuple[str, str | None]]:
    """How each step stands, and the job that it is."""
    return {step.step: (step.status, step.job) for step in chain.steps}


def steps(manager: ModelManager, **asked: Mapping[str, Any]) -> ChainRecord:
    """A chain of these steps, run to its end."""
    return manager.chain({"name": "other", "steps": asked})


def test_a_chain_that_finished_is_not_done_again(manager: ModelManager, done: Path) -> None:
    end = manager.verify().size

    again = manager.chain(done / "credit.toml")  # which lies where it lay

    assert [(step.step, step.status, int(step.version or 0)) for step in again.steps] == [
        (name, "finished", 1) for name in ("train", "judge", "gate", "tag", "promote")
    ]
    assert again.status == "finished"
    assert manager.verify().size == end
    assert manager.tags("credit") == {"v1": 1}
    assert manager.aliases(model="credit") == {"production": 1}
    assert "train, a step of credit" in {job.message for job in manager.jobs.recent()}


def test_a_chain_is_told_as_whoever_ran_it_was_told(manager: ModelManager, done: Path) -> None:
    ran = manager.chain(done / "credit.toml")

    assert manager.show_chain("credit") == ran
    assert [(each.chain, each.far) for each in manager.chains()] == [("credit", "5/5")]
    before = next(event for event in manager.events() if event["type"] == "lepton.chain.advanced.v1")
    then = manager.as_of(int(before["sequence"])).show_chain("credit")
    assert [step.status for step in then.steps] == ["queued", "waiting", "waiting", "waiting", "waiting"]
    told = Cli(done / "home")("chains credit")
    assert (told.code, told.out.split()[:4]) == (0, ["chain", "credit", "is", "finished"])
    unknown = Cli(done / "home")("chains nightly")
    assert (unknown.code, unknown.err) == (1, "lepton: there is no chain 'nightly'; `lepton chains` lists them\n")


def test_a_chain_under_another_name_is_another(manager: ModelManager, done: Path) -> None:
    asked = manager.chain(done / "credit.toml", name="monday", wait=False)

    assert [step.status for step in asked.steps][:2] == ["queued", "waiting"]


def test_what_failed_is_asked_for_anew_with_all_that_takes_from_it(manager: ModelManager, folder: Path) -> None:
    train = {"kind": "train", "class": "credit-scoring-model", "model": "credit", "label": "default"}
    train |= {"data": str(folder / "loans.csv"), "hyperparameters": {"epochs": 1, "members": 1, "hidden": [4]}}
    judge = {"kind": "evaluate", "version": "step:train", "data": str(folder / "loans.csv"), "label": "default"}
    gate = {"kind": "gate", "version": "step:train", "require": "f1 > 2", "name": "loans", "after": ["judge"]}
    asked = {
        "train": train,
        "judge": judge | {"name": "loans", "draws": 0},
        "gate": gate,
        "tag": TAG | {"version": "step:gate"},
    }
    begun = manager.chain({"name": "other", "steps": asked}, wait=False)
    manager.jobs.cancel(states(begun)["train"][1] or "", reason="wrong rows")
    called_off = manager.jobs.show(manager.jobs.wait(states(begun)["judge"][1] or "").job)

    chain = steps(manager, **asked)

    assert called_off.error == "UpstreamFailed"
    stands = states(chain)
    assert [status for status, _ in stands.values()] == ["finished", "finished", "failed", "failed"]
    assert {stands[name][1] for name in ("train", "judge")}.isdisjoint(job for _, job in states(begun).values())
    assert "does not meet 'f1 > 2'" in chain.steps[2].reason
    assert (chain.status, chain.steps[3].reason) == ("failed", "step gate is failed")
    assert manager.show_chain("other") == chain
    later = steps(manager, **asked)
    assert [stands[name] == states(later)[name] for name in stands] == [True] * 4
    gates = manager.sql("SELECT count(*) AS n FROM gates WHERE NOT passed").to_pylist()
    assert gates == [{"n": 2}], "a gate that was not met is judged anew"


@pytest.mark.parametrize(
    ("asked", "complaint"),
    [
        ({"a": TAG | {"after": ["b"]}, "b": TAG | {"after": ["a"]}}, r"step [ab]: it waits for itself \([ab] needs"),
        ({"a": TAG | {"version": "step:c"}}, "step a: there is no step 'c'; there are first, a"),
        ({"a": TAG | {"kind": "prune"}}, "step a: there is no kind of step 'prune'; there are train, evaluate, gate"),
        ({"a": TAG | {"colour": "red"}}, "step a: colour: it takes no such thing; tag takes after, version, tag"),
        ({"a": {"kind": "tag", "tag": "v"}}, "step a: version: field required"),
        ({"a": {"kind": "evaluate", "version": 1, "data": "no.csv"}}, "step a: there is no file 'no.csv' for its data"),
        ({"a": {"kind": "evaluate", "version": 1, "data": "nobody"}}, "step a: there is no data named 'nobody'"),
        ({"a": {"kind": "evaluate", "version": 1, "data": "step:a"}}, "step a: data takes no step"),
        ({"a b": TAG}, "'a b' cannot name a step"),
        ({"a": "tag"}, "a step is a table"),
        ({}, "it has no steps"),
    ],
)
def test_a_chain_is_held_whole_against_what_it_may_be_before_anything_is_asked_for(
    asked: dict[str, Any], complaint: str, manager: ModelManager
) -> None:
    end = manager.verify().size

    with pytest.raises(Malformed, match=complaint):
        steps(manager, **{"first": TAG | {"tag": "v9"}} | asked if asked else asked)
    assert manager.verify().size == end


def test_the_command_line_runs_a_chain_and_exits_by_its_end(folder: Path) -> None:
    lepton = Cli(folder / "home")
    (folder / "tag.toml").write_text('[steps.a]\nkind = "tag"\nversion = "credit@1"\ntag = "v2"\n')
    (folder / "bad.toml").write_text('[steps.a]\nkind = "tag"\nversion = "credit@9"\ntag = "v3"\n')
    (folder / "none.toml").write_text("steps = [")

    told = lepton(f"chain {folder / 'tag.toml'} --json").json
    failed, none = lepton(f"chain {folder / 'bad.toml'}"), lepton(f"chain {folder / 'none.toml'}")

    assert (told["chain"], told["status"]) == ("tag", "finished")
    assert told["steps"][0] | {"needs": []} == {
        "step": "a", "kind": "tag", "status": "finished", "needs": [], "job": None, "model": "credit", "version": 1,
        "reason": "",
    }  # fmt: skip
    assert (failed.code, "chain bad is failed" in failed.out) == (1, True)
    assert "step a of chain bad is failed: " in failed.err
    assert (none.code, none.err.startswith("lepton: none.toml is no chain (")) == (1, True)
