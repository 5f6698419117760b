"""A loop of the caller's own: its steps are points of a run, its end a version with the optimizer beside."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from lepton_ai import ModelManager, autolog
from lepton_ai.errors import Malformed


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[ModelManager]:
    with ModelManager(tmp_path / "home", actor="ada") as manager:
        yield manager


def made() -> tuple[nn.Module, torch.optim.AdamW]:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 1))
    return net, torch.optim.AdamW(net.parameters(), lr=0.01)


def learn(net: nn.Module, optimizer: torch.optim.Optimizer, steps: int) -> list[float]:
    """The losses of some steps."""
    draws, losses = torch.Generator().manual_seed(1), list[float]()
    for _ in range(steps):
        rows = torch.randn(16, 4, generator=draws)
        loss = nn.functional.mse_loss(net(rows), rows.sum(1, keepdim=True))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def test_a_loop_is_a_run_of_its_steps_and_becomes_a_version(manager: ModelManager) -> None:
    net, optimizer = made()

    with autolog(net, optimizer, name="net", manager=manager, tags=["first"]) as run:
        losses = learn(net, optimizer, 5)

    record = manager.show_run(run.id)
    assert (record.status, record.hyperparameters["optimizer"], record.hyperparameters["lr"]) == (
        "finished", "AdamW", 0.01,
    )  # fmt: skip
    points = manager.run_metrics(run.id).to_pylist()
    assert [each["value"] for each in points if each["name"] == "loss"] == pytest.approx(losses)
    assert [each["step"] for each in points if each["name"] == "gradient_norm"] == [1, 2, 3, 4, 5]
    assert {each["value"] for each in points if each["name"] == "learning_rate"} == {0.01}
    assert (run.version, manager.tags("net")) == (1, {"first": 1})


def test_a_training_goes_on_from_a_version_as_if_it_had_not_ended(manager: ModelManager) -> None:
    whole, whole_optimizer = made()
    learn(whole, whole_optimizer, 3)
    net, optimizer = made()
    with autolog(net, optimizer, name="net", manager=manager) as run:
        learn(net, optimizer, 3)
    other, fresh = made()

    manager.load_version(f"net@{run.version}", into=other)
    manager.load_optimizer(f"net@{run.version}", fresh)

    assert learn(other, fresh, 3) == learn(whole, whole_optimizer, 3)


def test_every_so_many_steps_are_told_and_what_raises_makes_no_version(manager: ModelManager) -> None:
    net, optimizer = made()

    with suppress(ZeroDivisionError), autolog(net, optimizer, every=2, name="net", manager=manager) as run:
        learn(net, optimizer, 5)
        raise ZeroDivisionError

    steps = manager.run_metrics(run.id, "loss").column("step").to_pylist()
    assert steps == [2, 4]
    assert (manager.show_run(run.id).status, manager.show_run(run.id).error) == ("failed", "ZeroDivisionError")
    assert manager.runs("net")[0].run == run.id
    assert list(manager.models()) == []
    learn(net, optimizer, 1)
    assert manager.show_run(run.id).points == 2 * 3, "a loop that is over is not listened to"


def test_a_loss_that_a_scaler_scaled_is_told_as_it_was(manager: ModelManager) -> None:
    net, optimizer = made()
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)

    with autolog(net, optimizer, name="net", manager=manager) as run:
        loss = net(torch.ones(2, 4)).square().mean()
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()

    assert manager.run_metrics(run.id, "loss").column("value").to_pylist() == [pytest.approx(loss.item())]


def test_a_step_without_a_loss_or_a_gradient_is_told_all_the_same(manager: ModelManager) -> None:
    net, optimizer = made()

    with autolog(net, optimizer, name="net", manager=manager) as run:
        optimizer.step()

    told = {each["name"]: each["value"] for each in manager.run_metrics(run.id).to_pylist()}
    assert told == {"learning_rate": 0.01, "gradient_norm": 0.0}


def test_what_is_no_module_or_optimizer_is_refused_before_anything_is_recorded(
    manager: ModelManager, tmp_path: Path
) -> None:
    net, optimizer = made()
    refused: list[tuple[Any, Any, dict[str, Any], str]] = [
        (net, "adam", {}, "the optimizer is a str"),
        ("net", optimizer, {}, "the module is a str"),
        (net, optimizer, {"every": 0}, "every is 0"),
        *((net, optimizer, {"every": odd}, "every is") for odd in ("2", None, 1.5, float("nan"), True)),
        (net, optimizer, {"manager": 3}, "the manager is an int; give a ModelManager"),
    ]

    for module, other, asked, complaint in refused:
        with pytest.raises(Malformed) as malformed, autolog(module, other, **{"manager": manager, **asked}):
            pass
        assert complaint in str(malformed.value)
    assert not (tmp_path / "home").exists()
