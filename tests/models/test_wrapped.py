"""Modules under what trains them: kept, filled and rebuilt as what was wrapped, whatever wraps it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from lepton_ai import ModelManager, register
from lepton_ai.errors import Malformed, Refused
from lepton_ai.models.places import fill, places_of
from lepton_ai.models.state import tensors_of
from lepton_ai.models.wrapped import unwrapped
from lepton_ai.tensors.tensor import KINDS
from lepton_ai.versions.moves.merge import average

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@register("wrapped-net")
class WrappedNet(torch.nn.Module):
    """Two layers of one weight."""

    def __init__(self, side: int = 3) -> None:
        super().__init__()
        self.first = torch.nn.Linear(side, side)
        self.second = torch.nn.Linear(side, side)
        self.second.weight = self.first.weight


Wrap = Callable[[torch.nn.Module], Any]
WRAPS: dict[str, Wrap] = {
    "compiled": torch.compile,
    "in parallel": torch.nn.DataParallel,
    "averaged": torch.optim.swa_utils.AveragedModel,
    "compiled in parallel": lambda net: torch.compile(torch.nn.DataParallel(net)),
    "in parallel compiled": lambda net: torch.nn.DataParallel(torch.compile(net)),  # type: ignore[arg-type]
    "compiled averaged": lambda net: torch.compile(torch.optim.swa_utils.AveragedModel(net)),
}
NAMES = ["first.bias", "first.weight", "second.bias", "second.weight"]


@pytest.fixture
def manager(tmp_path: Path) -> ModelManager:
    return ModelManager(tmp_path / "home", actor="ada")


@pytest.mark.parametrize("wrap", WRAPS.values(), ids=WRAPS)
def test_it_is_kept_as_what_was_wrapped(wrap: Wrap, manager: ModelManager) -> None:
    net = WrappedNet(2)
    bare = manager.save_version(net)

    assert manager.save_version(wrap(net)) == bare
    assert bare.model == "wrapped-net"
    assert [tensor["name"] for tensor in manager.show(bare).tensors] == NAMES
    assert manager.show(bare).architecture == {"class": "wrapped-net", "config": {"side": 2}}
    rebuilt = manager.load_version(bare)
    assert type(rebuilt) is WrappedNet
    assert torch.equal(rebuilt.first.weight, net.first.weight)


@pytest.mark.parametrize("wrap", WRAPS.values(), ids=WRAPS)
def test_versions_are_written_into_it(wrap: Wrap, manager: ModelManager) -> None:
    nets = [WrappedNet(), WrappedNet()]
    one, two = (manager.save_version(net, name="net") for net in nets)
    wrapped = wrap(WrappedNet())

    for version, source in zip((one, two), nets, strict=True):
        assert manager.load_version(version, into=wrapped) is wrapped
        assert torch.equal(unwrapped(wrapped).first.weight, source.first.weight)
    manager.apply(one, wrapped)
    assert torch.equal(unwrapped(wrapped).first.weight, nets[0].first.weight)
    assert unwrapped(wrapped).second.weight is unwrapped(wrapped).first.weight


def test_it_goes_on_from_the_version_that_it_was_loaded_from_wrapped_or_not(manager: ModelManager) -> None:
    net = WrappedNet()
    one = manager.save_version(net)
    with torch.no_grad():
        net.first.bias.add_(1)
    two = manager.save_version(torch.compile(net))
    manager.rollback(one)

    with torch.no_grad():
        net.first.bias.add_(1)
    with pytest.raises(Refused, match=r"is at 1, not at 2"):
        manager.save_version(torch.nn.DataParallel(net))
    assert int(two) == 2


def test_a_part_that_is_wrapped_has_the_names_of_what_it_wraps(manager: ModelManager) -> None:
    whole = torch.nn.Module()
    whole.body = torch.compile(WrappedNet())
    whole.head = torch.nn.DataParallel(torch.nn.Linear(1, 1))

    assert sorted(tensors_of(whole)) == [*(f"body.{name}" for name in NAMES), "head.bias", "head.weight"]
    assert sorted(places_of(whole)) == sorted(tensors_of(whole))


class Holder(torch.nn.Module):
    """A user's own module, whose children are called as wrappers call theirs."""

    def __init__(self) -> None:
        super().__init__()
        self.module = torch.nn.Linear(1, 1)
        self._orig_mod = torch.nn.Linear(1, 1)


class OwnParallel(torch.nn.DataParallel[torch.nn.Linear]):
    """A wrapper with a parameter of its own."""

    def __init__(self) -> None:
        super().__init__(torch.nn.Linear(1, 1))
        self.scale = torch.nn.Parameter(torch.ones(1))


def test_a_module_of_ones_own_is_not_renamed() -> None:
    assert sorted(tensors_of(Holder())) == ["_orig_mod.bias", "_orig_mod.weight", "module.bias", "module.weight"]
    assert sorted(tensors_of(OwnParallel())) == ["module.bias", "module.weight", "scale"]


def test_what_was_kept_by_the_wrappers_own_names_is_still_written_into_it() -> None:
    old, target = torch.nn.DataParallel(WrappedNet()), torch.nn.DataParallel(WrappedNet())

    fill(target, tensors_of(dict(old.state_dict())))

    assert torch.equal(target.module.first.weight, old.module.first.weight)


def test_the_count_of_an_average_is_said_not_to_be_kept(
    manager: ModelManager, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "lepton"):
        manager.save_version(torch.optim.swa_utils.AveragedModel(WrappedNet()))

    assert "n_averaged, is not kept; keep it in annotations=" in caplog.text


@register("counting-net")
class CountingNet(torch.nn.Module):
    """A module with extra state, a tensor unless it is told otherwise."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(1, 1)
        self.extra: Any = torch.tensor([1, 2, 3])

    def get_extra_state(self) -> Any:
        return self.extra

    def set_extra_state(self, state: Any) -> None:
        if not isinstance(state, torch.Tensor):
            raise TypeError("a tensor")
        self.extra = state


def test_extra_state_that_is_a_tensor_comes_back(manager: ModelManager) -> None:
    net = CountingNet()
    one = manager.save_version(net)
    net.extra = torch.tensor([4.5])
    two = manager.save_version(net)

    assert manager.load_version(one).extra.tolist() == [1, 2, 3]
    target = torch.compile(CountingNet())
    manager.load_version(two, into=target)
    assert unwrapped(target).extra.tolist() == [4.5]
    manager.apply(one, net)
    assert net.extra.tolist() == [1, 2, 3]
    assert manager.load_tensors(one)["_extra_state"].tolist() == [1, 2, 3]


@pytest.mark.parametrize("outer", [torch.nn.Module, CountingNet], ids=["one", "two"])
@pytest.mark.parametrize("inner", [torch.nn.Module, CountingNet], ids=["none", "of its own"])
def test_extra_state_under_a_wrapper_whose_child_has_the_wrappers_word_comes_back(
    inner: type[torch.nn.Module], outer: type[torch.nn.Module]
) -> None:
    def made(number: float) -> Any:
        root: Any = torch.nn.Module()
        root.net = outer()
        root.net.module = inner()
        for net in root.modules():
            if isinstance(net, CountingNet):
                net.extra = torch.tensor([number])
        root.net = torch.nn.DataParallel(root.net)
        return root

    source, target = made(7.0), made(0.0)
    fill(target, tensors_of(source))

    assert [net.extra.item() for net in target.modules() if isinstance(net, CountingNet)] == [
        7.0 for net in source.modules() if isinstance(net, CountingNet)
    ]


@pytest.mark.parametrize("extra", [{"seen": 3}, None, b"bytes"], ids=["a mapping", "nothing", "bytes"])
def test_other_extra_state_is_refused_with_the_way_round(extra: Any, manager: ModelManager) -> None:
    net = CountingNet()
    net.extra = extra

    with pytest.raises(
        Malformed, match=r"'_extra_state' is .*, extra state, .* keep it beside the version with files="
    ):
        manager.save_version(net)


def test_extra_state_that_a_module_does_not_take_is_told_in_one_sentence(
    manager: ModelManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = manager.save_version(CountingNet())

    def refuse(net: CountingNet, state: Any) -> None:
        raise KeyError("another layout")

    monkeypatch.setattr(CountingNet, "set_extra_state", refuse)
    with pytest.raises(Refused, match=r"set_extra_state does not take it \(KeyError: 'another layout'\)"):
        manager.load_version(one)


def test_a_class_is_no_object_of_it(manager: ModelManager) -> None:
    with pytest.raises(Malformed, match=r"the class WrappedNet cannot be kept; give an object of it"):
        manager.save_version(WrappedNet)


@pytest.mark.filterwarnings("ignore:.*support is experimental:UserWarning")
@pytest.mark.parametrize("dtype", sorted(KINDS))
def test_an_average_is_one_of_numbers_or_refused_in_one_sentence(dtype: str) -> None:
    kind, size = getattr(torch, dtype), KINDS[dtype].itemsize
    one, other = (tensors_of({"x": torch.full((size,), bits, dtype=torch.uint8).view(kind)}) for bits in (0, 1))

    said = ""
    try:
        assert average(one, other, 0.5)["x"].dtype == dtype
    except Refused as refusal:
        said = str(refusal)

    assert not said or said.startswith(f"tensor 'x' is {dtype}, of which there is no average; merge by the strategy")


def test_what_has_no_arithmetic_is_merged_by_one_side(manager: ModelManager) -> None:
    kind = torch.float4_e2m1fn_x2
    made = [torch.full((2,), number, dtype=torch.uint8).view(kind) for number in (1, 2, 3)]
    manager.save_version({"x": made[0]}, name="few")
    manager.branch("side", 1)
    manager.save_version({"x": made[1]}, name="few")
    manager.save_version({"x": made[2]}, name="few", branch="side")

    with pytest.raises(Refused, match=r"'x' is float4_e2m1fn_x2, of which there is no average"):
        manager.merge("side")
    assert manager.merge("side", strategy="theirs") == 4


def test_the_way_out_is_one_that_the_call_has(manager: ModelManager) -> None:
    class Gone(torch.nn.Linear):
        """Registered nowhere."""

    manager.save_version(Gone(1, 1), name="gone")
    with manager.run("gone") as run:
        run.checkpoint(Gone(1, 1), step=1)
    with pytest.raises(Refused, match=r"give one that you built with into=, or take the parameters with load_tensors$"):
        manager.load_version(1)
    with pytest.raises(Refused, match=r"with into=, or take the parameters with load_checkpoint_tensors$"):
        manager.load_checkpoint(run.id)
    with pytest.raises(Refused, match=r"judge what it predicted by evaluate_predictions$"):
        manager.evaluate(1, [[1.0]], [1])
    with pytest.raises(Malformed, match=r"give module\.to_empty\(device='cpu'\) in its place"), torch.device("meta"):
        manager.apply(1, torch.nn.Linear(1, 1))
