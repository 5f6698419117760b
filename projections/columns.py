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
is the view as it was at `seq` s, and `as_of` does so for all views of a query. Times are in UTC; sealed text
and pseudonyms of actors are shown opened (`--sealed`, `opened=False`: as they are stored); a query itself compares
what is stored.

## What is sealed, looked for by what it says

`opened(text)` is the name of a pseudonym, the words of a sealed text, a JSON document with those within it opened, and
any other text as it is:

```python
import numpy as np
from lepton_ai import ModelManager

with ModelManager(actor="ada") as manager:
    manager.save_version({"w": np.ones(3)}, name="net", message="retrain on May")
    manager.sql("SELECT version FROM versions WHERE opened(actor) = 'ada' AND opened(message) LIKE '%retrain%'")
    manager.sql("SELECT v.version, r.run FROM versions v JOIN runs r ON opened(v.actor) = opened(r.actor)")
    print(manager.find("version.actor = 'ada'"))
```

It is null for what was forgotten, so nothing that is compared with it is found: neither by `=`, nor by `!=`, nor in a
join; a random UUID that is nobody's pseudonym counts as forgotten. It stands where keys are: in `manager.sql`,
`lepton sql`, `manager.find` (`version.actor = 'ada'`) and `manager.runs(actor=...)`, each of which lends them for one
question to a projector of the same home, over its socket, and to nobody else. In a copy of the views it is refused:
views hold no key and no opened text, and a query changes neither them nor the log. Each text that the query comes to
is opened once, about 20 µs; so put what narrows the rows down beside it.

## Limits

A query is one SELECT of at most 256 KiB and 20,000 parts, its expressions nested 250 deep at most, its answer 1 GiB.
Tables in memory take 1 GB, and a timer interrupts it (`manager.sql(timeout=)`, 60 s where nothing is said).

DuckDB looks for that timer between rows and operators. It cannot be stopped within one function:
`repeat('x', 3000000000)` or `lpad` build their text at once, outside the memory limit, and a plan of many thousand
parts is made without a look at the clock. In your own process such a query takes the time and memory that it takes.
Beside `lepton projector` it costs the projector a restart, five seconds behind the query's time; nothing recorded is
lost, and whoever asks meanwhile waits. SQL of people you do not trust belongs neither here nor there:
over HTTP (`/api/v1/sql`), and by `lepton_ai.projections.queries.child.answer`, a query runs in a process of its own
over a copy of the views (`lepton snapshot`), which the kernel ends at its limits of memory, CPU and time. It has no
environment and no key, and opens no file and no connection, where Linux has Landlock by the kernel's own word.

## What the views cannot hold

An event that holds a number of more than 64 bits, or a time outside the years 1 to 9999, cannot be recorded any more.
One that stands in the log already is set aside: it is in `events` and in `unprojected`, and in no other view.
"""


@dataclass(frozen=True, slots=True)
class ViewColumn:
    """A column of a public view: its name, its DuckDB type, one sentence."""

    name: str
    type: str
    says: str


def described(view: View) -> tuple[str, tuple[ViewColumn, ...]]:
    """What a view is, in one sentence, and its columns in order."""
    head = [line for line in view.text.splitlines() if line.startswith("-- ")]
    columns = [ViewColumn(*match.groups()) for line in head if (match := _COLUMN.fullmatch(line))]
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
