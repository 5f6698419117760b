"""The state of optimizers beside parameters: exact, whatever the optimizer, and out of the way of all loads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from lepton_ai import ModelManager
from lepton_ai.errors import Malformed, Refused, UnknownRevision

Make = Callable[[Any], torch.optim.Optimizer]
OPTIMIZERS: dict[str, Make] = {
    "sgd": lambda given: torch.optim.SGD(given, lr=0.1, momentum=0.9, nesterov=True),
    "sgd without state": lambda given: torch.optim.SGD(given, lr=0.1),
    "adam": lambda given: torch.optim.Adam(given, lr=0.01, amsgrad=True),
    "adamw, fused": lambda given: torch.optim.AdamW(given, lr=0.01, fused=True),
    "rmsprop": lambda given: torch.optim.RMSprop(given, lr=0.01, centered=True, momentum=0.1),
    "adagrad": lambda given: torch.optim.Adagrad(given, lr=0.01),
    "rprop": lambda given: torch.optim.Rprop(given, lr=0.01),
    "lbfgs": lambda given: torch.optim.LBFGS(given, lr=0.01, max_iter=3),
}


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[ModelManager]:
    with ModelManager(tmp_path / "home", actor="ada") as manager:
        yield manager


def net() -> nn.Linear:
    torch.manual_seed(0)
    return nn.Linear(3, 2)


def learn(module: nn.Module, optimizer: torch.optim.Optimizer, steps: int) -> None:
    rows = torch.randn(8, 3, generator=torch.Generator().manual_seed(1))

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss = module(rows).square().mean()
        loss.backward()
        return loss

    for _ in range(steps):
        optimizer.step(closure)  # type: ignore[arg-type]


@pytest.mark.parametrize("make", OPTIMIZERS.values(), ids=OPTIMIZERS)
@pytest.mark.parametrize("kept_as", ["version", "checkpoint"])
def test_a_training_goes_on_to_the_bit(
    manager: ModelManager, make: Callable[[Any], torch.optim.Optimizer], kept_as: str
) -> None:
    module = net()
    optimizer = make(module.parameters())
    learn(module, optimizer, 2)
    with manager.run("net") as run:
        if kept_as == "version":
            run.save(module, optimizer=optimizer)
        else:
            run.checkpoint(module, optimizer=optimizer)
    other = net()
    fresh = make(other.parameters())

    if kept_as == "version":
        manager.load_version("net@1", into=other)
        manager.load_optimizer("net@1", fresh)
    else:
        assert set(manager.load_checkpoint_tensors(run.id)) == {"weight", "bias"}
        manager.load_checkpoint(run.id, into=other, optimizer=fresh)

    for each in ((module, optimizer), (other, fresh)):
        learn(*each, 2)
    assert torch.equal(module.weight, other.weight)


def test_state_under_names_that_are_the_same_text_comes_back_as_it_was(manager: ModelManager) -> None:
    module = net()
    optimizer = torch.optim.SGD(module.parameters(), lr=0.1)
    one = torch.ones(2, 3)
    told = {"a": {"b": one}, "a.b": 0 * one, 1: 5 * one, "1": 6 * one}
    optimizer.state[module.weight].update(told)  # pyright: ignore[reportArgumentType]
    manager.save_version(module, name="net", optimizer=optimizer)
    fresh = torch.optim.SGD(net().parameters(), lr=0.1)

    manager.load_optimizer("net@1", fresh)

    (state,) = fresh.state.values()
    assert [float(each[0, 0]) for each in (state["a"]["b"], state["a.b"], state[1], state["1"])] == [1.0, 0.0, 5.0, 6.0]


def test_it_is_left_out_of_loads(manager: ModelManager) -> None:
    module = net()
    manager.save_version(module, name="net", optimizer=torch.optim.Adam(module.parameters()), files={"a.txt": b"a"})

    assert set(manager.load_tensors("net@1")) == {"weight", "bias"}
    assert set(manager.files("net@1")) == {"a.txt", "optimizer.safetensors"}


def test_what_does_not_fit_is_refused_and_the_optimizer_stays(manager: ModelManager) -> None:
    module = net()
    manager.save_version(module, name="net", optimizer=torch.optim.Adam(module.parameters(), lr=0.5))
    manager.save_version(net(), name="bare")
    larger = torch.optim.Adam([*module.parameters(), nn.Parameter(torch.zeros(1))], lr=0.1)

    with pytest.raises(Refused, match="is of 2 parameters in 1 groups, and this one has 3 in 1"):
        manager.load_optimizer("net@1", larger)
    with pytest.raises(UnknownRevision, match="revision bare@1 has no optimizer's state"):
        manager.load_optimizer("bare@1", larger)
    assert larger.param_groups[0]["lr"] == 0.1
    others = {
        "another sort than SGD": torch.optim.SGD(net().parameters(), lr=0.1, momentum=0.9),
        "another sort than RMSprop": torch.optim.RMSprop(net().parameters()),
        "does not fit parameter 0": torch.optim.Adam(nn.Linear(4, 2).parameters()),
        "does not fit parameter 0, which": torch.optim.Adam([*net().parameters()][::-1]),
    }
    learn(module, learnt := torch.optim.Adam(module.parameters()), 1)
    with manager.run("net") as run:
        run.checkpoint(module, optimizer=learnt)
    for words, other in others.items():
        into = nn.Linear(3, 2)
        before = {name: each.clone() for name, each in into.state_dict().items()}
        with pytest.raises(Refused, match=words):
            manager.load_checkpoint(run.id, into=into, optimizer=other)
        assert all(torch.equal(each, before[name]) for name, each in into.state_dict().items())
        assert not other.state
    for odd in (3, None, "adam"):
        with pytest.raises(Malformed, match=r"give one of torch\.optim"):
            manager.load_optimizer("net@1", odd)
    with pytest.raises(Malformed, match=r"give one of torch\.optim") as malformed:
        manager.save_version(module, name="net", optimizer="adam")  # type: ignore[arg-type]
    assert malformed.value.kept, "the parameters are not lost with it"
    with pytest.raises(Malformed, match="give that another name"):
        manager.save_version(
            module, name="net", optimizer=torch.optim.Adam(module.parameters()), files={"optimizer.safetensors": b""}
        )
