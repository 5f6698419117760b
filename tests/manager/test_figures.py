"""Figures of versions by the rows that they are of: what is compared, suggested and promised, and what is not."""

from __future__ import annotations

import json
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pytest

from lepton_ai import ModelManager
from lepton_ai.datasets.tables import identity
from lepton_ai.errors import Malformed, Refused
from lepton_ai.events.inbox import Letter
from lepton_ai.jobs.intake.inbox import Intake
from lepton_ai.ledger import Receipt
from lepton_ai.models import CreditScoringModel
from lepton_ai.results import Version

EASY = {"digest": f"blake3:{'e' * 64}", "rows": 110}
COUNT = count()
HARD = {"digest": f"blake3:{'f' * 64}", "rows": 300}


def rows(number: int, seed: int, noise: float = 0.5) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    data = rng.normal(size=(number, 3))
    return data, (data[:, 0] + noise * rng.normal(size=number) > 0).astype(int)


def rows_of(*labelled: Any) -> dict[str, Any]:
    """Rows as answers tell them."""
    return {name: identity(*labelled)[name] for name in ("digest", "rows")}


@pytest.fixture
def manager(home: Path) -> ModelManager:
    return ModelManager(home, actor="ada")


def saved(manager: ModelManager, *asked: dict[str, Any], name: str = "net") -> list[Version]:
    """A line of versions, each saved with these words."""
    tensors = (np.full(3, next(COUNT), np.float32) for _ in asked)
    return [manager.save_version({"w": w}, name=name, **each) for w, each in zip(tensors, asked, strict=True)]


def of_test(manager: ModelManager, version: int, f1: float, data: dict[str, Any] = HARD, name: str = "test") -> None:
    """An evaluation that an outside service tells."""
    told = {
        "specversion": "1.0", "id": str(uuid4()), "source": "/risk", "type": "lepton.evaluation.recorded.v1",
        "subject": "model/net", "time": "2026-11-24T08:00:00Z",
        "data": {"version": version, "data": data, "name": name, "metrics": {"f1": f1}},
    }  # fmt: skip
    assert isinstance(taken(manager, told), Receipt)


def taken(manager: ModelManager, told: dict[str, Any]) -> object:
    """What the intake answers to a message."""
    work = manager._home.workspace
    place = sum(event["type"] == told["type"] for event in manager.events())
    letter = Letter(place, json.dumps(told).encode())
    (answer,) = Intake(work.ledger, work.actors, "inbox").take([letter], place or None)
    return answer


def test_no_outside_service_tells_what_a_suite_found(manager: ModelManager, tmp_path: Path) -> None:
    saved(manager, {"metrics": {"f1": 0.5}})
    data, labels = rows(40, 1)
    file = tmp_path / "rows.csv"
    np.savetxt(file, np.column_stack([data, labels]), delimiter=",", header="a,b,c,y", comments="")
    manager.define_suite("nightly", str(file), "y", require="f1 >= 0.7")
    told = {
        "specversion": "1.0", "id": str(uuid4()), "source": "/risk", "type": "lepton.evaluation.recorded.v1",
        "subject": "model/net", "time": "2026-11-24T08:00:00Z",
        "data": {"version": 1, "data": HARD, "name": "nightly", "metrics": {"f1": 0.99}},
    }  # fmt: skip

    answer = taken(manager, told)

    assert isinstance(answer, Refused)
    assert "'nightly' is what a suite calls its evaluations" in str(answer)
    assert "nightly/f1" not in manager.show("net@1").metrics


# ── the case that was seen ───────────────────────────────────────────────────────────────────────────────────────────


def test_a_version_judged_on_easy_rows_is_not_ranked_above_one_judged_on_harder_ones(manager: ModelManager) -> None:
    """Version 1 on 110 easy rows had 0.863, version 2 on 300 rows 0.646, and on the test rows 2 does better."""
    for seed in (0, 1):
        model = CreditScoringModel()
        for name, value in {"epochs": 3, "members": 1, "hidden": [4]}.items():
            model.add_hyperparameter(name, value)
        manager.train(model, *rows(100 + 100 * seed, seed, noise=2 - 1.5 * seed), name="risk")
    own = [manager.show(f"risk@{n}").metrics["f1"] for n in (1, 2)]
    easy, test = rows(110, 2, noise=0.0), rows(300, 3)
    for version in (1, 2):
        manager.evaluate(f"risk@{version}", *(easy if version == 1 else test))
        manager.evaluate(f"risk@{version}", *test, name="test")
    figures = [manager.show(f"risk@{n}").metrics for n in (1, 2)]

    assert [each["f1"] for each in figures] == own
    assert figures[0]["evaluation/f1"] > figures[0]["test/f1"]
    found = manager.compare("risk@1", "risk@2")
    assert (found.metric, found.on) == ("test/f1", rows_of(*test))
    assert found.best == (1 if figures[0]["test/f1"] > figures[1]["test/f1"] else 2)
    assert [each["test/f1"] for each in found.metrics] == sorted((each["test/f1"] for each in figures), reverse=True)
    plan = manager.rollback("risk@1", dry_run=True)
    assert plan.metrics_now["test/f1"] == figures[1]["test/f1"]
    assert {"f1", "evaluation/f1"}.isdisjoint({*plan.metrics_now, *plan.metrics_then})
    suggested = manager.suggest_rollback(model="risk")
    assert (suggested.metric, suggested.rows) == ("test/f1", rows_of(*test))
    for name, value in figures[0].items():
        assert manager.find(f"metric.{name} >= {value!r} and metric.{name} <= {value!r}")[0] == 1


# ── its kind ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_where_no_rows_are_shared_both_are_shown_with_their_rows_and_nothing_is_promised(manager: ModelManager) -> None:
    saved(manager, {"metrics": {"f1": 0.863}, "validation": EASY}, {"metrics": {"f1": 0.646}, "validation": HARD})

    for metric in (None, "f1"):
        found = manager.compare(1, 2, metric=metric)
        assert (found.best, found.metric, [*found.versions]) == (None, None, [1, 2])
        assert [each["f1"] for each in found.metrics] == [0.863, 0.646]
        assert found.rows == ({"f1": EASY}, {"f1": HARD})
        assert "not ranked" in str(found)
        assert "110 rows" in str(found)
        assert "300 rows" in str(found)
    plan = manager.rollback(1, dry_run=True)
    assert (plan.metrics_now, plan.metrics_then) == ({}, {})
    assert "0.863" not in str(plan)
    assert "none on rows that both versions were judged on" in str(plan)
    suggested = manager.suggest_rollback()
    assert (suggested.metric, suggested.candidates[0]["performance"]) == (None, None)
    assert "no two of these versions were judged on the same rows" in suggested.words
    assert "rows not shared" in str(manager.diff(1, 2))


def test_figures_that_were_logged_have_no_rows_and_rank_nothing(manager: ModelManager) -> None:
    saved(manager, {"metrics": {"f1": 0.9}}, {"metrics": {"f1": 0.8}})
    manager.record_metrics(2, {"f1": 0.95})

    found = manager.compare(1, 2, metric="f1")

    assert (found.best, found.rows) == (None, ({}, {}))
    assert [each["f1"] for each in found.metrics] == [0.9, 0.95]
    assert manager.suggest_rollback().metric is None
    assert manager.rollback(1, dry_run=True).metrics_then == {}
    assert manager.find("metric.f1 > 0.92") == [2]


def test_what_is_logged_beside_a_versions_own_figure_is_kept_apart(manager: ModelManager) -> None:
    saved(manager, {"metrics": {"f1": 0.5}, "validation": HARD})
    manager.record_metrics(1, {"f1": 0.9})

    record = manager.show(1)

    assert (record.metrics, record.rows, record.logged) == ({"f1": 0.5}, {"f1": HARD}, {"f1": 0.9})
    assert "logged; rows unknown" in str(record)
    assert manager.find("metric.f1 > 0.4 and metric.f1 < 0.6") == [1]


def test_rows_are_the_same_by_their_fingerprint_whatever_they_are_called(manager: ModelManager) -> None:
    saved(manager, {"metrics": {"f1": 0.7}, "validation": HARD}, {}, {})
    of_test(manager, 2, 0.6, HARD, "test")
    of_test(manager, 3, 0.8, HARD, "holdout")
    of_test(manager, 2, 0.9, EASY, "holdout")

    for metric in (None, "test/f1", "f1", "holdout/f1"):
        found = manager.compare(1, 2, 3, metric=metric)
        assert [*found.versions] == [3, 1, 2]
        assert [each[found.metric] for each in found.metrics] == [0.8, 0.7, 0.6]
        assert found.on == HARD


def test_one_name_on_other_rows_is_not_compared(manager: ModelManager) -> None:
    saved(manager, {}, {})
    of_test(manager, 1, 0.9, EASY)
    of_test(manager, 2, 0.6, HARD)

    assert manager.compare(1, 2, metric="test/f1").best is None
    assert manager.rollback(1, dry_run=True).metrics_then == {}
    of_test(manager, 1, 0.5, HARD)
    assert manager.compare(1, 2, metric="test/f1").best == 2
    of_test(manager, 1, 0.95, EASY)
    found = manager.compare(1, 2)
    assert (found.best, [each["test/f1"] for each in found.metrics]) == (2, [0.6, 0.5])
    assert manager.rollback(1, dry_run=True).metrics_then == {"test/f1": 0.5}


def test_of_three_versions_that_only_two_share_none_is_called_the_best(manager: ModelManager) -> None:
    rows = ({"metrics": {"f1": 0.7}, "validation": HARD}, {"metrics": {"f1": 0.6}, "validation": HARD})
    saved(manager, *rows, {"metrics": {"f1": 0.9}, "validation": EASY})

    found = manager.compare(1, 2, 3)

    assert found.best is None
    assert "only versions 1, 2 share f1" in found.words
    assert manager.compare(1, 2).best == 1
    suggested = manager.suggest_rollback()
    assert (suggested.metric, suggested.rows, suggested.version) == ("f1", HARD, 1)


def test_versions_of_two_branches_are_compared_by_the_rows_they_share(manager: ModelManager) -> None:
    (first,) = saved(manager, {"metrics": {"f1": 0.7}, "validation": HARD})
    for branch, f1, data in (("wide", 0.8, HARD), ("deep", 0.9, EASY)):
        manager.save_version(
            {"w": np.full(3, f1)}, name="net", branch=branch, parents=[first], metrics={"f1": f1}, validation=data
        )

    assert manager.compare("main", "wide").best == 2
    assert manager.compare("main", "deep").best is None


def test_a_training_with_validation_rows_says_which_and_a_load_knows_them(manager: ModelManager) -> None:
    data, held = rows(60, 1), rows(40, 2)
    model = CreditScoringModel()
    for name, value in {"epochs": 2, "members": 1, "hidden": [4]}.items():
        model.add_hyperparameter(name, value)
    manager.train(model, *data, validation=held, name="net")

    assert manager.show(1).rows["f1"] == rows_of(*held)
    assert manager.load_version("net@1").validation == identity(*held)
    manager.evaluate("net@1", *held, name="test")
    assert manager.save_version(manager.load_version("net@1"), name="net") == 1
    assert manager.save_version(model, name="net", branch="other", parents=[1], message="m", settings={"a": 1}) == 2
    assert manager.compare(1, 2, metric="test/f1").best == 2
    manager.save_version(model, name="net", branch="third", parents=[1], settings={"a": 2}, metrics={"f1": 1.0})
    assert manager.show(3).rows == {}


# ── rows by both versions of their fingerprint ───────────────────────────────────────────────────────────────────────


SOME = (np.arange(8.0).reshape(4, 2), np.array([0, 1, 0, 1]))
OLD = {"digest": identity(*SOME)["v1"], "rows": 4}
"""The same rows as an earlier Lepton recorded them."""


def test_figures_of_rows_that_an_earlier_lepton_recorded_are_compared_with_todays(manager: ModelManager) -> None:
    saved(manager, {"metrics": {"f1": 0.7}, "validation": OLD}, {"metrics": {"f1": 0.6}, "validation": SOME}, {})
    of_test(manager, 3, 0.8, OLD)

    for metric in (None, "f1", "test/f1"):
        found = manager.compare(1, 2, 3, metric=metric)
        assert ([*found.versions], [each[found.metric] for each in found.metrics]) == ([3, 1, 2], [0.8, 0.7, 0.6])
    assert manager.diff(1, 2).other_rows == ()
    assert manager.rollback(1, dry_run=True).metrics_then == {"test/f1": 0.7}
    for validation in (OLD, SOME):
        manager.save_version({"w": np.ones(3)}, name="same", metrics={"f1": 0.7}, validation=validation)
    assert sum("metrics" in event["data"] for event in manager.events(stream="model/same")) == 1


def test_where_version_1_of_a_fingerprint_is_not_known_they_are_other_rows(manager: ModelManager) -> None:
    in_a_stream = {name: value for name, value in identity(*SOME).items() if name != "v1"}
    other_order = (SOME[0][:, ::-1], SOME[1])
    both = {"0": SOME[0][:, 0], "1": SOME[0][:, 1]}, {"1": SOME[0][:, 1], "0": SOME[0][:, 0]}
    saved(manager, *({"metrics": {"f1": n / 9}, "validation": each} for n, each in enumerate(
        (OLD, in_a_stream, other_order, (both[0], SOME[1]), (both[1], SOME[1])), 1
    )))  # fmt: skip

    assert [manager.compare(1, n).best for n in (2, 3, 4, 5)] == [None, None, 4, None]
    assert [manager.compare(2, n).best for n in (3, 4, 5)] == [None, 4, 5], "the order of columns does not matter"


def test_a_diff_says_which_columns_of_the_data_changed(manager: ModelManager) -> None:
    tables = [{"age": [1, 2, 3], "job": ["a", "b", job]} for job in "cd"]
    saved(manager, *({"data": (table, [0, 1, 0])} for table in tables), {"data": {**OLD, "columns": [
        {"name": "age", "type": "category"}, {"name": "job", "type": "category"},
    ]}})  # fmt: skip

    assert {*manager.diff(1, 2).data} == {"digest", "columns.job.digest"}
    assert {*manager.diff(2, 3).data} == {"digest", "rows", "columns.age.type"}


# ── tasks ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_figures_of_another_task_are_not_compared_under_one_name(manager: ModelManager) -> None:
    same = {"validation": HARD}
    tasks = ("binary", "multiclass", "binary", None)
    saved(manager, *({"metrics": {"accuracy": n / 9}, "task": task, **same} for n, task in enumerate(tasks, 1)))

    for metric in (None, "accuracy"):
        assert manager.compare(1, 2, metric=metric).best is None
        assert "not of the same rows and task (binary, multiclass)" in manager.compare(1, 2, metric=metric).words
        assert [manager.compare(1, 3, metric=metric).best, manager.compare(1, 4, metric=metric).best] == [3, 4]
    assert manager.compare(1, 2, 4).best is None, "whichever task nobody said"
    assert manager.diff(1, 2).other_rows == ("accuracy",)
    assert manager.diff(1, 3).other_rows == ()
    assert manager.rollback(2, dry_run=True).metrics_then == {"accuracy": 2 / 9}
    told = manager.sql("SELECT version, task FROM metrics ORDER BY version").to_pylist()
    assert [each["task"] for each in told] == [*tasks]


def test_an_evaluation_and_a_training_say_what_their_figures_are_of(manager: ModelManager) -> None:
    model = CreditScoringModel()
    for name, value in {"epochs": 2, "members": 1, "hidden": [4]}.items():
        model.add_hyperparameter(name, value)
    manager.train(model, *rows(60, 1), name="net")
    manager.evaluate("net@1", *rows(40, 2), name="test")
    manager.record_metrics(1, {"rmse": 0.5}, validation=HARD, task="regression")

    events = [event["data"] for event in manager.events(stream="model/net") if "metrics" in event["data"]]

    assert [each["task"] for each in events] == ["binary", "binary", "regression"]
    assert {each["task"] for each in manager.sql("SELECT task FROM evaluations").to_pylist()} == {"binary"}


# ── directions ───────────────────────────────────────────────────────────────────────────────────────────────────────


BEST = {
    "fid": 1, "eer": 1, "nrmse": 1, "lpips": 1, "kl": 1, "crps": 1, "huber": 1, "val_loss": 1, "rmse": 1, "MSELoss": 1,
    "macro_f1": 2, "auc": 2, "ap": 2, "mAP50(B)": 2, "recall@10": 2, "neg_log_loss": 2, "neg_fid": 2,
}  # fmt: skip
UNKNOWN = ("cost_saving", "lossless_share", "timeliness", "std_f1", "losses_avoided", "损失")


def test_a_metrics_direction_is_known_or_ranking_by_it_is_refused(manager: ModelManager) -> None:
    names = (*BEST, *UNKNOWN)
    saved(manager, *({"metrics": dict.fromkeys(names, n / 9), "validation": HARD} for n in (1, 2, 3)))
    for n in (1, 2):
        of_test(manager, n, n / 9)

    assert {name: manager.compare(1, 2, metric=name).best for name in BEST} == BEST
    assert manager.compare(1, 2, metric="test/f1").best == 2
    for name in UNKNOWN:
        for rank in (partial(manager.compare, 1, 2), manager.suggest_rollback):
            with pytest.raises(Refused, match=f"whether '{name}' is better higher or lower.*define_metrics"):
                rank(metric=name)
    saved(manager, {"metrics": {"n": 3}, "validation": HARD})
    with pytest.raises(Malformed, match="'n' says how many"):
        manager.compare(4, metric="n")


def test_a_metric_of_unknown_direction_is_shown_and_ranks_once_it_is_defined(manager: ModelManager) -> None:
    saved(manager, *({"metrics": {"cost_saving": n / 9}, "validation": HARD} for n in (1, 2, 3)))

    found = manager.compare(1, 2)

    assert (found.best, [each["cost_saving"] for each in found.metrics]) == (None, [1 / 9, 2 / 9])
    assert "better={'cost_saving': 'lower'}" in found.words
    manager.define_metrics({"cost_saving": "lower"}, model="net")
    assert manager.compare(1, 2).best == 1
    assert manager.compare(1, 2, metric="cost_saving").best == 1
    assert manager.suggest_rollback().metric == "cost_saving"
    manager.define_metrics({"cost_saving": "higher"}, model="net")
    assert manager.compare(1, 2).best == 2


def test_a_direction_is_said_where_figures_are_saved(manager: ModelManager) -> None:
    saved(manager, {"metrics": {"a": 1}, "better": {"a": "lower"}})
    manager.record_metrics(1, {"b": 1}, better={"b": "higher"})
    with manager.run("net", better={"c": "lower"}) as run:
        run.save({"w": np.zeros(3)}, metrics={"c": 2})

    assert manager.about("net").better == {"a": "lower", "b": "higher", "c": "lower"}
    told = manager.sql("SELECT name, better FROM metric_definitions ORDER BY name").to_pylist()
    assert [each["better"] for each in told] == ["lower", "higher", "lower"]
    with pytest.raises(Malformed, match="say 'higher' or 'lower'"):
        manager.define_metrics({"a": "down"}, model="net")
    with pytest.raises(Malformed, match="say 'higher' or 'lower'"):
        saved(manager, {"metrics": {"a": 1}, "better": {"a": "less"}})


# ── clearing ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_version_that_was_rolled_back_from_is_suggested_again_once_it_is_cleared(manager: ModelManager) -> None:
    good = {"validation": HARD}
    saved(manager, {"metrics": {"f1": 0.5}, **good}, {"metrics": {"f1": 0.9}, **good}, {"metrics": {"f1": 0.6}, **good})
    manager.rollback(2)
    manager.rollback(1, reason="an alarm")

    with pytest.raises(Refused, match=r"was rolled back from; clear\(REV, reason="):
        manager.suggest_rollback()
    with pytest.raises(Malformed, match="for a reason"):
        manager.clear(2, reason=" ")
    assert manager.clear(2, reason="the alarm was false") == 2
    suggested = manager.suggest_rollback()
    assert [each["version"] for each in suggested.candidates] == [2, 3]
    assert [each["barred"] for each in suggested.candidates] == [False, True]
    assert manager.clear(2, reason="again") == 2
    *_, event = manager.events(stream="model/net")
    assert event["data"]["reason"] == "the alarm was false"


def test_a_diff_sets_figures_of_the_same_rows_side_by_side_as_compare_does(tmp_path: Path) -> None:
    some, others = (np.zeros((3, 2)), np.zeros(3)), (np.ones((5, 2)), np.zeros(5))
    with ModelManager(tmp_path / "home") as manager:
        for n in (1, 2):
            manager.save_version({"w": np.full(2, n)}, name="net")
        manager.record_metrics("net@1", {"f1": 0.9}, validation=some)
        manager.record_metrics("net@2", {"f1": 0.5}, validation=some)
        manager.record_metrics("net@2", {"f1": 0.95}, validation=others)

        difference = manager.diff("net@1", "net@2")

        assert difference.metrics == {"f1": (0.9, 0.5)}
        assert difference.other_rows == ()
