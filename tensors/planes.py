"""Byte planes: words taken apart by significance, each plane constant, plain or Huffman coded."""

from __future__ import annotations

import struct
import threading
from typing import Any

import numpy as np
import numpy.typing as npt
import zstandard

from ..errors import Damaged
from .tensor import Bytes
from .threads import scratch

CONSTANT, PLAIN, CODED = 0, 1, 2

_LENGTH = struct.Struct("<BI")  # mode, bytes that follow
_HALF = {2: np.dtype("<u1"), 4: np.dtype("<u2"), 8: np.dtype("<u4")}
_DOUBLE = {1: np.dtype("<u2"), 2: np.dtype("<u4"), 4: np.dtype("<u8")}
# Huffman only, as far as zstd lets one ask: strategy "fast" with target length 0 keeps its literals coded (any other
# target length stores them plain), and the longest minimum match with the smallest hash table finds next to no matches.
_HUFFMAN = zstandard.ZstdCompressionParameters(
    window_log=17, strategy=zstandard.STRATEGY_FAST, target_length=0, min_match=7, hash_log=6, chain_log=6, search_log=1
)

Words = npt.NDArray[np.unsignedinteger]


class _Coders(threading.local):
    """zstd's contexts serve one thread at a time."""

    def __init__(self) -> None:
        self.huffman = zstandard.ZstdCompressor(compression_params=_HUFFMAN)
        self.matching = zstandard.ZstdCompressor(level=3)
        self.decoder = zstandard.ZstdDecompressor()


_coders = _Coders()


def split(words: Words, slot: int = 10) -> list[Bytes]:
    """The planes of words, least significant first. They lie in this thread's scratch memory."""
    if words.itemsize == 1:
        return [words.view(np.uint8)]
    half = _HALF[words.itemsize]
    low, high = scratch(slot, half, len(words)), scratch(slot + 1, half, len(words))
    np.copyto(low, words, casting="unsafe")
    shifted = scratch(3, words.dtype, len(words))
    np.right_shift(words, 8 * half.itemsize, out=shifted)
    np.copyto(high, shifted, casting="unsafe")
    return [*split(low, 2 * slot), *split(high, 2 * slot + 2)]


def join(planes: list[Bytes], slot: int = 10) -> Words:
    """The words that `split` took apart, in this thread's scratch memory."""
    if len(planes) == 1:
        return planes[0]
    middle = len(planes) // 2
    low, high = join(planes[:middle], 2 * slot), join(planes[middle:], 2 * slot + 2)
    words = scratch(slot, _DOUBLE[low.itemsize], len(low))
    np.copyto(words, high)
    np.left_shift(words, 8 * low.itemsize, out=words)
    return np.bitwise_or(words, low, out=words)


def put_plane(pieces: list[bytes], plane: Bytes) -> None:
    """Append one plane in its shortest form."""
    _put(pieces, plane, _coders.huffman)


def put_mask(pieces: list[bytes], mask: npt.NDArray[np.bool]) -> None:
    """Append a mask, a bit an element. Masks are small and may repeat, so matches are looked for."""
    _put(pieces, np.packbits(mask), _coders.matching)


def _put(pieces: list[bytes], plane: Bytes, coder: zstandard.ZstdCompressor) -> None:
    if not len(plane):
        return
    first = plane[0]
    if first == plane[-1] and bool((plane == first).all()):
        pieces.append(bytes((CONSTANT, int(first))))
        return
    coded = coder.compress(plane.data)
    if len(coded) < len(plane):
        pieces += (_LENGTH.pack(CODED, len(coded)), coded)
    else:
        pieces += (bytes((PLAIN,)), plane.tobytes())


class PlaneReader:
    """Reads planes off a payload one after the other; whatever is not there or not one raises `Damaged`."""

    def __init__(self, payload: bytes | memoryview, offset: int) -> None:
        self._payload = payload
        self._offset = offset

    def plane(self, count: int) -> Bytes:
        """The next plane, of `count` bytes."""
        if not count:
            return np.empty(0, np.uint8)
        mode = self._take(1)[0]
        if mode == CONSTANT:
            return np.full(count, self._take(1)[0], np.uint8)
        if mode == PLAIN:
            return np.frombuffer(self._take(count), np.uint8)
        if mode == CODED:
            (length,) = struct.unpack("<I", self._take(4))
            return np.frombuffer(unfold(self._take(length), count), np.uint8)
        raise _damaged("a plane's mode", f"{mode}")

    def mask(self, count: int) -> npt.NDArray[np.intp]:
        """The places that the next mask of `count` bits marks."""
        return np.flatnonzero(np.unpackbits(self.plane(-(-count // 8)), count=count).view(np.bool))

    def finish(self) -> None:
        """Refuse what stands behind the last plane."""
        if self._offset != len(self._payload):
            raise _damaged("the payload's end", f"{len(self._payload) - self._offset} more bytes")

    def _take(self, count: int) -> memoryview:
        taken = memoryview(self._payload)[self._offset : self._offset + count]
        if len(taken) != count:
            raise _damaged(f"{count} more bytes", f"{len(taken)}")
        self._offset += count
        return taken


def unfold(coded: Any, size: int) -> bytes:
    """Decompress one zstd frame that must hold exactly `size` bytes; nothing else is allocated. Raises `Damaged`."""
    try:
        claimed = zstandard.get_frame_parameters(coded).content_size
        if claimed != size:  # asked first, because zstd allocates what a frame claims
            raise _damaged(f"a frame of {size} bytes", f"{claimed}")
        return _coders.decoder.decompress(coded, allow_extra_data=False)
    except zstandard.ZstdError as error:
        raise _damaged("a zstd frame", str(error)) from error


def _damaged(expected: str, found: str) -> Damaged:
    return Damaged("a chunk's payload", expected=expected, found=found)
