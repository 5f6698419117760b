"""Rehearsals: a target is worse where it is so beyond chance, else nothing is claimed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lepton_ai import GateNotMet, ModelManager, Refused
from lepton_ai.results import PairedTest, Rehearsal, RolledBack

from .cuts import Cut, OwnCut, rows


def kept(home: Path, *models: Any) -> ModelManager:
    manager = ModelManager(home, actor="ada")
    for model in models:
        manager.save_version(model, name="cut")
    return manager


def rehearsed(manager: ModelManager, *asked: Any, **more: Any) -> Rehearsal:
    done = manager.rollback(1, rehearse=asked, **more)
    assert isinstance(done, RolledBack)
    assert done.rehearsal is not None
    return done.rehearsal


def test_a_target_that_is_not_worse_beyond_chance_is_not_called_worse(home: Path) -> None:
    manager = kept(home, Cut(0.12), Cut(0.0))

    found = rehearsed(manager, *rows(400))

    assert found.difference["f1"] < 0
    assert (found.worse, found.verdict) == (False, "not known")
    assert found.test is not None
    assert found.test.p > 0.05
    assert "it is not known whether version 1 is worse (p " in str(found)
    assert "rows would tell" in str(found)
    assert manager.branches("cut") == {"main": 1}


def test_a_target_that_is_worse_beyond_chance_is_refused(home: Path) -> None:
    manager = kept(home, Cut(0.9), Cut(0.0))

    with pytest.raises(GateNotMet, match=r"version 1 has f1 .* worse beyond chance \(p .* by paired bootstrap, rows"):
        manager.rollback(1, rehearse=rows(400))
    found = rehearsed(manager, *rows(400), reason="an experiment")

    assert found.worse
    assert "version 1 is worse than version 2 beyond chance (p " in str(found)
    (told,) = [event["data"] for event in manager.events() if "rehearsed" in event["type"]][1:]
    assert isinstance(found.test, PairedTest)
    assert told["test"] == {
        name: getattr(found.test, name) for name in ("test", "figure", "difference", "low", "high", "p", "n", "level")
    }


@pytest.mark.parametrize(
    ("metric", "test"),
    [("accuracy", "McNemar"), ("roc_auc", "DeLong"), ("brier", "paired bootstrap, rows, 1000 draws")],
)
def test_the_metric_decides_which_test_it_is(home: Path, metric: str, test: str) -> None:
    found = rehearsed(kept(home, Cut(0.0), Cut(0.9)), *rows(300), metric)

    assert found.test is not None
    assert found.test.test == test
    assert not found.worse


def test_a_better_target_is_said_to_be_better(home: Path) -> None:
    found = rehearsed(kept(home, Cut(0.0), Cut(0.9)), *rows(400), "brier")

    assert (found.verdict, found.worse) == ("better", False)
    assert "version 1 is better than version 2 beyond chance" in str(found)


def test_a_class_that_judges_itself_is_rehearsed_by_its_figures_alone(home: Path) -> None:
    manager = kept(home, OwnCut(0.12), Cut(0.0))

    with pytest.raises(GateNotMet, match=r"by the figures alone \(a class that judges itself"):
        manager.rollback(1, rehearse=rows(400))
    found = rehearsed(manager, *rows(400), reason="r")

    assert (found.worse, found.test, found.verdict) == (True, None, None)
    assert "by the figures alone, chance or not: a class that judges itself" in str(found)
    assert not [event for event in manager.events() if "test" in event["data"]]


def test_too_few_rows_for_a_test_are_told_so(home: Path) -> None:
    found = rehearsed(kept(home, Cut(0.0), Cut(0.9)), [[1.0], [-1.0]], [1, 0], "roc_auc")

    assert found.test is None
    assert found.untested == "DeLong's test needs two rows of each class"


def test_a_rehearsal_is_told_in_chinese(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEPTON_LANG", "zh")
    found = rehearsed(kept(home, Cut(0.12), Cut(0.0)), *rows(400))

    assert "不能确定版本 1 是否更差（p " in str(found)
    assert "配对自助法（逐行，1000 次）" in str(found)


@pytest.mark.parametrize(
    ("rows_", "says"),
    [
        ((*rows(40), "rmse"), "there is no metric 'rmse' to rehearse by; choose of accuracy"),
        ((*rows(40), "n"), "says how many or where, not how good"),
        ((rows(40)[0], rows(39)[1]), "39"),
        (rows(40)[0], "takes (data, labels)"),
    ],
    ids=range(4),
)
def test_what_cannot_be_rehearsed_moves_nothing(home: Path, rows_: Any, says: str) -> None:
    manager = kept(home, Cut(0.0), Cut(0.9))
    before = manager.verify().size

    with pytest.raises(Refused) as refusal:
        manager.rollback(1, rehearse=rows_)
    assert says in str(refusal.value)
    assert (manager.branches("cut"), manager.verify().size) == ({"main": 2}, before)
