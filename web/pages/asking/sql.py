"""The read-only console: one SELECT over the views, its first rows as a table, all of them as a file."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# (pyarrow ships no types)

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, partial
from itertools import islice
from typing import Any, Final, NamedTuple

from anyio import from_thread
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ....errors import Forbidden, Malformed, Refused
from ....escapes import escaped_json
from ....projections.encoding import check_names, json_values
from ....projections.queries.client import Question
from ....projections.schema import schema
from ...problems import kind_of
from ...tables import ARROW, CSV, PARQUET, AnsweredTable, sent
from ..page import Page, Pages, Shown, answered

pages = Pages()

SHOWN: Final = 200
"""Rows of the table; a file has all."""
LONGEST: Final = 4_000
"""Characters of a query in an address."""
FILES: Final[Mapping[str, str]] = {"csv": CSV, "parquet": PARQUET, "arrow": ARROW}
"""The files that an answer may be had as."""
EXAMPLES: Final = (
    "SELECT model, version, branch, committed FROM versions ORDER BY committed DESC LIMIT 20",
    "SELECT * FROM production_history",
    "SELECT figure, model, version, max(value) AS value FROM metrics GROUP BY ALL ORDER BY figure, value DESC",
    "SELECT seq, recorded, opened(actor) AS actor, type, stream FROM events ORDER BY seq DESC LIMIT 50",
)
_LONGEST_CELL: Final = 500
"""Characters of a value in the table; the number of those left out is told."""
_SECONDS: Final = 30.0
_COLUMN: Final = re.compile(r"-- (\w+) ([^:]+): (.*)")


class ViewColumn(NamedTuple):
    """A column of a view: its name, its type, what it says."""

    name: str
    type: str
    words: str


class ViewTold(NamedTuple):
    """A view: its name, what it has rows of, its columns."""

    name: str
    words: str
    columns: list[ViewColumn]


@dataclass(frozen=True)
class Cell:
    """A value of the table as it is shown; `left` characters of it are not."""

    words: str | None
    left: int = 0


@pages.page("/sql", "sql")
def sql(page: Page) -> Shown:
    """The console, with the answer to what was asked."""
    _may(page)
    query = page.asked("query")
    data: dict[str, Any] = {"query": query, "views": views(), "examples": EXAMPLES, "files": tuple(FILES)}
    if not query.strip():
        return Shown({**data, "answer": None, "sentence": ""}, {"columns": [], "count": 0, "rows": []})
    try:
        table = _asked(page, query)
        try:
            if page.request.url.path.endswith(".json"):
                check_names(table.schema)
            rows = list(islice(json_values(table.batches()), SHOWN))
        finally:
            table.close()
    except Forbidden:
        raise
    except Refused as error:
        return Shown({**data, "answer": None, "sentence": error.fact}, status=kind_of(error).status, error=error)
    names = table.schema.names
    told = {"columns": names, "count": table.count, "rows": [dict(zip(names, row, strict=True)) for row in rows]}
    answer = {
        "names": names,
        "right": [_is_number(column.type) for column in table.schema],
        "rows": [[_cell(value) for value in row] for row in rows],
        "count": table.count,
        "as_of": table.as_of,
    }
    return Shown({**data, "answer": answer, "sentence": ""}, told)


def downloaded(form: str, request: Request) -> Response:
    """All rows as a file."""

    def file(page: Page) -> Response:
        _may(page)
        headers = {"Content-Disposition": f'attachment; filename="lepton.{form}"'}
        return sent(_asked(page, page.asked("query")), FILES[form], headers)

    return answered(request, file)


pages.routes += [Route(f"/sql.{form}", partial(downloaded, form), methods=["GET"]) for form in FILES]


def _may(page: Page) -> None:
    assert page.visitor is not None
    page.visitor.rights.check_everywhere("sql")


def _asked(page: Page, query: str) -> AnsweredTable:
    """The answer, within the bounds of strangers' queries: this thread waits for it."""
    if not query.strip():
        raise Malformed("there is no query in the address; write one SELECT")
    if len(query) > LONGEST:
        raise Malformed(f"a query in an address has at most {LONGEST:,} characters; ask by POST /api/v1/sql")
    at = None if page.at is None else page.end
    queries = page.service.queries
    assert page.visitor is not None
    rows = from_thread.run(queries.answer, page.request, page.visitor, Question(query, None, at, _SECONDS), None)
    return queries.table(rows, opened=True)


@cache
def views() -> tuple[ViewTold, ...]:
    """The views that may be asked, as their files tell them."""
    return tuple(_view(each.name, each.text) for each in schema().views)


def _view(name: str, text: str) -> ViewTold:
    words, *rest = [line for line in text.splitlines() if line.startswith("-- ")]
    columns = [ViewColumn(*match.groups()) for line in rest if (match := _COLUMN.fullmatch(line))]
    return ViewTold(name, words.removeprefix("-- "), columns)


def _cell(value: Any) -> Cell:
    if value is None:
        return Cell(None)
    words = value if isinstance(value, str) else escaped_json(json.dumps(value, ensure_ascii=False, default=str))
    return Cell(words[:_LONGEST_CELL], max(0, len(words) - _LONGEST_CELL))


def _is_number(kind: Any) -> bool:
    import pyarrow as pa

    return pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
