"""A pack: the object that holds what one save wrote, with an index at its end.

    magic (8) | entry | entry | … | index | trailer

An entry is a chunk's full payload (named by the digest of the raw bytes), a delta (named by the digest of the bytes
as they stand), or a blob, zstd compressed (named by the digest of its content): manifests are blobs. Nothing in a
pack says where it lies, so packs can be moved and copied freely. A delta ends as a pack does:

    … | index in canonical JSON | blake3 of the index (32) | length of the index (8, little-endian) | magic (8)
"""

from __future__ import annotations

import json
import secrets
import struct
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from typing import Any, NamedTuple, Protocol, cast

from blake3 import blake3

from ..errors import Damaged, LeptonError
from .canonical import canonical
from .digest import is_digest
from .objects import ObjectStore

MAGIC, END = b"LEPTPK1\n", b"LEPTPKE\n"
FORMAT = "lepton.pack.v1"
LIMIT = 1 << 30  # a pack that has grown past this takes no further entry
KINDS = ("chunk", "delta", "blob")
_TRAILER = struct.Struct("<32sQ8s")
_GUESS = 64 * 1024  # most indexes are shorter than this, so that one read gets both trailer and index


class PackEntry(Protocol):
    """Something to be written: `digest` need be known only once `pieces` are exhausted."""

    @property
    def kind(self) -> str: ...

    @property
    def digest(self) -> str: ...

    def pieces(self) -> Iterable[bytes]: ...


@dataclass(frozen=True)
class Whole:
    """An entry whose bytes are at hand."""

    kind: str
    digest: str
    data: bytes

    def pieces(self) -> Iterable[bytes]:
        return (self.data,)


class Placement(NamedTuple):
    """Where the bytes named by a digest lie."""

    digest: str
    pack: str
    offset: int
    length: int


class Indexed(NamedTuple):
    """One line of a pack's index."""

    kind: str
    digest: str
    offset: int
    length: int


@dataclass(frozen=True)
class WrittenPack:
    """A pack as its event tells it; `index` is the digest of its index."""

    key: str
    bytes: int
    index: str
    entries: int


class PackIndex(NamedTuple):
    """What a pack says it holds."""

    digest: str
    entries: tuple[Indexed, ...]

    def placements(self, key: str) -> Iterator[Placement]:
        """Where what it holds lies, in the pack of that key."""
        return (Placement(line.digest, key, line.offset, line.length) for line in self.entries)


class PackWriter:
    """Writes entries into as many packs as they need; each is visible and synced when it is told of."""

    def __init__(self, objects: ObjectStore, limit: int = LIMIT) -> None:
        self._objects = objects
        self._limit = limit
        self.packs: list[WrittenPack] = []
        self.placements: list[Placement] = []

    def write(self, entries: Iterable[PackEntry]) -> None:
        """Draw every entry and write it. If anything fails, what was written is deleted and the error raised."""
        remaining = iter(entries)
        try:
            while (first := next(remaining, None)) is not None:
                self._write_one(chain((first,), remaining))
        except BaseException:
            for pack in self.packs:  # nothing refers to them; gc takes what cannot be deleted now
                with suppress(LeptonError):
                    self._objects.delete(pack.key)
            raise

    def _write_one(self, entries: Iterable[PackEntry]) -> None:
        key = fresh_key()
        pack = _Pack(self._limit)
        size = self._objects.put(key, pack.pieces(entries))
        self.packs.append(WrittenPack(key, size, pack.digest, len(pack.index)))
        self.placements += (Placement(line.digest, key, line.offset, line.length) for line in pack.index)


@dataclass
class _Pack:
    limit: int
    index: list[Indexed] = field(default_factory=list[Indexed])
    digest: str = ""

    def pieces(self, entries: Iterable[PackEntry]) -> Iterator[bytes]:
        """The pack's bytes, drawing entries until the limit is passed."""
        yield MAGIC
        offset = len(MAGIC)
        for entry in entries:
            start = offset
            for piece in entry.pieces():
                offset += len(piece)
                yield piece
            self.index.append(Indexed(entry.kind, entry.digest, start, offset - start))
            if offset >= self.limit:
                break
        end, self.digest = seal({"format": FORMAT, "entries": [list(line) for line in self.index]}, END)
        yield end


def fresh_key() -> str:
    """A key that no object has had: 128 random bits, spread over 256 folders."""
    token = secrets.token_hex(16)
    return f"packs/{token[:2]}/{token}"


def read_index(objects: ObjectStore, key: str) -> PackIndex:
    """What a pack holds, by its own index; raises `Damaged` if that is not whole."""
    thing = f"pack {key}"
    document, digest, end = unseal(
        thing, objects.size(key), lambda offset, length: objects.get(key, offset, length), END
    )
    try:
        lines = tuple(Indexed(*line) for line in _lines(document))
    except (TypeError, KeyError) as error:
        raise Damaged(f"the index of {thing}", expected=FORMAT, found=str(error)) from error
    offset = len(MAGIC)
    for line in lines:
        if line.kind not in KINDS or not is_digest(line.digest) or line.offset != offset or line.length < 0:
            raise Damaged(f"the index of {thing}", expected=f"an entry at {offset}", found=str(line))
        offset += line.length
    if offset != end:
        raise Damaged(f"the index of {thing}", expected=f"entries up to {end}", found=f"up to {offset}")
    return PackIndex(digest, lines)


def _lines(document: dict[str, Any]) -> list[list[Any]]:
    if document["format"] != FORMAT:
        raise TypeError(f"format {document['format']!r}")
    return document["entries"]


def seal(document: dict[str, Any], magic: bytes) -> tuple[bytes, str]:
    """The bytes that end an object, and the digest of the index in them."""
    index = canonical(document)
    digest = blake3(index).digest()
    return index + _TRAILER.pack(digest, len(index), magic), f"blake3:{digest.hex()}"


def unseal(
    thing: str, size: int, read: Callable[[int, int], bytes | memoryview], magic: bytes
) -> tuple[dict[str, Any], str, int]:
    """Read the index off the end of `size` bytes: the document, its digest, and where it begins.

    `read(offset, length)` returns exactly that. Raises `Damaged`, naming `thing`, if the end is not whole.
    """
    if size < _TRAILER.size:
        raise Damaged(thing, expected=f"at least {_TRAILER.size} bytes", found=f"{size}")
    tail = read(max(0, size - _GUESS), min(size, _GUESS))
    digest, length, found = cast("tuple[bytes, int, bytes]", _TRAILER.unpack(tail[-_TRAILER.size :]))
    if found != magic or length > size - _TRAILER.size:
        raise Damaged(thing, expected=f"an end with {magic!r}", found=f"{found!r}, {length} bytes of index")
    start = size - _TRAILER.size - length
    index = (
        tail[-_TRAILER.size - length : -_TRAILER.size] if length + _TRAILER.size <= len(tail) else read(start, length)
    )
    if blake3(index).digest() != digest:
        raise Damaged(f"the index of {thing}", expected=digest.hex(), found=blake3(index).hexdigest())
    return cast("dict[str, Any]", json.loads(bytes(index))), f"blake3:{digest.hex()}", start


class KnownPlacements:
    """Placements that need no ledger; they are gathered when first asked for."""

    def __init__(self, placements: Callable[[], Iterable[Placement]]) -> None:
        self._placements = placements

    @cached_property
    def _known(self) -> dict[str, Placement]:
        return {each.digest: each for each in self._placements()}

    def find(self, digests: Collection[str]) -> Mapping[str, Placement]:
        """Where digests lie; those that lie nowhere are left out."""
        return {digest: self._known[digest] for digest in digests if digest in self._known}


def told_by(objects: ObjectStore, packs: Iterable[str]) -> Iterator[Placement]:
    """What packs tell of themselves: where all that they hold lies."""
    for pack in packs:
        yield from read_index(objects, pack).placements(pack)
