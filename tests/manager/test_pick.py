"""Picking a version: by one figure, by several, under requirements, and what is said of why."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lepton_ai import GateNotMet, ModelManager, Refused

from .cuts import Cut, rows

HELD = rows(400)
GIVEN: dict[str, Any] = {"data": HELD[0], "labels": HELD[1]}


@pytest.fixture
def manager(home: Path) -> ModelManager:
    """Version 1 is large and good, 2 is small and nearly as good, 3 is smaller and worse, 4 is as 2 and later."""
    manager = ModelManager(home, actor="ada")
    for model in (Cut(0.0, 100), Cut(0.1, 10), Cut(0.9, 2), Cut(0.1001, 10)):
        manager.save_version(model, name="cut")
    return manager


def test_of_those_that_are_no_worse_beyond_chance_the_smallest_and_oldest_is_picked(manager: ModelManager) -> None:
    before = manager.verify().size
    found = manager.pick(by="f1", **GIVEN)

    assert (found.picked, found.rule) == (2, "equal")
    assert {int(each) for each in found.front} == {1, 2, 4}
    assert {int(each.version) for each in found.tests if each.verdict == "worse"} == {3}
    assert "no worse than the best by f1 beyond chance, and of such the smallest, then the oldest" in found.why
    assert manager.verify().size == before


def test_the_best_beyond_chance_is_picked_whatever_its_size(manager: ModelManager) -> None:
    found = manager.pick(1, 3, by="f1", **GIVEN)

    assert (found.picked, found.rule) == (1, "best")
    assert found.why == "version 1 of cut: the best by f1, beyond chance"


def test_kept_outcomes_are_tested_and_figures_alone_are_told_as_such(manager: ModelManager) -> None:
    for version in (1, 2, 3):
        manager.evaluate(version, *HELD, name="held", draws=0)
    tested = manager.pick(1, 2, 3, by="held/f1")
    assert (tested.rule, tested.untested) == ("equal", False)

    for version in (1, 2, 3):
        manager.evaluate(version, *HELD, name="held", draws=0, keep_outcomes=False)
    alone = manager.pick(1, 2, 3, by="held/f1")

    assert (alone.rule, alone.untested, alone.tests) == ("figures", True, ())
    assert alone.picked == max((1, 2, 3), key=lambda n: manager.show(n).metrics["held/f1"])
    assert "figures alone, chance or not" in str(alone)


def test_by_several_figures_the_front_is_named_and_no_winner_is_made_up(manager: ModelManager) -> None:
    found = manager.pick(1, 2, 3, by=("brier", "size"), **GIVEN)

    assert (found.picked, found.rule) == (None, "front")
    assert {int(each) for each in found.front} == {2, 3}, "version 1 is larger, and no better by its Brier score"
    assert "no version of cut is the best by all of brier, size" in str(found)
    found.check()


def test_one_that_nobody_beats_by_any_figure_is_picked(manager: ModelManager) -> None:
    found = manager.pick(1, 2, by=("size", "parameters"))

    assert (found.picked, found.rule) == (2, "every")
    assert found.on is None


def test_in_order_a_later_figure_decides_among_equals(manager: ModelManager) -> None:
    first = manager.pick(1, 2, 3, by=("f1", "size"), in_order=True, **GIVEN)
    assert (first.picked, first.rule) == (2, "order")
    assert manager.pick(1, 2, 3, by=("size", "f1"), in_order=True, **GIVEN).picked == 3


def test_requirements_leave_versions_out_and_say_by_which_numbers(manager: ModelManager) -> None:
    found = manager.pick(by="f1", require=("f1 > 0.78", "parameters <= 20"), **GIVEN)

    assert found.picked == 2
    left_out = {int(each.version): (each.requirement, each.known) for each in found.left_out}
    assert left_out == {1: ("parameters <= 20", True), 3: ("f1 > 0.78", True)}
    assert "101 in parameters <= 20" in str(found)
    assert manager.pick(by="f1", require="parameters < 5", **GIVEN).rule == "only"


def test_where_no_version_meets_what_is_required_none_is_picked(manager: ModelManager) -> None:
    manager.record_metrics(1, {"fair/demographic_parity_difference": 0.3})
    found = manager.pick(by="f1", require="fair/demographic_parity_difference < 0.1")

    assert (found.picked, found.rule) == (None, "none")
    assert [each.known for each in found.left_out] == [True, False, False, False]
    assert "fair/demographic_parity_difference has no figure" in str(found)
    with pytest.raises(GateNotMet, match=r"no version of cut meets what is required; version 1: .* \(0.3 in "):
        found.check()


def test_latency_is_compared_as_it_was_recorded(manager: ModelManager) -> None:
    for version, taken in ((1, 9.0), (2, 3.0)):
        manager.record_metrics(version, {"latency_ms": taken})

    assert manager.pick(1, 2, by="latency_ms").picked == 2
    with pytest.raises(Refused, match=r"'latency_ms' is not known of all these .* \(version 3 has"):
        manager.pick(1, 2, 3, by="latency_ms")


def test_a_pick_is_told_in_chinese(manager: ModelManager, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEPTON_LANG", "zh")
    told = str(manager.pick(by="f1", require="f1 > 0.78", **GIVEN))

    assert "按 f1 与最好者相比并不更差" in told
    assert "未入选" in told


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda m: m.pick(by=()), "picked by a figure; name one"),
        (lambda m: m.pick(by=""), "picked by a figure; name one"),
        (lambda m: m.pick(by="zeal"), "nobody has said whether 'zeal' is better"),
        (lambda m: m.pick(by="n", **GIVEN), "says how many or where"),
        (lambda m: m.pick(by="f1"), "'f1' is not known of all these versions on the same rows"),
        (lambda m: m.pick(by="rmse", **GIVEN), "'rmse' is not known of all these versions"),
        (lambda m: m.pick(by="f1", require="f1 >", **GIVEN), "at character 5"),
        (lambda m: m.pick(by="f1", require="f1 > parent.f1", **GIVEN), "parent.f1 is another version's"),
        (lambda m: m.pick(by="f1", require="param.lr > 1", **GIVEN), "param.lr is no figure"),
        (lambda m: m.pick(by="f1", labels=[1]), "data and labels go together"),
        (lambda m: m.pick(by="f1", draws=3, **GIVEN), "3 draws are not between 100"),
        (lambda m: m.pick(9, by="size"), "9"),
        (lambda m: m.pick(model="nobody", by="size"), "nobody"),
    ],
    ids=range(13),
)
def test_what_nothing_can_be_picked_by_is_refused_in_one_sentence(
    manager: ModelManager, call: Callable[[ModelManager], Any], says: str
) -> None:
    with pytest.raises(Refused) as refusal:
        call(manager)
    assert says in str(refusal.value)
    assert "\n" not in str(refusal.value)
