"""The end of an object: an index in canonical JSON, its digest, its length and a magic number.

… | index | blake3 of the index (32) | length of the index (8, little-endian) | magic (8)
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from typing import Any, cast

import rfc8785
from blake3 import blake3

from ..errors import Damaged

_TRAILER = struct.Struct("<32sQ8s")
_GUESS = 64 * 1024  # most indexes are shorter than this, so that one read gets both trailer and index


def seal(document: dict[str, Any], magic: bytes) -> tuple[bytes, str]:
    """The bytes that end an object, and the digest of the index in them."""
    index = rfc8785.dumps(document)
    digest = blake3(index).digest()
    return index + _TRAILER.pack(digest, len(index), magic), f"blake3:{digest.hex()}"


def unseal(thing: str, size: int, read: Callable[[int, int], bytes], magic: bytes) -> tuple[dict[str, Any], str, int]:
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
    return cast("dict[str, Any]", json.loads(index)), f"blake3:{digest.hex()}", start
