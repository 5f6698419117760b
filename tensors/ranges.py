"""Reading many ranges of objects in few requests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

_GAP = 64 * 1024  # bytes that are cheaper to read and drop than to ask for the next range
_MOST = 16 << 20  # bytes read by one request


class Range(NamedTuple):
    """Bytes of an object."""

    key: str
    offset: int
    length: int


class Readable(Protocol):
    """What can be read from by key, as an object store can."""

    def get(self, key: str, offset: int = 0, length: int | None = None) -> bytes: ...


def read_ranges(objects: Readable, ranges: Sequence[Range]) -> list[memoryview]:
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
