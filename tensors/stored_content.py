"""What a digest names, however it was stored first: the bytes of a file may be those of a tensor, and are kept once."""

from __future__ import annotations

import numpy as np

from ..errors import Damaged
from .blob import TAG, blob_content, unfold_blob
from .codec import FULL, MAX_CHUNK, STORED, Payload, decode_full, placed
from .digest import digest_of
from .tensor import Bytes


def chunk_of(stored: Payload, into: Bytes | None = None) -> Bytes:
    """A chunk of a tensor, written to `into` (whose length it must have), or to an array of its own.

    Raises `Damaged` where it is neither a chunk nor a file. Whether it is what its digest says is for the caller.
    """
    if stored[:1] == bytes((TAG,)):
        return placed(np.frombuffer(blob_content(stored, MAX_CHUNK), np.uint8), into)
    return decode_full(stored, into)


def file_of(digest: str, stored: Payload) -> bytes:
    """A file or manifest; raises `Damaged` unless it is exactly what `digest` names."""
    if stored[:1] == bytes((TAG,)):
        return unfold_blob(digest, stored)
    as_chunk = stored[:1] in (bytes((STORED,)), bytes((FULL,)))
    content = decode_full(stored).tobytes() if as_chunk else bytes(stored)  # a delta is named by its bytes as they are
    if digest_of(content) != digest:
        raise Damaged(f"blob {digest}", expected=digest, found=digest_of(content))
    return content
