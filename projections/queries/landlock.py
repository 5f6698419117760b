"""Linux's Landlock: a thread that gives up all files and TCP for good, and with it all that it starts.

https://docs.kernel.org/userspace-api/landlock.html, here without a single exception. What is open stays open.
"""

from __future__ import annotations

import ctypes
import os
import struct
from typing import Final

_CREATE, _RESTRICT = 444, 446
_VERSION: Final = 1
_FILES: Final = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
"""By version: how many rights over files there are, a bit each."""
_TCP: Final = 0b11
_SCOPES: Final = 0b11
"""Sockets without a file, and signals, of whoever is not under the same rules."""


def closed_to_files() -> bool:
    """Give up opening files and TCP in this thread; False where the system has no Landlock.

    The process must not be able to gain rights (PR_SET_NO_NEW_PRIVS).
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if (version := libc.syscall(_CREATE, None, 0, _VERSION)) < 1:
        return False
    files = (1 << _FILES[min(version, 5)]) - 1
    rules = struct.pack("=QQQ", files, _TCP if version >= 4 else 0, _SCOPES if version >= 6 else 0)
    size = 24 if version >= 6 else 16 if version >= 4 else 8
    held = libc.syscall(_CREATE, rules, size, 0)
    if held < 0:
        return False
    try:
        return libc.syscall(_RESTRICT, held, 0) == 0
    finally:
        os.close(held)
