"""Tensors made of chunks that were staged, and for the rest of what versions that may be read hold already."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ...errors import MissingChunks
from ...tensors.delta import Slot
from ...tensors.manifest import CHUNK, Manifest, TensorEntry
from ...tensors.tensor import Bytes, Tensor

if TYPE_CHECKING:
    from ...tensors.graph import Graph
    from ...tensors.vault import Vault
    from .staging import StagedChunks


class KnownVersion(NamedTuple):
    """What a version or checkpoint holds: the digest of its manifest, and how to restore it."""

    tensors: str
    graph: Graph


class KnownChunks:
    """Chunks of versions that a save goes on from. No others are known, whatever the ledger stores."""

    def __init__(self, vault: Vault, versions: Iterable[KnownVersion]) -> None:
        self._vault = vault
        self._graphs = {each.tensors: each.graph for each in versions}
        self._versions = tuple(self._graphs)

    @cached_property
    def _places(self) -> Mapping[str, tuple[str, Slot]]:
        """By digest, a version that has such a chunk, and where."""
        places: dict[str, tuple[str, Slot]] = {}
        for version in self._graphs:
            for owner in self._vault.manifest(version).owners:
                for number, digest in enumerate(owner.chunks):
                    places.setdefault(digest, (version, Slot(owner.name, number)))
        return places

    def __contains__(self, digest: str) -> bool:
        return digest in self._places

    def fill(self, wanted: Mapping[str, Sequence[Bytes]]) -> None:
        """Restore chunks by digest to where they are wanted. Raises `Damaged`."""
        for version in self._graphs:
            mine = {digest: self._places[digest][1] for digest in wanted if self._places[digest][0] == version}
            made = self._vault.chunks(version, self._graphs[version], mine.values())
            for digest, chunk in zip(mine, made, strict=True):
                for into in wanted[digest]:
                    into[:] = chunk


class IncomingTensor:
    """A tensor that a manifest names; its bytes are put together each time they are asked for."""

    def __init__(self, entry: TensorEntry, staged: StagedChunks, known: KnownChunks) -> None:
        self.dtype = entry.dtype
        self.shape = entry.shape
        self.nbytes = entry.nbytes
        self._entry = entry
        self._staged = staged
        self._known = known

    def raw(self) -> Bytes:
        """The bytes: of staged chunks as they lie there, of others verified. Raises `MissingChunks`, `Damaged`."""
        raw = np.empty(self.nbytes, np.uint8)
        wanted: dict[str, list[Bytes]] = {}
        for number, digest in enumerate(self._entry.chunks):
            into = raw[number * CHUNK : (number + 1) * CHUNK]
            if not self._staged.read_into(digest, into.data):
                wanted.setdefault(digest, []).append(into)
        if missing := [digest for digest in wanted if digest not in self._known]:
            raise MissingChunks(missing)
        if wanted:
            self._known.fill(wanted)
        return raw


def assembled(manifest: Manifest, staged: StagedChunks, known: KnownChunks) -> dict[str, Tensor]:
    """The tensors of a manifest by name; tied ones are one object."""
    tensors = {owner.name: IncomingTensor(owner, staged, known) for owner in manifest.owners}
    return {entry.name: tensors[manifest.owner(entry.name).name] for entry in manifest.tensors}


def chunks_of(manifest: Manifest) -> Iterator[str]:
    """The digests of all chunks, each once."""
    return iter(dict.fromkeys(digest for owner in manifest.owners for digest in owner.chunks))
