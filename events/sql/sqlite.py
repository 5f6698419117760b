"""A ledger in a SQLite file."""

from __future__ import annotations

import os
import sqlite3
import stat
import time
from collections.abc import Generator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final

from ...errors import LeptonError, Malformed, Refused, Unavailable
from ...permissions import denied, make_file
from .. import forks
from .database import Database
from .lock import FileLock
from .sqlite_file import (
    Connection,
    alone,
    has_log,
    log_left_behind,
    network_file_system,
    opening,
    replaced,
    stands_for_good,
)
from .sqlite_readonly import ledger_without_log, read_only, uri, writable

if TYPE_CHECKING:
    from .copies import FileCopies

_PREFIX: Final = "sqlite:///"
_END: Final = "SELECT h.seq, (SELECT e.leaf FROM events e WHERE e.seq = h.seq) FROM head h"
_LEAF: Final = "SELECT leaf FROM events WHERE seq = ?"
_TRIES: Final = 5
"""Openings of a file that is replaced each time meanwhile."""
_LONGEST: Final = 60.0
"""Seconds that a fork waits for transactions to end: a child that took one along would write without its locks."""
_USES: Final = forks.Uses()
"""The threads that are within the library, whichever database they are at: its locks are the process's."""


class SQLite(Database):
    """One file, write-ahead, synced at every commit. `sqlite:///` and a path; all behind it is the path."""

    dialect = "sqlite"
    mark = "?"
    qualifies = False
    now = "CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)"
    exists: ClassVar[str] = "SELECT count(*) FROM sqlite_master WHERE name = 'head' AND ? IS NOT NULL"

    def __init__(self, url: str, ledger: str, *, wait: float) -> None:
        path = url.removeprefix(_PREFIX)
        if path in ("", ":memory:", url):
            raise Malformed("LEPTON_DATABASE names no file; write sqlite:///path")
        super().__init__(url, ledger, wait=wait, name=url)
        self.path = Path(path)
        self._id: str | None = None
        """The ledger that this process found in the file."""
        self._seen: tuple[int, bytes] | None = None
        """The last event, and its leaf, in a file that was replaced: what stands in its place must hold it too."""
        _LIVING.add(self)

    @property
    def begin(self) -> tuple[str, ...]:
        """SQLite has one writer at a time."""
        return ("BEGIN IMMEDIATE",)

    @property
    def begin_creation(self) -> tuple[str, ...]:
        """The lock of every writer."""
        return self.begin

    @property
    def creation(self) -> tuple[str, ...]:
        """What the migrations make, in a file of their own."""
        text = (Path(__file__).parent / "sqlite_tables.sql").read_text("utf-8")
        return tuple(part for part in text.split(";\n") if part.strip())

    def there(self) -> bool:
        """Whether the file is there and holds anything."""
        _check_regular(self.path)
        try:
            return self.path.stat().st_size > 0
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError as error:
            raise denied(error, self.path, "read") from error

    def connect(self) -> sqlite3.Connection:
        """A new connection to the ledger that stands at the path; no file is made.

        Raises `Refused` on a network file system or where another ledger stands there than before, `Unavailable` where
        the file is gone or its log ends before what this process knows of it.
        """
        if not self.there():
            raise self._gone()
        self._check_local()
        with opening:
            if replaced(str(self.path)):
                self._check_unopened()
            connection = self._opened()
        try:
            self._check_same(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def alive(self, connection: Any) -> bool:
        """Whether the files that it opened still stand at the path; if not it is closed, once its end is known.

        Nor is one that is closed, or still within a transaction that could not be undone.
        """
        try:
            usable = not connection.in_transaction and connection.stands()
        except sqlite3.Error:
            return False
        if not usable:
            self.discard(connection)
        return usable

    def discard(self, connection: Any) -> None:
        """As ever; where its files do not stand, what takes their place must hold all that was in them."""
        with suppress(sqlite3.Error):
            if not connection.stands():
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                self._seen = connection.execute(_END).fetchone() or self._seen
        super().discard(connection)

    def abandon(self, connection: Any, seq: int, leaf: bytes | None) -> None:
        """As ever; what was to be committed need not be in files that take the place of these."""
        with suppress(sqlite3.Error):
            if not connection.in_transaction and not connection.stands():
                self._seen = (seq, leaf) if leaf is not None else self._seen
                connection.close()
        super().abandon(connection, seq, leaf)

    def _set_log_aside(self) -> None:
        """Move the log of a database that was replaced out of the way, so that it is not read into the new one."""
        place, log = str(self.path), f"{self.path}-wal"
        if log_left_behind(place) is None:
            return
        held = FileLock(Path(f"{place}.moving"), f"what is left of {self.name}", self.wait)
        try:
            if opened := log_left_behind(place):
                Path(log).rename(f"{log}.replaced-{opened.main}")
                Path(f"{place}-shm").unlink(missing_ok=True)
        except OSError as error:
            raise denied(error, log, "moved aside") from error
        finally:
            held.release()

    @contextmanager
    def creating(self) -> Generator[sqlite3.Connection]:
        """A connection of its own, which makes the file."""
        with self._used(), self.translated(), closing(self._made()) as connection:
            yield connection

    def _opened(self) -> Connection:
        for _ in range(_TRIES):
            alone(str(self.path), self.name, self.wait)
            self._set_log_aside()
            connection = self._connected("rw") if writable(self.path) else read_only(self.path, self._options)
            if connection.follow():
                return connection
            connection.close()
        raise self._gone()

    def _made(self) -> Connection:
        """A connection to the file, which is made where it is missing, for those who may use its folder."""
        if not self.path.parent.is_dir():
            raise Refused(f"{self.name} cannot be made, for {self.path.parent} is not there; check the folder")
        self._check_local()
        try:
            make_file(self.path)
        except OSError as error:
            raise denied(error, self.path, "made") from error
        return self._connected("rwc")

    def _connected(self, mode: str) -> Connection:
        connection = Connection(f"{uri(self.path)}?mode={mode}", self.path, **self._options)
        try:
            self._check_own(connection)
            _write_ahead(connection, self.wait)
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()  # opens the log
            connection.execute("PRAGMA synchronous=FULL")
            # a forgotten actor's name and key leave no trace in the pages they stood on
            connection.execute("PRAGMA secure_delete=ON")
        except BaseException:
            connection.close()
            raise
        return connection

    def translate(self, error: Exception) -> LeptonError | None:
        """As ever; but where nothing forbids to write, what failed to open passes: descriptors that ran out, say."""
        ours = super().translate(error)
        if type(ours) is Refused and isinstance(error, sqlite3.Error) and self._may_be_written():
            return Unavailable(f"{self.name} cannot be written now ({error}); try again when it can")
        return ours

    def _may_be_written(self) -> bool:
        """Whether rights allow it, and only the moment does not: a file system may be read-only for a while."""
        folder = self.path.parent
        if not folder.is_dir() or self.path.is_dir():
            return False
        if os.statvfs(folder).f_flag & os.ST_RDONLY:
            return True
        return os.access(folder, os.W_OK | os.X_OK) and (not self.path.exists() or os.access(self.path, os.W_OK))

    @property
    def _options(self) -> dict[str, Any]:
        return {"timeout": self.wait, "isolation_level": None, "check_same_thread": False}

    def _check_local(self) -> None:
        if kind := network_file_system(self.path.parent):
            raise Refused(
                f"{self.path.parent} is on a network file system ({kind}), where SQLite loses data; "
                "put the home on a local disk or set LEPTON_DATABASE to a PostgreSQL"
            )

    def _check_own(self, connection: Connection) -> None:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if tables and "head" not in tables:
            raise Refused(f"{self.name} holds tables of something else; give the ledger a file of its own")

    def _check_unopened(self) -> None:
        """Look at a file that took another's place as it stands, for to open it makes a log beside it.

        Raises as `_check_same` does, and `Unavailable` where it holds no ledger: half of it was copied as yet, say.
        """
        known = None
        with closing(sqlite3.connect(f"{uri(self.path)}?mode=ro&immutable=1", uri=True)) as connection:
            with suppress(sqlite3.Error):
                known = self._check_ledger(connection)
            if known is not None:
                self._set_log_aside()
            if has_log(str(self.path)):
                return
            if known is None:
                raise self._gone()
            self._check_seen(connection)

    def _check_same(self, connection: Connection) -> None:
        """It must be the ledger of before, and its log must hold what this process knows of it."""
        found = self._check_ledger(connection)
        if found is None:
            return
        if (alone := ledger_without_log(self.path)) not in (None, found):
            raise Refused(
                f"{self.name} holds ledger {alone}, and beside it lies the write-ahead log of ledger {found}; bring "
                f"{self.path.name}-wal back to its own database"
            )
        self._id = found
        self._check_seen(connection)
        self._seen = None
        stands_for_good(str(self.path))

    def _check_ledger(self, connection: sqlite3.Connection) -> str | None:
        """The id of the ledger, None where there is none. Raises `Refused` where it is another than before."""
        if not connection.execute(self.exists, ("",)).fetchone()[0]:
            return None
        row = connection.execute("SELECT ledger FROM head").fetchone()
        if row and self._id not in (None, row[0]):
            raise Refused(
                f"{self.name} was replaced by the file of another ledger ({row[0]}, and this process works on "
                f"{self._id}); put the right file back, or start the process anew to work on the other"
            )
        return row and row[0]

    def _check_seen(self, connection: sqlite3.Connection) -> None:
        if self._seen is None or not self._seen[0]:
            return
        if connection.execute(_LEAF, self._seen[:1]).fetchone() != (self._seen[1],):
            raise Unavailable(
                f"{self.name} was replaced by an older state, which lacks event {self._seen[0]} as this process knows "
                "it; put the newer file back, or start the process anew to go on from the older one"
            )

    def _gone(self) -> LeptonError:
        if self._id is None:
            return Refused(f"there is no {self.name}; `lepton init` makes a ledger, LEPTON_HOME names the home of one")
        return Unavailable(
            f"{self.name} is gone: it or its home was moved or removed while this process used it; nothing is written "
            "until it is back in its place"
        )

    def erase(self, connection: Any) -> None:
        """Clear the write-ahead log. `Unavailable` where a reader keeps it."""
        if connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
            raise Unavailable(
                f"the name is forgotten, but a reader kept traces in the write-ahead log of {self.name} "
                f"for {self.wait:g} s; forget again when it is done"
            )

    def foreign(self, connection: Any) -> list[str]:
        """Triggers and views: Lepton has none, and a file holds one ledger alone."""
        found = connection.execute("SELECT type, name FROM sqlite_master WHERE type IN ('trigger', 'view') ORDER BY 2")
        return [f"{kind} {name}" for kind, name in found]

    @property
    def copies(self) -> FileCopies:
        """Files beside the ledger's."""
        from .copies import FileCopies

        return FileCopies(self.path)

    @contextmanager
    def looking(self) -> Generator[Any]:
        """The file, opened for reading; SQLite makes the files of a write-ahead log beside it where it is told less."""
        if not self.path.exists():
            yield None
            return
        log = Path(f"{self.path}-wal")
        told = "mode=ro" if log.exists() and log.stat().st_size else "immutable=1"
        url = f"{uri(self.path)}?{told}"
        with (
            self._used(),
            self.translated(),
            closing(sqlite3.connect(url, uri=True, isolation_level=None)) as connection,
        ):
            yield connection

    def lock(self, what: str) -> FileLock:
        """A lock on a file beside the ledger's."""
        return FileLock(Path(f"{self.path}.{what}"), f"the {what} of {self.name}", self.wait)

    def enter(self) -> None:
        """A fork waits until `leave`."""
        self._used().__enter__()

    def leave(self) -> None:
        """Let a fork pass."""
        _USES.__exit__()

    def close(self) -> None:
        """As ever; a fork waits until it is done."""
        if not _USES.unsafe:  # else none could be opened
            with _USES:
                super().close()

    def _used(self) -> forks.Uses:
        """Within it a fork waits. Raises `Unavailable` in a child that was forked while it could not."""
        if _USES.unsafe:
            raise Unavailable(
                f"this process was forked while a thread of its parent was at {self.name}, whose locks it cannot tell "
                "from its own; start it by spawn, or fork again"
            )
        return _USES


class _ConnectionsAtForks:
    """No connection goes into a child: it would take its parent's locks for its own, and write without any."""

    def before_fork(self) -> None:
        """Wait for the threads that are at a database, and close all connections."""
        if _USES.rest(_LONGEST):
            for database in _LIVING.all():
                Database.close(database)  # while nobody is let in

    def after_fork(self, *, child: bool) -> None:
        """Let threads in again; connections are opened as they are asked for."""
        _USES.resume(child=child)


_LIVING: forks.Living[SQLite] = forks.Living()
_AT_FORKS = _ConnectionsAtForks()
forks.guard(_AT_FORKS, last=True)


def _check_regular(path: Path) -> None:
    """Hold that there is a file or nothing: what reads from a pipe or a device may never come to its end."""
    for place in (path, Path(f"{path}-wal"), Path(f"{path}-shm")):
        try:
            mode = place.stat().st_mode
        except OSError:
            continue  # it is not there, or SQLite says what is wrong with it
        if not stat.S_ISREG(mode):
            raise Refused(f"{place} is no file, but a ledger's database is one; move it away or set LEPTON_DATABASE")


def _write_ahead(connection: sqlite3.Connection, wait: float) -> None:
    """Put the file in WAL mode. Where two processes do so at once SQLite answers busy whatever its timeout."""
    deadline = time.monotonic() + wait
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
