"""Several processes learn what one learns, and go on where one of them was killed."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from lepton_ai import ModelManager
from lepton_ai.building.parallel import launch
from lepton_ai.building.parallel.handover import read_rows, write_labels, write_rows
from lepton_ai.building.parallel.launch import check_devices
from lepton_ai.building.plan import TrainingPlan
from lepton_ai.building.tables.model import TableModel
from lepton_ai.datasets.tables import fingerprint
from lepton_ai.errors import Malformed, Refused
from lepton_ai.models import CreditScoringModel

from ..warm import WarmPopen
from .cut import CutOff
from .test_trainer import rows, small

PLAN: dict[str, Any] = {"device": "cpu", "dropout_rate": 0.0, "epochs": 10, "patience": 10, "batch_size": 16}
"""Five steps an epoch over 72 rows that are learnt from: 50 steps."""


def trained(on_epoch: Any = None, progress: Any = None, **more: Any) -> tuple[TableModel, list[Mapping[str, float]]]:
    figures: list[Mapping[str, float]] = []

    def ended(epoch: int, told: Mapping[str, float]) -> None:
        assert epoch == len(figures) + 1
        figures.append(told)
        if on_epoch is not None:
            on_epoch(epoch)

    model = small("mlp", **PLAN | more)
    return model.train(*rows(), on_epoch=ended, progress=progress), figures


@pytest.fixture(scope="module", autouse=True)
def processes_begin_warm() -> Iterator[None]:
    """The launcher took `Popen` from its module when it was imported."""
    launcher = "torch.distributed.elastic.multiprocessing.subprocess_handler.subprocess_handler"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(f"{launcher}.Popen", WarmPopen)
        yield


def ranks() -> list[int]:
    """The processes that learn for this one, the first last."""
    living = [each for each in WarmPopen.begun if "RANK" in each.environment and each.poll() is None]
    return [each.pid for each in sorted(living, key=lambda each: int(each.environment["RANK"]), reverse=True)]


def test_two_processes_learn_what_one_learns_and_the_same_bits_where_one_was_killed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(launch, "KEPT_EVERY", 0.0)
    alone, expected = trained()
    together, figures = trained(devices=2)

    def kill(epoch: int) -> None:
        if epoch == 4:
            os.kill(ranks()[-1], signal.SIGKILL)  # the first, which keeps the states

    again, told = trained(kill, devices=2)

    assert together.settings["steps"] == alone.settings["steps"] == 50
    for name in ("loss", "held_out_loss"):
        assert [each[name] for each in figures] == pytest.approx([each[name] for each in expected], rel=1e-5)
    assert [each["held_out_loss"] for each in told] == [each["held_out_loss"] for each in figures]
    assert all(torch.equal(value, again.state_dict()[name]) for name, value in together.state_dict().items())
    assert again.settings == together.settings
    assert again.metrics == together.metrics
    assert again.data == alone.data
    assert again.predict(rows()[0]).tolist() == together.predict(rows()[0]).tolist()
    assert ranks() == []


class Kept:
    """A progress that is cut off when it first keeps something, and goes on from it."""

    def __init__(self) -> None:
        self.kept: Mapping[str, torch.Tensor] | None = None
        self.steps: list[int] = []

    def begun(self) -> Mapping[str, torch.Tensor] | None:
        return self.kept

    def reached(self, step: int, capture: Any) -> None:
        self.steps.append(step)
        if self.kept is None:
            self.kept = capture()
            raise CutOff


def test_parameters_in_parts_learn_the_same_and_go_on_where_whoever_asked_ended_them() -> None:
    progress = Kept()
    with pytest.raises(CutOff):
        trained(progress=progress, devices=2, sharded=True)
    assert ranks() == []

    alone, expected = trained()
    parts, figures = trained(progress=progress, devices=2, sharded=True)
    assert progress.steps[1] > progress.steps[0]
    assert [each["held_out_loss"] for each in figures] == pytest.approx(
        [each["held_out_loss"] for each in expected], rel=1e-5
    )
    assert parts.settings["steps"] == 50
    assert parts.predict(rows()[0]).tolist() == alone.predict(rows()[0]).tolist()


def test_what_a_process_raises_is_raised() -> None:
    with pytest.raises(Refused, match=r"the fit diverged in epoch \d+; lower the hyperparameter 'learning_rate'"):
        trained(devices=2, learning_rate=1.0, weight_decay=100.0, epochs=100, patience=100)
    assert ranks() == []


@pytest.mark.parametrize(
    ("data", "labels"),
    [
        (np.arange(24.0).reshape(6, 4), [0, 1, 0, 1, 0, 1]),
        (np.arange(96, dtype=np.uint8).reshape(6, 4, 4), np.array(list("ababab"))),
        (["one", "two", "three", "four", "five", "six"], pd.Series([0.5, 1, 2, 3, 4, 5])),
        (
            pd.DataFrame(
                {
                    "home": pd.Categorical(["own", None, "rent", "own", "own", "rent"]),
                    "since": pd.date_range("2020-01-01", periods=6),
                    "known": pd.array([True, None, False, True, True, False], dtype="boolean"),
                },
                index=[5, 4, 3, 2, 1, 0],
            ),
            pd.DataFrame({"y": [True, False, True, False, True, False]}),
        ),
    ],
    ids=["matrix", "pictures", "texts", "frame"],
)
def test_rows_are_handed_over_as_they_are(data: Any, labels: Any, tmp_path: Path) -> None:
    write_rows(tmp_path / "rows", data)
    write_labels(tmp_path / "labels", labels)

    assert fingerprint(read_rows(tmp_path / "rows"), read_rows(tmp_path / "labels")) == fingerprint(data, labels)


def test_what_several_processes_cannot_do_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="batches of 1 are too few for 2 processes; raise 'batch_size'"):
        trained(devices=2, batch_size=1)
    with pytest.raises(Refused, match="not on mps"):
        check_devices(TrainingPlan(devices=2), torch.device("mps"))
    with pytest.raises(Malformed, match="credit-scoring-model learns in one process; leave 'devices' out"):
        ModelManager(tmp_path).train(CreditScoringModel(), *rows(), devices=2)
