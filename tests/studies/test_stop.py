"""A search stopped from outside: it ends behind its trials at work, keeps its best, and can be gone on with."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from optuna.study import create_study, load_study

from lepton_ai import ModelManager
from lepton_ai.errors import Refused, UnknownStudy
from lepton_ai.optuna import LedgerStorage

from . import parabola as parabola

X, Y = np.zeros((4, 1)), np.arange(4.0)


@pytest.fixture
def manager(home: Path) -> Iterator[ModelManager]:
    with ModelManager(home) as manager:
        yield manager


def test_a_stopped_search_keeps_its_best_and_goes_on_when_it_is_asked_again(manager: ModelManager, home: Path) -> None:
    def stop(number: int, *_: Any) -> None:
        if number == 2:
            with ModelManager(home) as other:
                other.stop_study("parabola", key="once")
                other.stop_study("parabola", key="once")

    study = manager.tune("parabola", X, Y, trials=9, on_trial=stop)

    assert len(study.trials) == 3
    assert study.stopped is not None
    assert study.best is not None
    assert study.best.version == "parabola@1"
    assert "it was stopped" in str(study)
    assert "stopped" in str(manager.studies())

    gone_on = manager.tune("parabola", X, Y, trials=9)

    assert (len(gone_on.trials), gone_on.stopped) == (9, None)
    told = manager.sql("SELECT type FROM events WHERE type SIMILAR TO 'lepton.study.(stopped|resumed).v1' ORDER BY seq")
    assert told["type"].to_pylist() == ["lepton.study.stopped.v1", "lepton.study.resumed.v1"]


def test_a_search_that_is_stopped_before_any_figure_stands_and_goes_on(manager: ModelManager, home: Path) -> None:
    def stop(*_: Any) -> None:
        with ModelManager(home) as other:
            other.stop_study("parabola")

    asked: dict[str, Any] = {"space": {"fails": [True, False], "x": True}, "sampler": "random", "seed": 1, "trials": 9}
    with pytest.raises(Refused, match="came to a figure before it was stopped"):
        manager.tune("parabola", X, Y, on_trial=stop, **asked)
    assert manager.studies()[0].counts["failed"] == 1

    assert len(manager.tune("parabola", X, Y, **asked).trials) == 9


def test_studies_are_listed_with_how_their_trials_stand(manager: ModelManager) -> None:
    manager.jobs.begun()
    assert "no search was run" in str(manager.studies())
    manager.tune("parabola", X, Y, trials=2)
    create_study(storage=LedgerStorage(manager), study_name="by hand").ask()

    second, first = manager.studies()

    assert (second.study, second.model, second.counts["running"], second.best) == ("by hand", None, 1, None)
    assert (first.metrics, first.directions, first.counts["complete"]) == (("rmse",), ("minimize",), 2)
    assert first.best == manager.show_study("parabola").best
    with pytest.raises(Refused, match="is searched by Optuna"):
        manager.stop_study("by hand")
    with pytest.raises(UnknownStudy, match="`lepton studies` lists them"):
        manager.stop_study("none")


def test_the_front_of_several_metrics_has_what_no_other_beats(manager: ModelManager) -> None:
    study = manager.tune(
        "parabola", X, Y, metric=["r2", "size"], better={"size": "lower"}, trials=15, sampler="random", keep=0
    )

    opened = load_study(study_name="parabola", storage=LedgerStorage(manager))
    assert {trial.trial for trial in study.front} == {trial.number for trial in opened.best_trials}


def test_studies_are_read_and_stopped_without_optuna(manager: ModelManager, home: Path) -> None:
    manager.tune("parabola", X, Y, trials=2, keep=0)
    program = (
        "import sys\nfrom lepton_ai import ModelManager\nwith ModelManager(sys.argv[1]) as m:\n"
        "    assert m.studies()[0].study == 'parabola' and m.stop_study('parabola').stopped\n"
        "    assert len(m.show_study('parabola').trials) == 2\n"
        "assert 'optuna' not in sys.modules"
    )

    subprocess.run((sys.executable, "-c", program, str(home)), check=True)
