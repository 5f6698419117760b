"""The file systems that SQLite must not live on."""

from __future__ import annotations

from pathlib import Path
from typing import Final

NETWORK_FILE_SYSTEMS: Final = frozenset(
    ("nfs", "nfs4", "cifs", "smb3", "smbfs", "fuse.sshfs", "9p", "afs", "ceph", "glusterfs", "fuse.glusterfs", "lustre")
)


def network_file_system(folder: Path, mounts: Path = Path("/proc/self/mounts")) -> str | None:
    """The kind of network file system that a folder lies on, None where it is local or cannot be told."""
    try:
        lines = mounts.read_text().splitlines()
    except OSError:
        return None
    best, kind = "", ""
    resolved = str(folder.resolve()) + "/"
    for line in lines:
        _, point, fstype, *_ = line.split(" ")
        # blanks and the like stand there as octal escapes
        point = point.encode("latin-1", "backslashreplace").decode("unicode_escape").rstrip("/") + "/"
        if resolved.startswith(point) and len(point) >= len(best):
            best, kind = point, fstype
    return kind if kind in NETWORK_FILE_SYSTEMS else None
