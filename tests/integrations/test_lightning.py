"""A stock Lightning Trainer with one added line: everything that is expected of it is in the run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import StochasticWeightAveraging
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from lepton_ai import ModelManager
from lepton_ai.integrations.lightning import LightningCallback


class Fitted(pl.LightningModule):
    """A line that is fitted; at `fails_at` its step raises."""

    def __init__(self, rate: float = 0.05, fails_at: int | None = None) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.line = nn.Linear(3, 1)
        self.fails_at = fails_at

    def training_step(self, batch: list[Tensor], place: int) -> Tensor:
        if place == self.fails_at:
            raise ZeroDivisionError("at its step")
        loss = nn.functional.mse_loss(self.line(batch[0]), batch[1])
        self.log("train_loss", loss)
        return loss

    def validation_step(self, batch: list[Tensor], place: int) -> None:
        del place
        self.log("val_loss", nn.functional.mse_loss(self.line(batch[0]), batch[1]))

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=self.hparams["rate"], momentum=0.9)


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[ModelManager]:
    with ModelManager(tmp_path / "home", actor="ada") as manager:
        yield manager


def trainer(folder: Path, callback: LightningCallback, **asked: Any) -> pl.Trainer:
    quiet: dict[str, Any] = {"enable_progress_bar": False, "enable_model_summary": False, "accelerator": "cpu"}
    return pl.Trainer(
        max_epochs=2, log_every_n_steps=1, default_root_dir=folder, callbacks=[callback], **quiet, **asked
    )


def rows() -> DataLoader[Any]:
    features = torch.randn(32, 3, generator=torch.Generator().manual_seed(0))
    return DataLoader(TensorDataset(features, features.sum(1, keepdim=True)), batch_size=8)


def test_a_fit_is_a_run_with_all_it_logged_and_becomes_a_version(manager: ModelManager, tmp_path: Path) -> None:
    module, told = Fitted(), LightningCallback("line", manager=manager, tags=["first"])

    trainer(tmp_path, told).fit(module, rows(), rows())

    (record,) = manager.runs("line")
    assert (record.status, manager.tags("line"), told.version) == ("finished", {"first": 1}, 1)
    expected = {"rate": 0.05, "max_epochs": 2, "optimizer": "SGD", "momentum": 0.9, "precision": "32-true"}
    assert expected.items() <= record.hyperparameters.items()
    points = manager.run_metrics(record.run).to_pylist()
    assert len([each for each in points if each["name"] == "train_loss"]) == 8
    assert len([each for each in points if each["name"] == "val_loss"]) == 2
    assert {each.step for each in record.checkpoints} == {4, 8}
    kept, shown = manager.load_tensors("line@1"), manager.show("line@1")
    assert torch.equal(kept["line.weight"], module.line.weight)
    assert shown.metrics["val_loss"] == [each["value"] for each in points if each["name"] == "val_loss"][-1]
    momentum = torch.optim.SGD(Fitted().parameters(), lr=0.05, momentum=0.9)
    manager.load_optimizer("line@1", momentum)
    assert len(momentum.state_dict()["state"]) == 2


def test_a_fit_that_raises_is_a_run_that_failed(manager: ModelManager, tmp_path: Path) -> None:
    told = LightningCallback("line", manager=manager)

    with pytest.raises(ZeroDivisionError):
        trainer(tmp_path, told, logger=False).fit(Fitted(fails_at=2), rows())

    (record,) = manager.runs("line")
    assert (record.status, record.error, record.reason, told.version) == (
        "failed", "ZeroDivisionError", "at its step", None,
    )  # fmt: skip


def test_two_fits_are_two_runs_and_the_second_version_comes_of_the_first(manager: ModelManager, tmp_path: Path) -> None:
    module, told = Fitted(), LightningCallback(manager=manager, checkpoints=False)

    for _ in range(2):
        trainer(tmp_path, told).fit(module, rows())

    assert len(manager.runs("fitted")) == 2
    parents = manager.sql("SELECT version, parent FROM version_parents").to_pylist()
    assert parents == [{"version": 2, "parent": 1}]
    assert all(not each.checkpoints for each in manager.runs("fitted"))


def test_averaged_parameters_are_what_is_kept_and_each_callback_tells_all(
    manager: ModelManager, tmp_path: Path
) -> None:
    module = Fitted()
    told, beside = LightningCallback("line", manager=manager), LightningCallback("beside", manager=manager)
    averaging = StochasticWeightAveraging(0.01, swa_epoch_start=1)

    quiet: dict[str, Any] = {"enable_progress_bar": False, "enable_model_summary": False, "accelerator": "cpu"}
    pl.Trainer(
        max_epochs=3, log_every_n_steps=1, default_root_dir=tmp_path, callbacks=[told, beside, averaging], **quiet
    ).fit(module, rows(), rows())

    for name in ("line", "beside"):
        assert torch.equal(manager.load_tensors(f"{name}@1")["line.weight"], module.line.weight)
        assert manager.show(f"{name}@1").metrics["val_loss"] > 0
        (record,) = manager.runs(name)
        assert record.status == "finished"
