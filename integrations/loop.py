"""A loop of the caller's own as a run: `with autolog(module, optimizer):` notes its losses and keeps what it makes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from ..errors import Malformed
from ..models.model import kebab
from ..plain import words_of
from .recorder import plain_only

if TYPE_CHECKING:
    from torch import Tensor, nn
    from torch.optim import Optimizer

    from ..manager import ModelManager
    from ..versions.runs.run import Run

Hears = Callable[["Tensor"], None]
"""Told each loss that is derived."""
_LISTENING: Final[dict[int, list[Hears]]] = {}
"""By thread, who is told of its losses."""
_LOCK: Final = threading.Lock()


@contextmanager
def autolog(
    module: nn.Module,
    optimizer: Optimizer,
    *,
    name: str | None = None,
    every: int = 1,
    hyperparameters: Mapping[str, Any] | None = None,
    manager: ModelManager | None = None,
    **asked: Any,
) -> Generator[Run]:
    """Note the steps of a training loop in a run, and keep module and optimizer as a version at its end.

    Each `every` steps of the optimizer three figures are logged: the `loss` that was derived last (as `backward()` got
    it, but without the factor of a `GradScaler`), the norm of the gradients, and the learning rate. `hyperparameters`
    default to the optimizer's own. `name` is the model's, else the module's class in kebab case. Further arguments are
    those of `ModelManager.save_version`. The block's value is the run, whose `version` is what the loop became; what
    raises within is recorded as its failure, and no version kept. Raises `Malformed` for what is no module or
    optimizer.
    """
    import torch

    if not isinstance(module, torch.nn.Module):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise Malformed(f"the module is {words_of(module)}; give a torch.nn.Module")
    if not isinstance(optimizer, torch.optim.Optimizer):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise Malformed(f"the optimizer is {words_of(optimizer)}; give one of torch.optim")
    if isinstance(every, bool) or not isinstance(every, int) or every < 1:  # pyright: ignore[reportUnnecessaryIsInstance]
        raise Malformed(f"every is {every!r}; give the steps between two points, a whole number of at least 1")
    if manager is None:
        from ..manager import ModelManager

        manager = ModelManager()
    elif not callable(getattr(manager, "run", None)):
        raise Malformed(f"the manager is {words_of(manager)}; give a ModelManager")
    own = {"optimizer": type(optimizer).__name__, **plain_only(optimizer.defaults)}
    chosen = own if hyperparameters is None else hyperparameters
    with manager.run(name or kebab(type(module).__name__), hyperparameters=chosen) as run:
        with _watched(run, optimizer, every):
            yield run
        run.save(module, optimizer=optimizer, **asked)


@contextmanager
def _watched(run: Run, optimizer: Optimizer, every: int) -> Generator[None]:
    """Log figures of an optimizer's steps inside."""
    import torch

    steps, losses = 0, list["Tensor"]()
    norm: Tensor | None = None

    def before(*_: Any) -> None:
        nonlocal norm
        if (steps + 1) % every == 0:
            gradients = (each.grad for group in optimizer.param_groups for each in group["params"])
            norm = torch.nn.utils.get_total_norm([each for each in gradients if each is not None])

    def after(*_: Any) -> None:
        nonlocal steps
        steps += 1
        if steps % every:
            return
        figures = {"learning_rate": float(optimizer.param_groups[0]["lr"])}
        if norm is not None:
            figures["gradient_norm"] = float(norm)
        if losses:
            figures["loss"] = float(losses[-1])
        run.log(figures, step=steps)

    def heard(loss: Tensor) -> None:
        losses[:] = [loss.detach()]

    hooks = optimizer.register_step_pre_hook(before), optimizer.register_step_post_hook(after)
    try:
        with _listening(heard):
            yield
    finally:
        for hook in hooks:
            hook.remove()


@contextmanager
def _listening(heard: Hears) -> Generator[None]:
    """Have a function told of the losses that this thread derives inside."""
    _install()
    thread = threading.get_ident()
    _LISTENING.setdefault(thread, []).append(heard)
    try:
        yield
    finally:
        _LISTENING[thread].remove(heard)
        if not _LISTENING[thread]:
            del _LISTENING[thread]


def _install() -> None:
    """Have torch tell which losses are derived, once in a process: nothing else says so."""
    import torch

    with _LOCK:
        if getattr(torch.autograd.backward, "tells_lepton", False):
            return
        derive = torch.autograd.backward
        scale: Any = torch.amp.GradScaler.scale

        def backward(tensors: Any, *args: Any, **kwargs: Any) -> Any:
            if isinstance(tensors, torch.Tensor) and tensors.numel() == 1 and not hasattr(tensors, "of_lepton_scaled"):
                _tell(tensors)
            return derive(tensors, *args, **kwargs)

        def scaled(scaler: Any, outputs: Any) -> Any:
            made = scale(scaler, outputs)
            if isinstance(outputs, torch.Tensor) and outputs.numel() == 1:
                _tell(outputs)
                made.of_lepton_scaled = True
            return made

        backward.tells_lepton = True  # type: ignore[attr-defined]
        torch.autograd.backward, torch.amp.GradScaler.scale = backward, scaled  # type: ignore[assignment]


def _tell(loss: Tensor) -> None:
    for hears in _LISTENING.get(threading.get_ident(), ()):
        hears(loss)
