"""The store of objects: named bytes, written once and whole, read by ranges."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Iterator, Sequence
from typing import NamedTuple, Protocol

from ..errors import Malformed

_PACK = re.compile(r"packs/[0-9a-f]{2}/[0-9a-f]{32}")
_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*")
_GAP = 64 * 1024  # bytes that are cheaper to read and drop than to ask for the next range
_MOST = 16 << 20  # bytes read by one request


class ObjectStore(Protocol):
    """A folder, a bucket. Every method may be called from many threads; keys are relative and bear no host or path.

    All raise `Unavailable` while the store itself is away, full or closed to us.
    """

    block: int
    """Bytes to read by one request: few where they are at hand, many where a request has far to go."""

    def put(self, key: str, pieces: Iterable[bytes]) -> int:
        """Write an object; returns its bytes. It is visible only when whole and synced, which it is on return.

        A key is used once: `Refused` if it stands already. What `pieces` raises leaves nothing visible.
        """
        ...

    def get(self, key: str, offset: int = 0, length: int | None = None) -> bytes | memoryview:
        """Exactly these bytes of an object; `Damaged` if it is missing or ends before them."""
        ...

    def read_into(self, key: str, offset: int, into: memoryview) -> None:
        """Read as many bytes of an object as fit, to where they are wanted; `Damaged` as `get`."""
        ...

    def size(self, key: str) -> int:
        """Bytes of an object; `Damaged` if it is missing."""
        ...

    def stamp(self, key: str) -> Hashable:
        """What tells an object's bytes from any that may lie in its place later, without reading them; None where that
        is not known. `Damaged` if it is missing."""
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


class Range(NamedTuple):
    """Bytes of an object."""

    key: str
    offset: int
    length: int


class ReadableObjects(Protocol):
    """What can be read from by key, as an object store can."""

    def get(self, key: str, offset: int = 0, length: int | None = None) -> bytes | memoryview: ...

    def read_into(self, key: str, offset: int, into: memoryview) -> None: ...


def read_ranges(objects: ReadableObjects, ranges: Sequence[Range]) -> list[memoryview]:
    """The bytes of each range, in the order asked for; neighbours are read together. Raises `Damaged`."""
    found: list[memoryview] = [memoryview(b"")] * len(ranges)
    order = sorted(range(len(ranges)), key=lambda number: ranges[number])
    first = 0
    while first < len(order):
        last = _together(ranges, order, first)
        start = ranges[order[first]].offset
        end = max(ranges[number].offset + ranges[number].length for number in order[first : last + 1])
        data = memoryview(objects.get(ranges[order[first]].key, start, end - start))
        for number in order[first : last + 1]:
            _, offset, length = ranges[number]
            found[number] = data[offset - start : offset - start + length]
        first = last + 1
    return found


def _together(ranges: Sequence[Range], order: Sequence[int], first: int) -> int:
    """The last place in `order` that one request may take along with `first`."""
    start = ranges[order[first]]
    end = start.offset + start.length
    last = first
    while last + 1 < len(order):
        key, offset, length = ranges[order[last + 1]]
        if key != start.key or offset > end + _GAP or offset + length - start.offset > _MOST:
            break
        end = max(end, offset + length)
        last += 1
    return last
