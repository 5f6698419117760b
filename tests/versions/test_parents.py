"""Parents of other models: recorded, shown, and never taken for the history of a branch."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lepton_ai import ModelManager, PendingVersion
from lepton_ai.domain.commands import RollBack
from lepton_ai.errors import Damaged, Malformed, Refused, Stale, UnknownRevision
from lepton_ai.events.model import BranchCreated, ModelRegistered, Parent, VersionCommitted
from lepton_ai.results import VersionRef
from lepton_ai.versions.save_request import Named, Save
from lepton_ai.versions.spool.entries import read_save, written_save

from ..cli_home import Cli
from ..domain.past import Past, saving
from .outage import locked, weights

TEACHER = Parent(model="teacher", version=1, role="teacher")


def replaced(**fields: Any) -> Parent:
    return TEACHER.model_copy(update=fields)


def events(past: Past, *parents: int | Parent, **changes: Any) -> list[Any]:
    return [append.event for append in past.decided(saving("student", *parents, **changes))]


def taught() -> Past:
    """A teacher with one version, a model credit with two."""
    return Past(saving("big", model="teacher"), saving(1), saving(2, 1))


def test_a_first_version_may_come_from_another_model_alone() -> None:
    past = Past(saving("big", model="teacher"))

    registered, committed = events(past, TEACHER)

    assert isinstance(registered, ModelRegistered)
    assert isinstance(committed, VersionCommitted)
    assert committed.parents == (TEACHER,)


def test_parents_of_the_same_model_come_first_and_alone_make_the_history() -> None:
    past = taught()
    past.ask(saving(3, TEACHER, 2))

    version = past.credit.version(3)

    assert version.event.parents == (Parent(model="credit", version=2), TEACHER)
    assert (version.parents, version.other_parents) == ((2,), (VersionRef("teacher", 1),))
    assert list(past.credit.ancestry(3)) == [3, 2, 1]
    assert [move.kind for move in past.credit.branches["main"].history()] == ["committed", "committed", "created"]


def test_a_missing_parent_of_another_model_is_refused_in_one_sentence() -> None:
    past = taught()
    with pytest.raises(UnknownRevision, match=r"teacher has no version 9; `lepton log teacher` lists them"):
        events(past, 2, replaced(version=9))
    with pytest.raises(UnknownRevision, match=r"there is no model 'nobody' to be a parent's; `lepton models` lists"):
        events(past, 2, replaced(model="nobody"))


def test_a_role_is_any_label() -> None:
    past = taught()

    (committed,) = events(past, Parent(model="credit", version=2, role="蒸馏"))

    assert committed.parents[0].role == "蒸馏"
    for role in ("", "two\nlines", "x" * 201):
        with pytest.raises(Malformed, match="cannot name a parent's role"):
            events(past, Parent(model="credit", version=2, role=role))


def test_naming_a_parent_twice_is_refused_and_one_number_of_two_models_is_not() -> None:
    past = taught()

    assert events(past, 1, 2, TEACHER)
    with pytest.raises(Malformed, match="name each parent once"):
        events(past, 2, TEACHER, TEACHER)


def test_a_save_that_repeats_the_head_repeats_it_unless_it_names_another_parent() -> None:
    past = taught()
    past.ask(saving(3, 2, TEACHER))

    assert past.decided(saving(3, 3)) == ()
    assert past.decided(saving(3, 3, TEACHER)) == ()
    assert past.decided(saving(3, 2, TEACHER)) == ()
    past.ask(saving("bigger", 1, model="teacher"))
    assert [each.event.version for each in past.decided(saving(3, 3, replaced(version=2)))] == [4]


def test_a_branch_opens_at_the_first_parent_of_its_own_model() -> None:
    opened, committed = events(taught(), TEACHER, 1, branch="distilled")

    assert opened == BranchCreated(branch="distilled", version=1)
    assert [str(parent.ref) for parent in committed.parents] == ["credit@1", "teacher@1"]


def test_a_commit_that_follows_the_head_keeps_its_parents_of_other_models() -> None:
    past = taught()
    asked = replace(saving(3, 1, TEACHER), follows_head=True)

    (committed,) = (append.event for append in past.decided(asked))

    assert isinstance(committed, VersionCommitted)
    assert [str(parent.ref) for parent in committed.parents] == ["credit@2", "teacher@1"]


def test_a_branch_is_not_rolled_back_into_another_models_version() -> None:
    teacher = (saving("a", model="teacher"), saving("b", 1, model="teacher"), saving("c", 2, model="teacher"))
    past = Past(*teacher, saving(1, replaced(version=3)))

    with pytest.raises(Refused):
        past.decided(RollBack(model="credit", branch="main", to=3, from_version=1))
    assert past.credit.past("main") == {1}


@pytest.fixture
def manager(home: Path) -> ModelManager:
    """Somebody with a teacher of two versions and a student of one."""
    manager = ModelManager(home, actor="ada")
    for number in (1, 2):
        manager.save_version(weights(number), name="teacher")
    manager.save_version(weights(0), name="student")
    return manager


def test_a_version_of_another_model_is_a_parent_in_words_or_as_it_is_held(manager: ModelManager) -> None:
    teacher = manager.show("teacher@2").version
    both = manager.save_version(weights(3), name="student", parents=["student@main", (teacher, "teacher")])
    line = manager.save_version(weights(4), name="student", parents=[("teacher@1", "soft labels")])

    assert both.parents == ((1, "trained"), (("teacher", 2), "teacher"))
    assert line.parents == ((2, "trained"), (VersionRef("teacher", 1), "soft labels"))
    assert line.to_dict()["parents"] == [
        {"model": "student", "version": 2, "role": "trained"},
        {"model": "teacher", "version": 1, "role": "soft labels"},
    ]
    assert [entry.version for entry in manager.log(line)] == [3, 2, 1]
    assert [[*map(str, entry.other_parents)] for entry in manager.log(line)] == [["teacher@1"], ["teacher@2"], []]
    assert manager.load_arrays("student@3")["w"].tolist() == weights(4)["w"].tolist()
    shown = manager.sql("SELECT version, parent_model, parent, role, position FROM version_parents WHERE version > 1")
    assert shown.to_pylist()[-2:] == [
        {"version": 3, "parent_model": "student", "parent": 2, "role": "trained", "position": 1},
        {"version": 3, "parent_model": "teacher", "parent": 1, "role": "soft labels", "position": 2},
    ]
    tree = manager.sql("SELECT version, parent, path FROM version_tree WHERE model = 'student' ORDER BY version")
    assert [row["path"] for row in tree.to_pylist()] == [[1], [1, 2], [1, 2, 3]]
    kinds = manager.sql("SELECT DISTINCT kind FROM branch_moves WHERE model = 'student' AND seq > 12")
    assert "merged" not in kinds["kind"].to_pylist()
    assert manager.fsck() == []


def test_a_parent_of_a_model_that_is_not_there_is_refused(manager: ModelManager) -> None:
    for words, says in (("teacher@9", "teacher has no version 9"), ("nobody@1", "there is no model 'nobody'")):
        with pytest.raises(UnknownRevision, match=says):
            manager.save_version(weights(5), name="student", parents=[words])
    with pytest.raises(Malformed, match="cannot name a parent's role"):
        manager.save_version(weights(5), name="student", parents=[("teacher@1", "a\nb")])


def test_the_command_line_shows_parents_of_other_models(manager: ModelManager, home: Path) -> None:
    manager.save_version(weights(3), name="student", parents=[("teacher@2", "teacher")], message="taught")
    cli = Cli(home)

    assert "1 (trained), teacher@2 (teacher)" in cli("show student").out
    assert "taught  from teacher@2" in cli("log student").out
    assert cli("log student --json").json["entries"][0]["other_parents"] == ["teacher@2"]
    assert "taught  from teacher@2" in cli("log student --graph").out


def test_a_pending_version_of_another_model_becomes_the_parent_that_it_was_named_as(
    manager: ModelManager, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEPTON_WAIT", "0.05")
    with ModelManager(home, actor="bob") as bob:
        with locked(home):
            teacher = bob.save_version(weights(6), name="teacher")
            student = bob.save_version(weights(7), name="student", parents=[(teacher, "teacher")])
        assert isinstance(student, PendingVersion)
        bob.sync()

        assert bob.show("student@2").version.parents == ((1, "trained"), (("teacher", 3), "teacher"))


def test_a_save_that_is_kept_remembers_of_which_model_a_parent_is() -> None:
    named = (Named("pending k", VersionRef("teacher", 3), "teacher"), Named("1", 1, "trained"))
    written = json.loads(json.dumps(written_save("student", Save(parents=named)) | {"tensors": "", "files": {}}))

    assert read_save(written, {}, {})[1].parents == named


def test_a_save_adopted_where_its_branch_moved_keeps_its_parents_of_other_models(manager: ModelManager) -> None:
    manager.save_version(weights(2), name="student")
    with pytest.raises(Stale):
        manager.save_version(weights(8), name="student", parents=["student@1", ("teacher@2", "teacher")])

    adopted = manager.adopt(manager.kept()[0].name)

    assert adopted.parents == ((2, "trained"), (("teacher", 2), "teacher"))


def test_damage_in_another_model_keeps_no_version_that_came_from_it_from_being_loaded(
    home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with ModelManager(home) as manager:
        manager.save_version({"w": np.ones(2)}, name="teacher")
        manager.save_version({"w": np.zeros(2)}, name="student", parents=[("teacher@1", "teacher")])
    with sqlite3.connect(home / "main.db") as database:
        for (trigger,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            database.execute(f"DROP TRIGGER {trigger}")
        database.execute("UPDATE events SET envelope = x'7b7d' WHERE stream = 'model/teacher' AND version = 1")

    with ModelManager(home) as manager:
        assert manager.load_arrays("student@1")["w"].tolist() == [0.0, 0.0]
        with pytest.raises(Damaged):
            manager.load_arrays("teacher@1")
    assert "what version 1 of student came from cannot be checked" in caplog.text
