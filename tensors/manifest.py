"""The manifest: what a version's tensors are, each by the digest of its bytes, in one canonical form."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ..errors import Damaged, Malformed
from .canonical import canonical
from .digest import digest_of, is_digest
from .tensor import Array, Bytes, Tensor, nbytes_of
from .threads import pool

CHUNK = 512 * 1024  # raw bytes; a multiple of every item size, and small enough that a chunk's work stays in cache
FORMAT = "lepton.manifest.v1"
_SLICE = 16  # chunks hashed by one task: enough to outweigh the hand-over between threads


@dataclass(frozen=True)
class TensorEntry:
    """One name: `digest` is blake3 over the raw bytes, `chunks` the same for each 512 KiB of them.

    A shared name has `same_as`, the first name (in sorted order) of the tensor it shares, and no chunks of its own.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    digest: str
    chunks: tuple[str, ...] = ()
    same_as: str | None = None

    @cached_property
    def nbytes(self) -> int:
        return nbytes_of(self.dtype, self.shape)

    def chunk_nbytes(self, index: int) -> int:
        """Raw bytes of one of its chunks: the last may be shorter."""
        return min(CHUNK, self.nbytes - index * CHUNK)

    def fits(self, other: TensorEntry) -> bool:
        """Whether both have the same dtype and shape, so that a delta can lead from one to the other."""
        return self.dtype == other.dtype and self.shape == other.shape


@dataclass(frozen=True)
class Manifest:
    """The tensors of a version, sorted by name. Raises `Malformed` when made of what cannot be."""

    tensors: tuple[TensorEntry, ...]

    def __post_init__(self) -> None:
        names = [entry.name for entry in self.tensors]
        if names != sorted(set(names)):
            raise Malformed("a manifest's names must be sorted and differ")
        for entry in self.tensors:
            _check_name(entry.name)
            _check_entry(entry, self._by_name.get(entry.same_as) if entry.same_as is not None else None)

    @cached_property
    def _by_name(self) -> Mapping[str, TensorEntry]:
        return {entry.name: entry for entry in self.tensors}

    def __contains__(self, name: str) -> bool:
        return name in self._by_name

    def owner(self, name: str) -> TensorEntry:
        """The entry that holds the chunks of `name`: its own, or that of the tensor it shares."""
        entry = self._by_name[name]
        return entry if entry.same_as is None else self._by_name[entry.same_as]

    @property
    def owners(self) -> Iterator[TensorEntry]:
        """The entries that hold chunks: each tensor once, however many names it has."""
        return (entry for entry in self.tensors if entry.same_as is None)

    @cached_property
    def encoded(self) -> bytes:
        """The canonical bytes (RFC 8785), which are what `digest` names."""
        return canonical({"format": FORMAT, "tensors": [_to_json(entry) for entry in self.tensors]})

    @cached_property
    def digest(self) -> str:
        return digest_of(self.encoded)

    @cached_property
    def size(self) -> int:
        """Raw bytes of all tensors, shared ones counted once."""
        return sum(entry.nbytes for entry in self.owners)

    @cached_property
    def parameters(self) -> int:
        """Elements of all tensors, shared ones counted once."""
        return sum(math.prod(entry.shape) for entry in self.owners)

    @classmethod
    def decode(cls, data: bytes) -> Manifest:
        """The manifest that these canonical bytes are; `Damaged` if they are not exactly one's."""
        try:
            document: Any = json.loads(data)
            manifest = cls(tuple(_from_json(item) for item in document["tensors"]))
            whole = manifest.encoded == data
        except (Malformed, ValueError, KeyError, TypeError, RecursionError):
            whole = False
            manifest = cls(())
        if not whole:
            raise Damaged("a manifest", expected=f"the canonical bytes of a {FORMAT}", found=f"{data[:40]!r}…")
        return manifest


def describe(tensors: Mapping[str, Tensor]) -> Manifest:
    """Hash every tensor (each `raw()` is called once and dropped) and name what was found."""
    first: dict[int, str] = {}
    entries: list[TensorEntry] = []
    known: dict[str, TensorEntry] = {}
    for name in sorted(tensors):
        tensor = tensors[name]
        _check_name(name)
        owner = first.setdefault(id(tensor), name)
        if owner != name:
            twin = known[owner]
            entries.append(TensorEntry(name, twin.dtype, twin.shape, twin.digest, same_as=owner))
            continue
        known[name] = _describe_one(name, tensor)
        entries.append(known[name])
    return Manifest(tuple(entries))


def checked_raw(name: str, tensor: Tensor) -> Bytes:
    """A tensor's raw bytes, `Malformed` where they are not what its dtype and shape call for."""
    raw, nbytes = tensor.raw(), nbytes_of(tensor.dtype, tuple(tensor.shape))
    if raw.dtype != np.uint8 or raw.shape != (nbytes,):
        raise Malformed(f"tensor {name!r} gives {raw.nbytes} bytes of {raw.dtype}, not {nbytes} of uint8")
    return raw


def chunk_bytes(raw: Bytes, index: int) -> Bytes:
    """Chunk `index` of raw bytes, as a view."""
    return raw[index * CHUNK : (index + 1) * CHUNK]


def zeroed(entry: TensorEntry) -> Array:
    """An array to be filled with what an entry describes."""
    return Array(entry.dtype, entry.shape, np.empty(entry.nbytes, np.uint8))


def _describe_one(name: str, tensor: Tensor) -> TensorEntry:
    raw = checked_raw(name, tensor)
    dtype, shape = tensor.dtype, tuple(int(side) for side in tensor.shape)
    if raw.nbytes <= CHUNK:
        whole = digest_of(raw)
        return TensorEntry(name, dtype, shape, whole, (whole,) if raw.nbytes else ())
    threads = pool()
    whole_soon: Future[str] = threads.submit(digest_of, raw)
    span = CHUNK * _SLICE
    slices = threads.map(_chunk_digests, (raw[start : start + span] for start in range(0, raw.nbytes, span)))
    chunks = tuple(digest for part in slices for digest in part)
    return TensorEntry(name, dtype, shape, whole_soon.result(), chunks)


def _chunk_digests(raw: Bytes) -> list[str]:
    return [digest_of(raw[start : start + CHUNK]) for start in range(0, raw.nbytes, CHUNK)]


def _check_name(name: str) -> None:
    if not name or len(name) > 4096:
        raise Malformed(f"tensor name {name[:40]!r} must have 1 to 4096 characters")
    try:
        name.encode()
    except UnicodeEncodeError:
        raise Malformed(f"tensor name {name[:40]!r} is not Unicode text") from None


def _check_entry(entry: TensorEntry, owner: TensorEntry | None) -> None:
    """Refuse an entry whose digests or sharing contradict its size or its owner."""
    wanted = 0 if entry.same_as is not None else -(-entry.nbytes // CHUNK)
    if len(entry.chunks) != wanted or not all(map(is_digest, (entry.digest, *entry.chunks))):
        raise Malformed(f"tensor {entry.name!r} of {entry.nbytes} bytes must have {wanted} chunk digests")
    if len(entry.chunks) == 1 and entry.chunks[0] != entry.digest:
        raise Malformed(f"tensor {entry.name!r} has one chunk, whose digest must be its own")
    if entry.same_as is None:
        return
    if owner is None or owner.same_as is not None or owner.name >= entry.name:
        raise Malformed(f"tensor {entry.name!r} shares {entry.same_as!r}, which is no tensor before it")
    if not owner.fits(entry) or owner.digest != entry.digest:
        raise Malformed(f"tensor {entry.name!r} shares {entry.same_as!r}, but differs from it")


def _to_json(entry: TensorEntry) -> dict[str, Any]:
    document: dict[str, Any] = {"name": entry.name, "dtype": entry.dtype, "shape": list(entry.shape)}
    document["digest"] = entry.digest
    if entry.same_as is not None:
        document["same_as"] = entry.same_as
    elif len(entry.chunks) > 1:  # a single chunk's digest is the tensor's
        document["chunks"] = list(entry.chunks)
    return document


def _from_json(item: dict[str, Any]) -> TensorEntry:
    name, dtype, digest = (_text(item[key]) for key in ("name", "dtype", "digest"))
    shape = tuple(_whole_number(side) for side in item["shape"])
    same_as = _text(item["same_as"]) if "same_as" in item else None
    single = (digest,) if same_as is None and nbytes_of(dtype, shape) else ()
    chunks: Iterable[Any] = item.get("chunks", single)
    return TensorEntry(name, dtype, shape, digest, tuple(_text(chunk) for chunk in chunks), same_as)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value


def _whole_number(value: object) -> int:
    if type(value) is not int:
        raise TypeError(value)
    return value
