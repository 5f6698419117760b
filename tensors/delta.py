"""The delta between two manifests: which chunks change, and by what.

    magic (8) | payload | payload | … | index | trailer

Chunks equal in both cost nothing. Tensors that stand in only one of the two, or have another dtype or shape there,
are not its affair: what is new is stored in full beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from blake3 import blake3

from ..errors import Damaged
from .digest import named
from .manifest import Manifest, TensorEntry
from .pack import seal, unseal

MAGIC, END = b"LEPTDL1\n", b"LEPTDLE\n"
FORMAT = "lepton.delta.v1"
_PIECE = 4 << 20


class Slot(NamedTuple):
    """A chunk by its place: the tensor's name, and which of its chunks."""

    name: str
    chunk: int


class Coded(NamedTuple):
    """A changed chunk, ready to be written: its place, its payload and how many elements differ."""

    slot: Slot
    payload: bytes
    elements: int


class Span(NamedTuple):
    """Where a payload lies within its delta."""

    offset: int
    length: int


class DeltaInfo(NamedTuple):
    """A delta as its event tells it: `tensors` and `elements` count what differs, `bytes` what it takes to store."""

    digest: str
    bytes: int
    elements: int
    tensors: int
    two_way: bool


@dataclass(frozen=True)
class Pairing:
    """Which tensors of two manifests a delta relates: those of one name, dtype and shape.

    Sharing may differ: names that are tied in one and not in the other are related each for itself, while names that
    are tied alike in both are related once, under the first of them.
    """

    base: Manifest
    new: Manifest

    @cached_property
    def _first(self) -> dict[tuple[str, str], str]:
        first: dict[tuple[str, str], str] = {}
        for entry in self.new.tensors:
            if entry.name in self.base and self.base.owner(entry.name).fits(entry):
                first.setdefault(self._owners(entry.name), entry.name)
        return first

    def _owners(self, name: str) -> tuple[str, str]:
        return self.base.owner(name).name, self.new.owner(name).name

    @property
    def names(self) -> Iterable[str]:
        """The names under which tensors are related, sorted."""
        return self._first.values()

    def relates(self, name: str) -> bool:
        """Whether the delta leads from the base's `name` to the new one's."""
        return name in self.base and name in self.new and self._owners(name) in self._first

    def name_for(self, name: str) -> str:
        """The name under which the tensor called `name` is related."""
        return self._first[self._owners(name)]

    def changes(self, name: str) -> list[int]:
        """The chunks of a related tensor that differ."""
        pairs = zip(self.base.owner(name).chunks, self.new.owner(name).chunks, strict=True)
        return [index for index, (old, new) in enumerate(pairs) if old != new]

    @cached_property
    def two_way(self) -> bool:
        """Whether the base can be had back: each of its tensors stands in the new one too."""
        return all(self.relates(entry.name) for entry in self.base.tensors)

    @property
    def added(self) -> Iterator[TensorEntry]:
        """Tensors of the new manifest that no delta leads to."""
        return (entry for entry in self.new.owners if not self.relates(entry.name))


class DeltaEntry:
    """A delta as an entry of a pack, written as its payloads arrive: by name, then by index."""

    kind = "delta"

    def __init__(self, pairing: Pairing, coded: Iterable[Coded]) -> None:
        self._pairing = pairing
        self._coded = coded
        self.digest = ""
        self.info: DeltaInfo | None = None

    def pieces(self) -> Iterator[bytes]:
        hasher, size = blake3(), 0
        for piece in self._bytes():
            hasher.update(piece)
            size += len(piece)
            yield piece
        self.digest = named(hasher)
        self.info = DeltaInfo(self.digest, size, self._elements, len(self._changes), self._pairing.two_way)

    def _bytes(self) -> Iterator[bytes]:
        self._changes: dict[str, tuple[list[int], list[int]]] = {}
        self._elements = 0
        yield MAGIC
        for (name, index), payload, elements in self._coded:
            chunks, lengths = self._changes.setdefault(name, ([], []))
            chunks.append(index)
            lengths.append(len(payload))
            self._elements += elements
            yield payload
        yield seal(self._index(), END)[0]

    def _index(self) -> dict[str, Any]:
        tensors = [{"name": name, "chunks": c, "lengths": n} for name, (c, n) in self._changes.items()]
        return {
            "format": FORMAT,
            "base": self._pairing.base.digest,
            "new": self._pairing.new.digest,
            "elements": self._elements,
            "two_way": self._pairing.two_way,
            "tensors": tensors,
        }


@dataclass(frozen=True)
class DeltaIndex:
    """What a delta says it holds."""

    base: str
    new: str
    elements: int
    two_way: bool
    spans: dict[Slot, Span]


def read_delta_index(thing: str, size: int, read: Callable[[int, int], bytes | memoryview]) -> DeltaIndex:
    """The index of a delta of `size` bytes, of which `read(offset, length)` gives any; `Damaged` if not whole."""
    if read(0, min(size, len(MAGIC))) != MAGIC:
        raise Damaged(thing, expected=f"a delta, which begins with {MAGIC!r}", found="other bytes")
    document, _, end = unseal(thing, size, read, END)
    try:
        if document["format"] != FORMAT:
            raise ValueError(f"format {document['format']!r}")
        spans, offset = _spans(document["tensors"])
        index = DeltaIndex(document["base"], document["new"], document["elements"], document["two_way"], spans)
    except (KeyError, TypeError, ValueError) as error:
        raise Damaged(f"the index of {thing}", expected=FORMAT, found=str(error)) from error
    if offset != end:
        raise Damaged(f"the index of {thing}", expected=f"payloads of {end} bytes", found=f"{offset}")
    return index


def verify_delta(thing: str, digest: str, size: int, read: Callable[[int, int], bytes | memoryview]) -> None:
    """Compare a whole delta with its digest, piece by piece; raises `Damaged`."""
    hasher = blake3()
    for offset in range(0, size, _PIECE):
        hasher.update(read(offset, min(_PIECE, size - offset)))
    if named(hasher) != digest:
        raise Damaged(thing, expected=digest, found=named(hasher))


def _spans(tensors: Sequence[Any]) -> tuple[dict[Slot, Span], int]:
    spans: dict[Slot, Span] = {}
    offset = len(MAGIC)
    for tensor in tensors:
        for index, length in zip(tensor["chunks"], tensor["lengths"], strict=True):
            if length <= 0 or index < 0:
                raise ValueError(f"chunk {index} of {length} bytes")
            spans[Slot(tensor["name"], index)] = Span(offset, length)
            offset += length
    return spans, offset
