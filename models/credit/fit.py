"""A seeded fit of bagged nets, each stopped by rows that it never learns from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from ...errors import Refused
from ..model import OnEpoch
from ..progress import Progress
from .adamw import AdamW
from .ensemble import WideAndDeep
from .threads import one_thread

FOLDS = 5  # at least this many, so that one net alone still learns from 80 % of the rows


SMALL = 10_000_000  # features below which a batch is too little work to be worth sharing between threads


@dataclass(frozen=True)
class Schedule:
    """How long and how hard to learn."""

    learning_rate: float
    weight_decay: float
    dropout_rate: float
    batch_size: int
    epochs: int
    patience: int
    positive_weight: float


@dataclass(frozen=True)
class Split:
    """Rows to learn from and rows held out, by member: places (members, n), and which held-out places count."""

    learn: Tensor
    held: Tensor
    counts: Tensor

    def to(self, device: torch.device) -> Split:
        """The same split on that device."""
        return Split(self.learn.to(device), self.held.to(device), self.counts.to(device))


@dataclass(frozen=True)
class Outcome:
    """How a fit went: epochs run, the best one (whose parameters the net now has), and the held-out probabilities.

    `held_out` is shape (rows,), NaN where no member held a row out.
    """

    epochs: int
    best_epoch: int
    positive_weight: float
    held_out: npt.NDArray[np.float64]


def fit(
    net: WideAndDeep,
    features: Tensor,
    targets: Tensor,
    split: Split,
    schedule: Schedule,
    generator: torch.Generator,
    on_epoch: OnEpoch | None = None,
    progress: Progress | None = None,
) -> Outcome:
    """Learn targets (rows,) of 0 and 1 from features (rows, width), and leave the net at its best epoch.

    The best epoch has the least cross-entropy on held-out rows over all members together; `patience` epochs without
    a better one end the fit. Everything random comes from `generator`, which lives on the features' device.
    Raises `Refused` where the loss is no longer finite.
    """
    decayed = [net.wide, *net.weights]
    optimiser = AdamW([(decayed, schedule.weight_decay), ([*net.biases], 0.0)], schedule.learning_rate)
    with one_thread() if features.numel() < SMALL else nullcontext():
        return _fitted(net, features, targets, split, schedule, generator, optimiser, on_epoch, progress)


def _fitted(
    net: WideAndDeep,
    features: Tensor,
    targets: Tensor,
    split: Split,
    schedule: Schedule,
    generator: torch.Generator,
    optimiser: AdamW,
    on_epoch: OnEpoch | None,
    progress: Progress | None,
) -> Outcome:
    state = _State(net, optimiser, generator, _copy(net))
    if progress is not None and (begun := progress.begun()) is not None:
        state.restore(begun)
    for epoch in range(state.epoch + 1, schedule.epochs + 1):
        loss = _learn(net, features, targets, split.learn, schedule, generator, optimiser)
        held_out = _held_out_loss(net, features, targets, split, schedule)
        if not np.isfinite(held_out + loss):
            raise Refused(f"the fit diverged in epoch {epoch}; lower the hyperparameter 'learning_rate'")
        state.after(epoch, held_out)
        if on_epoch is not None:
            on_epoch(epoch, {"loss": loss, "held_out_loss": held_out})
        if epoch - state.best_epoch >= schedule.patience:
            break
        if progress is not None and epoch < schedule.epochs:
            progress.reached(epoch, state.capture)
    net.load_state_dict(state.best)
    held = _held_out_probabilities(net, features, split)
    return Outcome(state.epoch, state.best_epoch, schedule.positive_weight, held)


@dataclass
class _State:
    """All that the next epoch depends on, and the best parameters so far."""

    net: WideAndDeep
    optimiser: AdamW
    generator: torch.Generator
    best: dict[str, Tensor]
    best_loss: float = float("inf")
    best_epoch: int = 0
    epoch: int = 0

    def after(self, epoch: int, held_out: float) -> None:
        """Note an epoch's end."""
        self.epoch = epoch
        if held_out < self.best_loss:
            self.best_loss, self.best_epoch, self.best = held_out, epoch, _copy(self.net)

    def capture(self) -> dict[str, Tensor]:
        """A copy, by name."""
        slots = enumerate(self.optimiser.slots)
        tensors = {f"net.{name}": value for name, value in self.net.state_dict().items()}
        tensors |= {f"best.{name}": value for name, value in self.best.items()}
        tensors |= {f"optimiser.{n}.{name}": value for n, slot in slots for name, value in slot.items()}
        tensors |= {
            "generator": self.generator.get_state(),
            "reached": torch.tensor([self.epoch, self.best_epoch], dtype=torch.int64),
            "best_loss": torch.tensor(self.best_loss, dtype=torch.float64),
        }
        return {name: value.detach().cpu().clone() for name, value in tensors.items()}

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Go on from a copy. Raises `Refused` where it is of another fit."""
        slots: dict[int, dict[str, Tensor]] = {}
        for name, value in tensors.items():
            if name.startswith("optimiser."):
                _, number, slot = name.split(".", 2)
                slots.setdefault(int(number), {})[slot] = value
        try:
            self.net.load_state_dict(_under("net.", tensors))
            self.optimiser.restore(slots)
            self.generator.set_state(tensors["generator"])
            self.epoch, self.best_epoch = (int(each) for each in tensors["reached"])
            self.best_loss = float(tensors["best_loss"])
        except (KeyError, RuntimeError, ValueError) as error:
            raise Refused(f"the checkpoint is of another fit ({error}); train from the beginning") from error
        own = self.net.state_dict()
        self.best = {name: value.to(own[name].device) for name, value in _under("best.", tensors).items()}


def _under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def out_of_fold(labels: npt.NDArray[np.int64], members: int, generator: torch.Generator) -> Split:
    """Each member holds out one part of the rows, stratified, so that together they learn from all (Breiman 1996).

    With at least `FOLDS` members every row is held out by one, which makes held-out figures as good as a
    cross-validation's.
    """
    parts = min(max(members, FOLDS), len(labels))
    shuffled = torch.randperm(len(labels), generator=generator).numpy()
    order = shuffled[np.argsort(labels[shuffled], kind="stable")]
    part = np.empty(len(labels), np.int64)
    part[order] = np.arange(len(labels)) % parts
    held = [part == member % parts for member in range(members)]
    return _split([np.flatnonzero(~rows) for rows in held], [np.flatnonzero(rows) for rows in held])


def given(rows: int, held: int, members: int) -> Split:
    """Every member learns from the first `rows` rows and holds out the `held` rows after them."""
    return _split([np.arange(rows)] * members, [np.arange(rows, rows + held)] * members)


def _split(learn: list[npt.NDArray[np.int64]], held: list[npt.NDArray[np.int64]]) -> Split:
    """Rectangular places: a member with a row less learns one twice, and holds one out that does not count."""
    widest, longest = max(map(len, held)), max(map(len, learn))
    return Split(
        learn=torch.from_numpy(np.stack([np.resize(rows, longest) for rows in learn])),
        held=torch.from_numpy(np.stack([np.resize(rows, widest) for rows in held])),
        counts=torch.from_numpy(np.stack([np.arange(widest) < len(rows) for rows in held])),
    )


def _learn(
    net: WideAndDeep,
    features: Tensor,
    targets: Tensor,
    rows: Tensor,
    schedule: Schedule,
    generator: torch.Generator,
    optimiser: AdamW,
) -> float:
    """One epoch; the mean loss over its steps and members."""
    losses: list[Tensor] = []
    for batch in _batches(rows, schedule.batch_size, generator):
        odds = net(features[batch], schedule.dropout_rate, generator)
        loss = _loss(odds, targets[batch], schedule).mean(dim=1)
        optimiser.zero_grad()
        loss.sum().backward()  # the sum, so that no member's steps depend on how many there are
        optimiser.step()
        losses.append(loss.detach().mean())
    return float(torch.stack(losses).mean())


def _batches(rows: Tensor, size: int, generator: torch.Generator) -> Iterator[Tensor]:
    """Each member's rows in an order of its own, in batches of nearly one size, (members, batch)."""
    draws = torch.rand(rows.shape, generator=generator, device=rows.device, dtype=torch.float32)
    yield from rows.gather(1, draws.argsort(dim=1, stable=True)).tensor_split(
        max(1, round(rows.shape[1] / size)), dim=1
    )


def _loss(odds: Tensor, targets: Tensor, schedule: Schedule) -> Tensor:
    weight = torch.tensor(schedule.positive_weight, dtype=torch.float32, device=odds.device)
    return binary_cross_entropy_with_logits(odds, targets, pos_weight=weight, reduction="none")


@torch.no_grad()
def _held_out_loss(net: WideAndDeep, features: Tensor, targets: Tensor, split: Split, schedule: Schedule) -> float:
    losses = _loss(net(features[split.held]), targets[split.held], schedule)
    return float(losses[split.counts].mean())


@torch.no_grad()
def _held_out_probabilities(net: WideAndDeep, features: Tensor, split: Split) -> npt.NDArray[np.float64]:
    """The mean probability that a row has with the members that held it out, (rows,); NaN for rows never held out."""
    chances = net(features[split.held]).double().sigmoid().cpu().numpy()
    places, counts = split.held.cpu().numpy(), split.counts.cpu().numpy()
    total = np.bincount(places[counts], weights=chances[counts], minlength=len(features))
    times = np.bincount(places[counts], minlength=len(features))
    return np.divide(total, times, out=np.full(len(features), np.nan), where=times > 0)


def _copy(net: WideAndDeep) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in net.state_dict().items()}
