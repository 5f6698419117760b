"""Memory: what a file says that it holds, against what this process may have."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

from ..errors import Refused

_CELL: Final = 8
"""Bytes of one number, as it is learnt from."""


def check_room(rows: int, columns: int) -> None:
    """Hold that so many numbers find room: a few bytes of a file can say that they hold any number of rows.

    Raises `Refused` with both sizes.
    """
    size, room = rows * columns * _CELL, _room()
    if size > room:
        raise Refused(
            f"the file holds {rows:,} rows of {columns:,} columns, which take {size / 1e9:,.1f} GB of the "
            f"{room / 1e9:,.1f} GB that this process may have; give fewer rows or columns, or more memory"
        )


def _room() -> float:
    """Bytes that this process may have in all: by the machine, its container and its own limits."""
    rooms = [float(os.sysconf("SC_PAGE_SIZE")) * os.sysconf("SC_PHYS_PAGES")]
    with suppress(OSError, ValueError):
        rooms.append(float(Path("/sys/fs/cgroup/memory.max").read_text()))
    with suppress(ImportError, OSError):
        import resource

        limits = (resource.getrlimit(kind)[0] for kind in (resource.RLIMIT_AS, resource.RLIMIT_DATA))
        rooms += [float(limit) for limit in limits if limit != resource.RLIM_INFINITY]
    return min(rooms)
