"""One chunk of a tensor as a payload: whole, or as its exact difference from another.

The difference is Δ = new − base mod 2^w over the bits, w the dtype's word: one payload leads both ways, and nearby
floats have nearby bits. Words are rotated so that what is predictable (exponent, magnitude) fills whole bytes, split
into byte planes, and each plane is entropy coded alone: zstd's Huffman stage without matches, which are not there to
be found. ZipNN (Hershcovitch et al. 2024) does so with full tensors; FM-Delta (Ning et al., NeurIPS 2024) codes Δ.

A payload begins with its tag, so codecs can be added for ever. What is no payload raises `Damaged`, having allocated
no more than the chunk's size; that the right bytes came out is for the digest to say.
"""

from __future__ import annotations

import struct
from typing import Literal, NamedTuple, TypeAlias, cast

import numpy as np
import numpy.typing as npt

from ..errors import Damaged
from .planes import PlaneReader, join, put_mask, put_plane, split
from .tensor import Bytes
from .threads import scratch

STORED, FULL, DELTA, MASKED = 0x01, 0x02, 0x11, 0x12
MAX_CHUNK = 1 << 26  # what a payload may claim to unfold to; chunks are far smaller today
_SAMPLE = 2048  # words looked at to choose a rotation
SPARSE = 0.3  # share of zeros in Δ from which a mask pays for itself

Payload: TypeAlias = bytes | memoryview
Direction: TypeAlias = Literal[1, -1]
Words: TypeAlias = npt.NDArray[np.unsignedinteger]

_HEADER = struct.Struct("<BBBI")  # tag, bytes a word, bits rotated, raw bytes of the chunk
_UNSIGNED = {1: np.dtype("<u1"), 2: np.dtype("<u2"), 4: np.dtype("<u4"), 8: np.dtype("<u8")}


def encode_full(raw: Bytes, word: int) -> bytes:
    """A chunk by itself. The sign bit turns to the low end, so that the top plane is the exponent."""
    words = _rotated(raw.view(_UNSIGNED[word]), 1)
    pieces = [_HEADER.pack(FULL, word, 1, raw.nbytes)]
    for plane in split(words):
        put_plane(pieces, plane)
    if sum(map(len, pieces)) > raw.nbytes:
        return bytes((STORED,)) + raw.tobytes()
    return b"".join(pieces)


def decode_full(payload: Payload, into: Bytes | None = None) -> Bytes:
    """The chunk that was encoded, written to `into` (whose length it must have), or to an array of its own."""
    if payload[:1] == bytes((STORED,)):
        raw = np.frombuffer(payload, np.uint8, offset=1)
        return placed(raw, into)
    reader, word, rotation, length = _open(payload, (FULL,))
    words = join([reader.plane(length // word) for _ in range(word)])
    reader.finish()
    return placed(_rotated(words, 8 * word - rotation).view(np.uint8), into)


class EncodedDelta(NamedTuple):
    """A delta's payload, and how many words it changes."""

    payload: bytes
    words: int


def encode_delta(base: Bytes, new: Bytes, word: int) -> EncodedDelta:
    """Δ = new − base, both of one length; `apply_delta` leads from either to the other."""
    kind = _UNSIGNED[word]
    folded = scratch(0, kind, new.nbytes // word)
    np.subtract(new.view(kind), base.view(kind), out=folded)
    _zigzag(folded)
    changed = int(np.count_nonzero(folded))
    if changed < (1 - SPARSE) * len(folded):
        return EncodedDelta(_encode_masked(folded), changed)
    rotation = _rotation_for(folded)
    pieces = [_HEADER.pack(DELTA, word, rotation, new.nbytes)]
    for plane in split(_rotated(folded, rotation)):
        put_plane(pieces, plane)
    return EncodedDelta(b"".join(pieces), changed)


def apply_delta(payload: Payload, buffer: Bytes, direction: Direction, start: Bytes | None = None) -> None:
    """Turn `buffer` from base to new (+1) or from new to base (−1): in place, or made of `start`, of the same length.

    A bad payload leaves it as it was.
    """
    reader, word, rotation, length = _open(payload, (DELTA, MASKED))
    if length != buffer.nbytes:
        raise _damaged(f"{buffer.nbytes} raw bytes", f"{length}")
    where = reader.mask(length // word) if payload[0] == MASKED else None
    count = length // word if where is None else len(where)
    folded = _rotated(join([reader.plane(count) for _ in range(word)]), 8 * word - rotation)
    reader.finish()
    delta, add = _unzigzag(folded), np.add if direction > 0 else np.subtract
    target = buffer.view(_UNSIGNED[word])
    before = target if start is None else start.view(_UNSIGNED[word])
    if where is None:
        add(before, delta, out=target)
        return
    changed = add(before[where], delta)
    if start is not None:
        target[:] = before
    target[where] = changed


def check(payload: Payload) -> None:
    """Decode a payload of either sort against zeros, to see that it is one; raises `Damaged`."""
    if payload[:1] in (bytes((DELTA,)), bytes((MASKED,))):
        apply_delta(payload, np.zeros(_open(payload, (DELTA, MASKED))[3], np.uint8), 1)
    else:
        decode_full(payload)


def _encode_masked(folded: Words) -> bytes:
    mask = folded != 0
    nonzero = folded[np.flatnonzero(mask)]
    rotation = _rotation_for(nonzero) if len(nonzero) else 0
    pieces = [_HEADER.pack(MASKED, folded.itemsize, rotation, folded.nbytes)]
    put_mask(pieces, mask)
    for plane in split(_rotated(nonzero, rotation)):
        put_plane(pieces, plane)
    return b"".join(pieces)


def _open(payload: Payload, tags: tuple[int, ...]) -> tuple[PlaneReader, int, int, int]:
    """Check a payload's header; returns a reader behind it, the word, the rotation and the raw length."""
    if len(payload) < _HEADER.size:
        raise _damaged(f"at least {_HEADER.size} bytes", f"{len(payload)}")
    tag, word, rotation, length = cast("tuple[int, int, int, int]", _HEADER.unpack_from(payload))
    if tag not in tags or word not in _UNSIGNED or rotation >= 8 * word:
        raise _damaged(f"a header with tag {' or '.join(map(hex, tags))}", payload[: _HEADER.size].hex())
    if length % word or not 0 < length <= MAX_CHUNK:
        raise _damaged(f"a length in 1..{MAX_CHUNK}", f"{length}")
    return PlaneReader(payload, _HEADER.size), word, rotation, length


def placed(raw: Bytes, into: Bytes | None) -> Bytes:
    """Raw bytes, copied into memory that is given, whose length they must have, or into memory of their own."""
    if into is None:
        return raw.copy()  # what came out of a decoder lies in scratch memory
    if raw.nbytes != into.nbytes:
        raise _damaged(f"{into.nbytes} raw bytes", f"{raw.nbytes}")
    into[:] = raw
    return into


def _rotation_for(folded: Words) -> int:
    """Bits to turn so that common magnitudes end on a byte's border, where that pays; a sample tells.

    Measured: in words of four bytes and more, turns of 2 to 5 bits take 1 to 3 % off. With 1 they take nothing, and
    beyond 5 the top plane is as it lies so nearly constant that turning costs more than it saves, as in short words.
    """
    sample = folded[:: max(1, len(folded) // _SAMPLE)]
    large = int(np.partition(sample, -1 - len(sample) // 100)[-1 - len(sample) // 100])
    aligned = -large.bit_length() % 8
    return aligned if folded.itemsize >= 4 and 2 <= aligned <= 5 else 0


def _rotated(words: Words, bits: int) -> Words:
    """Each word turned left by `bits`, modulo its width; a new array, or `words` itself if that turns nothing."""
    width = 8 * words.itemsize
    bits %= width
    if not bits:
        return words
    left, right = scratch(1, words.dtype, len(words)), scratch(2, words.dtype, len(words))
    np.left_shift(words, bits, out=left)
    np.right_shift(words, width - bits, out=right)
    return np.bitwise_or(left, right, out=left)


def _zigzag(words: Words) -> None:
    """Fold in place, so that small numbers of either sign are small: 0, −1, 1, −2 become 0, 1, 2, 3."""
    signed = words.view(words.dtype.str.replace("u", "i"))
    sign = scratch(1, signed.dtype, len(words))
    np.right_shift(signed, 8 * words.itemsize - 1, out=sign)
    np.left_shift(signed, 1, out=signed)
    np.bitwise_xor(signed, sign, out=signed)


def _unzigzag(words: Words) -> Words:
    """Undo `_zigzag`: a new array."""
    sign, delta = scratch(3, words.dtype, len(words)), scratch(0, words.dtype, len(words))
    np.bitwise_and(words, 1, out=sign)
    np.negative(sign, out=sign)
    np.right_shift(words, 1, out=delta)
    return np.bitwise_xor(delta, sign, out=delta)


def _damaged(expected: str, found: str) -> Damaged:
    return Damaged("a chunk's payload", expected=expected, found=found)
