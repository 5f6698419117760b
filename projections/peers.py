"""Peers: who is at the other end of the socket in a home, told by the kernel."""

from __future__ import annotations

import array
import os
import socket
import stat
import struct
from pathlib import Path
from typing import Final

from ..errors import Refused

_CREDENTIALS: Final = struct.Struct("3i")
_SO_PEERGROUPS: Final = getattr(socket, "SO_PEERGROUPS", 59)
_GROUPS: Final = 65536
"""The most that the kernel lets a process be in."""


def check_socket(path: Path) -> None:
    """Raise `Refused` where no socket stands at the path, but a link to one, say; `OSError` where nothing does."""
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
    raw = wire.getsockopt(socket.SOL_SOCKET, _SO_PEERGROUPS, _GROUPS * groups.itemsize)
    groups.frombytes(raw)
    return groups
