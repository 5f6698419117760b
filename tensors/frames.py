"""Chunks on their way: frames one after another, and nothing else.

    digest (32) | length (4, little-endian) | bytes

The digest is BLAKE3 of the bytes, of which there are 1 to 524,288.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final, NamedTuple, cast

import numpy as np

from ..errors import Malformed
from .digest import digest_of
from .manifest import CHUNK

MEDIA: Final = "application/vnd.lepton.chunks"
HEADER: Final = struct.Struct("<32sI")


class Frame(NamedTuple):
    """A chunk as it came, not yet compared with the digest before it."""

    number: int
    digest: str
    data: memoryview

    def check(self) -> None:
        """Raise `Malformed` unless it is what its digest says."""
        if (found := digest_of(self.data)) != self.digest:
            raise _refused(self.number, f"comes to {found}, not to its {self.digest}; send the bytes of that digest")


def head(digest: str, length: int) -> bytes:
    """What stands before a chunk's bytes."""
    return HEADER.pack(bytes.fromhex(digest.removeprefix("blake3:")), length)


class FrameReader:
    """Takes a body apart as its pieces arrive; it holds one chunk."""

    def __init__(self) -> None:
        self._number = 0
        self._head = bytearray()
        self._digest = ""
        self._data = memoryview(b"")
        self._filled = 0

    def feed(self, piece: bytes | memoryview) -> Iterator[Frame]:
        """The chunks that are whole with this piece. Raises `Malformed` where a frame is none."""
        left = memoryview(piece)
        while left:
            if len(self._head) < HEADER.size:
                taken = min(len(left), HEADER.size - len(self._head))
                self._head += left[:taken]
                if len(self._head) == HEADER.size:
                    self._begin()
            else:
                taken = min(len(left), len(self._data) - self._filled)
                self._data[self._filled : self._filled + taken] = left[:taken]
                self._filled += taken
                if self._filled == len(self._data):
                    yield Frame(self._number, self._digest, self._data)
                    self._number += 1
                    self._head.clear()
            left = left[taken:]

    def finish(self) -> None:
        """Raise `Malformed` where the body ends within a frame."""
        if self._head:
            raise _refused(self._number, "is cut short; send it again, whole")

    def _begin(self) -> None:
        digest, length = cast("tuple[bytes, int]", HEADER.unpack(self._head))
        if not 0 < length <= CHUNK:
            raise _refused(self._number, f"says that it has {length:,} bytes; a chunk has 1 to {CHUNK:,}")
        self._digest, self._filled = f"blake3:{digest.hex()}", 0
        self._data = np.empty(length, np.uint8).data


def _refused(number: int, why: str) -> Malformed:
    return Malformed(f"chunk {number} of the body {why}")
