"""Tuning in one process: what is searched, what is drawn again, what is kept, and what is refused before it begins."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lepton_ai import ModelManager
from lepton_ai.errors import DataWarning, LeptonError, LockHeld, Malformed, Refused
from lepton_ai.results import StudyRecord

from . import parabola as parabola

X, Y = {"a": np.arange(8.0)}, np.tile([0.0, 1.0], 4)
PROGRAM = """
import sys
import numpy as np
from lepton_ai import ModelManager
sys.path.insert(0, sys.argv[1])
from parabola import Parabola
learn = Parabola.train
def slowly(model, *rows, **more):
    print("begun", flush=True)
    sys.stdin.readline()
    return learn(model, *rows, **more)
Parabola.train = slowly
with ModelManager(sys.argv[2]) as manager:
    manager.tune("parabola", {"a": np.arange(8.0)}, np.tile([0.0, 1.0], 4), trials=8)
"""


@pytest.fixture
def manager(home: Path) -> Iterator[ModelManager]:
    with ModelManager(home) as manager:
        yield manager


def tune(manager: ModelManager, **asked: Any) -> StudyRecord:
    return manager.tune("parabola", X, Y, **{"trials": 6, **asked})


def tried(study: StudyRecord) -> list[tuple[Any, ...]]:
    return [(each.trial, each.status, each.values, dict(each.parameters)) for each in study.trials]


def test_the_best_of_what_was_tried_becomes_a_version(manager: ModelManager) -> None:
    study = tune(manager, trials=12)

    (version,) = manager.versions("parabola").versions
    best = min(study.trials, key=lambda each: each.values or ())
    assert study.best == best
    assert best.version == "parabola@1"
    shown = manager.show("parabola@1")
    assert shown.metrics["rmse"] == (best.values or ())[0]
    assert best.parameters.items() <= shown.hyperparameters.items()
    assert version.version == 1
    assert manager.sql("SELECT trials, complete FROM studies").to_pylist() == [{"trials": 12, "complete": 12}]


def test_the_same_seed_draws_the_same_and_another_does_not(manager: ModelManager) -> None:
    one, same, other = (tune(manager, study=name, seed=seed, keep=0) for name, seed in (("a", 7), ("b", 7), ("c", 8)))

    assert tried(one) == tried(same)
    assert tried(one) != tried(other)
    assert manager.models() == []


@pytest.mark.parametrize("sampler", ["tpe", "random", "gp", "cmaes"])
def test_a_search_that_is_gone_on_with_is_the_one_without_a_break(manager: ModelManager, sampler: Any) -> None:
    pytest.importorskip("cmaes")
    whole = tune(manager, study="whole", sampler=sampler, trials=12, keep=0)
    for trials in (3, 11, 12):
        parts = tune(manager, study="parts", sampler=sampler, trials=trials, keep=0)

    assert tried(parts) == tried(whole)


def test_a_search_killed_in_a_trial_goes_on_with_that_trial(manager: ModelManager, home: Path, tmp_path: Path) -> None:
    whole = ModelManager(tmp_path / "whole").tune("parabola", X, Y, trials=8)
    program = (sys.executable, "-c", PROGRAM, str(Path(__file__).parent), str(home))
    environment = os.environ | {"PYTHONSAFEPATH": "1"}
    for trials in (3,):
        with subprocess.Popen(program, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            assert process.stdin
            assert process.stdout
            for turn in range(trials):
                assert process.stdout.readline() == b"begun\n"
                if turn < trials - 1:
                    process.stdin.write(b"\n")
                    process.stdin.flush()
            process.send_signal(signal.SIGKILL)
    assert [each.status for each in manager.show_study("parabola").trials] == ["complete", "complete", "running"]

    gone_on = tune(manager, trials=8)

    assert tried(gone_on) == tried(whole)
    assert gone_on.best is not None
    assert whole.best is not None
    assert (gone_on.best.trial, gone_on.best.version) == (whole.best.trial, whole.best.version)
    assert len(manager.versions("parabola").versions) == 1
    assert manager.fsck() == []


def test_what_was_kept_is_not_kept_again(manager: ModelManager) -> None:
    tune(manager, keep=2)
    again = tune(manager, keep=2)

    assert sorted(each.version for each in again.trials if each.version) == ["parabola@1", "parabola@2"]
    assert len(manager.versions("parabola").versions) == 2


def test_the_best_is_kept_on_each_branch_that_is_asked_for(manager: ModelManager) -> None:
    tune(manager)
    manager.save_version({"w": np.ones(3)}, name="parabola", branch="other", parents=["parabola@1"])

    for branch in ("main", "other", "other"):
        tune(manager, branch=branch)

    heads = [manager.show(f"parabola@{branch}").hyperparameters for branch in ("main", "other")]
    assert heads[0] == heads[1]
    assert len(manager.versions("parabola").versions) == 3
    with pytest.raises(Refused, match="parabola has no branch 'nowhere' yet; open it with `lepton branch nowhere REV`"):
        tune(manager, branch="nowhere")


def test_what_is_suspicious_about_rows_is_told_once(
    manager: ModelManager, caplog: pytest.LogCaptureFixture, recwarn: pytest.WarningsRecorder
) -> None:
    labels = np.tile([0, 1], 30)
    rows = {"a": np.random.default_rng(0).normal(size=60), "known": labels * 2.0}

    asked: dict[str, Any] = {"hyperparameters": {"family": "linear"}, "space": {"l2": [1.0, 2.0, 3.0]}, "trials": 3}
    manager.tune("estimator-model", rows, labels, name="net", metric="f1", **asked)

    assert caplog.text.count("column 'known' alone predicts the label") == 1
    assert not [each for each in recwarn if issubclass(each.category, DataWarning)]


def test_a_part_of_the_space_is_searched_only_where_its_condition_holds(manager: ModelManager) -> None:
    space = {
        "slope": {"low": 1, "high": 50, "log": True, "when": {"family": "steep"}},
        "family": True,
        "x": {"low": 0, "high": 4, "step": 0.5},
    }
    study = tune(manager, space=space, trials=20, sampler="random")

    assert {each.parameters["family"] for each in study.trials} == {"flat", "steep"}
    assert all(("slope" in each.parameters) == (each.parameters["family"] == "steep") for each in study.trials)
    assert {each.parameters["x"] % 0.5 for each in study.trials} == {0.0}


def test_a_grid_is_searched_once_whatever_was_asked_for(manager: ModelManager) -> None:
    study = tune(
        manager, space={"x": [-1.0, 2.0], "depth": {"low": 1, "high": 5, "step": 2}}, sampler="grid", trials=99
    )

    assert len(study.trials) == 6
    assert len({str(sorted(each.parameters.items())) for each in study.trials}) == 6
    assert study.best is not None
    assert study.best.parameters == {"x": 2.0, "depth": 1}


def test_several_metrics_leave_those_that_no_other_beats(manager: ModelManager) -> None:
    study = tune(manager, metric=["r2", "size"], better={"size": "lower"}, trials=15, keep=3)

    assert study.directions == ("maximize", "minimize")
    kept = [each for each in study.trials if each.version]
    for one in kept:
        assert not any(
            other.values and one.values and other.values[0] > one.values[0] and other.values[1] < one.values[1]
            for other in study.trials
        )


@pytest.mark.parametrize("pruner", ["median", "hyperband", "asha"])
def test_trials_that_fall_behind_are_ended_early(manager: ModelManager, pruner: Any) -> None:
    study = tune(manager, pruner=pruner, trials=20, sampler="random", hyperparameters={"epochs": 9}, keep=0)

    assert {"pruned", "complete"} <= {each.status for each in study.trials}
    assert manager.sql("SELECT count(*) > 20 AS n FROM trial_reports")["n"].to_pylist() == [True]


def test_what_fails_is_told_and_the_rest_is_searched(manager: ModelManager) -> None:
    study = tune(manager, space={"fails": [False, True], "x": True}, trials=12, sampler="random")

    failed = [each for each in study.trials if each.status == "failed"]
    assert failed
    assert {(each.error, each.parameters["fails"]) for each in failed} == {("ValueError", True)}
    assert study.best is not None
    assert "it cannot be learnt" not in str(manager.sql("SELECT data FROM events").to_pylist())


def test_earlier_versions_are_begun_with(manager: ModelManager) -> None:
    tune(manager, study="first", trials=8)

    same = tune(manager, study="same rows", warm=5, trials=2, keep=0)
    other = manager.tune("parabola", X, Y[::-1], study="other rows", warm=5, trials=2, keep=0)

    before = manager.show("parabola@1")
    assert (same.trials[0].earlier, same.trials[0].version) == (True, "parabola@1")
    assert same.trials[0].values == (before.metrics["rmse"],)
    assert len(same.trials) == 3
    assert not other.trials[0].earlier
    assert other.trials[0].parameters.items() <= before.hyperparameters.items()


def test_a_budget_ends_a_search_and_what_was_at_work_waits(manager: ModelManager) -> None:
    tune(manager, study="warm", trials=1, keep=0)  # which imports what a search needs
    study = tune(manager, trials=None, budget="5s", keep=0)

    assert study.trials
    statuses = [each.status for each in study.trials]
    assert set(statuses[:-1]) == {"complete"}
    gone_on = tune(manager, trials=len(statuses) + 2, keep=0)
    assert [each.status for each in gone_on.trials] == ["complete"] * (len(statuses) + 2)


def test_two_processes_never_search_one_study(manager: ModelManager, home: Path) -> None:
    def meanwhile(*_: Any) -> None:
        with ModelManager(home) as other, pytest.raises(LockHeld):
            tune(other)

    assert len(tune(manager, trials=2, on_trial=meanwhile).trials) == 2


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "an empty space": ({"space": {}}, "empty"),
    "all of it fixed": ({"hyperparameters": {"x": 0.0, "depth": 1, "family": "flat"}}, "empty"),
    "fixed and searched": ({"space": {"x": True}, "hyperparameters": {"x": 0.0}}, "both"),
    "an unknown hyperparameter": ({"space": {"y": [1]}}, "takes no hyperparameter 'y'"),
    "bounds the wrong way": ({"space": {"x": {"low": 3, "high": 1}}}, "which is empty"),
    "one bound": ({"space": {"x": {"low": 3}}}, "lacks high"),
    "beyond what the model takes": ({"space": {"x": {"low": -99, "high": 1}}}, "must be"),
    "choices and bounds": ({"space": {"x": {"low": 1, "choices": [1]}}}, "one of the two"),
    "a choice twice": ({"space": {"family": ["flat", "flat"]}}, "twice"),
    "a choice that is none": ({"space": {"family": ["flat", "round"]}}, "must be"),
    "a log scale from zero": ({"space": {"x": {"low": 0, "high": 1, "log": True}}}, "log scale"),
    "a log scale with steps": ({"space": {"x": {"low": 1, "high": 2, "log": True, "step": 1}}}, "log scale and a step"),
    "a step of zero": ({"space": {"x": {"low": 0, "high": 1, "step": 0}}}, "above 0"),
    "a fraction of a whole number": ({"space": {"depth": {"low": 1.5, "high": 2}}}, "without a fraction"),
    "a range that nobody said": ({"space": {"slope": True}}, "nothing says"),
    "no range at all": ({"space": {"x": "wide"}}, "a mapping"),
    "a condition on nothing": ({"space": {"x": {"low": 0, "high": 1, "when": {"family": "flat"}}}}, "not searched"),
    "a condition that never holds": (
        {"space": {"family": True, "x": {"low": 0, "high": 1, "when": {"family": "round"}}}}, "never is"),
    "conditions in a circle": (
        {"space": {"x": {"choices": [1.0], "when": {"depth": 1}}, "depth": {"choices": [1], "when": {"x": 1.0}}}},
        "in a circle"),
    "a grid without steps": ({"sampler": "grid"}, "no points of 'x'"),
    "a grid too large": ({"sampler": "grid", "space": {"x": {"low": 0, "high": 9, "step": 1e-6}}}, "larger steps"),
    "a sampler that is none": ({"sampler": "psychic"}, "no sampler"),
    "a pruner that is none": ({"pruner": "axe"}, "no pruner"),
    "a pruner for two metrics": ({"pruner": "median", "metric": ["rmse", "r2"]}, "no pruner for several"),
    "cmaes for two metrics": ({"sampler": "cmaes", "metric": ["rmse", "r2"]}, "one metric"),
    "a metric without a direction": ({"metric": "size"}, "nobody has said"),
    "a direction that is none": ({"metric": "size", "better": {"size": "upwards"}}, "'higher' or 'lower'"),
    "a metric twice": ({"metric": ["rmse", "rmse"]}, "twice"),
    "no metric": ({"metric": []}, "one to 3"),
    "a metric that never comes": ({"metric": "f1"}, "trials measure r2, rmse, size"),
    "all trials failing": ({"hyperparameters": {"fails": True}}, "all failed"),
    "no trials": ({"trials": 0}, "1 to 100,000"),
    "a budget of zero": ({"budget": 0}, "above 0"),
    "a budget that is no time": ({"budget": "soon"}, "above 0"),
    "few trials, all failing": ({"hyperparameters": {"fails": True}, "trials": 2}, "all of them failed"),
    "a budget that is over at once": ({"trials": None, "budget": 1e-9}, "in its time"),
    "fewer than no workers": ({"workers": -1}, "0 to 1,000"),
    "workers for rows in memory": ({"workers": 2}, "not from memory"),
    "limits without workers": ({"memory": 10}, "give workers too"),
    "nothing to keep": ({"keep": -1}, "keeps 0 to 100"),
    "a seed below zero": ({"seed": -1}, "whole number from 0"),
    "a word that nothing reads": ({"nonsense": 1}, "nothing to give as nonsense"),
    "a branch that is none": ({"branch": "~"}, "cannot name a branch"),
    "a study's name that is none": ({"study": "a\0b"}, "cannot name a study"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_refused_in_a_sentence_and_leaves_nothing(manager: ModelManager, case: str) -> None:
    asked, words = BAD[case]
    manager.jobs.begun()

    with pytest.raises(LeptonError) as refused:
        tune(manager, **asked)

    assert words in str(refused.value)
    assert "\n" not in str(refused.value)
    assert manager.models() == []
    assert manager.sql("SELECT count(*) AS n FROM studies WHERE deleted IS NULL")["n"].to_pylist() == [0]


@pytest.mark.parametrize(
    "other",
    [{"space": {"x": True}}, {"seed": 1}, {"metric": "r2"}, {"sampler": "random"}, {"hyperparameters": {"epochs": 2}}],
)
def test_a_study_goes_on_as_it_began_and_never_otherwise(manager: ModelManager, other: dict[str, Any]) -> None:
    before = tune(manager)

    with pytest.raises(Refused, match=r"a study goes on as it began; give the search another name by study="):
        tune(manager, **other)

    assert manager.show_study("parabola") == before


def test_a_study_is_gone_on_with_on_the_rows_that_it_began_with(manager: ModelManager) -> None:
    tune(manager, keep=0)

    with pytest.raises(Refused, match=r"was begun on other training rows; a study goes on as it began; give"):
        manager.tune("parabola", X, Y[::-1], trials=9, keep=0)

    manager.add_data("rows", X, Y, keep=True)
    with pytest.raises(Refused, match="searches with another model"):
        tune(manager, name="other", study="parabola")
    again = manager.tune("parabola", "rows", None, trials=3, keep=0, hyperparameters=None)
    assert again.study == "parabola"


def test_another_model_is_no_model_to_search(manager: ModelManager) -> None:
    with pytest.raises((Malformed, Refused)):
        manager.tune("no-such-model", X, Y)
