"""Comparisons by test: which version is better beyond chance, on rows whose outcomes are kept or given."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lepton_ai
from lepton_ai import ModelManager, Refused
from lepton_ai.evaluation.paired import mcnemar
from lepton_ai.results import Comparison

from .cuts import Cut, OwnCut, rows

HELD = rows(400)


@pytest.fixture
def manager(home: Path) -> ModelManager:
    """Version 1 is nearly as good as version 2, version 3 is worse, version 4 judges itself."""
    manager = ModelManager(home, actor="ada")
    for model in (Cut(0.1), Cut(0.0), Cut(0.9), OwnCut(0.0)):
        manager.save_version(model, name="cut")
    return manager


def evaluated(manager: ModelManager, *versions: int, **asked: Any) -> ModelManager:
    for version in versions:
        manager.evaluate(version, *HELD, name="held", draws=0, **asked)
    return manager


def verdicts(found: Comparison) -> dict[int, str]:
    return {int(each.version): each.verdict for each in found.tests}


def test_versions_whose_outcomes_are_kept_are_tested_against_the_best(manager: ModelManager) -> None:
    found = evaluated(manager, 1, 2, 3).compare(1, 2, 3, metric="held/accuracy")

    assert [int(each.against) for each in found.tests] == [found.best, found.best]
    assert verdicts(found) == {3 - int(found.best or 0): "not known", 3: "worse"}
    right = [manager.load_version(n).predict(HELD[0]) == HELD[1] for n in (found.best, 3)]
    (test,) = (each for each in found.tests if each.version == 3)
    assert test.test.p == mcnemar(*right).p
    assert test.p == pytest.approx(min(1, 3 * test.test.p)), "corrected for the three pairs that there are"
    told = str(found)
    assert "against version" in told
    assert "McNemar; p corrected for all pairs that were looked at (Holm)" in told
    assert "worse" in told
    assert "figures alone" not in told


def test_against_a_version_that_is_named_only_its_pairs_are_corrected_for(manager: ModelManager) -> None:
    found = evaluated(manager, 1, 2, 3).compare(2, 3, metric="held/roc_auc", against=1)

    assert {int(each.against) for each in found.tests} == {1}
    assert [int(each.version) for each in found.tests] == [each for each in map(int, found.versions) if each != 1]
    assert all(each.test.test == "DeLong" for each in found.tests)
    (alone,) = manager.compare(1, 2, metric="held/f1", against=1).tests
    assert alone.p == alone.test.p


def test_what_comparing_on_given_rows_finds_is_recorded_nowhere(manager: ModelManager) -> None:
    before = manager.verify().size

    found = manager.compare(2, 3, data=HELD[0], labels=HELD[1], metric="f1", draws=200)

    assert (found.best, verdicts(found)) == (2, {3: "worse"})
    assert found.tests[0].test.test == "paired bootstrap, rows, 200 draws"
    assert found.metrics[0]["f1"] == manager.evaluate(2, *HELD).performance.figures()["f1"]
    assert found.on == manager.compare(2).on
    (size,) = [each.size - before for each in [manager.verify()]]
    assert size == 3, "the evaluation of this test alone"


def test_rows_of_a_group_are_tested_by_group(manager: ModelManager) -> None:
    groups = np.arange(400) // 4
    found = manager.compare(2, 3, data=HELD[0], labels=HELD[1], metric="roc_auc", groups=groups, draws=200)

    assert found.tests[0].test.test == "paired bootstrap, groups, 200 draws"
    evaluated(manager, 2, 3, groups=groups)
    kept = manager.compare(2, 3, metric="held/roc_auc", draws=200)
    assert kept.tests[0].test.p == found.tests[0].test.p


def test_without_outcomes_figures_alone_are_compared_and_it_says_so(manager: ModelManager) -> None:
    found = evaluated(manager, 1, 2, keep_outcomes=False).compare(1, 2)

    assert (found.tests, set(map(int, found.untested))) == ((), {1, 2})
    assert "figures alone, chance or not; for tests give labelled rows" in str(found)


def test_one_that_says_nothing_of_rows_is_left_out_of_the_tests(manager: ModelManager) -> None:
    found = manager.compare(2, 3, 4, data=HELD[0], labels=HELD[1])

    assert (verdicts(found), found.untested) == ({3: "worse"}, (4,))
    assert "not tested: a class that judges itself says nothing of single rows" in str(found)
    kept = evaluated(manager, 2, 3, 4).compare(2, 3, 4, metric="held/f1")
    assert (verdicts(kept), kept.untested) == ({3: "worse"}, (4,))
    assert "not tested, for no outcomes of these rows are kept: 4" in str(kept)


def test_each_is_tested_by_the_predictions_that_its_figure_is_of(manager: ModelManager) -> None:
    data, labels = HELD
    for name, version, called in (("one", 1, labels), ("one", 2, labels), ("two", 1, 1 - labels)):
        manager.evaluate_predictions(version, called, labels, data=data, name=name, draws=0)
    found = manager.compare(1, 2, metric="one/accuracy")
    assert [each["one/accuracy"] for each in found.metrics] == [1, 1], "what version 1 has under another name is newer"
    assert [each.test.difference for each in found.tests] == [0]

    manager.evaluate_predictions(1, 1 - labels, labels, data=data, name="one", draws=0, keep_outcomes=False)
    left = manager.compare(1, 2, metric="one/accuracy", against=2)
    assert [each["one/accuracy"] for each in left.metrics] == [1, 0]
    assert [each.test.difference for each in left.tests] == [-1], "version 1 said the same under the name two"
    manager.evaluate_predictions(1, labels, labels, data=data, name="two", draws=0)
    assert manager.compare(1, 2, metric="one/accuracy").tests == (), "nothing is kept that gives the figure"


def test_a_figure_that_has_no_test_is_compared_as_a_figure(manager: ModelManager) -> None:
    for version, saving in ((1, 5.0), (2, 6.0)):
        manager.evaluate(version, *HELD, name="held", draws=0, better={"cost_saving": "higher"})
        manager.record_metrics(version, {"cost_saving": saving}, validation=HELD, task="binary")
    found = manager.compare(1, 2, metric="cost_saving")

    assert (found.best, found.tests) == (2, ())
    assert "no test by 'cost_saving' for the task binary" in str(found)


def test_a_comparison_by_test_is_told_in_chinese(manager: ModelManager, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEPTON_LANG", "zh")
    told = str(manager.compare(1, 2, 3, data=HELD[0], labels=HELD[1]))

    assert "与版本 " in told
    assert "更差" in told
    assert "尚不确定" in told
    assert "配对自助法（逐行，1000 次）；p 已按" in told


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda m: m.compare(1, 2, data=HELD[0]), "nobody said what the labels of the rows are"),
        (lambda m: m.compare(1, 2, labels=HELD[1]), "data and labels go together; give both"),
        (lambda m: m.compare(1, 2, data=HELD[0], labels=HELD[1], metric="rmse"), "none of these versions has a metric"),
        (lambda m: m.compare(1, 2, data=HELD[0], labels=HELD[1][:9]), "9"),
        (lambda m: m.compare(1, 2, data=HELD[0], labels=HELD[1], draws=1), "1 draws are not between 100 and 100,000"),
        (lambda m: m.compare(1, 2, data=HELD[0], labels=HELD[1], level=1.0), "a level of 1.0 is not from 0.5"),
        (lambda m: m.compare(1, 2, data=HELD[0], labels=HELD[1], rounds=9), "no option 'rounds'; a comparison takes"),
        (lambda m: m.compare(1, 2, groups=[1]), "groups says how rows depend on each other"),
        (lambda m: m.compare(1, 2, data=HELD[0], labels=HELD[1], block=300), "a block of 300 rows"),
        (lambda m: m.compare(1, 2, data=HELD[0], labels=HELD[1], groups="patient"), "no column 'patient'"),
        (lambda m: m.compare(1, 2, against=9), "9"),
        (lambda m: m.compare(), "nothing to compare"),
    ],
    ids=range(12),
)
def test_what_cannot_be_compared_is_refused_in_one_sentence(
    manager: ModelManager, call: Callable[[ModelManager], Any], says: str
) -> None:
    with pytest.raises(Refused) as refusal:
        call(manager)
    assert says in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_candidate_that_is_not_worse_beyond_chance_is_suggested_as_good_as_the_best(
    manager: ModelManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = evaluated(manager, 1, 2, 3).suggest_rollback(metric="held/f1")

    words = {each["version"]: each["words"] for each in found.candidates}
    performance = {each["version"]: each["performance"] for each in found.candidates}
    best = max((1, 2), key=lambda n: manager.show(n).metrics["held/f1"])
    assert "the best on these rows" in words[best]
    assert "not worse than the best beyond chance (p " in words[3 - best]
    assert (performance[1], performance[2]) == (1, 1)
    assert ", beyond chance (p " in words[3]
    monkeypatch.setenv("LEPTON_LANG", "zh")
    assert "并不更差（p " in str(found)
    assert "更差，超出随机（p " in str(found)
    assert performance[3] < 1
    assert "chance or not" not in found.words


def test_a_suggestion_without_outcomes_says_that_figures_alone_were_weighed(manager: ModelManager) -> None:
    found = evaluated(manager, 1, 2, 3, keep_outcomes=False).suggest_rollback(metric="held/f1")

    assert found.words.endswith("; figures alone are weighed, chance or not")
    assert any("% behind the best;" in each["words"] for each in found.candidates)


def test_a_diff_tests_the_usual_figure_where_outcomes_of_both_are_kept(manager: ModelManager) -> None:
    manager.evaluate(2, *HELD, name="held", draws=0)
    assert manager.diff(2, 3).test is None

    manager.evaluate(3, *HELD, name="held", draws=0)
    found = manager.diff(2, 3)

    assert found.test == manager.compare(2, 3, metric="held/f1", against=2).tests[0].test
    assert f"f1 {found.test.difference:+.4g} (" in str(found)
    assert "effect (Cohen's h" in str(found)


def test_a_metric_of_ones_own_is_tested_like_any_other(manager: ModelManager) -> None:
    @lepton_ai.metric("caught", better="higher", task="binary")
    def caught(labels: Any, predictions: Any, weights: Any = None) -> float:
        return float(np.average(predictions, weights=labels if weights is None else weights * labels))

    given = manager.compare(2, 3, data=HELD[0], labels=HELD[1], metric="caught", draws=100)
    recall = manager.compare(2, 3, data=HELD[0], labels=HELD[1], metric="recall", draws=100)

    assert (given.best, verdicts(given)) == (2, {3: "worse"})
    assert given.tests[0].test.difference == pytest.approx(recall.tests[0].test.difference)
    assert given.tests[0].test.effect is None
    assert manager.pick(2, 3, by="caught", data=HELD[0], labels=HELD[1], draws=100).picked == 2
    evaluated(manager, 2, 3, metrics=["caught"])
    assert verdicts(manager.compare(2, 3, metric="held/caught", draws=100)) == {3: "worse"}
