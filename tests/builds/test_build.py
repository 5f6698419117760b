"""Builds: what is tried, what is kept, what is gone on with after a break, and what is refused before it begins."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from lepton_ai import ModelManager
from lepton_ai.errors import LeptonError, LockHeld, Malformed, Refused
from lepton_ai.jobs.builds import clock
from lepton_ai.results import BuildRecord
from lepton_ai.results.work.builds import TOO_LONG

from .rows import applicants, flowers, houses, without

QUICK = ["linear", "hist-gradient-boosting"]


@pytest.fixture
def manager(home: Path) -> Iterator[ModelManager]:
    with ModelManager(home) as manager:
        yield manager


def build(manager: ModelManager, table: dict[str, Any], label: str, **asked: Any) -> BuildRecord:
    usual: dict[str, Any] = {"name": "best", "trials": 3, "folds": 3, "candidates": QUICK}
    return manager.build(*without(table, label), **{**usual, **asked})


def test_the_best_candidate_is_fitted_to_all_rows_and_kept_with_its_leaderboard(manager: ModelManager) -> None:
    built = build(manager, houses(), "price")

    assert (built.task, built.metric, built.better) == ("regression", "rmse", "lower")
    assert [each.candidate for each in built.leaderboard] == ["hist-gradient-boosting", "linear"]
    assert built.best.difference is None
    low, high = built.leaderboard[1].low, built.leaderboard[1].high
    assert low is not None
    assert high is not None
    assert low < (built.leaderboard[1].difference or 0.0) < high
    shown = manager.show("best@1")
    assert shown.metrics["rmse"] == built.best.figure
    assert shown.annotations["study"] == built.study
    assert shown.data is not None
    assert shown.data["rows"] == 200
    board = json.loads(manager.files("best@1")["leaderboard.json"])
    assert [each["candidate"] for each in board] == ["hist-gradient-boosting", "linear"]
    features, price = without(houses(50, seed=9), "price")
    kept: Any = manager.load_version("best@1")
    assert np.corrcoef(kept.predict(features), price)[0, 1] > 0.95


def test_every_trial_is_judged_by_the_same_folds_and_told_in_the_study(manager: ModelManager) -> None:
    built = build(manager, applicants(), "default", trials=4)

    study = manager.show_study(built.study)
    assert [each.parameters["candidate"] for each in study.trials][:2] == QUICK
    assert len(study.trials) == built.trials == 4
    assert [each.trial for each in study.trials if each.version == "best@1"] == [built.best.trial]
    reports = manager.sql(
        "SELECT trial, count(*) AS folds FROM trial_reports WHERE study = $1 GROUP BY trial", [built.study]
    ).to_pylist()
    judged = {each["trial"]: each["folds"] for each in reports}
    assert all(judged[each.trial] == 3 for each in study.trials if each.status == "complete")


def test_of_two_classes_the_threshold_is_that_of_the_folds(manager: ModelManager) -> None:
    built = build(manager, applicants(), "default")

    kept: Any = manager.load_version("best@1")
    assert kept.hyperparameters["threshold"] == built.metrics["threshold"]
    assert built.positive == "1"
    assert built.metrics["f1"] > 0.6
    assert manager.show("best@1").metrics["roc_auc"] == built.best.figure


def test_of_two_texts_the_rarer_is_the_positive_one_unless_named(manager: ModelManager) -> None:
    table = applicants()
    table["default"] = ["yes" if each else "no" for each in table["default"]]
    rarer = min(("yes", "no"), key=table["default"].count)
    other = "no" if rarer == "yes" else "yes"

    assert build(manager, table, "default", trials=1).positive == rarer
    assert build(manager, table, "default", trials=1, positive=other, name="turned").positive == other


def test_a_fold_without_a_class_tells_nothing_of_what_needs_both(manager: ModelManager) -> None:
    table = applicants() | {"default": [0] * 238 + [1] * 2}

    built = build(manager, table, "default", trials=1, positive="1")

    assert built.metric == "roc_auc"
    assert built.best.figure is not None


def test_several_classes_that_are_text_are_told_apart(manager: ModelManager) -> None:
    built = build(manager, flowers(), "kind")

    assert (built.task, built.metric) == ("multiclass", "macro_f1")
    kept: Any = manager.load_version("best@1")
    features, kinds = without(flowers(60, seed=5), "kind")
    assert np.mean(kept.predict(features) == np.array(kinds)) > 0.6


def test_a_class_of_a_single_row_is_learnt_and_never_judged(manager: ModelManager) -> None:
    table = flowers()
    table["kind"] = [*table["kind"][:-1], "orchid"]

    built = build(manager, table, "kind", trials=1, candidates=["linear"])

    assert any("single row" in remark for remark in built.remarks)
    kept: Any = manager.load_version("best@1")
    assert "orchid" in kept.classes_


def test_a_build_that_is_asked_for_again_is_done_and_another_budget_goes_on(manager: ModelManager) -> None:
    first = build(manager, applicants(), "default")
    before = manager.status().events

    again = build(manager, applicants(), "default")
    assert (again.version, again.study, again.trials) == (first.version, first.study, 3)
    assert manager.status().events == before + 1  # that it was asked for again
    more = build(manager, applicants(), "default", trials=5)
    assert (more.study, more.trials) == (first.study, 5)
    other = build(manager, applicants(seed=3), "default")
    assert other.study != first.study
    assert other.trials == 3


def test_identifiers_and_leaks_are_warned_of_and_nothing_is_dropped(manager: ModelManager) -> None:
    table = applicants()
    table["number"] = [f"C-{place:05}" for place in range(240)]
    table["written_off"] = [float(each) for each in table["default"]]

    built = build(manager, table, "default", trials=1)

    assert len(built.remarks) == 2
    assert "'number' has another value in every row" in built.remarks[0]
    assert "'written_off' alone predicts the label" in built.remarks[1]
    assert "drop the columns that the notes name" in str(built)
    assert built.columns == 5


def test_free_text_beside_other_columns_is_warned_of(manager: ModelManager) -> None:
    table = applicants()
    table["letter"] = [f"please lend me the sum of {place} crowns" for place in range(240)]

    (remark,) = build(manager, table, "default", trials=1).remarks

    assert "'letter' holds free text" in remark


def test_groups_are_held_out_whole_and_rows_may_still_have_the_column(manager: ModelManager) -> None:
    table = houses()
    table["street"] = [f"s{place // 20}" for place in range(200)]

    built = build(manager, table, "price", groups="street")

    assert built.columns == 2
    kept: Any = manager.load_version("best@1")
    features, _ = without(table, "price")
    assert len(kept.predict(features)) == 200


def test_by_time_rows_are_judged_by_earlier_ones(manager: ModelManager) -> None:
    table = houses()
    table["day"] = [float(place // 4) for place in range(200)]

    built = build(manager, table, "price", time="day")

    assert (built.columns, built.folds) == (2, 3)


def test_a_net_is_cut_off_where_it_takes_more_than_its_share(
    manager: ModelManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("tabm")
    monkeypatch.setattr(clock, "SHARE", 0.0)
    built = build(manager, houses(), "price", candidates=["linear", "table-model"], trials=2, budget=600)

    assert [each.candidate for each in built.leaderboard] == ["linear"]
    (net,) = built.left_out
    assert (net.candidate, net.reason) == ("table-model", TOO_LONG)


def test_a_net_that_wins_is_kept(manager: ModelManager) -> None:
    pytest.importorskip("tabm")
    built = build(manager, houses(120), "price", candidates=["table-model"], trials=1, folds=1)

    assert built.best.candidate == "table-model"
    kept: Any = manager.load_version("best@1")
    features, _ = without(houses(20, seed=2), "price")
    assert kept.predict(features).shape == (20,)


PROGRAM = """
import sys
from lepton_ai import ModelManager
from lepton_ai.building.automatic.folded import FoldedRows
sys.path.insert(0, sys.argv[1])
from rows import applicants, without
figures = FoldedRows.figures
def slowly(rows, *asked, **more):
    print("begun", flush=True)
    sys.stdin.readline()
    return figures(rows, *asked, **more)
FoldedRows.figures = slowly
with ModelManager(sys.argv[2]) as manager:
    manager.build(*without(applicants(), "default"), name="best", trials=3, folds=3,
                  candidates=["linear", "hist-gradient-boosting"])
"""


def test_a_build_that_was_killed_goes_on_where_it_was(home: Path, manager: ModelManager) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(Path(__file__).parent), str(home)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as searching:
        assert searching.stdin is not None
        assert searching.stdout is not None
        try:
            assert searching.stdout.readline() == "begun\n"
            with pytest.raises(LockHeld):
                build(manager, applicants(), "default")
            searching.stdin.write("\n")
            searching.stdin.flush()
            assert searching.stdout.readline() == "begun\n"
        finally:
            os.kill(searching.pid, signal.SIGKILL)

    built = build(manager, applicants(), "default")

    (study,) = manager.sql("SELECT trials, complete FROM studies").to_pylist()
    assert study["trials"] == 3
    assert built.trials == 3
    assert built.version == 1
    assert len(manager.versions("best").versions) == 1


BAD: dict[str, tuple[dict[str, Any], type[LeptonError], str]] = {
    "a label that is constant": ({"labels": [1.0] * 240}, Malformed, "all labels are the same"),
    "labels that lack": ({"labels": [None, *[0.0, 1.0] * 119, 1.0]}, Malformed, "labels are missing"),
    "too few labels": ({"labels": [0.0, 1.0]}, Malformed, "2 labels for 240 rows"),
    "no labels": ({"labels": None}, Malformed, "what the labels of the rows are"),
    "text as a number": ({"labels": ["a", "b", "c"] * 80, "task": "regression"}, Malformed, "labels are text"),
    "more than two classes as two": ({"labels": [0, 1, 2] * 80, "task": "binary"}, Malformed, "3 classes"),
    "a positive label that does not occur": ({"positive": "never"}, Malformed, "positive_label"),
    "a task that there is not": ({"task": "ranking"}, Malformed, "there is no task 'ranking'"),
    "a metric that nobody knows": ({"metric": "beauty"}, Refused, "higher or lower"),
    "a metric that never comes": ({"metric": "rmse"}, Refused, "no trial measures 'rmse'"),
    "a direction that is unknown": ({"metric": "m", "better": {"m": "up"}}, Malformed, "up"),
    "a candidate that there is not": ({"candidates": ["oracle"]}, Malformed, "there is no candidate 'oracle'"),
    "no candidates": ({"candidates": []}, Refused, "no candidate is left"),
    "a budget of zero": ({"budget": 0}, Malformed, "a time above 0"),
    "a budget that is no time": ({"budget": "soon"}, Malformed, "'soon'"),
    "no trials": ({"trials": 0}, Malformed, "1 to 100,000 trials"),
    "too many folds": ({"folds": 21}, Malformed, "1 to 20 folds"),
    "a column of groups that is not there": ({"groups": "patient"}, Malformed, "no column 'patient'"),
    "too few groups": ({"groups": "housing", "folds": 5}, Malformed, "3 groups, and 5 are needed"),
    "a time that is text": ({"time": "housing"}, Malformed, "holds text"),
    "groups and time": ({"groups": "housing", "time": "debt"}, Malformed, "give one of them"),
    "a seed below zero": ({"seed": -1}, Malformed, "whole number"),
    "workers for rows in memory": ({"workers": 2}, Malformed, "workers read rows from a file"),
    "limits without workers": ({"pool": "gpu"}, Malformed, "is of jobs"),
    "a word that nothing reads": ({"nonsense": 1}, Malformed, "nothing to give as nonsense"),
    "a word that nothing reads, beside workers": ({"trial": 3, "workers": 1}, Malformed, "nothing to give as trial"),
    "a setting as the metric": (
        {"metric": "threshold", "better": {"threshold": "higher"}},
        Malformed,
        "no figure; name a metric such as roc",
    ),
    "a metric beside which a setting would be named": (
        {"metric": "r2"},
        Refused,
        "trials measure accuracy, brier, ece, f1, gini, ks, log_loss, precision, recall, roc",
    ),
    "classes that are no whole numbers": (
        {"labels": [0.0, 0.5, 1.0] * 80, "task": "multiclass"},
        Refused,
        "all of them failed, the last with Malformed",
    ),
    "a branch that there is not": (
        {"name": "other", "branch": "nowhere"},
        Refused,
        "other has no branch 'nowhere' yet",
    ),
    "a column to drop that is not there": ({"drop": ["wealth"]}, Malformed, "no column 'wealth'"),
    "no column left": ({"drop": ["income", "debt", "housing"]}, Malformed, "no column is left"),
    "a name that is none": ({"name": "a b@c"}, Malformed, "name"),
    "a class of a single row": ({"labels": [0] * 239 + [1]}, Malformed, "from one class alone"),
    "pictures": ({"data": np.zeros((240, 8, 8), np.uint8)}, Malformed, "holds arrays"),
    "few rows": ({"data": {"x": [1.0, 2.0]}, "labels": [0, 1]}, Malformed, "too few to choose a model by"),
}


def test_a_metric_that_turned_is_another_build(manager: ModelManager) -> None:
    features, labels = without(applicants(), "default")
    asked: dict[str, Any] = {"name": "best", "trials": 1, "folds": 3, "candidates": ["linear"]}

    usual = manager.build(features, labels, **asked)
    turned = manager.build(features, labels, **asked, better={"roc_auc": "lower"})

    assert (usual.better, turned.better) == ("higher", "lower")
    assert manager.build(features, labels, **asked | {"trials": 2}).study == turned.study != usual.study


def test_a_fold_may_learn_two_of_three_classes(manager: ModelManager) -> None:
    features, labels = without(applicants(), "default")
    late = ["late" if place > 170 and label else str(label) for place, label in enumerate(labels)]
    days = pd.date_range("2020-01-01", periods=len(late))

    built = manager.build({**features, "day": days}, late, time="day", folds=3, trials=1, candidates=["linear"])

    assert (built.task, built.metric) == ("multiclass", "macro_f1")
    assert manager.load_version("best-model@1").TASK == "multiclass"


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_refused_in_a_sentence_and_leaves_nothing(manager: ModelManager, case: str) -> None:
    asked, error, words = BAD[case]
    features, labels = without(applicants(), "default")
    manager.save_version({"w": np.ones(3)}, name="other")
    usual: dict[str, Any] = {"data": features, "labels": labels, "name": "best", "trials": 1, "folds": 3}

    with pytest.raises(error, match=words):
        manager.build(**{**usual, "candidates": ["linear"], **asked})

    assert manager.models() == ["other"]
    assert manager.sql("SELECT * FROM studies WHERE deleted IS NULL").num_rows == 0


def test_workers_judge_candidates_by_the_same_folds(home: Path, tmp_path: Path, manager: ModelManager) -> None:
    from ..worker_process import worker

    path = tmp_path / "applicants.csv"
    pd.DataFrame(applicants()).to_csv(path, index=False)
    here = manager.build(path, "default", name="here", trials=2, folds=3, candidates=QUICK)
    working = worker(home)
    try:
        there = manager.build(path, "default", name="there", trials=2, folds=3, candidates=QUICK, workers=1)
    finally:
        os.killpg(working.pid, signal.SIGKILL)
        working.wait()

    assert [(each.candidate, each.figure) for each in there.leaderboard] == [
        (each.candidate, each.figure) for each in here.leaderboard
    ]
