"""The spool: what could not be told to the ledger, kept in order on this machine's own disk until it can."""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import uuid_utils

from ...permissions import denied, make_folder, read_file
from ...tensors.digest import digest_of
from ...tensors.folder import sync_folder, write_synced
from ...tensors.objects import ObjectStore
from .entry import SpoolEntry, encoded, entry_in, is_folder, kind_of
from .lock import HeldSpool, locked

_NEW, _DONE, _REFUSED, _QUIET, _STRANGE, _LOCK = ".new-", ".done-", "refused", "quiet", "strange", "lock"
_FOLDERS: Final = (_REFUSED, _QUIET, _STRANGE)
_ENTRY: Final = re.compile(r"([0-9]{12,})-[0-9a-f]{64}")
"""An entry's name: its place in the order, and the digest of its `entry.json`."""
_STORY: Final = ".reason"
_LONGEST_STORY: Final = 100_000
"""What the file beside a thing that is set aside ends in: it says why."""
_LONGEST: Final = 200
"""Bytes of a stray's name that are kept as they are."""
_ABANDONED: Final = 86400.0
"""Seconds after which what a killed writer left is nobody's any more."""


class Spool:
    """A folder of entries, each a folder of its own: `entry.json`, and the objects that it names.

    An entry is made under another name, synced, then renamed: it is visible only when whole. Its name is its place in
    the order and the digest of `entry.json`, so that a damaged one is known. Many processes may write at once; who
    delivers holds `lock`, and alone takes entries away.
    """

    def __init__(
        self,
        folder: Path,
        objects_in: Callable[[Path], ObjectStore],
        *,
        wait: float,
        ready: Callable[[], None] = lambda: None,
    ) -> None:
        self._folder = folder
        self._objects_in = objects_in
        self._wait = wait
        self._ready = ready
        """Makes the folder around it ready, or raises `Unavailable`."""

    def put(
        self, entry: SpoolEntry, keep: Callable[[ObjectStore], Mapping[str, Any]] | None = None
    ) -> Mapping[str, Any]:
        """Keep an entry behind all that wait; `keep` writes its objects, and says what it holds beside: returned.

        On return it is synced. On any error nothing of it is left.
        """
        return self._put(entry, keep, None)[1]

    def put_aside(self, entry: SpoolEntry, keep: Callable[[ObjectStore], Mapping[str, Any]], reason: str) -> str:
        """Keep an entry among the refused ones, with the reason: its name. It is synced, or nothing of it is left."""
        return self._put(entry, keep, reason)[0]

    def drop(self, name: str) -> None:
        """Take away a refused entry for good."""
        gone = self._folder / f"{_DONE}{name}"
        aside = self._folder / _REFUSED / name
        aside.rename(gone)
        aside.with_name(f"{name}{_STORY}").unlink(missing_ok=True)
        sync_folder(aside.parent)
        shutil.rmtree(gone, ignore_errors=True)

    def _put(
        self, entry: SpoolEntry, keep: Callable[[ObjectStore], Mapping[str, Any]] | None, reason: str | None
    ) -> tuple[str, Mapping[str, Any]]:
        self._ready()
        make_folder(self._folder)
        made = self._folder / f"{_NEW}{uuid_utils.uuid7()}"
        make_folder(made)
        try:
            kept: Mapping[str, Any] = keep(self._objects_in(made / "objects")) if keep else {}
            content = encoded(entry, kept)
            write_synced(made / "entry.json", (content,), "wb")
            sync_folder(made)
            name = self._rename_behind_all(made, digest_of(content).removeprefix("blake3:"), reason)
        except BaseException:
            shutil.rmtree(made, ignore_errors=True)
            raise
        return name, kept

    def waiting(self) -> list[str]:
        """The names of the entries that wait, in order. Where nothing was ever spooled it costs one call."""
        return _names(self._folder)

    def refused(self) -> list[str]:
        """The names of the entries that were refused, in order."""
        return _names(self._folder / _REFUSED)

    def strays(self) -> list[str]:
        """The names of what lies among the entries and is none."""
        return sorted(name for name, folder in _listed(self._folder) if _is_stray(name, folder))

    def strange(self) -> list[str]:
        """The names of strays that were set aside."""
        return sorted(name for name, _ in _listed(self._folder / _STRANGE) if not name.endswith(_STORY))

    def read(self, name: str) -> SpoolEntry:
        """An entry, waiting or refused. Raises `Damaged` or `Refused` where it is not what its name says."""
        return entry_in(self._place(name))

    def objects(self, name: str) -> ObjectStore:
        """The objects of an entry."""
        return self._objects_in(self._place(name) / "objects")

    def done(self, name: str) -> None:
        """Take away an entry that was delivered."""
        gone = self._folder / f"{_DONE}{name}"
        (self._folder / name).rename(gone)
        sync_folder(self._folder)
        shutil.rmtree(gone, ignore_errors=True)

    def refuse(self, name: str, reason: str) -> None:
        """Put an entry aside, with the reason. Raises `OSError` where it cannot be moved."""
        self._set_aside(name, self._own_folder(_REFUSED) / name, reason)

    def set_aside(self, name: str) -> str:
        """Put a stray aside, kept as it is: what is told of it. Raises `OSError` where it cannot be moved."""
        story = (
            f"{name!r} is no entry of the spool but a {kind_of(self._folder / name)}; it was set aside in {_STRANGE}/"
        )
        aside = self._own_folder(_STRANGE)
        taken = os.path.lexists(aside / name) or len(os.fsencode(name)) > _LONGEST or name.endswith(_STORY)
        free = f"{name[:40]}.{uuid_utils.uuid7()}" if taken else name
        self._set_aside(name, aside / free, story)
        return story

    def again(self) -> None:
        """Let the refused entries wait again, in their old places."""
        for name in self.refused():
            aside = self._folder / _REFUSED / name
            aside.rename(self._folder / name)
            aside.with_name(f"{name}{_STORY}").unlink(missing_ok=True)
        if self._folder.is_dir():
            sync_folder(self._folder)

    def rewrite(self, name: str, entry: SpoolEntry) -> None:
        """Put another entry in the place of one, with the same objects. Killed in between, both are there."""
        place = self._place(name)
        made = self._folder / f"{_NEW}{uuid_utils.uuid7()}"
        shutil.copytree(place, made)
        content = encoded(entry, {})
        write_synced(made / "entry.json", (content,), "wb")
        sync_folder(made)
        anew = f"{_order(name):012}-{digest_of(content).removeprefix('blake3:')}"
        if place.parent != self._folder:
            write_synced(place.with_name(f"{anew}{_STORY}"), (self.reason(name).encode(),), "wb")
        made.rename(place.with_name(anew))
        sync_folder(place.parent)
        place.with_name(f"{name}{_STORY}").unlink(missing_ok=True)
        shutil.rmtree(place)

    def reason(self, name: str) -> str:
        """Why an entry was refused, or a stray set aside."""
        refused, strange = self._folder / _REFUSED, self._folder / _STRANGE
        for place in (refused / f"{name}{_STORY}", refused / name / "reason", strange / f"{name}{_STORY}"):
            with suppress(OSError, ValueError):
                return read_file(place, _LONGEST_STORY).decode()
        return "its reason is lost"

    def note(self, key: str, number: int) -> None:
        """Remember which version a save turned out to repeat, since no event bears its key."""
        place = self._own_folder(_QUIET) / _file_name(key)
        write_synced(part := place.with_suffix(".part"), (str(number).encode(),), "wb")
        part.rename(place)
        sync_folder(place.parent)

    def noted(self, key: str) -> int | None:
        """The version that a save turned out to repeat."""
        with suppress(OSError, ValueError):
            return int(read_file(self._folder / _QUIET / _file_name(key), 20))
        return None

    @contextmanager
    def lock(self, *, patient: bool = True) -> Generator[HeldSpool]:
        """Be the one who delivers. Raises `Unavailable` naming who does it now, after LEPTON_WAIT or at once."""
        held = locked(self._folder / "lock", f"the spool {self._folder.name!r}", self._wait if patient else 0.0)
        try:
            self._sweep()
            yield held
        finally:
            held.release()

    def _place(self, name: str) -> Path:
        waiting = self._folder / name
        return waiting if os.path.lexists(waiting) else self._folder / _REFUSED / name

    def _own_folder(self, name: str) -> Path:
        """A folder of the spool's own; what has its name and is none becomes a stray."""
        place = self._folder / name
        if os.path.lexists(place) and not is_folder(place):
            place.rename(place.with_name(f"{name}.{uuid_utils.uuid7()}"))
        make_folder(place)
        return place

    def _set_aside(self, name: str, to: Path, story: str) -> None:
        write_synced(to.with_name(f"{to.name}{_STORY}"), (story.encode("utf-8", "backslashreplace"),), "wb")
        (self._folder / name).rename(to)
        sync_folder(to.parent)
        sync_folder(self._folder)

    def _rename_behind_all(self, made: Path, digest: str, reason: str | None) -> str:
        """Have an entry wait behind all others, or with a reason stand among the refused ones: its name."""
        last = max((_order(name) for name in (*self.waiting(), *self.refused())), default=0)
        name, folder = f"{last + 1:012}-{digest}", self._folder
        if reason is not None:
            folder = self._own_folder(_REFUSED)
            write_synced(folder / f"{name}{_STORY}", (reason.encode("utf-8", "backslashreplace"),), "wb")
        made.rename(folder / name)
        for changed in dict.fromkeys((folder, self._folder, self._folder.parent)):
            sync_folder(changed)
        return name

    def _sweep(self) -> None:
        """Remove what killed processes left: what was delivered at once, what was being written a day later."""
        for path in self._folder.iterdir():
            with suppress(OSError):
                abandoned = path.name.startswith(_NEW) and time.time() - path.lstat().st_mtime > _ABANDONED
                if abandoned or path.name.startswith(_DONE):
                    shutil.rmtree(path, ignore_errors=True)


def _names(folder: Path) -> list[str]:
    """The names of entries in a folder, in their order, whatever lies there beside them."""
    return sorted((name for name, is_dir in _listed(folder) if is_dir and _ENTRY.fullmatch(name)), key=_order)


def _is_stray(name: str, is_dir: bool) -> bool:
    if name.startswith(".") or name == _LOCK:
        return False
    return not (is_dir and (name in _FOLDERS or _ENTRY.fullmatch(name)))


def _listed(folder: Path) -> list[tuple[str, bool]]:
    """What lies in a folder, and whether each is a folder itself, and no link to one."""
    try:
        with os.scandir(folder) as entries:
            return [(each.name, each.is_dir(follow_symlinks=False)) for each in entries]
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise denied(error, folder, "read") from error


def _order(name: str) -> int:
    return int(name.partition("-")[0])


def _file_name(key: str) -> str:
    return digest_of(key.encode()).removeprefix("blake3:")
