"""Blobs: files and manifests as zstd streams, named by the digest of their content."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import zstandard
from blake3 import blake3

from ..errors import Damaged, Refused
from .digest import digest_of, named
from .pack import PackEntry, Whole

TAG = 0x21
_HEADER = struct.Struct("<BQ")  # tag, bytes of the content
_PIECE = 1 << 20
_LEVEL = 3


def fold_blob(content: bytes) -> Whole:
    """Bytes as an entry of a pack."""
    head = _HEADER.pack(TAG, len(content))
    return Whole("blob", digest_of(content), head + zstandard.ZstdCompressor(level=_LEVEL).compress(content))


class FileBlob:
    """A file as an entry of a pack; it is read once to be named and once to be written, never held whole."""

    kind = "blob"

    def __init__(self, name: str, path: Path) -> None:
        self._name = name
        self._path = path
        hasher = blake3()
        self.bytes = 0
        for piece in self._read():
            self.bytes += len(piece)
            hasher.update(piece)
        self.digest = named(hasher)

    def pieces(self) -> Iterator[bytes]:
        """The stored bytes; `Refused` if the file is no longer what it was when it was named."""
        yield _HEADER.pack(TAG, self.bytes)
        hasher = blake3()
        coder = zstandard.ZstdCompressor(level=_LEVEL).compressobj()
        for piece in self._read():
            hasher.update(piece)
            yield coder.compress(piece)
        yield coder.flush()
        if named(hasher) != self.digest:
            raise Refused(f"file {self._name!r} changed while it was saved; save again when nothing writes to it")

    def _read(self) -> Iterator[bytes]:
        try:
            with self._path.open("rb") as file:
                while piece := file.read(_PIECE):
                    yield piece
        except OSError as error:
            raise Refused(f"file {self._name!r} cannot be read ({error.strerror}); give one that can") from error


def blob_entry(name: str, source: Path | bytes) -> tuple[PackEntry, int]:
    """A file, or bytes, as an entry of a pack; and the bytes of its content."""
    if isinstance(source, bytes):
        return fold_blob(source), len(source)
    entry = FileBlob(name, source)
    return entry, entry.bytes


def unfold_blob(digest: str, stored: bytes | memoryview) -> bytes:
    """The content of a stored blob; raises `Damaged` unless it is exactly what `digest` names."""
    try:
        content = blob_content(stored)
    except Damaged as error:
        raise Damaged(f"blob {digest}", expected=error.expected, found=error.found) from error.__cause__
    if digest_of(content) != digest:
        raise Damaged(f"blob {digest}", expected=digest, found=digest_of(content))
    return content


def blob_content(stored: bytes | memoryview, most: int | None = None) -> bytes:
    """The content of a stored blob, whatever it is called; raises `Damaged` where it is none, or of more than `most`
    bytes."""
    if len(stored) < _HEADER.size or stored[0] != TAG:
        raise Damaged("blob", expected=f"tag {TAG:#x}", found=bytes(stored[:1]).hex())
    size = cast("int", _HEADER.unpack_from(stored)[1])
    if most is not None and size > most:
        raise Damaged("blob", expected=f"{most} bytes at most", found=f"{size}")
    pieces: list[bytes] = []
    left = size + 1  # one more than it may have, so that an excess shows
    try:
        with zstandard.ZstdDecompressor().stream_reader(stored[_HEADER.size :]) as reader:
            while left and (piece := reader.read(min(left, _PIECE))):
                pieces.append(piece)
                left -= len(piece)
    except zstandard.ZstdError as error:
        raise Damaged("blob", expected="a zstd frame", found=str(error)) from error
    if left != 1:
        raise Damaged("blob", expected=f"{size} bytes", found=f"{size + 1 - left}")
    return b"".join(pieces)
