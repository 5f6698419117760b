"""What a training learns from: examples by their places, in an order that is drawn anew for each epoch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import torch
from torch import Tensor


class Batch(NamedTuple):
    """Some examples: what the module is called with, and what it should answer."""

    inputs: tuple[Tensor, ...]
    targets: Tensor


class Examples(Protocol):
    """Examples that can be read by their places, whether they lie in memory or are read as they are asked for."""

    def __len__(self) -> int:
        """How many there are."""
        ...

    def order(self, generator: torch.Generator) -> Tensor:
        """All places in an order drawn from the generator, int64, shape (examples,)."""
        ...

    def batch(self, places: Tensor, *, learning: bool) -> Batch:
        """The examples at these places, on the CPU. Where they are learnt from, what varies them draws from torch's own
        generator, which the trainer keeps."""
        ...


class Shuffled:
    """Examples in memory, which are learnt from in any order."""

    targets: Tensor

    def __len__(self) -> int:
        return len(self.targets)

    def order(self, generator: torch.Generator) -> Tensor:
        """A permutation."""
        return torch.randperm(len(self), generator=generator)


@dataclass(frozen=True)
class TensorExamples(Shuffled):
    """Examples that are rows of tensors: each input's and the targets' first dimension counts them."""

    inputs: tuple[Tensor, ...]
    targets: Tensor

    def batch(self, places: Tensor, *, learning: bool) -> Batch:
        """The rows at these places, the same whether they are learnt from or not."""
        del learning
        return Batch(tuple(part[places] for part in self.inputs), self.targets[places])


def batches(places: Tensor, size: int) -> Sequence[Tensor]:
    """Places in batches of nearly one size, at most `size`; so none is too small to be normalised by."""
    return places.tensor_split(-(-len(places) // size))


def in_turn(examples: Examples, size: int) -> Iterator[Batch]:
    """All examples in their own order, as they are."""
    for first in range(0, len(examples), size):
        yield examples.batch(torch.arange(first, min(first + size, len(examples))), learning=False)
