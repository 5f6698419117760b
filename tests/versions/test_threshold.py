"""A threshold by cost is a version: it costs less than any other on those rows, and nothing else differs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from lepton_ai import ModelManager
from lepton_ai.errors import LeptonError
from lepton_ai.evaluation.diagnostics.costs import Costs
from lepton_ai.models import CreditScoringModel

GENERATOR = np.random.default_rng(8)
ROWS = GENERATOR.normal(size=(500, 2))
TRUTH = (ROWS[:, 0] + 0.8 * GENERATOR.normal(size=500) > 0).astype(int)
COSTS = Costs(false_negative=8)


@pytest.fixture(scope="module")
def manager(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModelManager]:
    with ModelManager(tmp_path_factory.mktemp("threshold"), actor="ada") as opened:
        model = CreditScoringModel()
        for name, value in {"epochs": 3, "members": 1, "hidden": [4]}.items():
            model.add_hyperparameter(name, value)
        opened.train(model, ROWS[:200], TRUTH[:200], name="credit")
        yield opened


def cost_of(manager: ModelManager, rev: Any) -> float:
    called = manager.load_version(rev).predict(ROWS[200:])
    return float(COSTS.of_rows(TRUTH[200:], called == 1).mean())


@pytest.mark.parametrize("corrected", [False, True], ids=["own", "corrected"])
def test_the_version_calls_from_the_probability_that_costs_least(manager: ModelManager, corrected: bool) -> None:
    of = "credit@1"
    if corrected:
        of = f"credit@{manager.calibrate(of, ROWS[200:], TRUTH[200:], branch='corrected')}"

    made = manager.best_threshold(of, ROWS[200:], TRUTH[200:], costs={"false_negative": 8}, branch=f"of-{corrected}")

    notes = manager.show(made).annotations
    assert notes["cost_after"] == pytest.approx(cost_of(manager, made))
    assert notes["cost_before"] == pytest.approx(cost_of(manager, of))
    assert notes["cost_after"] < notes["cost_before"]
    assert [tensor.name for tensor in manager.diff(of, made).tensors] == ["threshold"]
    assert [role for _, role in made.parents] == ["thresholded"]
    model = manager.load_version(made)
    assert (model.predict_proba(ROWS) == manager.load_version(of).predict_proba(ROWS)).all()
    assert (
        model.evaluate(ROWS[200:], TRUTH[200:]).recall
        > manager.load_version(of).evaluate(ROWS[200:], TRUTH[200:]).recall
    )


@pytest.mark.parametrize(
    ("rev", "costs", "sentence"),
    [
        ("bare", {"false_negative": 8}, "bare tensors"),
        ("credit@1", {"missed": 8}, "costs are given by false_positive"),
        ("credit@1", {"false_negative": -1}, "check the costs' signs"),
        ("credit@1", {"false_negative": float("nan")}, "finite numbers"),
    ],
    ids=["bare", "name", "sign", "nan"],
)
def test_what_has_no_threshold_of_least_cost_is_refused(
    manager: ModelManager, rev: str, costs: dict[str, float], sentence: str
) -> None:
    manager.save_version({"w": np.ones(3)}, name="bare")

    with pytest.raises(LeptonError, match=sentence):
        manager.best_threshold(rev, ROWS, TRUTH, costs=costs)
