"""Rows of a real ledger, damaged by UPDATE as SQLite's typing allows, and what every command says of them."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from lepton_ai.errors import LeptonError, UnknownRevision
from lepton_ai.manager import ModelManager

VALUES: Final = (None, "text", "", -1, 10**12, 1.5, b"\x00\xff", b"", 2**63 - 1, "model/other", 1)
TENSOR: Final = np.arange(300, dtype=np.float32)
ACTS: Final[dict[str, Callable[[ModelManager], object]]] = {
    "log": lambda manager: manager.log("m"),
    "show": lambda manager: manager.show("m@1"),
    "load": lambda manager: manager.load_tensors("m@2"),
    "events": lambda manager: list(manager.events()),
    "sql": lambda manager: manager.sql("FROM versions"),
    "verify": lambda manager: manager.verify(),
    "fsck": lambda manager: manager.fsck(projection=False),
    "annotate": lambda manager: manager.annotate("m@1", {"x": 2}),
    "save": lambda manager: manager.save_version({"w": TENSOR + 2}, name="m"),
}


class Cell(NamedTuple):
    """One column of one row."""

    table: str
    column: str
    row: int


def ledger(home: Path) -> list[Cell]:
    """A small ledger with a past, and the cells that may be damaged: of each table three rows."""
    with ModelManager(home) as manager:
        manager.save_version({"w": TENSOR}, name="m", message="one")
        manager.save_version({"w": TENSOR + 1}, name="m", message="two")
        manager.alias("production", "m@2")
        manager.annotate("m@1", {"n": 1})
        manager.sql("FROM versions")
    with sqlite3.connect(home / "main.db") as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        names = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        cells: list[Cell] = []
        for table in sorted(name for name in names if not name.startswith(("sqlite", "alembic"))):
            rows = [row for (row,) in database.execute(f'SELECT rowid FROM "{table}" ORDER BY rowid')]
            columns = [row[1] for row in database.execute(f'PRAGMA table_info("{table}")')]
            chosen = dict.fromkeys([*rows[:1], *rows[len(rows) // 2 : len(rows) // 2 + 1], *rows[-1:]])
            cells += [Cell(table, column, row) for column in columns for row in chosen]
    database.close()
    return cells


def damaged(good: Path, home: Path, cell: Cell, value: Any) -> bool:
    """A copy of a ledger with one cell changed, if the file takes the value at all."""
    shutil.rmtree(home, ignore_errors=True)
    shutil.copytree(good, home)
    database = sqlite3.connect(home / "main.db")
    try:
        database.execute("PRAGMA writable_schema = 1")
        database.execute("UPDATE sqlite_master SET sql = replace(sql, 'NOT NULL', '') WHERE name = ?", (cell.table,))
        database.commit()
        database.close()
        database = sqlite3.connect(home / "main.db")
        database.execute(f'UPDATE "{cell.table}" SET "{cell.column}" = ? WHERE rowid = ?', (value, cell.row))
        database.commit()
    except sqlite3.Error:
        return False
    finally:
        database.close()
    return True


def complaints(home: Path) -> Iterator[str]:
    """What a command raised that is none of Lepton's sentences, or blames the caller's revision."""
    for name, act in ACTS.items():
        try:
            with ModelManager(home) as manager:
                act(manager)
        except UnknownRevision as error:
            yield f"{name}: UnknownRevision: {error}"
        except LeptonError as error:
            if "\n" in str(error):
                yield f"{name}: more than a sentence: {error}"
        except Exception as error:  # noqa: BLE001 - each one is what is looked for
            yield f"{name}: {type(error).__name__}: {error}"
