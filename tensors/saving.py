"""What a save writes: full chunks, or a delta, coded in parallel from tensors that may still be in use."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from ..errors import Refused
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


class _Sample(NamedTuple):
    """What a chunk takes raw, and in full."""

    raw: int
    full: int


def full_chunks(
    manifest: Manifest, entries: Iterable[TensorEntry], tensors: Mapping[str, Tensor], stored: Collection[str]
) -> Iterator[Whole]:
    """The chunks of some entries as pack entries, each once, less those whose digest is in `stored`."""
    seen = set(stored)
    pieces = _new_pieces(_pieces(manifest, ((entry.name, None) for entry in entries), tensors), seen)
    for coded in in_order(_encode_full, _batched(pieces)):
        yield from coded


def changed_chunks(way: Way, places: Placements, pairing: Pairing, tensors: Mapping[str, Tensor]) -> Iterator[Coded]:
    """The chunks in which `pairing.new` differs from its base, as deltas. `way` leads to the base, chunk by chunk.

    Raises `DeltaTooLarge` once the deltas exceed the raw bytes of the whole, or prove no smaller than full chunks.
    """
    wanted = ((name, pairing.changes(name)) for name in pairing.names)
    size = sampled = as_delta = in_full = 0
    for coded in in_order(lambda work: _encode_delta(way, *work), _planned(way, places, pairing, wanted, tensors)):
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
    way: Way,
    places: Placements,
    pairing: Pairing,
    wanted: Iterable[tuple[str, Sequence[int]]],
    tensors: Mapping[str, Tensor],
) -> Iterator[tuple[list[ChunkPlan], list[_Piece]]]:
    """Batches of changed chunks, each with the plan to make the base's."""
    for batch in _batched(_pieces(pairing.new, wanted, tensors)):
        yield way.plan(places, [piece.slot for piece in batch]), batch


def _encode_full(pieces: list[_Piece]) -> list[Whole]:
    return [
        Whole("chunk", piece.digest, encode_full(_settled(piece), kind(piece.entry.dtype).word)) for piece in pieces
    ]


def _encode_delta(way: Way, plans: list[ChunkPlan], pieces: list[_Piece]) -> list[tuple[Coded, _Sample | None]]:
    coded: list[tuple[Coded, _Sample | None]] = []
    for number, (old, piece) in enumerate(zip(way.chunks(plans), pieces, strict=True)):
        new = _settled(piece)
        word = kind(piece.entry.dtype).word
        sample = _Sample(new.nbytes, len(encode_full(new, word))) if number % _SAMPLED == 0 else None
        elements = count_differing(piece.entry.dtype, old, new)
        coded.append((Coded(piece.slot, encode_delta(old, new, word), elements), sample))
    return coded


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
