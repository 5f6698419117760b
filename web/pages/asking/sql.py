"""The read-only console: one SELECT over the views, its first rows as a table, all of them as a file."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# (pyarrow ships no types)

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import cache, partial
from itertools import islice
from typing import Any, Final, NamedTuple

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ....errors import Forbidden, LeptonError, Malformed
from ....escapes import escaped_json
from ....projections.encoding import check_names, json_values
from ....projections.queries.client import Question
from ....projections.schema import schema
from ...problems import Problem, kind_of
from ...tables import ARROW, CSV, PARQUET, AnsweredTable, sent
from ..charts.figure import figures, spec_sent
from ..charts.query_plot import plot_form, query_plot
from ..page import PageRoutes, PageView, Visit, answered, behind

pages = PageRoutes()

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


class ToldColumn(NamedTuple):
    """A column of a view: its name, its type, what it says."""

    name: str
    type: str
    words: str


class ToldView(NamedTuple):
    """A view: its name, what it has rows of, its columns."""

    name: str
    words: str
    columns: list[ToldColumn]


@dataclass(frozen=True)
class Cell:
    """A value of the table as it is shown; `left` characters of it are not."""

    words: str | None
    left: int = 0


async def asked(request: Request) -> None:
    """Have the query answered, within the bounds of strangers' queries; the page tells it, or why it was refused."""
    page = Visit(request)
    try:
        question = await run_in_threadpool(_question, page)
        if question is not None and page.visitor is not None:
            request.state.rows = await page.service.queries.answer(request, page.visitor, question, None)
    except (LeptonError, Problem) as refusal:
        request.state.refusal = refusal


@pages.page("/sql", "sql", first=asked)
def sql(page: Visit) -> PageView | Response:
    """The console, with the answer to what was asked."""
    data: dict[str, Any] = {"query": page.asked("query"), "views": views(), "examples": EXAMPLES, "files": tuple(FILES)}
    data |= {"answer": None, "sentence": "", "form": None, "plot": None, "figures": (), "unplotted": ""}
    try:
        table = _answer(page)
        if table is None:
            return PageView(data, {"columns": [], "count": 0, "rows": []})
        with closing(table):
            rows = _first_rows(table, named=page.is_json)
            data |= _plotted(page, table)
        if spec := spec_sent(page, [data["plot"].chart] if data["plot"] else []):
            return spec
    except Forbidden:
        raise
    except Problem as problem:
        if page.is_json:
            raise
        return PageView(data | {"sentence": problem.detail}, status=problem.status_code, headers=problem.headers or {})
    except LeptonError as error:
        return PageView(data | {"sentence": error.fact}, status=kind_of(error).status, error=error)
    names = table.schema.names
    told = {"columns": names, "count": table.count, "rows": [dict(zip(names, row, strict=True)) for row in rows]}
    return PageView(data | {"answer": _drawn(table, rows)}, told)


def _first_rows(table: AnsweredTable, *, named: bool) -> list[list[Any]]:
    """The rows that are shown; where they are told by `named` columns, two of one name are refused."""
    if named:
        check_names(table.schema)
    return list(islice(json_values(table.batches()), SHOWN))


def _plotted(page: Visit, table: AnsweredTable) -> dict[str, Any]:
    """The form that asks for a plot, and the plot that is asked for, or why there is none."""
    plotted: dict[str, Any] = {"form": plot_form(page, table.schema)}
    try:
        plot = query_plot(page, table)
    except Malformed as error:
        if page.is_json or page.asked("spec"):
            raise
        return plotted | {"unplotted": error.fact}
    shown = figures(page, [plot.chart]) if plot and not page.is_json and not page.asked("spec") else ()
    return plotted | {"plot": plot, "figures": shown}


def _drawn(table: AnsweredTable, rows: list[list[Any]]) -> Mapping[str, Any]:
    return {
        "names": table.schema.names,
        "right": [_is_number(column.type) for column in table.schema],
        "rows": [[_cell(value) for value in row] for row in rows],
        "count": table.count,
        "as_of": table.as_of,
    }


def downloaded(form: str, request: Request) -> Response:
    """All rows as a file."""

    def file(page: Visit) -> Response:
        if (table := _answer(page)) is None:
            raise Malformed("there is no query in the address; write one SELECT")
        headers = {"Content-Disposition": f'attachment; filename="lepton.{form}"'}
        return sent(table, FILES[form], headers)

    return answered(request, file)


pages.routes += [Route(f"/sql.{form}", behind(asked, partial(downloaded, form)), methods=["GET"]) for form in FILES]


def _question(page: Visit) -> Question | None:
    """What is asked; None where nothing is."""
    assert page.visitor is not None  # the door lets nobody else here
    page.visitor.rights.check_everywhere("sql")
    page.check_single("at")
    query = page.asked("query")
    if len(query) > LONGEST:
        raise Malformed(f"a query in an address has at most {LONGEST:,} characters; ask by POST /api/v1/sql")
    at = None if page.at is None else page.end
    return Question(query, None, at, _SECONDS) if query.strip() else None


def _answer(page: Visit) -> AnsweredTable | None:
    """What came of it. Raises what it was refused by."""
    state = page.request.state
    if (refusal := getattr(state, "refusal", None)) is not None:
        raise refusal
    rows = getattr(state, "rows", None)
    return None if rows is None else page.service.queries.table(rows, opened=True)


@cache
def views() -> tuple[ToldView, ...]:
    """The views that may be asked, as their files tell them."""
    return tuple(_view(each.name, each.text) for each in schema().views)


def _view(name: str, text: str) -> ToldView:
    words, *rest = [line for line in text.splitlines() if line.startswith("-- ")]
    columns = [ToldColumn(*match.groups()) for line in rest if (match := _COLUMN.fullmatch(line))]
    return ToldView(name, words.removeprefix("-- "), columns)


def _cell(value: Any) -> Cell:
    if value is None:
        return Cell(None)
    words = value if isinstance(value, str) else escaped_json(json.dumps(value, ensure_ascii=False, default=str))
    return Cell(words[:_LONGEST_CELL], max(0, len(words) - _LONGEST_CELL))


def _is_number(kind: Any) -> bool:
    import pyarrow as pa

    return pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
