"""The connections to a ledger's database, whichever it is."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Generator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Final

from ...errors import LeptonError
from .lock import Held
from .rows import Head, head_of
from .statements import Statements
from .translation import Translator

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine

    from .copies import Copies


class Database(ABC):
    """One ledger's database. It survives a fork: the child opens connections of its own."""

    dialect: ClassVar[str]
    """What SQLAlchemy calls it."""
    options: ClassVar[dict[str, Any]] = {}
    """More of what SQLAlchemy is told."""
    mark: ClassVar[str]
    """Where a parameter goes in a statement."""
    now: ClassVar[str]
    """The time by its host's clock as SQL: whole microseconds since 1970."""
    clock: ClassVar[str] = "NULL"
    """As `now`, where its host is another machine; NULL where its clock is this machine's."""
    exists: ClassVar[str]
    """Whether the ledger's tables are there; its one parameter is the schema."""
    qualifies: ClassVar[bool]
    """Whether statements name the schema of each table."""

    def __init__(self, url: str, ledger: str, *, wait: float, name: str, secrets: tuple[str, ...] = ()) -> None:
        self.url = url
        self.ledger = ledger
        self.wait = wait
        self.name: Final = f"the database {name}"
        """What messages call it: never a password."""
        self._translator = Translator(self.name, wait, secrets)
        # by process: a child keeps what is its parent's untouched, for closing it would hang up on the parent
        self._idle: dict[int, list[Any]] = {}
        self._head: tuple[tuple[Any, ...], Head | None] = ((), None)

    @property
    def schema(self) -> str:
        """The schema that holds the ledger, where databases have them."""
        return f"lepton_{self.ledger}"

    @cached_property
    def sql(self) -> Statements:
        """The statements as this database's driver takes them."""
        return Statements(self.mark, self.schema if self.qualifies else None)

    @property
    @abstractmethod
    def begin(self) -> tuple[str, ...]:
        """Begins a transaction with the writers' lock held, the head's."""

    @property
    def begin_upgrade(self) -> tuple[str, ...]:
        """Begins the transaction that changes the tables, with the writers' lock held."""
        return self.begin

    @property
    @abstractmethod
    def begin_creation(self) -> tuple[str, ...]:
        """Begins the transaction that makes the tables, and shuts others out of it."""

    @property
    def creation(self) -> tuple[str, ...]:
        """The statements that make the tables; none where the migrations do."""
        return ()

    @abstractmethod
    def connect(self) -> Any:
        """A new connection of the driver's own, in autocommit. No wait on it is without an end."""

    def there(self) -> bool:
        """Whether there is anything to connect to, where that can be told without connecting."""
        return True

    def alive(self, connection: Any) -> bool:  # noqa: ARG002
        """Whether an idle connection can be used; one that cannot is closed."""
        return True

    def together(self, connection: Any) -> AbstractContextManager[object]:  # noqa: ARG002
        """Within it statements wait on their way until an answer is read, where the database is far enough for that.

        An error of one is raised by whatever reads next, at the latest by the end.
        """
        return nullcontext()

    def patient(self, connection: Any) -> AbstractContextManager[None]:  # noqa: ARG002
        """Within it a statement may take as long as one over a whole table does."""
        return nullcontext()

    def insert_events(
        self, connection: Any, sql: Statements, rows: Sequence[tuple[Any, ...]], head: tuple[Any, ...]
    ) -> None:
        """Insert rows of the event table, and move the head to these columns."""
        cursor = connection.cursor()
        cursor.executemany(sql.insert_events, rows)
        cursor.execute(sql.move_head, head)

    def head_of(self, columns: tuple[Any, ...]) -> Head:
        """The head in its columns, which are mostly those that this process wrote last."""
        known, head = self._head
        return head if head is not None and columns == known else head_of(columns)

    def note_head(self, columns: tuple[Any, ...], head: Head) -> None:
        """Remember a head by the columns that it was written as."""
        self._head = columns, head

    def undone(self, error: Exception) -> bool:  # noqa: ARG002
        """Whether an error, after COMMIT was asked for, tells that it did not take place."""
        return False

    @abstractmethod
    def erase(self, connection: Any) -> None:
        """Leave no trace of rows deleted from `actors` in the files, or raise `Unavailable`."""

    @abstractmethod
    def foreign(self, connection: Any) -> list[str]:
        """What acts on the ledger's tables and is not Lepton's: triggers, rules, views, policies, inherited rows."""

    @property
    @abstractmethod
    def copies(self) -> Copies:
        """The copies that upgrades made of the ledger's tables."""

    @contextmanager
    def looking(self) -> Generator[Any]:
        """A connection that only reads, and changes no byte of what is there; None where there is no database."""
        with self.connection() as connection:
            yield connection

    @abstractmethod
    def lock(self, what: str) -> Held:
        """A lock of the ledger's own, for the one process that does `what`; it dies with its holder.

        Raises `LockHeld` where another holds it for longer than `wait` seconds, `Unavailable` where nobody can tell.
        """

    def check_creation(self, connection: Any) -> None:  # noqa: B027
        """Within the transaction that makes the tables: raise `Refused` where a ledger cannot live here."""

    @contextmanager
    def creating(self) -> Generator[Any]:
        """The connection on which a ledger is made."""
        with self.connection() as connection:
            yield connection

    def engine(self, connection: Any) -> Engine:
        """SQLAlchemy for migrations, over a connection that the caller holds and keeps."""
        from sqlalchemy import create_engine
        from sqlalchemy.pool import StaticPool

        return create_engine(
            f"{self.dialect}://",
            creator=lambda: connection,
            isolation_level="AUTOCOMMIT",
            poolclass=StaticPool,
            pool_reset_on_return=None,
            **self.options,
        )

    def connection(self) -> AbstractContextManager[Any]:
        """The driver's own connection, in autocommit: callers say BEGIN. Foreign errors come out as ours.

        After any error but Lepton's the connection is thrown away, which undoes what was not committed. It is kept
        here for the next caller: a pool that counts, times and resets connections would cost an append 60 µs.
        """
        return Lent(self)

    def enter(self) -> None:  # noqa: B027
        """Begin to use the library; raises `Unavailable` where this process cannot."""

    def leave(self) -> None:  # noqa: B027
        """Use the library no more."""

    def taken(self) -> tuple[list[Any], Any]:
        """A connection that was given back, else a new one, and where it is to be put."""
        idle = self._idle.setdefault(os.getpid(), [])
        return idle, self._from(idle)

    @contextmanager
    def transaction(self) -> Generator[Any]:
        """A connection in a transaction that holds the writers' lock: all that is written within, or nothing."""
        with self.connection() as connection:
            with self.together(connection):
                self.begun(connection)
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                self.undo(connection)
                raise

    def begun(self, connection: Any) -> None:
        """Begin a transaction that holds the writers' lock."""
        for statement in self.begin:
            connection.execute(statement)

    def undo(self, connection: Any) -> None:
        """Undo a transaction, on a connection that may be broken; where that cannot be said it is closed.

        Closing alone is not enough: a cursor that the error's traceback holds would keep SQLite's lock alive.
        """
        try:
            connection.execute("ROLLBACK")
        except Exception:  # noqa: BLE001 - what was wrong first is told
            self.discard(connection)

    def discard(self, connection: Any) -> None:
        """Close a connection that may be broken, which undoes what it did not commit."""
        with suppress(Exception):
            connection.close()

    def abandon(self, connection: Any, seq: int, leaf: bytes | None) -> None:  # noqa: ARG002
        """Close a connection whose COMMIT failed and may have taken place, behind event `seq` of that leaf."""
        self.undo(connection)
        self.discard(connection)

    def _from(self, idle: list[Any]) -> Any:
        """A connection that was given back, else a new one."""
        while idle:
            try:
                connection = idle.pop()
            except IndexError:  # another thread was faster
                break
            if self.alive(connection):
                return connection
        return self.connect()

    @contextmanager
    def translated(self) -> Generator[None]:
        """Turns what the driver raises into Lepton's errors."""
        try:
            yield
        except Exception as error:
            if ours := self.translate(error):
                raise ours from error
            raise

    def translate(self, error: Exception) -> LeptonError | None:
        """Lepton's error for what the driver raised; None for what is Lepton's already, or nobody's here."""
        return None if isinstance(error, LeptonError) else self._translator.translate(error)

    def close(self) -> None:
        """Give this process's connections back."""
        for connection in self._idle.pop(os.getpid(), ()):
            connection.close()


class Lent:
    """A connection within a `with` block: one object instead of three nested generators, which cost an append 10 µs."""

    __slots__ = ("_connection", "_database", "_idle")

    def __init__(self, database: Database) -> None:
        self._database = database

    def __enter__(self) -> Any:
        database = self._database
        database.enter()
        try:
            self._idle, self._connection = database.taken()
        except BaseException as error:
            database.leave()
            self._raise_ours(error)
            raise
        return self._connection

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        database, connection = self._database, self._connection
        try:
            if error is None or (isinstance(error, LeptonError) and database.alive(connection)):
                self._idle.append(connection)
            elif not isinstance(error, LeptonError):
                database.discard(connection)
        except Exception as again:
            self._raise_ours(again)
            raise
        finally:
            database.leave()
        self._raise_ours(error)

    def _raise_ours(self, error: BaseException | None) -> None:
        if isinstance(error, Exception) and (ours := self._database.translate(error)):
            raise ours from error
