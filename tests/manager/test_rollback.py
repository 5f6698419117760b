"""Rollback as an operator meets it: suggestion, dry run, rehearsal, and the figures again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lepton_ai import GateNotMet, ModelManager
from lepton_ai.errors import Malformed
from lepton_ai.models import CreditScoringModel


def rows(count: int, seed: int, *, flipped: bool = False) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    data = rng.normal(size=(count, 3))
    labels = (data[:, 0] + 0.5 * rng.normal(size=count) > 0).astype(int)
    return data, 1 - labels if flipped else labels


@pytest.fixture
def manager(home: Path) -> ModelManager:
    """Version 1 learnt the truth, version 2 its contrary; production serves version 2."""
    manager = ModelManager(home, actor="ada")
    for flipped in (False, True):
        model = CreditScoringModel()
        model.add_hyperparameter("epochs", 8)
        version = manager.train(model, *rows(300, 0, flipped=flipped), name="risk")
        manager.alias("production", version)
    manager.tag("blessed", "risk@1")
    return manager


def test_the_plan_says_what_would_change_and_changes_nothing(manager: ModelManager) -> None:
    before = list(manager.events())

    plan = manager.rollback(1, dry_run=True)

    assert (plan.from_version, plan.to_version) == (2, 1)
    assert plan.tensors_changed > 0
    assert plan.bytes_changed > 0
    assert plan.aliases_left_behind == ("production",)
    assert plan.metrics_now.keys() == plan.metrics_then.keys()
    assert list(manager.events()) == before


def test_a_dry_run_rehearses_and_records_nothing(manager: ModelManager) -> None:
    before = list(manager.events())

    plan = manager.rollback(1, rehearse=rows(200, 1), move_aliases=["production"], dry_run=True)

    assert plan.rehearsal.difference["f1"] > 0
    assert (plan.aliases_taken_along, plan.aliases_left_behind) == ({"production": 2}, ())
    assert list(manager.events()) == before


def test_an_alias_is_taken_to_where_the_branch_stands_already_after_its_rehearsal(manager: ModelManager) -> None:
    manager.rollback(1)

    done = manager.rollback(1, move_aliases=["production"], rehearse=rows(200, 1), key="once")

    assert (done.moved, done.aliases_taken_along) == (False, {"production": 2})
    assert (done.rehearsal.from_version, done.rehearsal.to_version) == (2, 1)
    again = manager.rollback(1, move_aliases=["production"], key="once")
    assert (again.moved, again.aliases_taken_along) == (False, {"production": 2})


def test_a_rehearsal_refuses_a_worse_target_unless_a_reason_is_given(manager: ModelManager) -> None:
    manager.rollback(1)
    data, labels = rows(200, 1)

    with pytest.raises(GateNotMet, match=r"version 2 has f1 0\.\d+, below the 0\.\d+ of version 1, worse .*; give a "):
        manager.rollback(2, rehearse=(data, labels))
    assert manager.branches("risk") == {"main": 1}

    done = manager.rollback(2, rehearse=(data, labels), reason="an experiment")
    assert done.rehearsal.worse
    assert done.rehearsal.difference["f1"] < 0
    assert manager.branches("risk") == {"main": 2}
    kinds = [event["type"] for event in manager.events(stream="model/risk")]
    assert kinds.count("lepton.rollback.rehearsed.v1") == 2


@pytest.mark.parametrize("metric", ["brier", "log_loss"])
def test_a_rehearsal_by_a_loss_refuses_the_higher_one(manager: ModelManager, metric: str) -> None:
    later = rows(200, 1)

    assert not manager.rollback(1, rehearse=(*later, metric)).rehearsal.worse

    with pytest.raises(GateNotMet, match=rf"version 2 has {metric} \d\.\d+, above the \d\.\d+ of version 1"):
        manager.rollback(2, rehearse=(*later, metric))
    with pytest.raises(Malformed, match="'n' says how many"):
        manager.rollback(2, rehearse=(*later, "n"))


def test_after_the_rollback_the_figures_are_the_first_ones_to_the_last_digit(manager: ModelManager) -> None:
    later = rows(200, 1)
    first = manager.evaluate("risk@1", *later).performance
    serving = manager.load_version("risk@production")
    assert manager.evaluate("risk@production", *later).performance.f1 < first.f1

    done = manager.rollback(1, rehearse=later, move_aliases=["production"])
    replayed = manager.apply("risk@production", serving)

    assert not done.rehearsal.worse
    assert len(replayed) == 1
    assert serving.evaluate(*later) == first
    assert manager.load_version("risk@production").evaluate(*later) == first


def test_an_alias_goes_back_to_where_it_stood_before(manager: ModelManager) -> None:
    done = manager.rollback(alias="production")

    assert (done.ref, done.from_version, done.to_version) == ("production", 2, 1)
    assert manager.branches("risk") == {"main": 2}
    history = manager.sql("SELECT version FROM production_history ORDER BY since").to_pylist()
    assert [row["version"] for row in history] == [1, 2, 1]


def test_the_suggestion_ranks_with_figures_and_words(manager: ModelManager) -> None:
    suggestion = manager.suggest_rollback(model="risk")

    assert suggestion.version == 1
    assert "branch 'main' stands on version 2" in str(suggestion).splitlines()[1]
    assert "version 1 is suggested" in str(suggestion).splitlines()[1]
    assert suggestion.to_dict()["candidates"][0]["score"] >= 0


def test_the_comparison_names_the_best(manager: ModelManager) -> None:
    later = rows(200, 1)
    for version in (1, 2):
        manager.evaluate(f"risk@{version}", *later)

    assert manager.compare("risk@1", "risk@2").best == 1
    assert manager.compare("risk@1", "risk@2", metric="log_loss").best == 1
    for version, rate in ((1, 0.1), (2, 0.4)):
        manager.record_metrics(f"risk@{version}", {"error_rate": rate}, validation=later)
    assert manager.compare("risk@1", "risk@2", metric="error_rate").best == 1
    with pytest.raises(Malformed, match="'threshold' says"):
        manager.compare("risk@1", "risk@2", metric="threshold")


def test_figures_on_several_data_sets_stand_side_by_side(manager: ModelManager) -> None:
    truth, lies = rows(200, 1), rows(200, 1, flipped=True)
    for version in ("risk@1", "risk@2"):
        manager.evaluate(version, *truth, name="truth")
        manager.evaluate(version, *lies, name="lies")

    assert manager.compare("risk@1", "risk@2", metric="truth/f1").best == 1
    assert manager.compare("risk@1", "risk@2", metric="lies/f1").best == 2
    plan = manager.rollback(1, dry_run=True)
    assert plan.metrics_then["truth/f1"] > plan.metrics_now["truth/f1"] > 0
    assert manager.show("risk@1").metrics["f1"] not in (plan.metrics_then["lies/f1"], plan.metrics_then["truth/f1"])


def test_answers_print_in_lines_that_fit(manager: ModelManager, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    answers = (
        manager.show("risk@1"),
        manager.diff("risk@1", "risk@2"),
        manager.compare("risk@1", "risk@2"),
        manager.rollback(1, dry_run=True),
        manager.about("risk"),
    )

    for answer in answers:
        lines = str(answer).splitlines()
        assert 2 < len(lines) < 100
        assert max(map(len, lines)) <= 120
    assert str(answers[3]).startswith("main of risk: 2 → 1\n  leaves")


def test_the_difference_names_what_changed_and_only_that(manager: ModelManager) -> None:
    found = manager.diff("risk@1", "risk@2")

    assert found.hyperparameters == {}
    assert "digest" in found.data
    assert {change.name for change in found.tensors} <= {t["name"] for t in manager.show("risk@1").tensors}
    assert all(0 < change.changed <= 1 for change in found.tensors if change.status == "changed")
    assert manager.diff("risk@1", "risk@1").tensors == ()
