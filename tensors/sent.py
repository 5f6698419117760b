"""What was sent of an object, to be compared with what its store says that it holds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from hashlib import md5

from blake3 import blake3

from .digest import named


class SentObject:
    """The bytes of an object as they leave: their number, their digest and the ETag that S3 gives them.

    An object that goes up in one request has the MD5 of its bytes as ETag; one in parts has the MD5 over the parts'
    MD5s and their number (Amazon S3 User Guide, "Checking object integrity"). Stores that encrypt with keys of their
    own, and Azure, give other ETags: then only reading the object back tells what arrived.
    """

    def __init__(self, part: int | None = None) -> None:
        self.size = 0
        self._part = part
        self._whole = blake3()
        self._current = md5(usedforsecurity=False)
        self._in_part = 0
        self._parts: list[bytes] = []

    def passing(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """The pieces, noted on their way."""
        for piece in pieces:
            self.add(piece)
            yield piece

    def add(self, piece: bytes) -> None:
        """Note bytes that are sent."""
        self.size += len(piece)
        self._whole.update(piece)
        view = memoryview(piece)
        while self._part is not None and self._in_part + len(view) >= self._part:
            cut = self._part - self._in_part
            self._current.update(view[:cut])
            self._parts.append(self._current.digest())
            self._current, self._in_part, view = md5(usedforsecurity=False), 0, view[cut:]
        self._current.update(view)
        self._in_part += len(view)

    @property
    def etag(self) -> str:
        """The ETag that S3 gives to these bytes, without its quotes."""
        if self._part is None:
            return self._current.hexdigest()
        parts = self._parts + ([self._current.digest()] if self._in_part else [])
        return f"{md5(b''.join(parts), usedforsecurity=False).hexdigest()}-{len(parts)}"

    @property
    def digest(self) -> str:
        """The BLAKE3 digest of these bytes."""
        return named(self._whole)
