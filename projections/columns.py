"""The public views column by column, as the head of each view's SQL file tells them; run, it writes docs/views.md."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from .schema import View, schema

_COLUMN = re.compile(r"-- (\w+) ([A-Z]+(?:\[\])?): (.+)")
_PAGE = Path(__file__).parents[1] / "docs" / "views.md"

_HEAD = """# The views

What `lepton sql` and `manager.sql` read. Written by `python -m lepton_ai.projections.columns` from the heads of
`projections/sql/views/*.sql`; a test holds the two together. Each view also stands at any earlier event: `NAME_at(s)`
is the view as it was at `seq` s, and `as_of` does so for all views of a query. Times are in UTC; sealed text opens in
`lepton log` and `lepton show`.
"""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a public view: its name, its DuckDB type, one sentence."""

    name: str
    type: str
    says: str


def described(view: View) -> tuple[str, tuple[Column, ...]]:
    """What a view is, in one sentence, and its columns in order."""
    head = [line for line in view.text.splitlines() if line.startswith("-- ")]
    columns = [Column(*match.groups()) for line in head if (match := _COLUMN.fullmatch(line))]
    return head[0].removeprefix("-- "), tuple(columns)


def page() -> str:
    """The text of docs/views.md."""
    parts = [_HEAD]
    for view in schema().views:
        says, columns = described(view)
        rows = "".join(f"| `{column.name}` | {column.type} | {column.says} |\n" for column in columns)
        parts.append(f"## {view.name}\n\n{says}\n\n| column | type | what it says |\n| --- | --- | --- |\n{rows}")
    return "\n".join(parts)


if __name__ == "__main__":
    _PAGE.write_text(page(), "utf-8")
