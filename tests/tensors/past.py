"""A lineage of tensors for tests: a vault over a store of objects, and the graph that its saves make."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from lepton_ai.tensors.cloud import CloudStore
from lepton_ai.tensors.folder import FolderStore
from lepton_ai.tensors.graph import Edge, Graph
from lepton_ai.tensors.keep import SavedTensors
from lepton_ai.tensors.manifest import Manifest
from lepton_ai.tensors.pack import Placement, WrittenPack
from lepton_ai.tensors.tensor import Array, Tensor
from lepton_ai.tensors.vault import Vault

Tensors = Mapping[str, Tensor]


@dataclass
class Shelf:
    """Placements in memory, as the ledger's projection would tell them."""

    known: dict[str, Placement] = field(default_factory=dict)

    def find(self, digests: Collection[str]) -> Mapping[str, Placement]:
        return {digest: self.known[digest] for digest in digests if digest in self.known}


class Lineage:
    """Saves versions one after the other, as the ledger would, and remembers what each was."""

    def __init__(self, folder: Path, objects: FolderStore | CloudStore | None = None) -> None:
        self.folder = folder
        self.objects = objects or FolderStore(folder)
        self.shelf = Shelf()
        self.vault = Vault(self.objects, self.shelf)
        self.keyframes: dict[str, int] = {}
        self.edges: list[Edge] = []
        self.packs: list[WrittenPack] = []
        self.versions: list[tuple[Manifest, dict[str, Tensor]]] = []

    @property
    def graph(self) -> Graph:
        return Graph(dict(self.keyframes), tuple(self.edges))

    def save(self, tensors: Tensors, base: int | None = None, **options: Any) -> SavedTensors:
        """Keep a version on top of the version numbered `base`."""
        start = None if base is None else self.versions[base][0]
        kept = self.vault.keep(tensors, base=start, graph=self.graph, **options)
        self.shelf.known.update((place.digest, place) for place in kept.placements)
        self.packs += kept.packs
        if kept.keyframe:
            self.keyframes[kept.manifest.digest] = kept.manifest.size
        if kept.delta is not None:
            assert start is not None
            delta = kept.delta
            self.edges.append(Edge(start.digest, kept.manifest.digest, delta.digest, delta.bytes, delta.two_way))
        self.versions.append((kept.manifest, dict(tensors)))
        return kept

    def fresh(self) -> Vault:
        """Another vault over the same objects, which has cached nothing."""
        return Vault(self.objects, self.shelf)

    def flip(self, key: str, offset: int, bits: int = 1) -> None:
        """Damage one byte of an object."""
        data = bytearray((self.folder / key).read_bytes())
        data[offset] ^= bits
        (self.folder / key).write_bytes(data)


def same(found: Tensors, wanted: Tensors) -> bool:
    """Whether both hold the same names, dtypes, shapes, bits and sharing."""
    return (
        found.keys() == wanted.keys()
        and all(_form(found[name]) == _form(wanted[name]) for name in wanted)
        and all(np.array_equal(found[name].raw(), wanted[name].raw()) for name in wanted)
        and _sharing(found) == _sharing(wanted)
    )


def floats(values: Any, dtype: str = "float32") -> Array:
    """An array of these numbers."""
    return Array.from_numpy(np.asarray(values, dtype))


def stepped(tensors: Mapping[str, Array], seed: int, size: float = 1e-4) -> dict[str, Array]:
    """The tensors (all float32) after something like an optimiser's step, sharing kept."""
    rng = np.random.default_rng(seed)
    made: dict[int, Array] = {}
    for tensor in tensors.values():
        if id(tensor) not in made:
            step = rng.normal(0, size, tensor.shape).astype(np.float32)
            made[id(tensor)] = floats(tensor.raw().view(np.float32).reshape(tensor.shape) + step)
    return {name: made[id(tensor)] for name, tensor in tensors.items()}


def network(seed: int = 0) -> dict[str, Array]:
    """A small net in float32, 1.6 MB, with tied weights, a scalar and a tensor of no elements."""
    rng = np.random.default_rng(seed)
    tensors = {
        "body.bias": floats(rng.normal(0, 0.02, 300)),
        "body.weight": floats(rng.normal(0, 0.02, (300, 1200))),
        "embed.weight": floats(rng.normal(0, 0.02, (50, 300))),
        "empty": floats(np.empty((0, 7))),
        "scale": floats(1.5),
    }
    return {**tensors, "head.weight": tensors["embed.weight"]}


def copied(tensors: Tensors) -> dict[str, Array]:
    """Live tensors with the same content and sharing, in memory of their own."""
    made: dict[int, Array] = {}
    for tensor in tensors.values():
        made.setdefault(id(tensor), Array(tensor.dtype, tuple(tensor.shape), tensor.raw().copy()))
    return {name: made[id(tensor)] for name, tensor in tensors.items()}


def _form(tensor: Tensor) -> tuple[str, tuple[int, ...]]:
    return tensor.dtype, tuple(tensor.shape)


def _sharing(tensors: Tensors) -> list[int]:
    names = sorted(tensors)
    return [next(i for i, other in enumerate(names) if tensors[other] is tensors[name]) for name in names]
