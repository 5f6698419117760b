"""The wire between a client and a projector: messages over a Unix socket, with a limit on every wait."""

from __future__ import annotations

import os
import socket
import struct
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from .peers import check_peer, check_socket

_LONGEST: Final = 100
_HEAD: Final = 8
"""Bytes that tell how long the part behind them is."""
_AGAIN: Final = 0.02
BEAT: Final = 1.0
"""Seconds between two empty parts, which say that the answer is still worked on."""


def connected(path: Path, seconds: float) -> socket.socket:
    """A connection to whoever listens there; every wait on it ends behind `seconds`.

    Raises `OSError` where nobody listens, `Refused` where that is a stranger, and `TimeoutError` where somebody does
    who takes no more callers.
    """
    end = time.monotonic() + seconds
    while True:
        wire = socket.socket(socket.AF_UNIX)
        wire.settimeout(max(0.001, seconds))
        try:
            check_socket(path)
            with reachable(path) as name:
                wire.connect(name)
            check_peer(wire, path)
            return wire
        except BlockingIOError:  # its queue of callers is full
            wire.close()
            if time.monotonic() > end:
                raise TimeoutError("the projector takes no more callers") from None
            time.sleep(_AGAIN)
        except BaseException:
            wire.close()
            raise


@contextmanager
def reachable(path: Path) -> Generator[str]:
    """A name for a socket's path that is short enough: the system takes 107 bytes, and homes lie deeper."""
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}" if len(os.fsencode(path)) > _LONGEST else str(path)
    finally:
        os.close(folder)


def peer(wire: socket.socket) -> int:
    """The process on the other side."""
    size = struct.calcsize("3i")
    return struct.unpack("3i", wire.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size))[0]


def send(wire: socket.socket, part: bytes) -> None:
    """One part of a message, its length first."""
    wire.sendall(len(part).to_bytes(_HEAD, "big"))
    wire.sendall(part)


def received(wire: socket.socket, end: float | None = None) -> bytes:
    """One part of a message; `ValueError` where the other side hung up, `TimeoutError` behind `end`."""
    return _exactly(wire, int.from_bytes(_exactly(wire, _HEAD, end), "big"), end)


def _exactly(wire: socket.socket, count: int, end: float | None) -> bytes:
    parts = bytearray()
    while len(parts) < count:
        if end is not None and time.monotonic() > end:
            raise TimeoutError("the answer did not come to its end in time")
        part = wire.recv(min(count - len(parts), 1 << 20))
        if not part:
            raise ValueError("the other side hung up")
        parts += part
    return bytes(parts)
