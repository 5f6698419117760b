"""An entry of the spool and its form on disk, read without trust: nothing in a folder is taken for what it claims."""

from __future__ import annotations

import errno
import json
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal, cast, get_args

from ...errors import Damaged, Refused
from ...events.actor import checked_actor
from ...events.clock import in_calendar
from ...events.strict_json import checked_json
from ...permissions import denied, read_file
from ...tensors.digest import digest_of

FORMAT: Final = "lepton.spool.v1"
LARGEST: Final = 64 << 20
"""Bytes of an `entry.json`; tensors and files lie in packs beside it."""
_LONGEST_KEY: Final = 200
_GONE: Final = (errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.ENXIO)
"""What the system says where something else stands in a file's place, or nothing."""

Kind = Literal["save", "start", "log", "checkpoint", "files", "finish"]


@dataclass(frozen=True, slots=True)
class SpoolEntry:
    """What waits: under which key it was asked, by whom, when it happened, and all of it as plain JSON."""

    kind: Kind
    key: str
    actor: str
    """A name: who that is in the ledger may not be known yet."""
    time: datetime
    asked: dict[str, Any]


def encoded(entry: SpoolEntry, kept: Mapping[str, Any]) -> bytes:
    """An entry as `entry.json`, with what was kept of its objects. Raises `Refused` where it is too large."""
    about = {"kind": entry.kind, "key": entry.key, "actor": entry.actor, "time": entry.time.isoformat()}
    content = json.dumps({"format": FORMAT, **about, "asked": {**entry.asked, **kept}}, allow_nan=False).encode()
    if len(content) > LARGEST:
        raise Refused(f"an entry of the spool takes {len(content):,} bytes of {LARGEST:,}; log or save in parts")
    return content


def entry_in(folder: Path) -> SpoolEntry:
    """The entry that a folder is named for and holds.

    Raises `Damaged` where it is anything else: another thing than files in folders, bytes of another digest, no entry.
    Raises `Refused` where a newer Lepton wrote it.
    """
    thing = f"spooled entry {folder.name}"
    try:
        _check_files(folder)
        content = _read(folder / "entry.json")
    except OSError as error:
        if error.errno not in _GONE:
            raise denied(error, thing, "read") from error
        raise Damaged(thing, expected="readable files", found=error.strerror or type(error).__name__) from None
    except ValueError as error:
        raise Damaged(thing, expected="files in folders", found=str(error)) from None
    if digest_of(content) != (expected := f"blake3:{folder.name.rpartition('-')[2]}"):
        raise Damaged(thing, expected=expected, found=digest_of(content))
    entry = _decoded(thing, content)
    if {"tensors", "files"} & entry.asked.keys() and not is_folder(folder / "objects"):
        raise Damaged(thing, expected="a folder of objects", found="none")
    return entry


def is_folder(path: Path) -> bool:
    """Whether there is a folder, and not a link to one."""
    try:
        return stat.S_ISDIR(path.lstat().st_mode)
    except OSError:
        return False


def kind_of(path: Path) -> str:
    """What a path is, in a word."""
    try:
        mode = path.lstat().st_mode
    except OSError:
        return "nothing"
    kinds = {stat.S_IFDIR: "folder", stat.S_IFREG: "file", stat.S_IFLNK: "link", stat.S_IFIFO: "pipe"}
    return kinds.get(stat.S_IFMT(mode), "device or socket")


def _check_files(folder: Path) -> None:
    """Hold that all within are files and folders that can be read: a link leads elsewhere, a pipe is waited for."""
    if not is_folder(folder):
        raise ValueError(f"a {kind_of(folder)} of that name")
    open_folders = [folder]
    while open_folders:
        for each in os.scandir(open_folders.pop()):
            if each.is_dir(follow_symlinks=False):
                open_folders.append(Path(each.path))
            elif not each.is_file(follow_symlinks=False):
                raise ValueError(f"a {kind_of(Path(each.path))} called {each.name!r}")
            elif not os.access(each.path, os.R_OK):
                raise PermissionError(13, os.strerror(13))


def _read(path: Path) -> bytes:
    """A file's bytes, opened without following a link or waiting for a writer, and read no further than allowed."""
    try:
        return read_file(path, LARGEST)
    except ValueError:
        if not path.is_file():
            raise ValueError(f"a {kind_of(path)} called {path.name!r}") from None
        raise


def _decoded(thing: str, content: bytes) -> SpoolEntry:
    try:
        document = cast("dict[str, Any]", checked_json(json.loads(content), "the entry"))
        written = str(document["format"])
        if written == FORMAT:
            return _entry(document)
    except Exception as error:
        raise Damaged(thing, expected="an entry", found=f"JSON that is none ({type(error).__name__})") from error
    if not written.startswith("lepton.spool."):
        raise Damaged(thing, expected=FORMAT, found="another format")
    raise Refused(f"{thing} was written by a newer Lepton, as {written[:40]}; update this one, then try it again")


def _entry(document: Mapping[str, Any]) -> SpoolEntry:
    kind, key, content = document["kind"], document["key"], document["asked"]
    if kind not in get_args(Kind) or not isinstance(content, dict):
        raise ValueError("its kind or what it asks is unknown")
    if not 0 < len(key) <= _LONGEST_KEY or not key.isprintable():
        raise ValueError("its key is none")
    time = in_calendar(datetime.fromisoformat(document["time"]))
    return SpoolEntry(kind, key, checked_actor(document["actor"]), time, cast("dict[str, Any]", content))
