"""Suites with real workers: killed on the way, on rows that changed, and on rows that bear a name."""

from __future__ import annotations

import os
import re
import signal
from typing import Any

import pytest

from lepton_ai import GateNotMet, ModelManager, Refused
from lepton_ai.datasets.read import labelled
from lepton_ai.models import CreditScoringModel

from ..asking import until
from ..cli_home import loans
from ..worker_process import worker

LONG = 120.0
TERMS = {"start": 4, "lease": 2, "heartbeat": 0.3, "pause": 0.1, "drain": 1}


def train(manager: ModelManager, data: str, **chosen: object) -> int:
    model = CreditScoringModel()
    for name, value in {"epochs": 2, "members": 1, "hidden": [4], **chosen}.items():
        model.add_hyperparameter(name, value)
    return int(manager.train(model, *labelled(data, "default"), name="credit"))


def happened(manager: ModelManager, what: str) -> int:
    """How many events of a type there are."""
    return sum(event["type"] == f"lepton.{what}.v1" for event in manager.events())


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> ModelManager:
    """A ledger with three suites, whose worker and assigner were killed at work, and others came after them."""
    folder = tmp_path_factory.mktemp("suites")
    data, other = folder / "loans.csv", folder / "other.csv"
    loans(data)
    other.write_text(data.read_text())
    manager = ModelManager(folder / "home", actor="ada")
    manager.add_data("quarter", data, "default", keep=True)
    train(manager, str(data))
    watching: dict[str, Any] = {"model": "credit", "draws": 0}
    manager.define_suite("by-file", data, "default", require="f1 >= parent.f1 - 0.5", metrics=["f1"], **watching)
    manager.define_suite("by-name", "quarter", require="f1 > 0.1", **watching)
    manager.define_suite("changed", other, "default", require="f1 > 0.1", **watching)
    other.write_text(data.read_text().replace(",house,", ",car,"))
    train(manager, str(data), epochs=3)  # committed, and nobody is there who submits
    process = worker(folder / "home", **TERMS)
    until(lambda: happened(manager, "job.started") > 0, LONG)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert worker(folder / "home", "--once", **TERMS).wait(LONG) == 0
    return manager


def test_each_version_is_judged_once_though_worker_and_assigner_were_killed(past: ModelManager) -> None:
    assert [(each.version, each.status) for each in past.suite("by-file").verdicts] == [(2, "passed")]
    judged = [
        (each["name"], each["version"]) for each in past.sql("FROM evaluations ORDER BY name, version").to_pylist()
    ]
    assert judged == [("by-file", 1), ("by-file", 2), ("by-name", 2)], "version 1 for version 2 to be compared with"
    assert (happened(past, "gate.judged"), happened(past, "job.submitted")) == (2, 4)
    assert past.fsck() == []


def test_a_suite_judges_on_the_rows_that_it_was_defined_on_and_on_no_others(past: ModelManager) -> None:
    (changed,), (kept,) = (past.suite(name).verdicts for name in ("changed", "by-name"))
    assert (kept.status, {"f1", "roc_auc"} <= kept.metrics.keys()) == ("passed", True)
    assert changed.status == "failed"
    words = "suite changed@1 was defined on other rows than its data holds now (120, with other values)"
    assert changed.words == words
    with pytest.raises(Refused, match=re.escape(words)):
        past.run_suite("changed", "credit@1")


def test_a_suite_is_run_on_a_version_here_and_says_what_is_not_met(past: ModelManager) -> None:
    past.define_suite("by-name", "quarter", require="f1 > 2", draws=0)
    run = past.run_suite("by-name", "credit@1")

    assert (run.suite_version, run.passed, bool(run)) == (2, False, False)
    with pytest.raises(GateNotMet, match="version 1 of credit does not meet 'f1 > 2'"):
        run.check()
