"""Who has a SQLite database open: SQLite itself asks for locks, but never tells by whom they are held.

The bytes are those of SQLite's file format (https://www.sqlite.org/fileformat2.html, "lock-byte page"): whoever has a
database in WAL mode open holds a shared lock on them.
"""

from __future__ import annotations

import fcntl
import os
import struct
import sys
from contextlib import suppress
from typing import Final

_FIRST: Final = 0x40000002
_MANY: Final = 510
_LAYOUTS: Final = {"linux": "@hhqqi0q", "darwin": "@qqihh"}
"""`struct flock` of 64-bit systems: type, whence, start, length, pid; on macOS the first two come last."""


def holder(path: str) -> int | None:
    """The process id of another that has the database open, None where nobody has, or nobody can tell.

    Not for a process that has it open itself: to close the file here gives the locks of all its openings back.
    """
    layout = _LAYOUTS.get(sys.platform)
    if layout is None or sys.maxsize < 2**32:
        return None
    last = sys.platform == "darwin"
    kind = (fcntl.F_WRLCK, os.SEEK_SET)
    place = (_FIRST, _MANY, 0)
    with suppress(OSError):
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            asked = struct.pack(layout, *((*place, *kind) if last else (*kind, *place)))
            told = struct.unpack(layout, fcntl.fcntl(file, fcntl.F_GETLK, asked))
        finally:
            os.close(file)
        found, process = (told[3], told[2]) if last else (told[0], told[4])
        return None if found == fcntl.F_UNLCK else process
    return None
