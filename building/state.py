"""All that the next step of a training depends on, as tensors by name, and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

import torch
from torch import Tensor, nn

from ..errors import Refused

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

_PLACES: Final = ("epoch", "batch", "step", "best_epoch")


@dataclass
class TrainingState:
    """Where a training stands: its module and optimiser, the best parameters so far, and how far it came."""

    module: nn.Module
    optimiser: torch.optim.Optimizer
    scaler: torch.amp.GradScaler
    best: dict[str, Tensor]
    loss: Tensor
    """The sum of the losses of the epoch's examples so far."""
    best_loss: float = float("inf")
    best_epoch: int = 0
    epoch: int = 0
    """Epochs that are over."""
    batch: int = 0
    """Batches of the next epoch that were learnt from."""
    step: int = 0
    """Steps that were made."""

    def judged(self, loss: float) -> None:
        """Note what an epoch came to on held-out examples."""
        if loss < self.best_loss:
            self.best_loss, self.best_epoch, self.best = loss, self.epoch, copied(self.module)

    def capture(self, loss: Tensor) -> dict[str, Tensor]:
        """A copy of all of it, on the CPU; `loss` is that of all processes."""
        made = {f"module.{name}": value for name, value in self.module.state_dict().items()}
        made |= {f"best.{name}": value for name, value in self.best.items()}
        for place, slots in enumerate(self._slots()):
            made |= {f"optimiser.{place}.{name}": value for name, value in slots.items()}
        made |= {"random.cpu": torch.get_rng_state(), "loss": loss}
        made["best_loss"] = torch.tensor(self.best_loss, dtype=torch.float64)
        made["places"] = torch.tensor([getattr(self, name) for name in _PLACES], dtype=torch.int64)
        if self._device.type == "cuda":
            made["random.cuda"] = torch.cuda.get_rng_state(self._device)
        if self.scaler.is_enabled():
            made["scaler"] = torch.tensor(
                [self.scaler.get_scale(), float(self.scaler.state_dict()["_growth_tracker"])], dtype=torch.float64
            )
        return {name: whole(value).detach().cpu().clone() for name, value in made.items()}

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Go on from a copy. Raises `Refused` where it is of another training."""
        try:
            self._restore(tensors)
        except (KeyError, RuntimeError, ValueError, IndexError) as error:
            raise Refused(f"the checkpoint is of another training ({error}); train from the beginning") from error

    def _restore(self, tensors: Mapping[str, Tensor]) -> None:
        own = self.module.state_dict()
        kept, best = _under("module.", tensors), _under("best.", tensors)
        self.module.load_state_dict({name: _placed(value, own[name]) for name, value in kept.items()})
        self.best = {name: _placed(value, own[name]) for name, value in best.items()}
        for place, parameter in enumerate(self._parameters()):
            slots = _under(f"optimiser.{place}.", tensors)
            # the count of steps stays on the CPU, where AdamW keeps it
            self.optimiser.state[parameter] = {
                name: value.clone() if value.ndim == 0 else _placed(value, parameter) for name, value in slots.items()
            }
        torch.set_rng_state(tensors["random.cpu"].to(torch.uint8))
        if self._device.type == "cuda":
            torch.cuda.set_rng_state(tensors["random.cuda"].to(torch.uint8), self._device)
        if self.scaler.is_enabled():
            scale, tracker = map(float, tensors["scaler"])
            self.scaler.load_state_dict(self.scaler.state_dict() | {"scale": scale, "_growth_tracker": int(tracker)})
        self.loss, self.best_loss = tensors["loss"].to(self._device, copy=True), float(tensors["best_loss"])
        for name, value in zip(_PLACES, tensors["places"], strict=True):
            setattr(self, name, int(value))

    @property
    def _device(self) -> torch.device:
        return next(self.module.parameters()).device

    def _parameters(self) -> list[nn.Parameter]:
        return [parameter for group in self.optimiser.param_groups for parameter in group["params"]]

    def _slots(self) -> Iterator[Mapping[str, Tensor]]:
        for parameter in self._parameters():
            yield self.optimiser.state.get(parameter, {})


def zero(device: torch.device) -> Tensor:
    """Where losses are summed up: in double precision, where the device has it."""
    return torch.zeros((), dtype=torch.float32 if device.type == "mps" else torch.float64, device=device)


def copied(module: nn.Module) -> dict[str, Tensor]:
    """A copy of a module's parameters and buffers, where they are."""
    return {name: value.detach().clone() for name, value in module.state_dict().items()}


@contextmanager
def own_randomness(seed: int, device: torch.device) -> Generator[None]:
    """Draw from the seed inside, and leave the caller's random state as it was."""
    devices = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices):
        torch.manual_seed(seed)
        yield


@contextmanager
def learning_mode(module: nn.Module, learning: bool) -> Generator[None]:
    """Have a module learn, or answer, inside."""
    before = module.training
    module.train(learning)
    try:
        yield
    finally:
        with suppress(RuntimeError):
            module.train(before)


def whole(value: Tensor) -> Tensor:
    """A tensor; of one that lies in parts all of them, which all processes ask for."""
    gathered: Callable[[], Tensor] | None = getattr(value, "full_tensor", None)
    return value if gathered is None else gathered()


def _placed(value: Tensor, own: Tensor) -> Tensor:
    """A copy of a whole tensor that lies where its own does, and in parts where that does."""
    here = value.to(own.device, copy=True)
    if not hasattr(own, "placements"):
        return here
    from torch.distributed.tensor import DTensor, distribute_tensor

    parts = cast("DTensor", own)
    return distribute_tensor(here, parts.device_mesh, parts.placements)


def _under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
