"""What must survive power loss: bytes and names, synced to the disk."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from ..permissions import file_mode, set_mode


def write_synced(path: Path, pieces: Iterable[bytes], mode: Literal["wb", "xb"] = "xb") -> int:
    """Write a file, a new one unless `mode` says otherwise, and sync its bytes; returns how many."""
    written = 0
    with path.open(mode, buffering=1 << 20) as file:
        set_mode(file.fileno(), file_mode(path.parent), path.parent)
        for piece in pieces:
            written += file.write(piece)
        file.flush()
        os.fsync(file.fileno())
    return written


def sync_folder(folder: Path) -> None:
    """Sync the names in a folder, else power loss could forget one."""
    file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(file)
    finally:
        os.close(file)
