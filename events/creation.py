"""How a ledger's database comes into being, and how its format is told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import Damaged, NewerLedger, Refused
from .database import Database
from .ledger import FORMAT
from .typed import counted, typed

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
    if found is None or found < FORMAT:
        raise Refused(f"the ledger has the older format {found}; `lepton upgrade` brings it to {FORMAT}")
    if found > FORMAT:
        raise NewerLedger(f"the ledger has format {found}, this Lepton knows {FORMAT}: update the package")
    _check_name(database)


def _format(database: Database) -> int | None:
    with database.connection() as connection:
        if not connection.execute(database.exists, (database.schema,)).fetchone()[0]:
            return None
        row = connection.execute("SELECT format FROM head").fetchone()
        if row is None:
            raise Damaged(database.name, expected="a head of the log", found="none")
        return counted(row[0], f"the format in {database.name}")


def _check_name(database: Database) -> None:
    """A file holds one ledger: two names for it would share its events, and each look for the other's objects."""
    with database.connection() as connection:
        name = typed(connection.execute("SELECT name FROM head").fetchone()[0], str, f"the name in {database.name}")
    if name != database.ledger:
        raise Refused(
            f"{database.name} holds the ledger {name!r}, not {database.ledger!r}; "
            f"set LEPTON_LEDGER={name}, or give {database.ledger!r} a database of its own"
        )


def _create(database: Database, ledger_id: Callable[[], str]) -> None:
    """Run the migrations and write the head row, in one transaction that shuts others out."""
    from sqlalchemy import inspect, text

    with database.translated(), database.migrating(), database.engine().connect() as connection:
        for statement in database.begin_creation:
            connection.exec_driver_sql(statement)
        try:
            if not inspect(connection).has_table("head"):
                _migrate(connection)
                connection.execute(
                    text("INSERT INTO head VALUES (1, :format, :name, :ledger, 0, 0, :empty)"),
                    {"format": FORMAT, "name": database.ledger, "ledger": ledger_id(), "empty": b""},
                )
            connection.exec_driver_sql("COMMIT")
        except BaseException:
            connection.exec_driver_sql("ROLLBACK")
            raise


def _migrate(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
