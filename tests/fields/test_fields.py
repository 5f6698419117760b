"""The page of the four fields is true to what measures it, and two of its tasks come to what it says."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from lepton_ai.cli.app import lepton
from lepton_ai.models.registry import OWN

from .__main__ import measured
from .judged import Row
from .page import PAGE, TASKS, page
from .sets import SETS


def row(**more: object) -> Row:
    return Row(**({
        "task": "credit", "figure": "roc_auc", "ours": 0.8, "low": 0.7, "high": 0.9, "baseline": 0.75,
        "difference": 0.05, "below": -0.01, "above": 0.11, "rows": 1000, "seconds": 1.0, "note": "",
    } | more))  # pyright: ignore[reportArgumentType] # fmt: skip


def test_the_page_has_every_task_that_was_measured_and_names_the_others() -> None:
    said = PAGE.read_text()
    rows = {name: re.search(rf"^\| {re.escape(task.title)} \|.*$", said, re.MULTILINE) for name, task in TASKS.items()}
    unmeasured = " ".join(re.findall(r"^Not measured yet: .*$", said, re.MULTILINE))

    assert [name for name, found in rows.items() if not found and TASKS[name].title not in unmeasured] == []
    assert [name for name, found in rows.items() if found and TASKS[name].command not in said] == []
    assert [each.sha256 for each in SETS.values() if each.sha256 not in said] == []
    assert {task.model for task in TASKS.values()} <= {*OWN}
    below = [name for name, found in rows.items() if found and found[0].endswith("| below |")]
    assert [name for name in below if not TASKS[name].miss] == []


def test_the_twelve_tasks_of_the_four_fields_are_there() -> None:
    titles = {field: [task.title for task in TASKS.values() if task.field == field] for field in FIELDS}

    for field, subjects in FIELDS.items():
        assert [each for each in subjects if not any(each in title for title in titles[field])] == []


FIELDS = {
    "finance": ("credit assessment", "risk management", "price forecasting"),
    "medicine": ("diagnosis", "imaging, classification", "imaging, segmentation", "gene analysis"),
    "manufacturing": ("quality control", "maintenance", "production optimisation"),
    "service": ("dialogue", "sentiment", "intent"),
}


@pytest.mark.parametrize("name", [name for name, task in TASKS.items() if task.command.startswith("lepton")])
def test_a_command_of_the_page_is_one(name: str) -> None:
    words = shlex.split(TASKS[name].command)
    with click.Context(lepton) as root:
        train = lepton.get_command(root, "train")
        assert train is not None
        told = train.make_context("train", words[2:], parent=root).params

    assert told["model"] == TASKS[name].model


@pytest.mark.parametrize(
    ("more", "holds"),
    [
        ({}, True),
        ({"below": -0.2, "above": -0.1}, False),
        ({"figure": "rmse", "below": 0.1, "above": 0.2}, False),
        ({"figure": "rmse", "below": -0.1, "above": 0.2}, True),
        ({"below": None, "above": None, "difference": -0.1}, False),
    ],
)
def test_a_model_holds_where_it_is_not_wholly_worse(more: dict[str, object], holds: bool) -> None:
    assert row(**more).holds is holds
    assert ("| below |" in page(dict.fromkeys(TASKS, row(**more)))) is not holds


@pytest.mark.parametrize("name", ["credit", "heart"])
def test_a_task_comes_to_what_the_page_says(name: str, public_data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = measured(name, TASKS[name])

    assert public_data.is_dir()
    assert found.holds
    told = re.search(rf"^\| {re.escape(TASKS[name].title)} \|.*\*\*([\d.]+)\*\*", PAGE.read_text(), re.MULTILINE)
    assert told
    assert found.ours == pytest.approx(float(told[1]), rel=0.02)
    assert "learnt from" in capsys.readouterr().out
