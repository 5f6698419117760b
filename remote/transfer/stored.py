"""Stored payloads of a server as a vault reads them: an object store of one virtual pack, read by ranges."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

from ...errors import Damaged, Refused
from ...tensors.delta import Span
from ...tensors.pack import Placement
from ...tensors.threads import in_order as in_turn
from ...tensors.virtual_pack import read_index
from .connections import Download
from .in_order import LONG, InOrder, empty

if TYPE_CHECKING:
    from .connections import Connections

_BEGINNING: Final = 8
_TAIL: Final = 64 * 1024
"""Bytes at a delta's end in which its index mostly lies."""


class RemotePack:
    """A virtual pack by the path that answers it. Manifests and the indexes of deltas are read ahead, at once; what is
    known to be read whole, and `in_order`, comes in blocks."""

    block = LONG

    def __init__(
        self, connections: Connections, path: str, name: str, index: Mapping[str, Any], *, in_order: bool = False
    ) -> None:
        self._connections = connections
        self._path = path
        self._etag = str(index.get("etag"))
        self.graph, self._places, head = read_index(index, name)
        size = self.size(name)
        self._in_order = InOrder(self._open, self._starts(), size) if in_order and size > LONG else None
        self._held: dict[Span, memoryview] = {}
        ahead = (
            [Span(0, size)]
            if in_order and size <= LONG
            else [Span(0, head), *chain.from_iterable(map(_ends, self._deltas()))]
        )
        self._held.update(zip(ahead, in_turn(lambda span: self._read(*span), ahead), strict=True))

    def find(self, digests: Collection[str]) -> Mapping[str, Placement]:
        """Where digests lie in this pack; those that lie nowhere are left out."""
        return {digest: self._places[digest] for digest in digests if digest in self._places}

    def get(self, key: str, offset: int = 0, length: int | None = None) -> memoryview:
        """Bytes of it, those that were read ahead from memory."""
        length = self.size(key) - offset if length is None else length
        if (held := self._held_bytes(offset, length)) is not None:
            return held
        into = empty(length)
        self.read_into(key, offset, into)
        return into

    def read_into(self, key: str, offset: int, into: memoryview) -> None:  # noqa: ARG002 - there is one
        """As `get`, to where the bytes are wanted."""
        if (held := self._held_bytes(offset, len(into))) is not None:
            into[:] = held
        elif self._in_order is not None:
            self._in_order.read_into(offset, into)
        else:
            self._connections.read_into(self._path, offset, into, self._etag)

    def size(self, key: str) -> int:  # noqa: ARG002
        """Bytes of the pack."""
        return max((place.offset + place.length for place in self._places.values()), default=0)

    def stamp(self, key: str) -> Hashable:  # noqa: ARG002
        """Not known."""
        return None

    def list(self, prefix: str) -> Iterator[str]:
        """The one pack."""
        return iter(sorted({place.pack for place in self._places.values() if place.pack.startswith(prefix)}))

    def put(self, key: str, pieces: Iterable[bytes]) -> int:  # noqa: ARG002
        """Refused: what a server stores is read here."""
        raise Refused(f"{key} is read from a server; save a version instead")

    def delete(self, key: str) -> None:
        """Refused, as `put`."""
        raise Refused(f"{key} is read from a server; nothing of it is deleted from here")

    def _held_bytes(self, offset: int, length: int) -> memoryview | None:
        for (start, size), held in self._held.items():
            if start <= offset and offset + length <= start + size:
                return held[offset - start : offset - start + length]
        return None

    def _deltas(self) -> Iterator[Placement]:
        for edge in self.graph.edges:
            if edge.digest not in self._places:
                raise Damaged(f"delta {edge.digest}", expected="its bytes among what is restored", found="none")
            yield self._places[edge.digest]

    def _starts(self) -> list[int]:
        """Where a restore begins to read: at each delta and behind the last, small ones together with what follows."""
        starts = [0]
        for delta in self._deltas():
            for place in (delta.offset, delta.offset + delta.length):
                starts = [*starts, place] if place - starts[-1] > LONG else starts
        return starts

    def _open(self, start: int, stop: int) -> Download:
        return Download(self._connections, self._path, start, stop, self._etag)

    def _read(self, offset: int, length: int) -> memoryview:
        into = empty(length)
        self._connections.read_into(self._path, offset, into, self._etag)
        return into


def _ends(delta: Placement) -> Iterator[Span]:
    """The parts of a delta that tell what it is."""
    tail = min(_TAIL, delta.length)
    yield Span(delta.offset + delta.length - tail, tail)
    if tail < delta.length:
        yield Span(delta.offset, min(_BEGINNING, delta.length))
