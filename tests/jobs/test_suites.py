"""Suites by themselves: each new version of a watched branch is judged once, whoever is killed on the way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lepton_ai.domain.commands import MoveAliases, RecordEvaluation, RollBack
from lepton_ai.domain.job.commands import AssignJob, FinishJob, Ready, StartJob
from lepton_ai.domain.suites.commands import DefineSuite, RetireSuite
from lepton_ai.errors import Damaged
from lepton_ai.events.actor import Actor
from lepton_ai.jobs.protocol.messages import Failed, Finished, MadeEvaluation, Started
from lepton_ai.jobs.protocol.over_tables import MailResults
from lepton_ai.jobs.suites.due import TOPIC
from lepton_ai.jobs.suites.judging import SuiteJudge
from lepton_ai.ledger import Ledger
from lepton_ai.versions.save import save
from lepton_ai.versions.save_request import Named, Save
from lepton_ai.versions.source import read
from lepton_ai.versions.suites.verdicts import show

from .office import Counted, Office, ready

NOW = datetime(2026, 11, 29, tzinfo=UTC)
ROWS = {"digest": "sha256:d", "rows": 9}
NIGHTLY = DefineSuite(
    suite="nightly",
    data={"digest": f"blake3:{7:064d}", "rows": 9},
    source="file:///data/rows.csv",
    label="y",
    evaluation="nightly",
    requirements=("f1 >= parent.f1 - 0.01",),
    watched="net",
    branch="main",
)


class Judged:
    """An office whose worker evaluates versions as a test has them, and which may begin anew at every step."""

    def __init__(self, office: Office, *, restless: bool = False) -> None:
        self.office = office
        self.restless = restless
        self.answered = 0
        self.figures: Mapping[int, Any] = {}

    def saved(self, value: float, branch: str = "main", parent: int | None = None) -> int:
        """A version of net, whose bytes are told apart by a value."""
        parents = None if parent is None else (Named(str(parent), parent, "trained"),)
        subject = read({"w": np.full(3, value, np.float32)}, "net")
        return int(save(self.office.workspace, subject, Save(branch=branch, parents=parents)))

    def ask(self, command: Any) -> None:
        self.office.workspace.admit(command, None)

    def judge(self, figures: Mapping[int, Any]) -> None:
        """Have a worker evaluate what there is to evaluate; a figure that is a text is why one fails."""
        self.figures = figures
        self._hear(ready("w1", slots=9, capabilities=("suite",)))
        while self.answered < len(self.office.orders.sent):
            order = self.office.orders.sent[self.answered]
            self.answered += 1
            told = {"job": order.job, "epoch": order.epoch}
            self._hear(Started(**told, n=0))
            figure = figures[order.payload["version"]]
            if isinstance(figure, str):
                self._hear(Failed(**told, n=1, error="Refused", reason=figure))
                continue
            made = MadeEvaluation(data=ROWS, metrics={"f1": figure}, task="binary")
            self._hear(Finished(**told, n=1, made=made))

    def _hear(self, *messages: Any) -> None:
        self.office.hear(*messages)
        if self.restless:
            self.office.assigner = self.office.begin()
            self.office.hear()

    @property
    def asked(self) -> list[int]:
        """The versions that a worker was told to evaluate, in order."""
        return [order.payload["version"] for order in self.office.orders.sent]

    @property
    def gates(self) -> list[tuple[int, int, bool]]:
        """The gates as they were judged: the suite's definition, the version, whether it passed."""
        gates = self.office.workspace.model("net").gates
        return [(each.suite_version or 0, each.version, each.passed) for _, each in sorted(gates.items())]


@pytest.fixture
def judged(ledger: Ledger, actor: Actor, tmp_path: Path) -> Judged:
    """An office beside the ledger's own tables."""
    return Judged(Office(ledger, actor, tmp_path / "objects", Counted(MailResults(ledger.store))))


def test_each_new_version_of_a_watched_branch_is_judged_once_and_its_parent_first(office: Office) -> None:
    judged = Judged(office)
    judged.saved(1)
    judged.ask(NIGHTLY)
    judged.saved(2)
    judged.saved(3)
    judged.saved(4, branch="other", parent=2)
    judged.ask(RollBack(model="net", branch="main", to=1, from_version=3))

    judged.judge({1: 0.8, 2: 0.9, 3: 0.5})

    assert sorted(judged.asked) == [1, 2, 3], "version 1 is judged for version 2 to be compared with, and by no gate"
    assert sorted(judged.gates) == [(1, 2, True), (1, 3, False)]
    judged.judge({})
    assert len(judged.asked) == 3
    order = office.orders.sent[0]
    assert (order.source, order.kind, order.payload["suite"]) == ("file:///data/rows.csv", "suite", "nightly")


def test_an_assigner_that_begins_anew_at_every_step_judges_each_version_once(judged: Judged) -> None:
    judged.restless = True
    judged.saved(1)
    judged.ask(NIGHTLY)
    judged.saved(2)
    judged.saved(3)

    judged.judge({1: 0.8, 2: 0.9, 3: 0.5})

    assert sorted(judged.asked) == [1, 2, 3]
    assert sorted(judged.gates) == [(1, 2, True), (1, 3, False)]


def test_whoever_comes_after_one_killed_before_the_gate_judges_it(judged: Judged) -> None:
    """Each step by an assigner of its own, and the evaluation's end recorded while there is none."""
    workspace = judged.office.workspace
    suites = lambda: SuiteJudge(workspace)  # noqa: E731
    judged.saved(1)
    judged.ask(replace(NIGHTLY, requirements=("f1 > 0.5",)))
    judged.saved(2)
    assert suites().acts()
    suites().step()
    (job,) = (stream.removeprefix("job/") for stream in workspace.ledger.store.streams("job/"))
    assert not suites().acts(), "the job is open"
    judged.ask(AssignJob(job=job, ready=(Ready("w", "default", frozenset(("suite",)), 1),), now=NOW, within=9))
    judged.ask(StartJob(job=job, epoch=1))
    made = RecordEvaluation(model="net", version=2, data=ROWS, name="nightly", metrics={"f1": 0.9})
    judged.ask(FinishJob(job=job, epoch=1, made=made))

    assert (suites().acts(), judged.gates) == (True, [])
    for _ in range(2):
        suites().step()

    assert (suites().acts(), judged.gates) == (False, [(1, 2, True)])


def test_a_ledger_that_lost_its_tables_judges_nothing_twice(judged: Judged) -> None:
    judged.saved(1)
    judged.ask(NIGHTLY)
    judged.saved(2)
    judged.judge({1: 0.8, 2: 0.9})
    store = judged.office.workspace.ledger.store
    assert store.position(TOPIC, 0) is not None
    table = store.sql.position.partition(" FROM ")[2].split()[0]
    with store.database.transaction() as connection:
        connection.execute(f"DELETE FROM {table} WHERE topic = '{TOPIC}'")

    judged.office.assigner = judged.office.begin()
    judged.judge({})

    assert (len(judged.asked), judged.gates) == (2, [(1, 2, True)])


def test_what_is_compared_with_an_alias_goes_by_where_that_stands(judged: Judged) -> None:
    judged.saved(1)
    judged.ask(replace(NIGHTLY, requirements=("f1 > against.f1",), against="production"))
    judged.saved(2)
    judged.judge({2: 0.9})
    judged.ask(MoveAliases(model="net", to={"production": 1}))
    judged.saved(3)
    judged.judge({1: 0.8, 3: 0.9})

    assert judged.gates == [(1, 2, False), (1, 3, True)], "there is no figure where the alias stands nowhere"
    gates = judged.office.workspace.model("net").gates.values()
    assert [each.against for each in gates] == [None, 1]


def test_a_first_version_is_no_better_than_its_parent(judged: Judged) -> None:
    judged.ask(NIGHTLY)
    judged.saved(1)
    judged.judge({1: 0.9})

    assert judged.gates == [(1, 1, False)]
    (verdict,) = show(judged.office.workspace, "nightly").verdicts
    assert (verdict.status, verdict.words) == ("not passed", "f1 >= parent.f1 - 0.01")


def test_an_evaluation_that_fails_passes_no_gate_and_says_why(judged: Judged) -> None:
    judged.saved(1)
    judged.ask(NIGHTLY)
    judged.saved(2)
    judged.judge({2: "suite nightly@1 was defined on other rows"})

    assert (judged.asked, judged.gates) == ([2], [])
    (verdict,) = show(judged.office.workspace, "nightly").verdicts
    assert (verdict.status, verdict.passed) == ("failed", None)
    assert verdict.words == "suite nightly@1 was defined on other rows"


def test_where_what_it_is_compared_with_cannot_be_evaluated_a_version_does_not_pass(judged: Judged) -> None:
    judged.saved(1)
    judged.ask(NIGHTLY)
    judged.saved(2)
    judged.judge({1: "no Lepton model", 2: 0.9})

    assert judged.gates == [(1, 2, False)]


def test_figures_of_the_same_rows_are_used_and_not_found_again(judged: Judged) -> None:
    judged.saved(1)
    judged.ask(replace(NIGHTLY, suite="weekly", evaluation="weekly"))
    judged.ask(NIGHTLY)
    judged.saved(2)
    judged.judge({1: 0.8, 2: 0.9})

    judged.saved(3)
    judged.judge({3: 0.9})

    assert sorted(judged.asked) == [1, 1, 2, 2, 3, 3], "two suites each, and version 2 is known when 3 is judged"
    assert len(judged.gates) == 4


def test_a_version_is_judged_by_the_definition_that_counted_when_it_was_committed(judged: Judged) -> None:
    judged.saved(1)
    judged.ask(replace(NIGHTLY, requirements=("f1 > 0.5",)))
    judged.saved(2)
    judged.ask(replace(NIGHTLY, requirements=("f1 > 0.95",)))
    judged.saved(3)
    judged.judge({2: 0.9, 3: 0.9})

    assert sorted(judged.gates) == [(1, 2, True), (2, 3, False)]


def test_a_suite_that_requires_nothing_only_evaluates(judged: Judged) -> None:
    judged.ask(replace(NIGHTLY, requirements=()))
    judged.saved(1)
    judged.judge({1: 0.9})

    assert (judged.asked, judged.gates) == ([1], [])
    (verdict,) = show(judged.office.workspace, "nightly").verdicts
    assert (verdict.status, verdict.metrics) == ("evaluated", {"f1": 0.9})


def test_a_retired_suite_judges_nothing_that_was_committed_meanwhile(judged: Judged) -> None:
    judged.saved(1)
    judged.ask(NIGHTLY)
    judged.ask(RetireSuite(suite="nightly", reason="no more"))
    judged.saved(2)
    judged.judge({})
    judged.ask(NIGHTLY)
    judged.judge({})
    judged.saved(3)
    judged.judge({2: 0.8, 3: 0.9})

    assert sorted(judged.asked) == [2, 3]
    assert judged.gates == [(2, 3, True)]


def test_a_suite_whose_definer_was_forgotten_goes_on_without_a_place(judged: Judged) -> None:
    workspace = judged.office.workspace
    judged.saved(1)
    judged.ask(NIGHTLY)
    judged.saved(2)
    workspace.actors.forget(workspace.actor)
    workspace.actor = "bob"
    judged.judge({2: "nobody can tell any more where the rows of nightly@1 lie"})

    assert judged.office.orders.sent[0].source == ""
    assert judged.gates == []


def test_a_suite_whose_events_are_damaged_holds_up_no_other_and_no_other_work(
    judged: Judged, monkeypatch: pytest.MonkeyPatch
) -> None:
    def state(stream: str) -> Any:
        if stream == "suite/nightly":
            raise Damaged("event 5", expected="its bytes", found="others")
        return whole(stream)

    judged.saved(1)
    judged.ask(NIGHTLY)
    judged.ask(replace(NIGHTLY, suite="weekly", evaluation="weekly"))
    judged.saved(2)
    whole = judged.office.workspace.ledger.state
    monkeypatch.setattr(judged.office.workspace.ledger, "state", state)

    judged.office.assigner = judged.office.begin()
    judged.judge({1: 0.8, 2: 0.9})

    assert [gate.suite for gate in judged.office.workspace.model("net").gates.values()] == ["weekly"]


def test_a_version_that_raises_what_no_rule_foresaw_holds_up_no_other(
    judged: Judged, monkeypatch: pytest.MonkeyPatch
) -> None:
    def model(name: str) -> Any:
        if name == "odd":
            raise KeyError(name)
        return whole(name)

    judged.saved(1)
    judged.ask(NIGHTLY)
    judged.ask(replace(NIGHTLY, suite="odd", evaluation="odd", watched="odd"))
    save(judged.office.workspace, read({"w": np.zeros(2)}, "odd"), Save())
    judged.saved(2)
    whole = judged.office.workspace.model
    monkeypatch.setattr(judged.office.workspace, "model", model)

    assert SuiteJudge(judged.office.workspace).acts()
    judged.judge({1: 0.8, 2: 0.9})

    assert judged.gates == [(1, 2, True)]
