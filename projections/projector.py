"""The one holder of a ledger's read model: it follows the log and lends cursors to readers."""

from __future__ import annotations

import re
import time
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from threading import RLock
from types import TracebackType
from typing import TYPE_CHECKING

from ..errors import Unavailable
from ..events.clock import moment
from ..events.lock import FileLock
from ..events.log import Log, Row
from ..permissions import denied, make_folder
from ..tensors.synced import sync_folder
from .file import File
from .gate import Gate
from .instance import removed
from .schema import schema
from .views_folder import is_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from duckdb import DuckDBPyConnection

_PAUSE = 0.01


class Projection:
    """The read model of one ledger, in `<ledger>-<hash of its SQL>.duckdb` within `folder`; threads may share it.

    One process at a time holds it; another is waited for up to `wait` seconds, then `Unavailable` names its process.
    A file that is damaged, half-written or of another history is built anew, with a log line.
    """

    def __init__(
        self, folder: Path, log: Log, *, ledger: str = "main", wait: float = 30.0, memory_limit: str = "1GB"
    ) -> None:
        try:
            make_folder(folder)
        except OSError as error:
            raise denied(error, folder, "made") from error
        self.path = folder / f"{ledger}-{schema().fingerprint}.duckdb"
        self._ledger = ledger
        self._source = log
        self._memory_limit = memory_limit
        self._gate = Gate()
        self._writing = RLock()
        self._lock = self._locked(wait)
        try:
            self._file = self._opened(self.path)
        except BaseException:
            self._lock.release()
            raise
        self._old = self._left_behind()

    @property
    def position(self) -> int:
        """The last `seq` that was applied."""
        return self._file.position

    def catch_up(self, wait_for: int | None = None, deadline: float = 30.0) -> int:
        """Apply what the log holds, and return the position.

        Where `wait_for` is not there yet it is waited for; after `deadline` seconds: `Unavailable`. Raises `Damaged`
        naming the event that is no longer what was recorded, `NewerLedger` on an unknown type.
        """
        end = time.monotonic() + deadline
        with self._writing:
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
                if is_of(old, self._source.ledger_id):
                    removed(old)
            return self.position

    def apply(self, rows: Sequence[Row]) -> None:
        """Apply rows that follow the position; those before it are skipped, a gap is `Damaged`."""
        with self._writing:
            self._revive()
            self._file.apply(rows)

    def rebuild(self) -> int:
        """Build the file anew from the first event, put it in the old one's place whole, and return the position."""
        with self._writing:
            self._revive()
            place = self.path.with_name(f"{self.path.name}.new")
            removed(place)
            fresh = File(place, self._source, self._memory_limit, ordered=False)
            try:
                fresh.follow()
            finally:
                fresh.close()
            with self._gate.alone():
                self._file.close()
                removed(self.path)
                place.replace(self.path)
                sync_folder(self.path.parent)
                self._file = self._opened(self.path)
            return self.position

    @contextmanager
    def reading(self) -> Generator[DuckDBPyConnection]:
        """A cursor of one's own, with the file held in its place meanwhile."""
        with self._gate.shared():
            cursor = self._file.cursor()
            try:
                yield cursor
            finally:
                cursor.close()

    @contextmanager
    def resting(self) -> Generator[Path]:
        """The file, whole and closed, while nobody reads or writes it."""
        with self._writing, self._gate.alone():
            self._file.close()
            try:
                yield self.path
            finally:
                self._file = self._opened(self.path)

    def seq_at(self, when: datetime | date) -> int:
        """The last `seq` recorded by then, 0 if none was; a date means the end of that day in UTC, as does no zone.

        Where a clock was wrong for a while and the log was carried ahead, the clocks of those who came after count.
        """
        with self.reading() as cursor:
            found = cursor.execute(
                "SELECT coalesce(max(seq), 0) FROM store.events WHERE coalesce(clock, recorded) <= ?::TIMESTAMPTZ",
                [instant(when)],
            ).fetchall()
        return found[0][0]

    def recorded_at(self, seq: int) -> datetime | None:
        """When an event was recorded, by the clock that as-of goes by; None for no event."""
        with self.reading() as cursor:
            told = "SELECT epoch_us(coalesce(clock, recorded)) FROM store.events WHERE seq = ?"
            found = cursor.execute(told, [seq]).fetchall()
        return moment(found[0][0]) if found else None

    def close(self) -> None:
        """Close the file and give the lock back; a second call does nothing."""
        with self._writing, self._gate.alone():
            self._file.close()
            self._lock.release()

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
            if self._file.stands():
                return
        except Unavailable:
            make_folder(self.path.parent)
            self._lock.release()
            self._lock = self._locked(0.0)
        with self._gate.alone():
            self._file.close()
            self._file = self._opened(self.path)

    def _locked(self, wait: float) -> FileLock:
        what = f"the read model of ledger {self._ledger!r}"
        return FileLock(self.path.parent / f"{self._ledger}.lock", what, wait)

    def _opened(self, path: Path) -> File:
        return File(path, self._source, self._memory_limit)

    def _left_behind(self) -> list[Path]:
        """Files of this ledger made by other SQL, and what a rebuild left when it was killed."""
        pattern = re.compile(re.escape(self._ledger) + r"-[0-9a-f]{12}\.duckdb(\.new)?")
        found = [path for path in self.path.parent.iterdir() if pattern.fullmatch(path.name)]
        return [path for path in found if path != self.path]


def instant(when: datetime | date) -> str:
    """A moment as DuckDB reads it, to the microsecond: the last one of a date's day; UTC where no zone is said."""
    if not isinstance(when, datetime):
        when = datetime(when.year, when.month, when.day, tzinfo=UTC) + timedelta(days=1, microseconds=-1)
    elif when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    return when.astimezone(UTC).isoformat()
