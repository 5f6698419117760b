"""The choice of a version to roll back to: performance, stability and age, and what it says about them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lepton_ai.domain.commands import (
    Archive,
    ClearVersion,
    DefineMetrics,
    MoveAliases,
    RecordEvaluation,
    RecordMetrics,
    RollBack,
)
from lepton_ai.domain.model.suggestion import Advice, suggest
from lepton_ai.domain.model.track_record import services
from lepton_ai.errors import Malformed, Refused

from .past import START, Past, saving

DAY = timedelta(days=1)
ROWS = {"digest": "blake3:same", "rows": 200}


def line(*metrics: dict[str, float], every: timedelta = DAY) -> Past:
    """main: a version a day, each with these metrics, all on the same rows."""
    past = Past()
    for n, figures in enumerate(metrics):
        past.ask(saving(n, *([n] if n else []), metrics=figures, validation=ROWS), at=START + n * every)
    return past


def back(past: Past, to: int, day: float) -> None:
    head = past.credit.head("main") or 0
    past.ask(RollBack(model="credit", branch="main", to=to, from_version=head), at=START + day * DAY)


def chosen(past: Past, day: float = 10, **more: Any) -> Advice:
    return suggest(past.credit, "main", now=START + day * DAY, **more)


def order(suggestion: Advice) -> list[int]:
    return [candidate.version for candidate in suggestion.ranking]


# ── the default: the most recent stable version ──────────────────────────────────────────────────────────────────────


def test_where_nothing_was_measured_the_most_recent_stable_version_is_suggested() -> None:
    suggestion = chosen(line({}, {}, {}, {}))

    assert order(suggestion) == [3, 2, 1]
    assert suggestion.version == 3
    assert suggestion.metric is None
    assert "version 3 is suggested: the most recent stable version" in suggestion.words


def test_equal_figures_are_a_tie_that_the_most_recent_stable_version_wins() -> None:
    past = line(*[{"f1": 0.9}] * 4, every=timedelta(minutes=1))

    assert len({candidate.score for candidate in chosen(past, 0.1).ranking}) == 1
    assert order(chosen(past, 0.1)) == [3, 2, 1]


def test_a_version_that_was_rolled_back_from_is_not_suggested_again() -> None:
    past = line({}, {}, {})
    back(past, 2, day=3)
    past.ask(saving("next", 2), at=START + 4 * DAY)

    suggestion = chosen(past)

    assert suggestion.version == 2
    assert [candidate.stable for candidate in suggestion.ranking] == [True, True, False]
    assert suggestion.ranking[-1].version == 3
    assert suggestion.ranking[-1].stability == 0.5
    assert "rolled back from once, no alert in 1.0 days of service" in suggestion.ranking[-1].words


def test_a_version_that_was_rolled_back_from_is_not_suggested_whatever_its_figures_until_it_is_cleared() -> None:
    past = line({"f1": 0.5}, {"f1": 0.9}, {"f1": 0.5})
    past.ask(RollBack(model="credit", branch="main", to=1, from_version=3), at=START + 3 * DAY)
    back(past, 2, day=3.1)
    back(past, 1, day=3.2)
    back(past, 3, day=3.3)

    assert order(chosen(past)) == [1, 2]
    assert chosen(past).ranking[1].score > chosen(past).ranking[0].score
    assert chosen(past).ranking[1].barred
    past.ask(ClearVersion(model="credit", version=2, reason="a false alarm"), at=START + 4 * DAY)
    assert order(chosen(past)) == [2, 1]
    assert chosen(past).ranking[0].stable


def test_a_version_that_is_rolled_back_from_after_it_was_cleared_is_not_suggested_again() -> None:
    past = line({}, {}, {})
    back(past, 1, day=3)
    past.ask(ClearVersion(model="credit", version=3, reason="a false alarm"), at=START + 4 * DAY)
    back(past, 3, day=5)
    back(past, 1, day=6)

    assert order(chosen(past)) == [2, 3]


def test_where_all_were_rolled_back_from_nothing_is_suggested() -> None:
    past = line({}, {})
    back(past, 1, day=3)

    with pytest.raises(Refused, match=r"every version .* was rolled back from; clear\(REV, reason="):
        chosen(past)


def test_a_version_that_suffered_alerts_gives_way_to_an_older_one_without() -> None:
    suggestion = chosen(line({}, {}, {}), alerts={2: 3})

    assert suggestion.version == 1
    assert "never rolled back from, 3 alerts in 1.0 days of service" in suggestion.ranking[1].words


def test_where_no_version_is_stable_the_words_say_so() -> None:
    suggestion = chosen(line({}, {}, {}), alerts={1: 1, 2: 1})

    assert suggestion.version == 2
    assert "no version of its past is stable" in suggestion.words


def test_going_forwards_again_counts_against_nobody() -> None:
    past = line({}, {}, {})
    back(past, 1, day=3)
    back(past, 3, day=4)

    record = services(past.credit, START + 5 * DAY, {})

    assert {number: service.rollbacks for number, service in record.items()} == {1: 0, 2: 0, 3: 1}


def test_a_branch_and_the_alias_that_went_with_it_are_one_rollback() -> None:
    past = line({}, {})
    past.ask(MoveAliases(model="credit", to={"production": 1}), at=START + 2 * DAY)
    past.ask(MoveAliases(model="credit", to={"production": 2}), at=START + 3 * DAY)
    past.ask(
        RollBack(model="credit", branch="main", to=1, from_version=2, move_aliases=("production",)),
        at=START + 4 * DAY,
    )

    assert services(past.credit, START + 5 * DAY, {})[2].rollbacks == 1


# ── stability ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_time_served_counts_each_moment_once_however_many_names_stood_there() -> None:
    past = line({}, {})
    past.ask(MoveAliases(model="credit", to={"production": 1, "shadow": 1}), at=START + 2 * DAY)

    record = services(past.credit, START + 5 * DAY, {})

    assert record[1].served == 1 * DAY + 3 * DAY
    assert record[2].served == 4 * DAY


def test_an_alert_weighs_less_the_longer_a_version_served() -> None:
    past = line({}, {}, {})
    past.ask(MoveAliases(model="credit", to={"production": 1}), at=START + 2 * DAY)

    record = services(past.credit, START + 12 * DAY, {1: 1, 2: 1})

    assert record[1].stability == pytest.approx(1 / (1 + 1 / 12))
    assert record[2].stability == pytest.approx(1 / (1 + 1 / 2))


def test_a_clock_that_runs_behind_makes_nobody_younger_than_new() -> None:
    suggestion = chosen(line({}, {}), day=-5)

    assert suggestion.ranking[0].age == 1
    assert "0.0 hours old" in suggestion.ranking[0].words


# ── performance ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_clearly_better_version_goes_before_a_more_recent_one() -> None:
    suggestion = chosen(line({"f1": 0.90}, {"f1": 0.60}, {"f1": 0.5}))

    assert suggestion.version == 1
    assert suggestion.metric == "f1"
    assert "the most recent stable version is 2, which scores lower" in suggestion.words
    assert "branch 'main' stands on version 3 (f1 0.5)" in suggestion.words
    assert "version 1, score" in suggestion.ranking[0].words
    assert "f1 0.9, the best on these rows" in suggestion.ranking[0].words
    assert "f1 0.6, 33.3% behind the best" in suggestion.ranking[1].words


def test_a_hair_of_performance_does_not_outweigh_recency() -> None:
    assert chosen(line({"f1": 0.9001}, {"f1": 0.9}, {})).version == 2


@pytest.mark.parametrize(
    ("figures", "metric"),
    [
        ([{"f1": 0.5, "accuracy": 0.9}, {"f1": 0.5, "accuracy": 0.9}], "f1"),
        ([{"f1": 0.5, "accuracy": 0.9}, {"accuracy": 0.9}], "accuracy"),
        ([{"loss": 0.5}, {"loss": 0.5}], "loss"),
        ([{"custom": 0.5}, {"custom": 0.5}], None),
    ],
)
def test_the_usual_metric_is_the_one_most_candidates_have_f1_first(figures: list, metric: str | None) -> None:
    assert chosen(line(*figures, {})).metric == metric


@pytest.mark.parametrize(
    "metric",
    [
        "loss",
        "val_loss",
        "log_loss",
        "logloss",
        "MSELoss",
        "test.rmse",
        "ece",
        "error_rate",
        "latency_ms",
        "perplexity",
        "fid",
        "test/eer",
        "crps",
    ],
)
def test_a_loss_is_better_lower(metric: str) -> None:
    suggestion = chosen(line({metric: 0.1}, {metric: 0.4}, {}), metric=metric)

    assert (suggestion.better, suggestion.version) == ("lower", 1)
    assert suggestion.ranking[1].performance == pytest.approx(0.25)


@pytest.mark.parametrize("metric", ["f1", "true_positive_rate", "neg_log_loss", "mAP50(B)", "r2", "ks"])
def test_what_is_no_loss_is_better_higher(metric: str) -> None:
    assert chosen(line({metric: 0.1}, {metric: 0.4}, {}), metric=metric).better == "higher"


@pytest.mark.parametrize("metric", ["n", "test.positives", "threshold", "true_positives"])
def test_a_count_or_a_threshold_ranks_nothing(metric: str) -> None:
    with pytest.raises(Malformed, match="not how good"):
        chosen(line({metric: 0.1}, {metric: 0.4}, {}), metric=metric)


def test_figures_of_any_sign_are_compared() -> None:
    suggestion = chosen(line({"r2": -1.0}, {"r2": 0.5}, {"r2": 0.0}, {}), metric="r2")

    assert {candidate.version: candidate.performance for candidate in suggestion.ranking} == {1: 0.0, 2: 1.0, 3: 0.0}


def test_what_was_not_measured_is_taken_for_the_lowest() -> None:
    suggestion = chosen(line({"f1": 0.9}, {}, {"f1": 0.6}, {}))

    unmeasured = next(candidate for candidate in suggestion.ranking if candidate.version == 2)
    assert unmeasured.measured is None
    assert unmeasured.performance == pytest.approx(0.6 / 0.9)
    assert "f1 not measured on these rows, taken for the lowest" in unmeasured.words


def test_a_figure_found_out_later_counts() -> None:
    past = line({"f1": 0.9}, {"f1": 0.9}, {})
    past.ask(RecordMetrics(model="credit", version=2, metrics={"f1": 0.2}, validation=ROWS))

    assert chosen(past).version == 1


def test_figures_of_different_rows_weigh_nothing_and_the_words_say_so() -> None:
    past = Past()
    for n in range(3):
        rows = {"digest": f"rows {n}", "rows": 100}
        past.ask(saving(n, *([n] if n else []), metrics={"f1": 0.9 - n / 10}, validation=rows), at=START + n * DAY)

    for suggestion in (chosen(past), chosen(past, metric="f1")):
        assert (suggestion.metric, suggestion.version) == (None, 2)
        assert all(candidate.performance is None for candidate in suggestion.ranking)
        assert "no two of these versions were judged on the same rows, so stability and age decide" in suggestion.words
        assert "0.7" not in suggestion.words


def test_figures_of_unknown_rows_weigh_nothing() -> None:
    past = Past(*(saving(n, *([n] if n else []), metrics={"f1": 0.9 - n / 10}) for n in range(3)))

    assert (chosen(past).metric, chosen(past).version) == (None, 2)


def test_an_evaluation_weighs_where_it_is_on_rows_that_versions_share() -> None:
    past = Past(*(saving(n, *([n] if n else [])) for n in range(3)))
    for version, name, f1 in ((1, "test", 0.9), (2, "holdout", 0.5), (3, "", 0.4)):
        past.ask(RecordEvaluation(model="credit", version=version, data=ROWS, name=name, metrics={"f1": f1}))
    easy = {"digest": "easy", "rows": 10}
    past.ask(RecordEvaluation(model="credit", version=2, data=easy, name="test", metrics={"f1": 1.0}))

    for metric in (None, "test/f1", "holdout/f1"):
        suggestion = chosen(past, metric=metric)
        assert suggestion.version == 1
        assert [candidate.measured for candidate in suggestion.ranking] == [0.9, 0.5]
        assert (suggestion.rows.digest, suggestion.rows.size) == ("blake3:same", 200)


def test_a_metric_of_unknown_direction_ranks_nothing_until_it_is_defined() -> None:
    past = line({"saving": 0.1}, {"saving": 0.4}, {})

    assert chosen(past).metric is None
    with pytest.raises(Refused, match=r"'saving' is better higher or lower.*define_metrics"):
        chosen(past, metric="saving")
    past.ask(DefineMetrics(model="credit", better={"saving": "lower"}))
    assert chosen(past, metric="saving").version == 1


def test_a_metric_that_nobody_has_is_refused_and_those_there_are_named() -> None:
    with pytest.raises(Refused, match="no version in the past of 'main' has a metric 'f2'; they have f1, ks"):
        chosen(line({"f1": 0.5, "ks": 0.1}, {}), metric="f2")
    with pytest.raises(Refused, match="has a metric 'f2'; `evaluate` measures them"):
        chosen(line({}, {}), metric="f2")


# ── candidates ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_candidates_are_the_past_of_the_branch_and_not_its_head() -> None:
    past = line({}, {}, {})
    past.ask(saving("wide", 1, branch="wide"))
    back(past, 1, day=5)

    assert set(order(chosen(past))) == {2, 3}


def test_where_there_is_nothing_to_go_back_to_the_refusal_says_why() -> None:
    with pytest.raises(Refused, match="branch 'main' has only ever been on version 1; there is nothing"):
        chosen(line({}))
    with pytest.raises(Refused, match="credit has no branch 'wide'; `lepton branch` lists them"):
        suggest(line({}, {}).credit, "wide", now=START)


def test_an_archived_model_is_not_rolled_back() -> None:
    past = line({}, {})
    past.ask(Archive(model="credit"))

    with pytest.raises(Refused, match="model 'credit' is archived"):
        chosen(past)


figures = st.dictionaries(st.sampled_from(["f1", "accuracy", "loss"]), st.floats(-1e6, 1e6), max_size=3)


@given(
    st.lists(figures, min_size=2, max_size=6),
    st.dictionaries(st.integers(1, 6), st.integers(0, 5), max_size=4),
    st.sets(st.integers(1, 6), max_size=3),
    st.integers(0, 400),
)
def test_scores_stay_in_bounds_and_ties_go_to_the_stable_and_the_recent(
    metrics: list[dict[str, float]], alerts: dict[int, int], targets: set[int], day: int
) -> None:
    past = line(*metrics)
    for hours, target in enumerate(sorted(targets), 1):
        if target <= len(metrics) and target != past.credit.head("main"):
            back(past, target, day=10 + hours)

    try:
        ranking = chosen(past, day, alerts=alerts).ranking
    except Refused:  # where all others were rolled back from
        return

    keys = [(not each.barred, each.score, each.stable, each.version) for each in ranking]
    assert keys == sorted(keys, reverse=True)
    for candidate in ranking:
        for side in (candidate.score, candidate.performance or 0, candidate.stability, candidate.age):
            assert 0 <= side <= 1
        assert candidate.stable == (candidate.stability == 1)
        assert f"version {candidate.version}, score {candidate.score:.2f}" in candidate.words


def test_now_is_an_argument_so_the_same_past_gives_the_same_answer() -> None:
    past, now = line({"f1": 0.9}, {"f1": 0.8}, {}), datetime(2027, 1, 1, tzinfo=START.tzinfo)

    assert suggest(past.credit, "main", now=now) == suggest(past.credit, "main", now=now)
