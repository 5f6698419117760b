"""What the SQL files say: the tables with the statements that fill them, and the public views."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_SQL = Path(__file__).parent / "sql"
_FIRST = ("events", "runs")
"""Tables that others look into while a batch is applied; the rest follow in any order."""

_TYPE = re.compile(r"'(lepton\.[a-z_.]+\.v\d+)'")
NEWEST = "coalesce(getvariable('as_of'), 18446744073709551615::UBIGINT)"


@dataclass(frozen=True, slots=True)
class BaseTable:
    """A base table: the statement that creates it, the one that fills it from a batch, the event types this reads.

    One statement fills it, never two: where the first of two inserts one transaction makes into a table finds nothing,
    DuckDB 2.0.0 hides all rows of the second from scans until the file is opened again, once they fill a row group.
    """

    name: str
    create: str
    insert: str
    types: frozenset[str]


@dataclass(frozen=True, slots=True)
class View:
    """A public view: its name and the text of its file, which is its documentation and then its body."""

    name: str
    text: str

    @property
    def statements(self) -> tuple[str, str]:
        """The macro `NAME_at(s)`, and the view that calls it at the variable `as_of` or at the end."""
        return (
            f"CREATE MACRO {self.name}_at(s) AS TABLE\n{self.text}",
            f"CREATE VIEW {self.name} AS FROM {self.name}_at({NEWEST})",
        )


@dataclass(frozen=True, slots=True)
class Schema:
    """All the SQL of the read model. `fingerprint` is 12 hexadecimal digits: other SQL, other digits."""

    values: tuple[str, ...]
    batch: str
    tables: tuple[BaseTable, ...]
    views: tuple[View, ...]
    fingerprint: str

    @property
    def creation(self) -> tuple[str, ...]:
        """The statements that make an empty read model."""
        views = (statement for view in self.views for statement in view.statements)
        return ("CREATE SCHEMA store", *self.values, *(table.create for table in self.tables), *views)


@cache
def schema() -> Schema:
    """The read model as this package's files describe it."""
    texts = {path.relative_to(_SQL).as_posix(): path.read_text("utf-8") for path in sorted(_SQL.rglob("*.sql"))}
    tables = [_table(Path(name).stem, text) for name, text in texts.items() if name.startswith("tables/")]
    tables.sort(key=lambda table: (_FIRST.index(table.name) if table.name in _FIRST else len(_FIRST), table.name))
    return Schema(
        values=_statements(texts["values.sql"]) + _statements(texts["position.sql"]),
        batch=texts["batch.sql"],
        tables=tuple(tables),
        views=tuple(View(Path(name).stem, text) for name, text in texts.items() if name.startswith("views/")),
        fingerprint=hashlib.sha256(repr(sorted(texts.items())).encode()).hexdigest()[:12],
    )


def _table(name: str, text: str) -> BaseTable:
    create, insert = _statements(text)
    return BaseTable(name, create, insert, frozenset(_TYPE.findall(text)))


def _statements(text: str) -> tuple[str, ...]:
    return tuple(part for part in re.split(r";\n\n?", text) if part.strip())
