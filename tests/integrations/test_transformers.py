"""A stock Hugging Face Trainer with one added line: everything that is expected of it is in the run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import BertConfig, BertForSequenceClassification, Trainer, TrainingArguments

from lepton_ai import ModelManager
from lepton_ai.integrations.transformers import TransformersCallback


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[ModelManager]:
    with ModelManager(tmp_path / "home", actor="ada") as manager:
        yield manager


def tiny() -> BertForSequenceClassification:
    torch.manual_seed(0)
    sizes: dict[str, Any] = {
        "hidden_size": 8,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 16,
    }
    return BertForSequenceClassification(BertConfig(vocab_size=30, num_labels=2, **sizes))


def rows() -> list[dict[str, Any]]:
    draws = torch.Generator().manual_seed(0)
    return [{"input_ids": torch.randint(1, 30, (6,), generator=draws), "labels": place % 2} for place in range(16)]


def trained(model: Any, folder: Path, told: TransformersCallback, data: Any) -> Trainer:
    asked: dict[str, Any] = {
        "num_train_epochs": 2,
        "per_device_train_batch_size": 8,
        "logging_steps": 1,
        "save_steps": 2,
    }
    args = TrainingArguments(
        str(folder / "out"), report_to=[], disable_tqdm=True, use_cpu=True, eval_strategy="epoch", **asked
    )
    trainer = Trainer(model, args, train_dataset=data, eval_dataset=rows(), callbacks=[told])
    trainer.train()
    return trainer


def test_a_training_is_a_run_with_all_it_logged_and_becomes_a_version(manager: ModelManager, tmp_path: Path) -> None:
    model, told = tiny(), TransformersCallback("intents", manager=manager, message="first")

    trained(model, tmp_path, told, rows())

    (record,) = manager.runs("intents")
    assert (record.status, told.version) == ("finished", 1)
    expected = {"num_train_epochs": 2, "per_device_train_batch_size": 8, "learning_rate": 5e-05, "seed": 42}
    assert expected.items() <= record.hyperparameters.items()
    assert str(tmp_path) not in str(record.hyperparameters), "the log holds no path"
    points = manager.run_metrics(record.run).to_pylist()
    assert [each["step"] for each in points if each["name"] == "loss"] == [1, 2, 3, 4]
    assert [each["step"] for each in points if each["name"] == "eval_loss"] == [2, 4]
    assert [each.step for each in record.checkpoints] == [2, 4]
    other = manager.load_version("intents@1", into=tiny())
    assert all(torch.equal(each, other.state_dict()[name]) for name, each in model.state_dict().items())
    assert (
        manager.show("intents@1").metrics["eval_loss"] == [e["value"] for e in points if e["name"] == "eval_loss"][-1]
    )
    assert "optimizer.safetensors" in manager.files("intents@1")


def test_a_training_that_raised_is_a_run_that_failed_once_another_begins(manager: ModelManager, tmp_path: Path) -> None:
    told = TransformersCallback("intents", manager=manager, checkpoints=False)
    with pytest.raises(ValueError, match="The batch received was empty"):
        trained(tiny(), tmp_path, told, [{} for _ in range(9)])

    trained(tiny(), tmp_path, told, rows())

    assert [each.status for each in manager.runs("intents")] == ["finished", "failed"]
    assert manager.runs("intents")[1].reason == "the training did not come to its end"
