"""A version's tensors as bytes read by ranges: a safetensors file that lies nowhere, and each tensor by itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...domain.model.state import ModelState
from ...errors import UnknownRevision
from ...tensors.delta import Slot
from ...tensors.graph import Graph
from ...tensors.manifest import CHUNK, Manifest, TensorEntry
from ..deltas import graph_of
from ..restore import verified_event
from ..runs.record import checkpoint
from ..workspace import Workspace

if TYPE_CHECKING:
    from ...tensors.vault import Vault


@dataclass(frozen=True)
class ReadableBytes:
    """Bytes that are made when they are read: those before the tensors, then tensors one after another."""

    digest: str
    head: bytes
    parts: Sequence[tuple[TensorEntry, str]]
    """Each tensor in its order, with the name of the one that holds its chunks."""
    _tensors: Tensors

    @property
    def size(self) -> int:
        """Bytes of all of it."""
        return len(self.head) + sum(entry.nbytes for entry, _ in self.parts)

    def pieces(self, start: int, stop: int) -> Iterator[memoryview]:
        """The bytes from `start` to `stop`; of the tensors only the chunks that these touch are restored."""
        if start < len(self.head):
            yield memoryview(self.head)[start:stop]
        at = len(self.head)
        for entry, owner in self.parts:
            first, last = max(start - at, 0), min(stop - at, entry.nbytes)
            if first < last:
                yield from self._tensors.pieces(owner, first, last)
            at += entry.nbytes


@dataclass(frozen=True)
class Tensors:
    """The tensors of a version or checkpoint."""

    digest: str
    manifest: Manifest
    metadata: dict[str, str]
    graph: Graph
    vault: Vault

    def weights(self) -> ReadableBytes:
        """A safetensors file, as `lepton export` writes it. Raises `Malformed` where the format has no such dtype."""
        from ...tensors.digest import digest_of
        from ...tensors.safetensors_file import header

        head, places = header(self.manifest.tensors, self.metadata)
        parts = [(entry, self.manifest.owner(entry.name).name) for entry, _ in places.values()]
        return ReadableBytes(digest_of(head + self.digest.encode()), head, parts, self)

    def tensor(self, name: str) -> tuple[TensorEntry, ReadableBytes]:
        """One tensor: row-major, little-endian. Raises `UnknownRevision` where there is none of that name."""
        if name not in self.manifest:
            raise UnknownRevision(f"there is no tensor {name[:200]!r} in it; its tensors are listed one level up")
        entry, owner = next(each for each in self.manifest.tensors if each.name == name), self.manifest.owner(name)
        return entry, ReadableBytes(owner.digest, b"", ((entry, owner.name),), self)

    def listed(self) -> list[dict[str, Any]]:
        """What each is called, of which dtype and shape, and the tensor it is tied to, if any."""
        return [
            {
                "name": each.name,
                "dtype": each.dtype,
                "shape": list(each.shape),
                "bytes": each.nbytes,
                "digest": each.digest,
                "same_as": each.same_as,
            }
            for each in self.manifest.tensors
        ]

    def pieces(self, owner: str, start: int, stop: int) -> Iterator[memoryview]:
        """Bytes of a tensor, chunk by chunk, each verified."""
        numbers = range(start // CHUNK, (stop - 1) // CHUNK + 1)
        chunks = self.vault.chunks(self.digest, self.graph, (Slot(owner, number) for number in numbers))
        for number, chunk in zip(numbers, chunks, strict=True):
            at = number * CHUNK
            yield chunk.data[max(start - at, 0) : stop - at]


def tensors(workspace: Workspace, model: ModelState, number: int) -> Tensors:
    """The tensors of a version, to be read by ranges."""
    event = verified_event(workspace, model, number)
    metadata = {"model": model.name, "version": str(number), "digest": event.digest, "format": "pt"}
    return _of(workspace, event.tensors, metadata, graph_of(model, event.tensors))


def checkpoint_tensors(workspace: Workspace, run: str, step: int | None) -> Tensors:
    """The tensors of a run's checkpoint: the last, or that of a step."""
    kept = checkpoint(workspace, run, step)
    metadata = {"run": kept.run, "tensors": kept.tensors, "format": "pt"}
    return _of(workspace, kept.tensors, metadata, Graph({kept.tensors: 1}, ()))


def _of(workspace: Workspace, digest: str, metadata: dict[str, str], graph: Graph) -> Tensors:
    return Tensors(digest, workspace.vault.manifest(digest), metadata, graph, workspace.vault)
