"""How far two versions lie apart, tensor by tensor."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .delta import Pairing, Slot
from .reals import numbers
from .tensor import Bytes, count_differing
from .threads import in_order
from .way import ChunkPlan, Placements, Way

_TOGETHER = 8  # chunks of each version that one thread compares at a time


@dataclass(frozen=True)
class TensorDifference:
    """How a tensor differs between two versions. Numbers are float64; NaN where a tensor holds one.

    changed: share of elements that differ in at least one bit, 0..1. l2: ‖b − a‖. relative: ‖b − a‖ / ‖a‖.
    cosine: Re⟨a, b⟩ / (‖a‖ ‖b‖). max_abs: the largest |b − a| of one element.
    """

    name: str
    changed: float
    l2: float
    relative: float
    cosine: float
    max_abs: float


@dataclass(frozen=True)
class Norms:
    """What differs between two versions: `differing` tensors of one name, dtype and shape, and names of the others."""

    differing: tuple[TensorDifference, ...]
    added: tuple[str, ...]
    removed: tuple[str, ...]
    reshaped: tuple[str, ...]


def norms_between(a: Way, b: Way, places: Placements) -> Norms:
    """Compare the targets of two ways, a few megabytes at a time."""
    pairing = Pairing(a.target, b.target)
    sums = {name: _Sums() for name in pairing.names if pairing.changes(name)}
    for name, part in in_order(lambda plans: _compare(a, b, plans), _batches(a, b, places, list(sums))):
        sums[name].add(part)
    old, new = ({entry.name: entry for entry in way.target.tensors} for way in (a, b))
    return Norms(
        tuple(part.told(name, math.prod(old[name].shape)) for name, part in sums.items()),
        tuple(name for name in new if name not in old),
        tuple(name for name in old if name not in new),
        tuple(name for name in old if name in new and not old[name].fits(new[name])),
    )


@dataclass
class _Sums:
    """What a tensor's chunks add up to: elements changed, and squares and products of a, b and b − a."""

    changed: int = 0
    aa: float = 0.0
    bb: float = 0.0
    ab: float = 0.0
    dd: float = 0.0
    largest: float = 0.0

    def add(self, other: _Sums) -> None:
        self.changed += other.changed
        self.aa += other.aa
        self.bb += other.bb
        self.ab += other.ab
        self.dd += other.dd
        self.largest = float(np.maximum(self.largest, other.largest))

    def told(self, name: str, elements: int) -> TensorDifference:
        l2, length = math.sqrt(self.dd), math.sqrt(self.aa)
        scale = length * math.sqrt(self.bb)
        relative = l2 / length if length else (math.inf if l2 else 0.0)
        cosine = self.ab / scale if scale else math.nan
        return TensorDifference(name, self.changed / elements, l2, relative, cosine, self.largest)


def _batches(a: Way, b: Way, places: Placements, names: list[str]) -> Iterator[tuple[list[ChunkPlan], list[ChunkPlan]]]:
    """The same chunks of both versions, planned; one tensor a batch, so that its sums can be added up alone."""
    for name in names:
        entry = a.target.owner(name)
        for first in range(0, len(entry.chunks), _TOGETHER):
            span = range(first, min(first + _TOGETHER, len(entry.chunks)))
            slots = [Slot(name, index) for index in span]
            yield a.plan(places, slots), b.plan(places, slots)


def _compare(a: Way, b: Way, plans: tuple[list[ChunkPlan], list[ChunkPlan]]) -> tuple[str, _Sums]:
    name = plans[0][0].slot.name
    dtype = a.target.owner(name).dtype
    total = _Sums()
    before = [chunk.copy() for chunk in a.chunks(plans[0])]  # both are made in one scratch memory
    for old, new in zip(before, b.chunks(plans[1]), strict=True):
        total.add(_sums(dtype, old, new))
    return name, total


def _sums(dtype: str, old: Bytes, new: Bytes) -> _Sums:
    changed = count_differing(dtype, old, new)
    with np.errstate(all="ignore"):  # infinities and NaNs are told as they are
        x, y = numbers(dtype, old), numbers(dtype, new)
        d = y - x
        return _Sums(changed, _dot(x, x), _dot(y, y), _dot(x, y), _dot(d, d), float(np.abs(d).max()))


def _dot(x: npt.NDArray[Any], y: npt.NDArray[Any]) -> float:
    """Re⟨x, y⟩. Not by BLAS, whose own threads would spin beside ours."""
    return float(np.einsum("i,i->", x.view(np.float64), y.view(np.float64)))
