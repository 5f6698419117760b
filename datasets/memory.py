"""Memory: what a file holds or says that it holds, against what this process may have, before it is taken."""
# pyright: reportUnknownParameterType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownMemberType=false, reportAttributeAccessIssue=false
# (pyarrow ships no types)

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path
from typing import Any, Final

from ..errors import Refused

_CELL: Final = 8
"""Bytes of one number, as it is learnt from."""
_TWICE: Final = 2
"""Texts that were read stand beside the values that are made of them."""


_ALLOWED: Final[ContextVar[float]] = ContextVar("allowed", default=float("inf"))


@contextmanager
def within(size: float) -> Generator[None]:
    """Hold what is read here to so many bytes, whatever the process may have: rows that a stranger sent."""
    token = _ALLOWED.set(size)
    try:
        yield
    finally:
        _ALLOWED.reset(token)


def check_room(rows: int, columns: int) -> None:
    """Hold that so many numbers find room: a few bytes of a file can say that they hold any number of rows.

    Raises `Refused` with both sizes.
    """
    size, left = rows * columns * _CELL, room()
    if size > left:
        raise Refused(
            f"the file holds {rows:,} rows of {columns:,} columns, which take {size / 1e9:,.1f} GB of the "
            f"{left / 1e9:,.1f} GB that this process may have; give fewer rows or columns, or more memory"
        )


def check_bytes(size: int, what: str = "the file") -> None:
    """Hold that so many bytes find room, and what is made of them beside them: a few can unpack to any number.

    Raises `Refused` with both sizes.
    """
    _hold(size, size * _TWICE, room(), what)


class TextRoom:
    """The room for a text file's cells, as texts and as the values that are made of them, while it is read."""

    def __init__(self, columns: int) -> None:
        self._columns = columns
        self._room = room()
        self._size = 0
        self._lines = 0

    def take(self, piece: bytes) -> None:
        """Hold that one more piece finds room. Raises `Refused` with the sizes."""
        self._size += len(piece)
        self._lines += piece.count(b"\n")
        _hold(self._size, self._size + self._lines * self._columns * _TWICE * _CELL, self._room, "the file")


def _hold(size: int, needed: int, room: float, what: str) -> None:
    if needed > room:
        raise Refused(
            f"{what} unpacks to {size / 1e9:,.1f} GB and more, which take {needed / 1e9:,.1f} GB as they are read; "
            f"this process may have {room / 1e9:,.1f} GB; give fewer rows or columns, or more memory"
        )


def decoded(name: str, column: Any) -> Any:
    """The values of a dictionary-encoded column, once it is sure that they find room.

    A dictionary holds a text once however many rows have it, so a small file may hold texts of any size. Raises
    `Refused` with the size.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    chunks: list[Any] = column.chunks if isinstance(column, pa.ChunkedArray) else [column]
    if _measured(column.type.value_type):
        lengths = [pc.binary_length(each.dictionary).cast(pa.int64()).take(each.indices) for each in chunks]
        size = sum(pc.sum(each).as_py() or 0 for each in lengths)
        check_bytes(size, f"column {name!r}")
        if size >= 2**31:  # more than one array of texts may hold
            wide = pa.large_string() if pa.types.is_string(column.type.value_type) else pa.large_binary()
            parts = [pa.DictionaryArray.from_arrays(each.indices, each.dictionary.cast(wide)) for each in chunks]
            chunks = parts
    whole = [each.dictionary_decode() for each in chunks]
    return pa.chunked_array(whole) if isinstance(column, pa.ChunkedArray) else whole[0]


def _measured(kind: Any) -> bool:
    import pyarrow as pa

    types = pa.types
    return types.is_string(kind) or types.is_binary(kind) or types.is_large_string(kind) or types.is_large_binary(kind)


def room() -> float:
    """Bytes that this process may have: by the machine, its container, what is left of its own limits, and `within`."""
    rooms = [_ALLOWED.get(), float(os.sysconf("SC_PAGE_SIZE")) * os.sysconf("SC_PHYS_PAGES")]
    with suppress(OSError, ValueError):
        rooms.append(float(Path("/sys/fs/cgroup/memory.max").read_text()))
    with suppress(ImportError, OSError, ValueError, IndexError):
        import resource

        pages = [int(each) for each in Path("/proc/self/statm").read_text().split()]
        for kind, used in ((resource.RLIMIT_AS, pages[0]), (resource.RLIMIT_DATA, pages[5])):
            limit = resource.getrlimit(kind)[0]
            if limit != resource.RLIM_INFINITY:
                rooms.append(max(0.0, limit - used * float(os.sysconf("SC_PAGE_SIZE"))))
    return min(rooms)
