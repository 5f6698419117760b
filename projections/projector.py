"""The one holder of a ledger's read model: it follows the log and lends cursors to readers."""

from __future__ import annotations

import logging
import os
import re
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from datetime import date, datetime
from pathlib import Path
from threading import RLock
from types import TracebackType
from typing import TYPE_CHECKING, TypeVar

from ..errors import Damaged, Unavailable
from ..events.forks import abandon
from ..events.log import EventLog, Row
from ..events.sql.lock import FileLock
from ..permissions import denied, make_folder
from ..tensors.folder import sync_folder
from . import inherited
from .file import ViewsFile
from .instance import foreign, moved_aside, removed
from .moments import recorded_at, seq_at
from .schema import schema
from .shared_lock import SharedLock
from .translation import is_of_file
from .views_folder import is_of

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_PAUSE = 0.01
_log = logging.getLogger("lepton.projector")

T = TypeVar("T")


class Projection:
    """The read model of one ledger, in `<ledger>-<hash of its SQL>.duckdb` within `folder`; threads may share it.

    One process at a time holds it; another is waited for up to `wait` seconds, then `Unavailable` names its process.
    A file that is damaged, half-written or of another history is built anew, with a log line.
    """

    def __init__(
        self, folder: Path, log: EventLog, *, ledger: str = "main", wait: float = 30.0, memory_limit: str = "1GB"
    ) -> None:
        try:
            make_folder(folder)
        except OSError as error:
            raise denied(error, folder, "made") from error
        self._process = os.getpid()
        self.path = folder / f"{ledger}-{schema().fingerprint}.duckdb"
        self.ledger = ledger
        """The name of the ledger that it tells of."""
        self.log = log
        """What it follows."""
        self._memory_limit = memory_limit
        self._sharing = SharedLock()
        self._writing = RLock()
        self._what = f"the read model of ledger {ledger!r}"
        self._closed = False
        self.replaced: Damaged | None = None
        """What was wrong with a file that had to be built anew."""
        self._last = 0
        """The position of the file that was set down."""
        self._opening = RLock()
        self._lock = self._locked(wait)
        self._held: ViewsFile | None = None
        try:
            with self._within():
                self._old = self._left_behind()
                self._held = self._opened(self.path)
        except BaseException:
            self._lock.release()
            raise
        inherited.held(self)

    @property
    def position(self) -> int:
        """The last `seq` that was applied."""
        held = self._held
        return self._last if held is None else held.position

    @property
    def _file(self) -> ViewsFile:
        """The file, opened again where a fork or damage closed it."""
        if (file := self._held) is None:
            with self._opening:
                if (file := self._held) is None:
                    if self._closed:
                        raise Unavailable(f"{self._what} is closed; open it again")
                    file = self._opened(self.path)
                    try:
                        # a damaged one was replaced by an empty one, which must not answer for it
                        if file.position < self._last:
                            file.follow(self._last)
                    except BaseException:
                        file.close()
                        raise
                    self._held = file
        return file

    @contextmanager
    def _within(self) -> Generator[None]:
        """Be at work in DuckDB, in the process that opened the file."""
        inherited.own(self._process, self._what)
        try:
            with inherited.USES:
                yield
        except OSError as error:  # a full disk, say, where a file is moved or removed
            if error.errno is None:  # Arrow's, which bears DuckDB's words
                raise
            raise denied(error, self.path, "written") from error

    def catch_up(self, wait_for: int | None = None, deadline: float = 30.0) -> int:
        """Apply what the log holds, and return the position.

        Where `wait_for` is not there yet it is waited for; after `deadline` seconds: `Unavailable`. Raises `Damaged`
        naming the event that is no longer what was recorded, `NewerLedger` on an unknown type.
        """
        end = time.monotonic() + deadline
        with self._within(), self._writing:
            self._revive()
            while self._file.follow() < (wait_for or 0):
                if time.monotonic() >= end:
                    raise Unavailable(
                        f"event {wait_for} did not reach the read model within {deadline:g} s, which stands at event "
                        f"{self.position}; try again"
                    )
                time.sleep(_PAUSE)
            while self._old:
                old = self._old.pop()
                if is_of(old, self.log.ledger_id):
                    removed(old)
            return self.position

    def apply(self, rows: Sequence[Row]) -> None:
        """Apply rows that follow the position; those before it are skipped, a gap is `Damaged`."""
        with self._within(), self._writing:
            self._revive()
            self._file.apply(rows)

    def rebuild(self) -> int:
        """Build the file anew from the first event, put it in the old one's place whole, and return the position."""
        with self._within(), self._writing:
            self._revive()
            place = self.path.with_name(f"{self.path.name}.new")
            removed(place)
            fresh = ViewsFile(place, self.log, self._memory_limit, ordered=False)
            try:
                fresh.follow()
            finally:
                fresh.close()
            with self._sharing.alone():
                self._set_down()
                removed(self.path)
                place.replace(self.path)
                sync_folder(self.path.parent)
            return self.position

    def mended(self, act: Callable[[], T]) -> T:
        """What `act` answers. Where the file turns out to be damaged it is built anew from the log, and `act` repeated.

        DuckDB shuts an instance behind some errors, so it is opened again first. A query that breaks it on a whole file
        raises the same `Damaged`; nothing is built anew for that.
        """
        try:
            return act()
        except Damaged as damage:
            if not is_of_file(damage):
                raise
            first = damage
        self._reopen()
        try:
            return act()
        except Damaged as damage:
            if not is_of_file(damage):
                raise
        if (unreadable := self._unreadable()) is None:
            raise first
        self.renew(unreadable)
        return act()

    def renew(self, damage: Damaged) -> None:
        """Move the file aside for what is wrong with it, and build it anew from the log."""
        with self._within(), self._writing:
            with self._sharing.alone():
                self._set_down()
                aside = moved_aside(self.path, "damaged")
                self.replaced = damage
                _log.warning("%s; it was moved to %s and is built anew from the log", damage, aside.name)
            self._file.follow()

    def _reopen(self) -> None:
        with self._within(), self._writing, self._sharing.alone():
            self._set_down()

    def _unreadable(self) -> Damaged | None:
        with self._within(), self._sharing.shared():
            return self._file.unreadable()

    @contextmanager
    def reading(self) -> Generator[DuckDBPyConnection]:
        """A cursor of one's own, with the file held in its place meanwhile."""
        with self._within(), self._sharing.shared():
            cursor = self._file.cursor()
            try:
                yield cursor
            finally:
                self._given_back(cursor)

    def _given_back(self, cursor: DuckDBPyConnection) -> None:
        if os.getpid() != self._process:  # a child of the reader's, on its way out
            abandon(cursor)
            return
        with suppress(*foreign()):
            cursor.close()

    @contextmanager
    def resting(self) -> Generator[Path]:
        """The file, whole and closed, while nobody reads or writes it."""
        with self._within(), self._writing, self._sharing.alone():
            self._set_down()
            yield self.path

    def seq_at(self, when: datetime | date) -> int:
        """The last `seq` recorded by then, 0 if none was; a date means the end of that day in UTC, as does no zone.

        Where a clock was wrong for a while and the log was carried ahead, the clocks of those who came after count.
        """
        with self.reading() as cursor:
            return seq_at(cursor, when)

    def recorded_at(self, seq: int) -> datetime | None:
        """When an event was recorded, by the clock that as-of goes by; None for no event."""
        with self.reading() as cursor:
            return recorded_at(cursor, seq)

    def close(self) -> None:
        """Close the file and give the lock back; a second call does nothing, nor does one in a forked child."""
        if os.getpid() != self._process:
            return
        with inherited.USES, self._writing, self._sharing.alone():
            self._closed = True
            self._set_down()
            self._lock.release()

    def set_down(self) -> None:
        """Close the file before a fork, while nobody is within DuckDB; the next use opens it again."""
        if os.getpid() == self._process:
            self._set_down()

    def leave(self) -> None:
        """In a forked child: forget the file, which is the parent's."""
        held, self._held = self._held, None
        if held is not None:
            held.leave()

    def _set_down(self) -> None:
        held, self._held = self._held, None
        if held is not None:
            self._last = held.position
            held.close()

    def __enter__(self) -> Projection:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _revive(self) -> None:
        """Begin anew where the file, or the file of its lock, was removed or replaced under this process."""
        try:
            self._lock.check()
            if self._held is None or self._held.stands():
                return
        except Unavailable:
            if self._closed:
                raise
            make_folder(self.path.parent)
            self._lock.release()
            self._lock = self._locked(0.0)
        with self._sharing.alone():
            self._set_down()
            self._last = 0  # what stands at the path now is another file, or none

    def _locked(self, wait: float) -> FileLock:
        return FileLock(self.path.parent / f"{self.ledger}.lock", self._what, wait)

    def _opened(self, path: Path) -> ViewsFile:
        file = ViewsFile(path, self.log, self._memory_limit)
        self.replaced = file.replaced or self.replaced
        return file

    def _left_behind(self) -> list[Path]:
        """Files of this ledger made by other SQL, and what a rebuild or a snapshot left when it was killed."""
        pattern = re.compile(
            re.escape(self.ledger) + r"-([0-9a-f]{12}\.duckdb(\.new|\.damaged)?|snapshot-[0-9a-f]{32})"
        )
        files = [path for path in self.path.parent.iterdir() if pattern.fullmatch(path.name)]
        return [path for path in files if path.name not in (self.path.name, f"{self.path.name}.damaged")]
