"""Live modules: what is written into them in place, and what autograd is told of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from lepton_ai import ModelManager
from lepton_ai.errors import Damaged, Malformed
from lepton_ai.models import CreditScoringModel, register

NOTICED = "modified by an inplace operation"


@pytest.fixture
def manager(home: Path) -> ModelManager:
    return ModelManager(home, actor="ada")


@pytest.fixture
def net(manager: ModelManager) -> nn.Module:
    """Two layers; net@1 and net@2 differ in both, net@2 and net@3 in the first alone, which is what it holds."""
    net = nn.Sequential(nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, 1))
    manager.save_version(net, name="net")
    for layer in (0, 2), (0,):
        with torch.no_grad():
            for each in layer:
                net[each].weight.add_(1e-4)
        manager.save_version(net, name="net")
    return net


def replay(manager: ModelManager, net: nn.Module) -> None:
    assert manager.apply("net@1", net)


def read_whole(manager: ModelManager, net: nn.Module) -> None:
    with torch.no_grad():
        net[0].bias.add_(1)
    assert not manager.apply("net@1", net)


def load(manager: ModelManager, net: nn.Module) -> None:
    manager.load_version("net@1", into=net)


def load_checkpoint(manager: ModelManager, net: nn.Module) -> None:
    with manager.run("net") as run:
        run.checkpoint(nn.Sequential(nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, 1)), step=1)
    manager.load_checkpoint(run.id, into=net)


def hold_that_it_is_noticed(
    manager: ModelManager, net: nn.Module, write: Callable[[ModelManager, nn.Module], None]
) -> None:
    """A backward pass over what was overwritten meanwhile fails, with torch's own words."""
    loss = net(torch.ones(2, 64)).sum()

    write(manager, net)

    with pytest.raises(RuntimeError, match=NOTICED):
        loss.backward()


@pytest.mark.parametrize("write", [replay, read_whole, load, load_checkpoint])
def test_a_backward_pass_over_what_was_overwritten_fails_as_after_torchs_own_writes(
    manager: ModelManager, net: nn.Module, write: Callable[[ModelManager, nn.Module], None]
) -> None:
    hold_that_it_is_noticed(manager, net, write)


def test_a_backward_pass_that_needs_nothing_of_what_was_overwritten_goes_on(
    manager: ModelManager, net: nn.Module
) -> None:
    net(torch.ones(2, 64)).sum().backward()
    expected = [each.grad.clone() for each in net.parameters() if each.grad is not None]
    net.zero_grad()
    loss = net(torch.ones(2, 64)).sum()

    assert manager.apply("net@2", net)  # the first layer's weight, which no gradient here depends on
    loss.backward()

    assert len(expected) == 4
    assert all(torch.equal(each.grad, grad) for each, grad in zip(net.parameters(), expected, strict=True))


@pytest.mark.parametrize("write", [replay, load])
def test_parameters_tied_by_memory_alone_are_both_seen_to_change(
    manager: ModelManager, write: Callable[[ModelManager, nn.Module], None]
) -> None:
    net = nn.Sequential(nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, 64))
    net[2].weight = nn.Parameter(net[0].weight.data)  # another object, whose versions autograd counts apart
    manager.save_version(net, name="net")
    with torch.no_grad():
        net[0].weight.add_(1e-4)
    manager.save_version(net, name="net")
    hold_that_it_is_noticed(manager, net, write)


def test_tensors_of_inference_mode_are_written_and_serve_no_backward_pass(
    manager: ModelManager, net: nn.Module
) -> None:
    with torch.inference_mode():
        made = nn.Sequential(nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, 1))

    manager.load_version("net@3", into=made)
    assert manager.apply("net@1", made)
    with torch.inference_mode():
        manager.apply("net@1", net)

    assert all(torch.equal(a, b) for a, b in zip(made.parameters(), net.parameters(), strict=True))


class MakesUpItsState(nn.Linear):
    def state_dict(self, *args: object, **kwargs: object) -> dict[str, torch.Tensor]:  # type: ignore[override]
        return {name: value.clone() for name, value in super().state_dict(*args, **kwargs).items()}


def test_a_module_whose_state_is_a_copy_is_not_applied_to_in_vain(manager: ModelManager) -> None:
    net = MakesUpItsState(3, 3)
    manager.save_version(net, name="net")
    with torch.no_grad():
        net.weight.add_(1e-4)
    manager.save_version(net, name="net")

    with pytest.raises(Malformed, match="makes up its state"):
        manager.apply("net@1", net)


@pytest.mark.parametrize("write", ["load", "apply"])
def test_a_damaged_version_leaves_the_module_that_was_to_hold_it_as_it_was(
    manager: ModelManager, home: Path, write: str
) -> None:
    net = nn.Sequential(*(nn.Linear(300, 300) for _ in range(4)))
    manager.save_version(net, name="net")
    (pack,) = (path for path in home.rglob("packs/*/*") if path.is_file())
    data = bytearray(pack.read_bytes())
    data[len(data) * 3 // 4] ^= 1
    pack.chmod(0o600)
    pack.write_bytes(data)
    other = nn.Sequential(*(nn.Linear(300, 300) for _ in range(4)))
    before = {name: value.clone() for name, value in other.state_dict().items()}

    with pytest.raises(Damaged):
        manager.load_version("net@1", into=other) if write == "load" else manager.apply("net@1", other)

    assert all(torch.equal(before[name], value) for name, value in other.state_dict().items())


@register("live-judge")
class Judge(nn.Module):
    """Has a parameter, a normalisation that counts, and a table that it does not keep."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(2, 2)
        self.norm = nn.BatchNorm1d(2)
        self.head = nn.Linear(2, 2, bias=False)
        self.head.weight = self.layer.weight
        self.register_buffer("table", torch.arange(2.0), persistent=False)

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        return self.head(self.norm(self.layer(rows)) + self.table)


def half_of_it(net: Judge) -> Judge:
    net.norm.double()
    return net


@pytest.mark.parametrize("change", [nn.Module.bfloat16, nn.Module.half, nn.Module.double, half_of_it])
def test_a_registered_class_comes_back_in_the_dtypes_it_was_saved_in(
    manager: ModelManager, change: Callable[[Judge], Judge]
) -> None:
    net = change(Judge()).eval()
    manager.save_version(net, name="judge")

    again = manager.load_version("judge@1")

    assert {name: value.dtype for name, value in again.state_dict().items()} == {
        name: value.dtype for name, value in net.state_dict().items()
    }
    assert all(torch.equal(value, net.state_dict()[name]) for name, value in again.state_dict().items())
    assert again.head.weight is again.layer.weight
    assert again.table.dtype == net.table.dtype
    if change is not half_of_it:
        rows = torch.ones(3, 2, dtype=net.table.dtype)
        assert torch.equal(again.eval()(rows), net(rows))
    assert manager.save_version(again, name="judge") == 1


def test_ties_are_counted_by_memory_so_the_same_bits_make_no_new_version(manager: ModelManager) -> None:
    def tied() -> nn.Module:
        net = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
        net[1].weight = net[0].weight
        return net

    manager.save_version(tied(), name="tied")
    other = tied()
    other.load_state_dict(manager.load_tensors("tied@1"), assign=True)

    assert other[0].weight is not other[1].weight
    assert manager.save_version(other, name="tied", parents=["tied@1"]) == 1


def test_the_advice_for_modules_without_memory_can_be_followed(manager: ModelManager) -> None:
    net = nn.Linear(3, 3)
    manager.save_version(net, name="net")
    with torch.device("meta"):
        empty, other = nn.Linear(3, 3), nn.Linear(3, 3)
        rebuilt = manager.load_tensors("net@1")

    with pytest.raises(Malformed, match="to_empty"):
        manager.save_version(empty, name="net")
    with pytest.raises(Malformed, match=r"to_empty.*assign=True"):
        manager.load_version("net@1", into=empty)
    manager.load_version("net@1", into=empty.to_empty(device="cpu"))
    other.load_state_dict(rebuilt, assign=True)

    assert torch.equal(empty.weight, net.weight)
    assert torch.equal(other.weight, net.weight)
    assert manager.save_version(empty, name="net") == manager.save_version(other, name="net") == 1


def test_a_module_without_memory_that_keeps_not_all_of_it_is_to_be_built_on_the_cpu(manager: ModelManager) -> None:
    manager.save_version(Judge(), name="judge")
    with torch.device("meta"):
        empty = Judge()
        loaded = manager.load_version("judge@1")

    with pytest.raises(Malformed, match=r"build it on the CPU.*'table'"):
        manager.load_version("judge@1", into=empty)
    assert loaded.table.tolist() == [0, 1]


@pytest.mark.parametrize("dtype", [torch.double, torch.half, torch.bfloat16])
def test_a_credit_model_is_judged_in_the_dtype_it_was_saved_in(manager: ModelManager, dtype: torch.dtype) -> None:
    rows = np.random.default_rng(0).normal(size=(60, 2))
    labels = (rows[:, 0] > 0).astype(int)
    model = CreditScoringModel().add_hyperparameter("epochs", 2).train(rows, labels)
    model.trained().to(dtype)
    manager.save_version(model, name="credit")

    again = manager.load_version("credit@1")

    assert again.trained().nets.wide.dtype == dtype
    assert np.array_equal(again.predict_proba(rows), model.predict_proba(rows))
    assert 0 <= manager.evaluate("credit@1", rows, labels).performance.figures()["f1"] <= 1
