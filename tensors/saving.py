"""What a save writes: full chunks, or a delta, coded in parallel from tensors that may still be in use."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from ..errors import Damaged, Refused
from .cache import HeldChunks
from .codec import encode_delta, encode_full
from .delta import Coded, Pairing, Slot
from .digest import digest_of
from .manifest import Manifest, TensorEntry, checked_raw, chunk_bytes
from .pack import Whole
from .tensor import Bytes, Tensor, count_differing, kind
from .threads import in_order, scratch
from .way import BATCH, ChunkPlan, Placements, Way

_SAMPLED = 16  # of so many changed chunks one is also coded in full, to see which is the smaller
_ENOUGH = 256 * 1024  # raw bytes sampled before that is believed
_COPY_SLOT = 6  # of a thread's scratch memory; codec and way have others
_BYTE = np.dtype(np.uint8)


class DeltaTooLarge(Exception):
    """The delta outgrew what it was to save; a keyframe is the better choice. Never leaves this room."""


class _Piece(NamedTuple):
    """A chunk to be saved: its place, a live view of its bytes, and what these were when the tensor was described."""

    slot: Slot
    live: Bytes
    digest: str
    entry: TensorEntry


class _Change(NamedTuple):
    """A piece that differs from its base: the base's digest, and its bytes if they are held."""

    piece: _Piece
    base: str
    held: Bytes | None


class _Sample(NamedTuple):
    """What a chunk takes raw, and in full."""

    raw: int
    full: int


def full_chunks(
    manifest: Manifest,
    entries: Iterable[TensorEntry],
    tensors: Mapping[str, Tensor],
    stored: Collection[str],
    held: HeldChunks,
) -> Iterator[Whole]:
    """The chunks of some entries as pack entries, each once, less those whose digest is in `stored`."""
    seen = set(stored)
    pieces = _new_pieces(_pieces(manifest, ((entry.name, None) for entry in entries), tensors), seen)
    for coded in in_order(lambda batch: _encode_full(batch, held), _batched(pieces)):
        yield from coded


def changed_chunks(
    way: Way, places: Placements, pairing: Pairing, tensors: Mapping[str, Tensor], held: HeldChunks
) -> Iterator[Coded]:
    """The chunks in which `pairing.new` differs from its base, as deltas. What is not held of it, `way` leads to.

    Raises `DeltaTooLarge` once the deltas exceed the raw bytes of the whole, or prove no smaller than full chunks.
    """
    wanted = ((name, pairing.changes(name)) for name in pairing.names)
    size = sampled = as_delta = in_full = 0
    batches = _planned(way, places, _batched(_pieces(pairing.new, wanted, tensors)), held)
    for coded in in_order(lambda changes: _encode_delta(way, *changes, held), batches):
        for chunk, sample in coded:
            size += len(chunk.payload)
            if sample is not None:
                sampled += sample.raw
                as_delta += len(chunk.payload)
                in_full += sample.full
            yield chunk
        if size > pairing.new.size or (sampled >= _ENOUGH and as_delta >= in_full):
            raise DeltaTooLarge


def _pieces(
    manifest: Manifest, wanted: Iterable[tuple[str, Sequence[int] | None]], tensors: Mapping[str, Tensor]
) -> Iterator[_Piece]:
    """The wanted chunks (None: all) of each name. A tensor's bytes are asked for once, and dropped when coded."""
    for name, indexes in wanted:
        entry = manifest.owner(name)
        if not entry.chunks or (indexes is not None and not indexes):
            continue
        raw = checked_raw(name, tensors[entry.name])
        if raw.nbytes != entry.nbytes:
            raise _changed(name)
        for index in range(len(entry.chunks)) if indexes is None else indexes:
            yield _Piece(Slot(name, index), chunk_bytes(raw, index), entry.chunks[index], entry)


def _new_pieces(pieces: Iterable[_Piece], seen: set[str]) -> Iterator[_Piece]:
    for piece in pieces:
        if piece.digest not in seen:
            seen.add(piece.digest)
            yield piece


def _batched(pieces: Iterable[_Piece]) -> Iterator[list[_Piece]]:
    batch: list[_Piece] = []
    size = 0
    for piece in pieces:
        batch.append(piece)
        size += piece.live.nbytes
        if size >= BATCH:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _planned(
    way: Way, places: Placements, batches: Iterable[list[_Piece]], held: HeldChunks
) -> Iterator[tuple[list[_Change], list[ChunkPlan]]]:
    """Batches of changed chunks, with the plans to make the bases that are not held, in their order."""
    for batch in batches:
        bases = [way.target.owner(piece.slot.name).chunks[piece.slot.chunk] for piece in batch]
        changes = [_Change(piece, base, held.take(base)) for piece, base in zip(batch, bases, strict=True)]
        yield changes, way.plan(places, [change.piece.slot for change in changes if change.held is None])


def _encode_full(pieces: list[_Piece], held: HeldChunks) -> list[Whole]:
    coded: list[Whole] = []
    for piece in pieces:
        new = _settled(piece)
        coded.append(Whole("chunk", piece.digest, encode_full(new, kind(piece.entry.dtype).word)))
        held.put(piece.digest, new)
    return coded


def _encode_delta(
    way: Way, changes: list[_Change], plans: list[ChunkPlan], held: HeldChunks
) -> list[tuple[Coded, _Sample | None]]:
    made = way.chunks(plans)
    coded: list[tuple[Coded, _Sample | None]] = []
    for number, change in enumerate(changes):
        old = next(made) if change.held is None else _intact(change.held, change.base)
        piece, new = change.piece, _settled(change.piece)
        itemsize, word = kind(piece.entry.dtype)
        sample = _Sample(new.nbytes, len(encode_full(new, word))) if number % _SAMPLED == 0 else None
        payload, words = encode_delta(old, new, word)
        elements = words if word == itemsize else count_differing(piece.entry.dtype, old, new)
        coded.append((Coded(piece.slot, payload, elements), sample))
        held.put(piece.digest, new, change.held)
    return coded


def _intact(held: Bytes, digest: str) -> Bytes:
    """Bytes held since the last save, if they still are what they were; raises `Damaged`."""
    if (found := digest_of(held)) != digest:
        raise Damaged("a chunk in memory", expected=digest, found=found)
    return held


def _settled(piece: _Piece) -> Bytes:
    """A copy of a live chunk that is known to be what the manifest says: what is written is what was hashed.

    It lies in this thread's scratch memory until the next is asked for.
    """
    copy = scratch(_COPY_SLOT, _BYTE, piece.live.nbytes)
    copy[:] = piece.live
    if digest_of(copy) != piece.digest:
        raise _changed(piece.slot.name)
    return copy


def _changed(name: str) -> Refused:
    return Refused(f"tensor {name!r} changed while it was saved; save again when nothing writes to it")
