"""Peers: who is at the other end of the socket in a home, told by the kernel."""

from __future__ import annotations

import array
import os
import socket
import stat
import struct
from contextlib import suppress
from pathlib import Path
from typing import Final

from ...errors import Refused

_CREDENTIALS: Final = struct.Struct("3i")
_SO_PEERGROUPS: Final = getattr(socket, "SO_PEERGROUPS", 59)
_GROUPS: Final = 256
"""As many as Python can ask the kernel for; whoever is in more has to have the home's as the first."""


def check_socket(path: Path) -> None:
    """Raise `Refused` where something else than a socket stands at the path, a link to one too."""
    if not stat.S_ISSOCK(path.lstat().st_mode):
        raise Refused(f"{path} is no socket, and Lepton follows no link there; remove it")


def check_peer(wire: socket.socket, path: Path) -> None:
    """Raise `Refused` where the other end is nobody who may use the home: its owner, root, we, or one of its group."""
    if not hasattr(socket, "SO_PEERCRED"):
        return
    _, user, group = _CREDENTIALS.unpack(wire.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size))
    folder = path.parent.stat()
    if user in (0, os.geteuid(), folder.st_uid):
        return
    if folder.st_mode & stat.S_IWGRP and folder.st_gid in {group, *_groups(wire)}:
        return
    raise Refused(f"user {user} is at the other end of {path}, and may not use this home; remove the socket")


def _groups(wire: socket.socket) -> array.array[int]:
    groups = array.array("I")
    with suppress(OSError):
        groups.frombytes(wire.getsockopt(socket.SOL_SOCKET, _SO_PEERGROUPS, _GROUPS * groups.itemsize))
    return groups
