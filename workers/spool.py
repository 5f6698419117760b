"""The spool: what could not be told to the ledger, kept in order on this machine's own disk until it can."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal, cast

import uuid_utils

from ..errors import Damaged
from ..events.lock import FileLock, Held
from ..permissions import denied, make_folder
from ..tensors.digest import digest_of
from ..tensors.objects import ObjectStore
from ..tensors.synced import sync_folder, write_synced

FORMAT: Final = "lepton.spool.v1"
_NEW, _DONE, _REFUSED, _QUIET = ".new-", ".done-", "refused", "quiet"
_ABANDONED: Final = 86400.0
"""Seconds after which what a killed writer left is nobody's any more."""

Kind = Literal["save", "start", "log", "checkpoint", "finish"]


@dataclass(frozen=True, slots=True)
class Entry:
    """What waits: under which key it was asked, by whom, when it happened, and all of it as plain JSON."""

    kind: Kind
    key: str
    actor: str
    """A name: who that is in the ledger may not be known yet."""
    time: datetime
    asked: Mapping[str, Any]


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

    def put(self, entry: Entry, keep: Callable[[ObjectStore], Mapping[str, Any]] | None = None) -> Mapping[str, Any]:
        """Keep an entry behind all that wait; `keep` writes its objects, and says what it holds beside: returned.

        On return it is synced. On any error nothing of it is left.
        """
        self._ready()
        make_folder(self._folder)
        made = self._folder / f"{_NEW}{uuid_utils.uuid7()}"
        make_folder(made)
        try:
            kept: Mapping[str, Any] = keep(self._objects_in(made / "objects")) if keep else {}
            content = _encoded(entry, kept)
            write_synced(made / "entry.json", (content,), "wb")
            sync_folder(made)
            self._rename_behind_all(made, digest_of(content).removeprefix("blake3:"))
        except BaseException:
            shutil.rmtree(made, ignore_errors=True)
            raise
        return kept

    def waiting(self) -> list[str]:
        """The names of the entries that wait, in order. Where nothing was ever spooled it costs one call."""
        return _names(self._folder)

    def refused(self) -> list[str]:
        """The names of the entries that the ledger refused, in order."""
        return _names(self._folder / _REFUSED)

    def read(self, name: str) -> Entry:
        """An entry, waiting or refused. Raises `Damaged` where it is not what its name says."""
        try:
            content = (self._place(name) / "entry.json").read_bytes()
        except OSError as error:
            raise Damaged(f"spooled entry {name}", expected="an entry.json", found=str(error.strerror)) from error
        if digest_of(content) != (expected := f"blake3:{name.rpartition('-')[2]}"):
            raise Damaged(f"spooled entry {name}", expected=expected, found=digest_of(content))
        return _decoded(name, content)

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
        """Put an entry aside, with the reason."""
        aside = self._folder / _REFUSED
        make_folder(aside)
        write_synced(self._folder / name / "reason", (reason.encode(),), "wb")
        (self._folder / name).rename(aside / name)
        sync_folder(aside)
        sync_folder(self._folder)

    def again(self) -> None:
        """Let the refused entries wait again, in their old places."""
        for name in self.refused():
            (self._folder / _REFUSED / name).rename(self._folder / name)
        if self._folder.is_dir():
            sync_folder(self._folder)

    def reason(self, name: str) -> str:
        """Why an entry was refused."""
        with suppress(OSError):
            return (self._folder / _REFUSED / name / "reason").read_text()
        return "its reason is lost"

    def note(self, key: str, number: int) -> None:
        """Remember which version a save turned out to repeat, since no event bears its key."""
        make_folder(self._folder / _QUIET)
        place = self._folder / _QUIET / _file_name(key)
        write_synced(part := place.with_suffix(".part"), (str(number).encode(),), "wb")
        part.rename(place)
        sync_folder(place.parent)

    def noted(self, key: str) -> int | None:
        """The version that a save turned out to repeat."""
        with suppress(OSError, ValueError):
            return int((self._folder / _QUIET / _file_name(key)).read_text())
        return None

    @contextmanager
    def lock(self, *, patient: bool = True) -> Generator[Held]:
        """Be the one who delivers. Raises `Unavailable` naming who does it now, after LEPTON_WAIT or at once."""
        held = FileLock(self._folder / "lock", f"the spool {self._folder.name!r}", self._wait if patient else 0.0)
        try:
            self._sweep()
            yield held
        finally:
            held.release()

    def _place(self, name: str) -> Path:
        waiting = self._folder / name
        return waiting if waiting.is_dir() else self._folder / _REFUSED / name

    def _rename_behind_all(self, made: Path, digest: str) -> None:
        last = max((int(name.partition("-")[0]) for name in (*self.waiting(), *self.refused())), default=0)
        made.rename(self._folder / f"{last + 1:012}-{digest}")
        sync_folder(self._folder)
        sync_folder(self._folder.parent)

    def _sweep(self) -> None:
        """Remove what killed processes left: what was delivered at once, what was being written a day later."""
        for path in self._folder.iterdir():
            with suppress(OSError):
                abandoned = path.name.startswith(_NEW) and time.time() - path.stat().st_mtime > _ABANDONED
                if abandoned or path.name.startswith(_DONE):
                    shutil.rmtree(path, ignore_errors=True)


def _names(folder: Path) -> list[str]:
    try:
        return sorted(name for name in os.listdir(folder) if name[:1].isdecimal())  # noqa: PTH208 - the cheapest
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise denied(error, folder, "read") from error


def _encoded(entry: Entry, kept: Mapping[str, Any]) -> bytes:
    about = {"kind": entry.kind, "key": entry.key, "actor": entry.actor, "time": entry.time.isoformat()}
    return json.dumps({"format": FORMAT, **about, "asked": {**entry.asked, **kept}}, allow_nan=False).encode()


def _decoded(name: str, content: bytes) -> Entry:
    told = cast("dict[str, Any]", json.loads(content))
    if told["format"] != FORMAT:
        raise Damaged(f"spooled entry {name}", expected=FORMAT, found=str(told["format"]))
    return Entry(told["kind"], told["key"], told["actor"], datetime.fromisoformat(told["time"]), told["asked"])


def _file_name(key: str) -> str:
    return digest_of(key.encode()).removeprefix("blake3:")
