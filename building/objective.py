"""What a training makes small: a loss for each example, so that it is the same however batches are cut."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

import torch
from torch import Tensor
from torch.nn import functional

Loss: TypeAlias = Callable[[Tensor, Tensor], Tensor]
"""Of outputs and targets the loss of each example, shape (examples,)."""

HUBER: Final = 1.0
"""Standard deviations of the target beyond which an error counts by its size, no longer by its square."""


def binary(weight: float = 1.0) -> Loss:
    """Cross-entropy of log-odds, shape (examples,) or (examples, members), with targets 0 and 1; `weight` is that of
    the examples whose target is 1."""

    def loss(outputs: Tensor, targets: Tensor) -> Tensor:
        truth = targets.to(outputs.dtype)
        wide = truth if outputs.ndim == 1 else truth[:, None].expand_as(outputs)
        each = functional.binary_cross_entropy_with_logits(outputs, wide, reduction="none")
        each = each if outputs.ndim == 1 else each.mean(dim=1)
        return each if weight == 1.0 else torch.where(truth > 0, weight, 1.0).to(outputs.dtype) * each

    return loss


def multiclass(weights: Tensor | None = None, smoothing: float = 0.0) -> Loss:
    """Cross-entropy of logits, shape (examples, classes) or (examples, members, classes), with targets int64; `weights`
    are those of the classes, shape (classes,). `smoothing` as Szegedy et al. 2016."""

    def loss(outputs: Tensor, targets: Tensor) -> Tensor:
        own = None if weights is None else weights.to(outputs)
        if outputs.ndim == 2:
            return functional.cross_entropy(outputs, targets, own, reduction="none", label_smoothing=smoothing)
        members = outputs.shape[1]
        each = functional.cross_entropy(
            outputs.flatten(0, 1), targets.repeat_interleave(members), own, reduction="none", label_smoothing=smoothing
        )
        return each.view(-1, members).mean(dim=1)

    return loss


def squared(outputs: Tensor, targets: Tensor) -> Tensor:
    """The squared error of outputs, shape (examples,) or (examples, members)."""
    wide = targets.to(outputs.dtype)
    return (outputs - wide) ** 2 if outputs.ndim == 1 else ((outputs - wide[:, None]) ** 2).mean(dim=1)


def huber(outputs: Tensor, targets: Tensor) -> Tensor:
    """As `squared`, but an error beyond `HUBER` counts by its size (Huber 1964)."""
    wide = targets.to(outputs.dtype) if outputs.ndim == 1 else targets.to(outputs.dtype)[:, None].expand_as(outputs)
    each = functional.huber_loss(outputs, wide, reduction="none", delta=HUBER)
    return each if outputs.ndim == 1 else each.mean(dim=1)


def balanced(targets: Tensor, classes: int) -> Tensor:
    """Weights by which each class counts alike, their mean over the examples 1: float32, shape (classes,)."""
    counts = torch.bincount(targets, minlength=classes).clamp(min=1)
    return (len(targets) / (classes * counts)).float()
