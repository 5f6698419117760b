"""Copies of the views for strangers' queries: files that nobody writes while they are read, as fresh as is asked for.

Two or three stand in turn. One that nobody reads is brought up to the end of the log, which costs what was added since,
while queries go on reading the others; so neither the read model nor a running query is waited for.
"""

from __future__ import annotations

import secrets
import shutil
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Condition
from typing import Final

from ...errors import LockHeld, Unavailable
from ...events.log import EventLog
from ...events.sql.lock import FileLock
from ...permissions import denied, make_folder
from ..file import ViewsFile
from ..instance import removed

_MEMORY: Final = "512MB"
_PAUSE: Final = 0.02
_IDLE: Final = 2
"""Copies that are kept where nobody reads them."""
_LOCK: Final = "lock"


@dataclass(eq=False)
class _ViewCopy:
    path: Path
    position: int = 0
    readers: int = 0


class ViewCopies:
    """The copies of one process, in a folder of their own, which goes with `close`; after `kill -9` with the next one.

    `first` makes a copy at a path, as `snapshot` does.
    """

    def __init__(self, parent: Path, log: EventLog, first: Callable[[Path], None]) -> None:
        self._log = log
        self._first = first
        self._turn = Condition()
        self._copies: list[_ViewCopy] = []
        self._refreshing = False
        try:
            make_folder(parent)
            _cleared(parent)
            self._folder = parent / secrets.token_hex(8)
            make_folder(self._folder)
        except OSError as error:
            raise denied(error, parent, "made") from error
        self._lock = FileLock(self._folder / _LOCK, "the copies of the views", 0.0)

    def close(self) -> None:
        """Remove them; whoever reads one still has it."""
        shutil.rmtree(self._folder, ignore_errors=True)
        self._lock.release()

    @contextmanager
    def reaching(self, seq: int, deadline: float) -> Generator[Path]:
        """A copy that holds event `seq`, unchanged meanwhile; `Unavailable` where none does in `deadline` seconds."""
        copy = self._taken(seq, time.monotonic() + deadline)
        try:
            yield copy.path
        finally:
            with self._turn:
                copy.readers -= 1
                self._thin_out()

    def _taken(self, seq: int, end: float) -> _ViewCopy:
        """A fresh enough copy with one more reader."""
        while True:
            with self._turn:
                newest = max(self._copies, key=lambda copy: copy.position, default=None)
                if newest is not None and newest.position >= seq:
                    newest.readers += 1
                    return newest
                if time.monotonic() >= end:
                    at = newest.position if newest else 0
                    raise Unavailable(f"event {seq} did not reach the views, which stand at event {at}; try again")
                if self._refreshing:
                    self._turn.wait(max(0.0, end - time.monotonic()))
                    continue
                self._refreshing = True
            try:
                reached = self._refreshed()
            finally:
                with self._turn:
                    self._refreshing = False
                    self._turn.notify_all()
            if reached < seq:  # it is of no event yet
                time.sleep(_PAUSE)

    def _refreshed(self) -> int:
        """Bring one that nobody reads up to the end of the log, or a new one."""
        with self._turn:
            idle = [copy for copy in self._copies if not copy.readers]
            copy = max(idle, key=lambda each: each.position, default=None)
            if copy is not None:
                self._copies.remove(copy)
        copy = copy or self._made()
        try:
            self._followed(copy)
        except BaseException:
            removed(copy.path)
            raise
        with self._turn:
            self._copies.append(copy)
            self._thin_out()
        return copy.position

    def _made(self) -> _ViewCopy:
        """A new one: of the newest, which is read just now, or the first."""
        copy = _ViewCopy(self._folder / f"{secrets.token_hex(8)}.duckdb")
        with self._turn:
            newest = max(self._copies, key=lambda each: each.position, default=None)
            if newest is not None:
                newest.readers += 1
        if newest is None:
            self._first(copy.path)
            return copy
        try:
            shutil.copyfile(newest.path, copy.path)
        finally:
            with self._turn:
                newest.readers -= 1
        return copy

    def _followed(self, copy: _ViewCopy) -> None:
        file = ViewsFile(copy.path, self._log, _MEMORY)
        try:
            copy.position = file.follow()
        finally:
            file.close()

    def _thin_out(self) -> None:
        """Remove the oldest of those that nobody reads, beyond two."""
        idle = sorted((copy for copy in self._copies if not copy.readers), key=lambda copy: copy.position)
        for copy in idle[: max(0, len(idle) - _IDLE)]:
            self._copies.remove(copy)
            removed(copy.path)


def _cleared(parent: Path) -> None:
    """Remove what processes left there that are gone."""
    for folder in parent.iterdir():
        with suppress(LockHeld, OSError):
            lock = FileLock(folder / _LOCK, "the copies of the views", 0.0)
            shutil.rmtree(folder, ignore_errors=True)
            lock.release()
