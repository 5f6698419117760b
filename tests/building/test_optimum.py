"""The best setting of a table's columns: found within what was tried, with what is fixed, and not where nothing was."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from lepton_ai.building.tables.model import TableModel
from lepton_ai.building.tables.optimum import best_setting
from lepton_ai.datasets.columns import Table
from lepton_ai.datasets.tables import read_table
from lepton_ai.errors import Malformed


def tried(count: int = 400) -> tuple[dict[str, Any], npt.NDArray[np.float64]]:
    """A yield that is best at 6 bar and 40 degrees with the blue catalyst, whatever the operator."""
    draws = np.random.default_rng(0)
    pressure, heat = draws.uniform(1, 10, count), draws.uniform(0, 100, count)
    catalyst, operator = draws.choice(["blue", "red"], count), draws.choice(["a", "b", "c"], count)
    yields = 80 - (pressure - 6) ** 2 - ((heat - 40) / 10) ** 2 + 5 * (catalyst == "blue") + draws.normal(0, 0.5, count)
    return {"pressure": pressure, "heat": heat, "catalyst": catalyst, "operator": operator}, yields


@pytest.fixture(scope="module")
def learnt() -> TableModel:
    model = TableModel()
    for name, value in {"width": 32, "members": 4, "epochs": 60, "learning_rate": 0.005, "device": "cpu"}.items():
        model.add_hyperparameter(name, value)
    return model.train(*tried())


def test_the_best_setting_is_found_and_not_only_predicted(learnt: TableModel) -> None:
    best = learnt.best_setting(tried()[0])

    assert abs(float(best.values["pressure"]) - 6) < 1
    assert abs(float(best.values["heat"]) - 40) < 12
    assert best.values["catalyst"] == "blue"
    assert best.predicted > np.quantile(tried()[1], 0.9)
    assert best == learnt.best_setting(tried()[0])


def test_what_is_fixed_and_bounded_stays_so_and_the_lowest_is_found_too(learnt: TableModel) -> None:
    best = learnt.best_setting(tried()[0], fixed={"catalyst": "red", "heat": 80}, bounds={"pressure": (7, 9)})
    assert (best.values["catalyst"], best.values["heat"]) == ("red", 80)
    assert 7 <= float(best.values["pressure"]) < 7.6
    worst = learnt.best_setting(tried()[0], goal="lowest")
    assert worst.predicted < np.quantile(tried()[1], 0.05)


def test_a_setting_that_members_do_not_agree_on_is_held_worse() -> None:
    table = read_table({"x": np.array([0.0, 1.0])})

    def predicted(settings: Table) -> npt.NDArray[np.float64]:
        x = settings.columns[0].values
        return np.stack([2 * x - 3 * x, 2 * x + 3 * x], axis=1)

    found = {
        caution: best_setting(
            table, predicted, sign=1.0, fixed={}, bounds={}, caution=caution, near=None, seed=0
        ).values["x"]
        for caution in (0.0, 1.0)
    }
    assert found[0.0] == pytest.approx(1, abs=1e-3)
    assert found[1.0] == pytest.approx(0, abs=1e-3)


def test_a_setting_stays_by_those_that_were_tried() -> None:
    along = np.linspace(0, 1, 50)
    table = read_table({"x": along, "y": along, "kind": ["a", "b"] * 25})

    def predicted(settings: Table) -> npt.NDArray[np.float64]:
        x, y = (settings.by_name[name].values for name in "xy")
        return (2 * x - y)[:, None]

    found = {
        near: best_setting(table, predicted, sign=1.0, fixed={}, bounds={}, caution=0.0, near=near, seed=0).values
        for near in (None, 0.95)
    }
    assert [float(found[None][name]) for name in "xy"] == pytest.approx([1, 0], abs=1e-2)
    assert abs(float(found[0.95]["x"]) - float(found[0.95]["y"])) < 0.1


@pytest.mark.parametrize(
    ("named", "fault"),
    [
        ({"fixed": {"speed": 1}}, "there is no column 'speed'"),
        ({"bounds": {"speed": (1, 2)}}, "there is no column 'speed'"),
        ({"bounds": {"pressure": (9, 7)}}, "the bounds of column 'pressure' are 9 and 7"),
        ({"bounds": {"catalyst": (0, 1)}}, "column 'catalyst' holds text"),
        ({"fixed": {"catalyst": "green"}}, "column 'catalyst' never was 'green'"),
        ({"fixed": {"pressure": "high"}}, "'high' is none"),
        ({"fixed": {"pressure": 1, "heat": 1, "catalyst": "red", "operator": "a"}}, "every column is fixed"),
        ({"goal": "best"}, "goal is 'best'"),
        ({"near": 0.0}, "near is a share"),
    ],
)
def test_what_cannot_be_set_is_refused(learnt: TableModel, named: dict[str, Any], fault: str) -> None:
    with pytest.raises(Malformed) as refused:
        learnt.best_setting(tried()[0], **named)
    assert fault in str(refused.value)


def test_of_classes_there_is_no_best_setting() -> None:
    data, yields = tried(60)
    model = TableModel().add_hyperparameter("epochs", 1).train(data, (yields > 70).astype(int))
    with pytest.raises(Malformed, match="predicts no number"):
        model.best_setting(data)
