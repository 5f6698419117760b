"""The store of objects: named bytes, written once and whole."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Protocol

from ..errors import Malformed

_PACK = re.compile(r"packs/[0-9a-f]{2}/[0-9a-f]{32}")
_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*")


class ObjectStore(Protocol):
    """A folder, a bucket. Every method may be called from many threads; keys are relative and bear no host or path.

    All raise `Unavailable` while the store itself is away, full or closed to us.
    """

    def put(self, key: str, pieces: Iterable[bytes]) -> int:
        """Write an object; returns its bytes. It is visible only when whole and synced, which it is on return.

        A key is used once: `Refused` if it stands already. What `pieces` raises leaves nothing visible.
        """
        ...

    def get(self, key: str, offset: int = 0, length: int | None = None) -> bytes:
        """Exactly these bytes of an object; `Damaged` if it is missing or ends before them."""
        ...

    def size(self, key: str) -> int:
        """Bytes of an object; `Damaged` if it is missing."""
        ...

    def list(self, prefix: str) -> Iterator[str]:
        """The keys that begin with `prefix`, sorted."""
        ...

    def delete(self, key: str) -> None:
        """Remove an object; one that is not there is already removed."""
        ...


def is_key(key: object) -> bool:
    """Whether it can name an object."""
    return isinstance(key, str) and len(key) <= 1024 and _KEY.fullmatch(key) is not None


def is_pack(key: str) -> bool:
    """Whether it is a key that a pack is given."""
    return _PACK.fullmatch(key) is not None


def check_key(key: str) -> None:
    """`Malformed` unless a key is slash-separated names of letters, digits, dot, dash and underscore."""
    if not is_key(key):
        raise Malformed(f"object key {key[:80]!r} must be names of [A-Za-z0-9._-] between slashes")
