"""Permissions: what is made in a home is for its owner alone, or for the group that its folder is shared with."""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import Final

from .errors import LeptonError, Refused, Unavailable

PRIVATE: Final = 0o700
SHARED: Final = 0o2770
CLOSED: Final = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
"""No child inherits the descriptor, and on Windows bytes are read and written as they are."""
UNFOLLOWED: Final = getattr(os, "O_NOFOLLOW", 0)
"""A link in a file's place is not followed, where the system knows how not to."""
UNWAITED: Final = getattr(os, "O_NONBLOCK", 0)
"""A pipe in a file's place is not waited for."""
DENIED: Final = frozenset((errno.EACCES, errno.EPERM, errno.EROFS))
"""What the system says where rights are missing, or where nothing can be written at all."""


def shared(folder: Path) -> bool:
    """Whether a folder's group may write into it: then what is made there is the group's too."""
    return bool(folder.stat().st_mode & stat.S_IWGRP)


def file_mode(folder: Path) -> int:
    """The mode of a file made in a folder: 0660 in a shared one, 0640 in one made for a group to read, else 0600."""
    mode = folder.stat().st_mode
    if mode & stat.S_IWGRP:
        return 0o660
    return 0o640 if mode & stat.S_ISGID and mode & stat.S_IRGRP else 0o600


def folder_mode(folder: Path) -> int:
    """The mode of a folder made in a folder: 2770, 2750 or 0700, as `file_mode`."""
    return {0o660: SHARED, 0o640: 0o2750, 0o600: PRIVATE}[file_mode(folder)]


def make_folder(path: Path, mode: int | None = None) -> None:
    """Make a folder and its parents, whatever the umask: of the mode given, else as the folder it lies in has it."""
    if is_folder(path):
        return
    make_folder(path.parent, mode)
    with suppress(FileExistsError):
        path.mkdir(PRIVATE)
        set_mode(path, folder_mode(path.parent) if mode is None else mode)


def open_file(path: Path, flags: int) -> int:
    """A descriptor of a file, made where it is missing; a link in its place is not followed.

    Raises `OSError`; `ELOOP` where it is a link.
    """
    flags |= UNFOLLOWED | CLOSED
    while True:
        with suppress(FileNotFoundError):
            return os.open(path, flags)
        with suppress(FileExistsError):
            return _made(path, flags)


def make_file(path: Path) -> None:
    """Make an empty file where there is none; one that is there is not opened.

    Whoever closes a file gives back all POSIX locks that its process holds on it, SQLite's too. Raises `OSError`;
    `ELOOP` where it is a link.
    """
    try:
        os.close(_made(path, os.O_RDWR | CLOSED))
    except FileExistsError:
        if path.is_symlink():
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP)) from None


def _made(path: Path, flags: int) -> int:
    descriptor = os.open(path, flags | os.O_CREAT | os.O_EXCL, 0o600)
    set_mode(descriptor, file_mode(path.parent), path.parent)
    return descriptor


def read_file(path: Path, most: int, *, follow: bool = False) -> bytes:
    """A file's bytes, opened without waiting for a writer and read no further than allowed, whatever lies there.

    A link is followed only where it is told to. Raises `OSError`, `ELOOP` where it is a link; `ValueError` where it is
    no file or larger.
    """
    flags = os.O_RDONLY | CLOSED | UNWAITED
    descriptor = os.open(path, flags if follow else flags | UNFOLLOWED)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ValueError(f"{path.name} is no file")
        content = file.read(most + 1)
    if len(content) > most:
        raise ValueError(f"{path.name} has more than {most:,} bytes")
    return content


def write_whole(file: Path, content: bytes) -> None:
    """Write a file whole or not at all, in the place of one that is there. Raises `Refused`, `Unavailable`."""
    part = file.with_name(f".{file.name[:64]}.{os.urandom(8).hex()}.part")
    try:
        if not file.name or (file.exists() and not file.is_file()):
            raise Refused(f"{file} is no file; name one")
        with part.open("wb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        part.replace(file)
    except FileNotFoundError:
        raise Refused(f"there is no folder {file.parent}; make it, or name another place") from None
    except OSError as error:
        raise denied(error, file, "written") from error
    finally:
        if file.name:
            part.unlink(missing_ok=True)


def set_mode(file: int | Path, mode: int, folder: Path | None = None) -> None:
    """Set the mode of what was just made; in a shared folder without the setgid bit its group too.

    Windows has no modes: what is made there is its user's by where it lies.
    """
    if not hasattr(os, "chown"):
        return
    parent = (file.parent if isinstance(file, Path) else None) if folder is None else folder
    if mode & stat.S_IWGRP and parent is not None and (group := parent.stat().st_gid) != os.stat(file).st_gid:  # noqa: PTH116
        with suppress(PermissionError):  # whoever is not of the group can do without
            os.chown(file, -1, group)
    os.chmod(file, mode)  # noqa: PTH101 - a descriptor too


def own(path: Path) -> None:
    """Give a file that another library made the mode that it should have here; one that is not ours stays as it is."""
    with suppress(OSError):
        mode = file_mode(path.parent)
        if stat.S_IMODE(path.stat().st_mode) != mode:
            set_mode(path, mode)


def denied(error: OSError, place: Path | str, doing: str) -> LeptonError:
    """What an error of the operating system means for a place in a home: one sentence, naming it and what to do."""
    reason = os.strerror(error.errno or 0)
    if error.errno == errno.ELOOP:
        return Refused(f"{place} is a link, and Lepton follows none there; remove it")
    if error.errno in (errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG, errno.EINVAL):
        return Refused(f"{place} cannot be {doing} ({reason}); name another place")
    if error.errno == errno.EROFS:
        return Refused(f"{place} cannot be {doing}, for its file system is read-only; mount it for writing")
    if error.errno in DENIED:
        return Refused(f"{place} cannot be {doing} ({reason}); {remedy(place)}")
    return Unavailable(f"{place} cannot be {doing} ({reason}); try again when that is mended")


def remedy(place: Path | str) -> str:
    """What to do where rights are missing: who owns the folder can give them."""
    folder = next((each for each in (Path(place), *Path(place).parents) if is_folder(each)), Path("/"))
    with suppress(OSError, KeyError, ImportError):
        from pwd import getpwuid

        owner = getpwuid(folder.stat().st_uid).pw_name
        return f"ask {owner}, who owns {folder}, to share it (`lepton init --shared`), or choose another home"
    return "ask its owner for the right, or choose another home"


def is_folder(path: Path) -> bool:
    """Whether a folder is there, as far as one may look; no name is too long to ask."""
    try:
        return path.is_dir()
    except OSError:  # one may not even look
        return False
