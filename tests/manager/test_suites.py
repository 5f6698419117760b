"""Suites through the SDK: defined, run and retired, what they guard, and what is refused."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

import lepton_ai
from lepton_ai import GateNotMet, ModelManager, Refused, UnknownRevision
from lepton_ai.errors import Malformed
from lepton_ai.evaluation.own import metrics as own

from ..cli_home import loans
from ..cli_home import make as make_home

RISES = "roc_auc >= parent.roc_auc - 0.9"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    make_home(folder / "home", loans(folder / "loans.csv"))
    return folder


@pytest.fixture
def manager(made: Path, tmp_path: Path) -> ModelManager:
    """A ledger of seven versions of `credit`, named data `quarter`, and a suite `trial`, which a test may change."""
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    return ModelManager(tmp_path / "home", actor="ada")


@pytest.fixture
def reader(made: Path) -> ModelManager:
    """The same, for tests that change nothing."""
    return ModelManager(made / "home", actor="ada")


def test_a_suite_says_what_it_was_defined_as_and_the_same_again_is_no_news(manager: ModelManager) -> None:
    asked: dict[str, Any] = {"require": RISES, "metrics": ["f1"], "model": "credit", "draws": 10}
    one = manager.define_suite("nightly", "quarter", message="each night", **asked)
    again = manager.define_suite("nightly", "data:quarter", **asked)
    other = manager.define_suite("nightly", "quarter", **asked | {"require": [RISES, "f1 > 0.1"]})

    assert (one.version, one.branch, one.named, one.source, one.message) == (
        1, "main", "quarter@2", None, "each night",
    )  # fmt: skip
    assert (one.label, one.data["rows"], one.report) == ("label", 120, {"draws": 10})
    assert again == one
    assert (other.version, other.requirements, manager.suite("nightly@1").requirements) == (
        2, (RISES, "f1 > 0.1"), (RISES,),
    )  # fmt: skip
    assert [each.suite for each in manager.suites()] == ["nightly", "trial"]


def test_a_file_that_moved_is_another_definition_and_other_bytes_of_the_same_rows_are_none(
    manager: ModelManager, made: Path, tmp_path: Path
) -> None:
    one = manager.define_suite("nightly", made / "loans.csv", "default", require="f1 > 0.1")
    moved = manager.define_suite("nightly", tmp_path / "loans.csv", "default", require="f1 > 0.1")
    path = tmp_path / "loans.csv"
    path.write_text(path.read_text().replace("\n", "\r\n"))
    same = manager.define_suite("nightly", path, "default", require="f1 > 0.1")

    assert (one.version, moved.version, same.version) == (1, 2, 2)
    assert one.data == moved.data == same.data
    assert all(str(tmp_path) not in str(event) for event in manager.events(opened=False))


def test_a_run_is_recorded_as_evaluations_and_a_gate_of_the_suite(manager: ModelManager) -> None:
    run = manager.run_suite("trial", "credit@4")
    again = manager.run_suite("trial", "credit@4", key="k")
    repeated = manager.run_suite("trial", "credit@4", key="k")

    assert run
    assert run.gate is not None
    assert (run.gate.suite, run.gate.name, run.metrics.keys()) == ("trial", "trial", {"f1", "roc_auc"})
    assert again == repeated
    assert again.gate != run.gate
    verdict, *rest = manager.suite("trial").verdicts
    assert (verdict.version, verdict.status, verdict.metrics, rest) == (4, "passed", run.metrics, [])
    shown = manager.show("credit@4")
    assert {"trial/f1", "trial/roc_auc"} <= shown.metrics.keys()
    assert (shown.suites, "trial@1 passed" in str(shown)) == ({"trial@1": True}, True)


def test_an_alias_guarded_by_a_suite_moves_to_what_passed_it_as_it_is_defined_now(manager: ModelManager) -> None:
    manager.protect("production", suite="trial", model="credit")
    with pytest.raises(GateNotMet, match=r"passed no gate that requires what suite trial does as it is defined now"):
        manager.alias("production", "credit@4")
    assert manager.gate("credit@4", suite="trial").passed
    manager.define_suite("trial", "quarter", require="roc_auc > 0.2", draws=0)
    with pytest.raises(GateNotMet, match=r"gate\('credit@4', suite='trial'\) judges it"):
        manager.alias("production", "credit@4")
    manager.gate("credit@4", suite="trial").check()

    assert manager.alias("production", "credit@4") == 4
    with pytest.raises(GateNotMet):
        manager.rollback(model="credit", alias="production")
    manager.rollback(model="credit", alias="production", override=True, reason="alerts")
    assert manager.aliases(model="credit")["production"] == 2


def test_a_retired_suite_is_run_and_guards_no_more_until_it_is_defined_again(manager: ModelManager) -> None:
    retired = manager.retire_suite("trial", reason="old loans")
    assert retired.retired is not None
    assert manager.retire_suite("trial") == retired
    assert (list(manager.suites()), [each.suite for each in manager.suites(retired=True)]) == ([], ["trial"])
    for act in (
        lambda: manager.run_suite("trial", "credit@4"),
        lambda: manager.gate("credit@4", suite="trial"),
        lambda: manager.protect("production", suite="trial", model="credit"),
    ):
        with pytest.raises(Refused, match="suite 'trial' is retired and judges no more versions; define_suite opens"):
            act()
    assert manager.define_suite("trial", "quarter", require="roc_auc > 0.1", draws=0).retired is None
    assert manager.run_suite("trial", "credit@4")


def test_a_suite_measures_metrics_of_ones_own(manager: ModelManager, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own, "_metrics", {})

    @lepton_ai.metric("hits", better="higher")
    def hits(labels: Any, predictions: Any) -> float:
        return float((labels == predictions).sum())

    record = manager.define_suite("own", "quarter", require="hits > 10", metrics=["f1"], model="credit", draws=0)
    run = manager.run_suite("own", "credit@4")

    assert (record.report["metrics"], run.passed) == (["hits"], True)
    assert run.gate is not None
    assert run.gate.requirements[0].numbers["hits"] == manager.show("credit@4").metrics["own/hits"]


def test_branch_and_model_may_still_have_to_come(manager: ModelManager) -> None:
    record = manager.define_suite("nightly", "quarter", require="f1 > 0.1", model="pricing", branch="weekly")

    assert (record.model, record.branch, record.verdicts) == ("pricing", "weekly", ())


@pytest.mark.parametrize(
    ("changed", "kind", "complaint"),
    [
        ({"data": [[1, 2]]}, Malformed, "data is"),
        ({"data": "none.csv", "labels": "y"}, Malformed, "there is no file 'none.csv'"),
        ({"data": "nowhere"}, UnknownRevision, "there is no data named 'nowhere'"),
        ({"data": "empty.csv", "labels": "default"}, Malformed, "no rows"),
        ({"data": "loans.csv", "labels": "defualt"}, Malformed, "has no column 'defualt'; did you mean default?"),
        ({"data": "loans.csv", "labels": None}, Malformed, "nothing says which column of loans.csv holds the labels"),
        ({"labels": "other"}, Malformed, "the labels of quarter@2 are its column 'label'"),
        ({"drop": ["kind"]}, Malformed, "are read as they were named; leave types, drop and columns out"),
        ({"require": "f7 > 0.5"}, Malformed, r"in 'f7 > 0.5' at character 1: 'f7' is no figure of a binary model"),
        ({"require": "rmse < 1"}, Malformed, "'rmse' is no figure of a binary model"),
        ({"metrics": ["macro_f1"]}, Malformed, "the suite reports 'macro_f1', and 'macro_f1' is no figure of a binary"),
        ({"require": "f1 > against.f1"}, Malformed, "say so with against='production'"),
        ({"evaluation": "trial"}, Refused, "the evaluations of suite 'trial' are called 'trial' already"),
        ({"sensitive": ["income", "sex"]}, Malformed, "has no column 'sex'"),
        ({"sensitive": "kind"}, Malformed, "a list of names; write \\['kind'\\]"),
        ({"groups": [1, 2]}, Malformed, "named as columns of its rows"),
        ({"draws": -1}, Malformed, "the suite's report, draws"),
        ({"drawn": 1}, Malformed, "there is no option 'drawn'"),
        ({"name": "a b"}, Malformed, "'a b' cannot name a suite"),
        ({"model": None, "branch": "main"}, Malformed, "name both of them, or neither"),
    ],
)
def test_what_defines_no_suite_is_refused_and_records_nothing(
    changed: dict[str, Any],
    kind: type[Refused],
    complaint: str,
    reader: ModelManager,
    made: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(made)
    (made / "empty.csv").write_text("income,default\n")
    asked: dict[str, Any] = {"name": "nightly", "data": "quarter", "require": RISES, "model": "credit"} | changed
    name, data, before = asked.pop("name"), asked.pop("data"), reader.verify()

    with pytest.raises(kind, match=complaint):
        reader.define_suite(name, data, **asked)
    assert reader.verify() == before


def test_what_is_asked_of_no_suite_is_refused(reader: ModelManager) -> None:
    for act, complaint in (
        (lambda: reader.suite("trail"), "there is no suite 'trail'; did you mean trial?"),
        (lambda: reader.suite("trial@2"), "suite 'trial' has no version 2; its versions are 1 to 1"),
        (lambda: reader.suite("trial@x"), "'trial@x' is no suite; write NAME, or NAME@2"),
        (lambda: reader.run_suite("nightly", "credit@4"), "there is no suite 'nightly'; there are trial"),
        (lambda: reader.retire_suite("nightly"), "there is no suite 'nightly'"),
        (lambda: reader.gate("credit@4", suite="trial", require="f1 > 0"), "says on which rows and what is required"),
        (lambda: reader.protect("p", suite="trial", require="f1 > 0", model="credit"), "give one of the two"),
        (lambda: reader.run_suite("trial", "credit@99"), "credit has no version 99"),
    ):
        with pytest.raises(Refused, match=complaint):
            act()


def test_a_suite_that_requires_nothing_has_no_gate_and_guards_nothing(manager: ModelManager) -> None:
    manager.define_suite("looks", "quarter", draws=0)
    run = manager.run_suite("looks", "credit@4")

    assert (run.passed, run.gate, run.metrics["f1"] > 0) == (True, None, True)
    for act in (
        lambda: manager.gate("credit@4", suite="looks"),
        lambda: manager.protect("production", suite="looks", model="credit"),
    ):
        with pytest.raises(Refused, match="suite 'looks' requires nothing"):
            act()
