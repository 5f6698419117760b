"""How a ledger's database comes into being, and how its format is told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import Damaged, Refused
from ..ledger import FORMAT, checked_format
from .database import Database
from .rows import counted, typed

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection


def open_or_create(database: Database, ledger_id: Callable[[], str]) -> None:
    """Make sure the database holds this ledger in today's format; several processes may try at once.

    Another ledger is `Refused`, and so is an older format, naming `lepton upgrade`; a newer one raises `NewerLedger`.
    """
    found = _format(database)
    if found is None:
        _create(database, ledger_id)
        found = _format(database)
    checked_format(found)
    check_name(database)


def exists(database: Database) -> bool:
    """Whether the database holds a ledger."""
    return _format(database) is not None


def _format(database: Database) -> int | None:
    if not database.there():
        return None
    with database.connection() as connection:
        if not connection.execute(database.exists, (database.schema,)).fetchone()[0]:
            return None
        row = connection.execute(database.sql.identity).fetchone()
        if row is None:
            raise Damaged(database.name, expected="a head of the log", found="none")
        return counted(row[0], f"the format in {database.name}")


def check_name(database: Database) -> None:
    """A file holds one ledger: two names for it would share its events, and each look for the other's objects."""
    with database.connection() as connection:
        _, stored, _ = connection.execute(database.sql.identity).fetchone()
    name = typed(stored, str, f"the name in {database.name}")
    if name != database.ledger:
        raise Refused(
            f"{database.name} holds the ledger {name!r}, not {database.ledger!r}; "
            f"set LEPTON_LEDGER={name}, or give {database.ledger!r} a database of its own"
        )


def _create(database: Database, ledger_id: Callable[[], str]) -> None:
    """Make the tables and write the head row, in one transaction that shuts others out."""
    if statements := database.creation:
        with database.creating() as driver:
            _make(driver, database, statements, ledger_id)
    else:
        _migrate(database, ledger_id)


def _make(driver: Any, database: Database, statements: Sequence[str], ledger_id: Callable[[], str]) -> None:
    """Run the statements that give what the migrations do: to import what runs those takes a third of a second."""
    for statement in database.begin_creation:
        driver.execute(statement)
    try:
        if not driver.execute(database.exists, (database.schema,)).fetchone()[0]:
            for statement in statements:
                driver.execute(statement)
            driver.execute(database.sql.insert_head, (FORMAT, database.ledger, ledger_id(), b""))
        driver.execute("COMMIT")
    except BaseException:
        with suppress(Exception):
            driver.execute("ROLLBACK")
        raise


def _migrate(database: Database, ledger_id: Callable[[], str]) -> None:
    """As `_make`, by the migrations."""
    from sqlalchemy import inspect

    # on one connection, for a role may be allowed no second one
    with database.creating() as driver, database.engine(driver).connect() as connection:
        for statement in database.begin_creation:
            connection.exec_driver_sql(statement)
        try:
            if not inspect(connection).has_table("head", database.schema if database.qualifies else None):
                database.check_creation(connection)
                migrate(connection)
                head = (FORMAT, database.ledger, ledger_id(), b"")
                connection.exec_driver_sql(database.sql.insert_head, head)
            connection.exec_driver_sql("COMMIT")
        except BaseException:
            with suppress(Exception):  # where the connection is lost, what it did not commit is undone
                connection.exec_driver_sql("ROLLBACK")
            raise


def migrate(connection: Connection, revision: str = "head") -> None:
    """Bring the tables to a revision, in the transaction that the connection is in; what they have is left."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)
