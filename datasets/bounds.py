"""Bounds: where what an outside service offers may lie, and what it may be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Final

from ..errors import Malformed
from ..settings import offers
from ..tensors.tensor import Tensor

_WIDEST: Final = 1 << 40
"""Numbers along one dimension, also of a tensor that holds none."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a worker holds an offered file to."""

    places: tuple[str, ...]
    bytes: int
    tensors: int
    elements: int

    def check(self, tensors: Mapping[str, Tensor]) -> None:
        """Hold that a file's tensors are within them. Raises `Malformed`."""
        if len(tensors) > self.tensors:
            raise Malformed(f"the file holds {len(tensors):,} tensors of the {self.tensors:,} that an offer may have")
        if any(side > _WIDEST for tensor in tensors.values() for side in tensor.shape):
            raise Malformed("the file holds a tensor of a shape that no memory has; offer what was trained")
        elements = sum(prod(tensor.shape) for tensor in tensors.values())
        if elements > self.elements:
            raise Malformed(f"the file holds {elements:,} numbers of the {self.elements:,} that an offer may have")


def bounds_of(limits: Mapping[str, int] | None) -> Bounds | None:
    """What a worker holds a job to: the ledger's limits, and no more than its own settings allow. None has none."""
    if limits is None:
        return None
    own = offers()
    sizes = {name: min(getattr(own, name), int(limits[name])) for name in ("bytes", "tensors", "elements")}
    return Bounds(places=own.places, **sizes)
