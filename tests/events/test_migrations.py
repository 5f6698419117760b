"""The migrations make exactly the tables that the code describes, on both databases."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from lepton_ai.events.sql import migrations
from lepton_ai.events.sql.address import database_at
from lepton_ai.events.sql.creation import migrate, open_or_create
from lepton_ai.events.sql.database import Database
from lepton_ai.events.sql.statements import Statements
from lepton_ai.events.sql.store import Store
from lepton_ai.events.sql.tables import head, metadata

ROOT = Path(__file__).parents[2]


def test_the_migrations_make_the_tables_that_the_code_describes(store: Store) -> None:
    with store.database.connection() as driver, store.database.engine(driver).connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert context.get_current_revision() is not None
        differences = compare_metadata(context, metadata)

    # comments are for readers of tables.py; no migration carries them
    assert [each for each in differences if "comment" not in str(each[0])] == []


def test_a_new_ledger_in_sqlite_has_the_tables_that_the_migrations_make(tmp_path: Path) -> None:
    def tables(database: Database) -> tuple[set[tuple[str, ...]], list[tuple[str]]]:
        with database.connection() as connection:
            told = connection.execute("SELECT type, name, coalesce(sql, '') FROM sqlite_master").fetchall()
            version = connection.execute("SELECT version_num FROM alembic_version").fetchall()
        return {
            (kind, name, re.sub(r"\s+", " ", sql).replace("( ", "(").replace(" )", ")")) for kind, name, sql in told
        }, version

    made, migrated = (database_at(f"sqlite:///{tmp_path / name}.db", "main", wait=10) for name in ("a", "b"))
    open_or_create(made, lambda: "some id")
    with migrated.creating() as driver, migrated.engine(driver).connect() as connection:
        migrate(connection)

    assert tables(made) == tables(migrated)
    made.close()
    migrated.close()


def test_the_migrations_travel_inside_the_package() -> None:
    folder = Path(str(migrations.__file__)).parent
    packages = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]

    assert {path.suffix for path in folder.rglob("*.*") if path.is_file()} <= {".py", ".pyc"}
    assert {"lepton_ai.events.sql.migrations", "lepton_ai.events.sql.migrations.versions"} <= set(packages)


def test_no_column_is_written_that_nothing_reads() -> None:
    texts = [text for name, text in vars(Statements("?", None)).items() if not name.startswith("_")]
    reading = [text if text.startswith("SELECT") else text.partition(" WHERE ")[2] for text in texts]
    for table in set(metadata.tables.values()) - {head}:  # which is read when a ledger is made and opened, too
        of_it = " ".join(each for text, each in zip(texts, reading, strict=True) if table.name in text)
        unread = [column.name for column in table.columns if not re.search(rf"\b{column.name}\b", of_it)]
        assert unread == [], table.name
