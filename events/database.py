"""The connections to a ledger's database, whichever it is."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Generator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, ClassVar, Final

from ..errors import LeptonError
from .lock import Held
from .statements import Statements
from .translation import Translator

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine


class Database(ABC):
    """One ledger's database. It survives a fork: the child opens connections of its own."""

    dialect: ClassVar[str]
    """What SQLAlchemy calls it."""
    mark: ClassVar[str]
    """Where a parameter goes in a statement."""
    exists: ClassVar[str]
    """Whether the ledger's tables are there; its one parameter is the schema."""

    def __init__(self, url: str, ledger: str, *, wait: float, name: str, secrets: tuple[str, ...] = ()) -> None:
        self.url = url
        self.ledger = ledger
        self.wait = wait
        self.name: Final = f"the database {name}"
        """What messages call it: never a password."""
        self._translator = Translator(self.name, wait, secrets)
        # by process: a child keeps what is its parent's untouched, for closing it would hang up on the parent
        self._idle: dict[int, list[Any]] = {}

    @property
    def schema(self) -> str:
        """The schema that holds the ledger, where databases have them."""
        return f"lepton_{self.ledger}"

    @property
    @abstractmethod
    def begin(self) -> tuple[str, ...]:
        """Begins a transaction with the writers' lock held, the head's."""

    @property
    @abstractmethod
    def begin_creation(self) -> tuple[str, ...]:
        """Begins the transaction that makes the tables, and shuts others out of it."""

    @abstractmethod
    def connect(self) -> Any:
        """A new connection of the driver's own, in autocommit."""

    def alive(self, connection: Any) -> bool:  # noqa: ARG002
        """Whether an idle connection can be used; one that cannot is closed."""
        return True

    def together(self, connection: Any) -> AbstractContextManager[object]:  # noqa: ARG002
        """Within it statements wait on their way until an answer is read, where the database is far enough for that.

        An error of one is raised by whatever reads next, at the latest by the end.
        """
        return nullcontext()

    def insert_events(self, connection: Any, sql: Statements, rows: Sequence[tuple[Any, ...]]) -> None:
        """Insert rows of the event table."""
        connection.cursor().executemany(sql.insert_events, rows)

    def undone(self, error: Exception) -> bool:  # noqa: ARG002
        """Whether an error, after COMMIT was asked for, tells that it did not take place."""
        return False

    @abstractmethod
    def erase(self, connection: Any) -> None:
        """Leave no trace of rows deleted from `actors` in the files, or raise `Unavailable`."""

    @abstractmethod
    def lock(self, what: str) -> Held:
        """A lock of the ledger's own, for the one process that does `what`; it dies with its holder.

        Raises `Unavailable` where another holds it for longer than `wait` seconds.
        """

    def migrating(self) -> AbstractContextManager[None]:
        """Within it `engine` is used."""
        return nullcontext()

    def engine(self) -> Engine:
        """SQLAlchemy over new connections, for migrations."""
        from sqlalchemy import create_engine
        from sqlalchemy.pool import NullPool

        return create_engine(
            f"{self.dialect}://", creator=self.connect, isolation_level="AUTOCOMMIT", poolclass=NullPool
        )

    @contextmanager
    def connection(self) -> Generator[Any]:
        """The driver's own connection, in autocommit: callers say BEGIN. Foreign errors come out as ours.

        After any error but Lepton's the connection is thrown away, which undoes what was not committed. It is kept
        here for the next caller: a pool that counts, times and resets connections would cost an append 60 µs.
        """
        idle = self._idle.setdefault(os.getpid(), [])
        with self.translated():
            connection = self._from(idle)
            try:
                yield connection
            except LeptonError:
                idle.append(connection)
                raise
            except BaseException:
                connection.close()
                raise
            idle.append(connection)

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
                connection.execute("ROLLBACK")
                raise

    def begun(self, connection: Any) -> None:
        """Begin a transaction that holds the writers' lock."""
        for statement in self.begin:
            connection.execute(statement)

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
