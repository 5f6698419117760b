"""How a ledger's database comes into being, and how its format is told."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

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
    """Run the migrations and write the head row, in one transaction that shuts others out."""
    from sqlalchemy import inspect, text

    # on one connection, for a role may be allowed no second one
    with database.creating() as driver, database.engine(driver).connect() as connection:
        for statement in database.begin_creation:
            connection.exec_driver_sql(statement)
        try:
            if not inspect(connection).has_table("head", database.schema if database.qualifies else None):
                database.check_creation(connection)
                migrate(connection)
                connection.execute(
                    text(
                        "INSERT INTO head (id, format, name, ledger, seq, recorded_at, frontier) "
                        "VALUES (1, :format, :name, :ledger, 0, 0, :empty)"
                    ),
                    {"format": FORMAT, "name": database.ledger, "ledger": ledger_id(), "empty": b""},
                )
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
