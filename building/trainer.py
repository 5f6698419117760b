"""The one loop by which models of all families learn.

What is random comes from the seed, the epoch and torch's own generator, whose state is kept: so a training that goes on
from a checkpoint, in the middle of an epoch too, makes the same bits on a CPU as one that was never cut off.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import torch
from torch import Tensor, nn

from ..errors import Refused
from .compiled import compiled, compiling
from .device import chosen_device, chosen_type
from .examples import Batch, Examples, batches, in_turn
from .parallel.group import learning_group
from .state import TrainingState, copied, learning_mode, own_randomness, whole, zero

if TYPE_CHECKING:
    from ..models.model import OnEpoch
    from ..models.progress import Progress
    from .objective import Loss
    from .plan import TrainingPlan

AT_ONCE: Final = 4
"""Batches of held-out examples that are judged at once: nothing is kept for gradients."""


@dataclass(frozen=True)
class TrainingResult:
    """How a training went; its module has the parameters of the best epoch."""

    epochs: int
    best_epoch: int
    steps: int
    held_out_loss: float
    """Of the best epoch, the mean over the held-out examples."""
    device: str
    precision: str

    def settings(self) -> dict[str, str | int | float]:
        """What a version records of it."""
        return {
            "best_epoch": self.best_epoch, "device": self.device, "epochs": self.epochs,
            "held_out_loss": self.held_out_loss, "precision": self.precision, "steps": self.steps,
        }  # fmt: skip


class Trainer:
    """Trains a module by a plan."""

    def __init__(
        self, plan: TrainingPlan, *, on_epoch: OnEpoch | None = None, progress: Progress | None = None
    ) -> None:
        self.plan = plan
        self.group = learning_group()
        self.device = chosen_device(plan.device)
        self.type = chosen_type(plan.precision, self.device)
        self._on_epoch = on_epoch
        self._progress = progress

    def fit(self, module: nn.Module, learn: Examples, held: Examples, loss: Loss) -> TrainingResult:
        """Learn from examples until `patience` epochs brought nothing on those held out, and leave the module, on the
        CPU, at its best epoch.

        Each step is AdamW's (Loshchilov and Hutter 2019) over `accumulate` batches; biases and norms do not decay.
        `on_epoch(epoch, figures)` is called after each epoch and ends the fit by raising, which leaves the module as it
        was. Raises `Refused` where the loss is no longer finite, or the device or precision is not to be had.
        """
        before = copied(module)
        try:
            with (
                torch.inference_mode(False),
                torch.enable_grad(),
                # whatever the caller's is; nothing is cached of weights, which change with each step
                torch.autocast(self.device.type, enabled=False, cache_enabled=False),
                own_randomness(self.plan.seed, self.device),
                compiling() if self.plan.compiled else nullcontext(),
            ):
                return self._fitted(module.to(self.device), learn, held, loss)
        except BaseException:
            module.to("cpu").load_state_dict(before)
            raise

    def _fitted(self, module: nn.Module, learn: Examples, held: Examples, loss: Loss) -> TrainingResult:
        scaler = torch.amp.GradScaler(self.device.type, enabled=self.type is torch.float16)
        holder = self.group.holder(module)
        answerer = compiled(holder) if self.plan.compiled else holder
        learner = self.group.learner(answerer)
        state = TrainingState(holder, self._optimiser(holder), scaler, copied(holder), zero(self.device))
        if self._progress is not None and (begun := self._progress.begun()) is not None:
            state.restore(begun)
            if self.group.rank:
                state.loss = zero(self.device)  # the first process has all that was lost so far
        plan = self.plan
        while state.epoch < plan.epochs and (state.best_epoch == 0 or state.epoch - state.best_epoch < plan.patience):
            self._epoch(state, learner, learn, loss)
            held_out = self._held_out(answerer, held, loss)
            learnt = float(self.group.sum(state.loss)) / len(learn)
            state.epoch, state.batch, state.loss = state.epoch + 1, 0, zero(self.device)
            if not math.isfinite(learnt + held_out):
                raise Refused(f"the fit diverged in epoch {state.epoch}; lower the hyperparameter 'learning_rate'")
            state.judged(held_out)
            if self._on_epoch is not None:
                self._on_epoch(state.epoch, {"loss": learnt, "held_out_loss": held_out})
            self._reached(state)
        best = {name: whole(value) for name, value in state.best.items()}
        self.group.part()
        module.load_state_dict(best)
        module.to("cpu")
        return TrainingResult(
            state.epoch, state.best_epoch, state.step, state.best_loss, self.device.type,
            "float32" if self.type is None else str(self.type).removeprefix("torch."),
        )  # fmt: skip

    def _epoch(self, state: TrainingState, learner: nn.Module, learn: Examples, loss: Loss) -> None:
        """The batches of an epoch that are still to be learnt from."""
        plan = self.plan
        order = learn.order(torch.Generator().manual_seed(plan.seed * 1_000_003 + state.epoch))
        cut = batches(order, plan.batch_size)
        steps = -(-len(cut) // plan.accumulate) * plan.epochs
        last = len(cut)
        if (least := len(order) // last) < self.group.size:
            raise Refused(f"batches of {least} are too few for {self.group.size} processes; raise 'batch_size'")
        with learning_mode(state.module, True):
            for first in range(state.batch, last, plan.accumulate):
                group = cut[first : first + plan.accumulate]
                for settings in state.optimiser.param_groups:
                    settings["lr"] = plan.rate(state.step, steps)
                state.loss += self._step(state, learner, learn, group, loss)
                state.batch, state.step = state.batch + len(group), state.step + 1
                if state.batch < last:
                    self._reached(state)

    def _step(
        self, state: TrainingState, learner: nn.Module, learn: Examples, batches: Sequence[Tensor], loss: Loss
    ) -> Tensor:
        """One step over some batches; the sum of the losses of this process's examples."""
        state.optimiser.zero_grad()
        total, examples = zero(self.device), sum(map(len, batches))
        for number, places in enumerate(batches, 1):
            self.group.draw(self.plan.seed, state.step, number)
            with self.group.summing(learner, number == len(batches)):
                lost = self._lost(learner, learn.batch(self.group.share(places), learning=True), loss)
                # several processes divide the sum of their gradients by their number
                state.scaler.scale(lost / (examples / self.group.size)).backward()
            total += lost.detach()
        if self.plan.clip is not None:
            state.scaler.unscale_(state.optimiser)
            nn.utils.clip_grad_norm_(state.module.parameters(), self.plan.clip)
        state.scaler.step(state.optimiser)
        state.scaler.update()
        return total

    def _lost(self, module: nn.Module, batch: Batch, loss: Loss) -> Tensor:
        """The sum of a batch's losses."""
        inputs = [part.to(self.device, non_blocking=True) for part in batch.inputs]
        if self.type is None:
            outputs = module(*inputs)
        else:
            with torch.autocast(self.device.type, self.type):
                outputs = module(*inputs)
        return loss(outputs.float(), batch.targets.to(self.device, non_blocking=True)).sum()

    def _held_out(self, module: nn.Module, held: Examples, loss: Loss) -> float:
        """The mean loss over held-out examples."""
        if len(held) < self.group.size:
            raise Refused(f"{len(held)} held-out rows are too few for {self.group.size} processes; raise 'held_out'")
        self.group.settle(module)
        total = zero(self.device)
        with torch.no_grad(), learning_mode(module, False):
            for places in batches(torch.arange(len(held)), self.plan.batch_size * AT_ONCE):
                total += self._lost(module, held.batch(self.group.share(places), learning=False), loss)
        return float(self.group.sum(total)) / len(held)

    def _reached(self, state: TrainingState) -> None:
        if self._progress is not None:
            self._progress.reached(state.step, lambda: state.capture(self.group.sum(state.loss)))

    def _optimiser(self, module: nn.Module) -> torch.optim.AdamW:
        parameters = [parameter for parameter in module.parameters() if parameter.requires_grad]
        groups = [
            {"params": [each for each in parameters if each.ndim > 1], "weight_decay": self.plan.weight_decay},
            {"params": [each for each in parameters if each.ndim <= 1], "weight_decay": 0.0},
        ]
        return torch.optim.AdamW(
            [group for group in groups if group["params"]],
            lr=self.plan.learning_rate,
            fused=self.device.type == "cpu",  # one pass over a parameter in place of ten
        )


def answers(module: nn.Module, examples: Examples, size: int) -> Iterator[Tensor]:
    """What a module answers to examples in their order, a batch at a time, float32, on the CPU."""
    device = next(module.parameters()).device
    with torch.inference_mode(), learning_mode(module, False):
        for batch in in_turn(examples, size):
            yield module(*(part.to(device) for part in batch.inputs)).float().cpu()
