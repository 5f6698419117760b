"""Asking the ledger: SQL over its views, search, how it is."""

# pyright: reportUnknownParameterType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# (pyarrow ships no types)

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Final

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from ...projections.queries.client import Question
from ...projections.queries.query import LONGEST
from ...results import Version
from ...results.shapes.ledger import STATUS, TABLE
from ...results.shapes.names import FOUND
from ..caller import Call, Caller
from ..cursors import USUAL, Cursor, Most, paging
from ..described import RECORDS_NOTHING, TABLES, answers
from ..routing import Router
from ..tables import form, listed, tabled

if TYPE_CHECKING:
    import pyarrow as pa

router = Router("asking")

LONGEST_LINK: Final = 4_000
"""Characters of a query in an address, which servers and proxies take of some 60,000 bytes at most."""
LONGEST_QUESTION: Final = 60.0


class SqlQuestion(BaseModel):
    """A question to the views."""

    model_config = ConfigDict(extra="forbid", strict=True)

    query: str = Field(max_length=LONGEST, description="One SELECT over the views of docs/views.md.")
    params: list[Any] | dict[str, Any] | None = Field(None, description="Values for ? or $name in it.")
    as_of: int | str | None = Field(None, description="As of an event's number, a date or a time.")
    timeout: float = Field(30.0, gt=0, le=LONGEST_QUESTION, description="Seconds that it may take.")
    opened: bool = Field(True, description="Names for pseudonyms, words for sealed texts.")
    wait_for: int | None = Field(None, ge=0, description="The event that the views must hold; else all up to now.")


@router.get("/sql", summary="One SELECT over the views", responses=answers(TABLE, also=TABLES))
async def sql(
    call: Call,
    query: Annotated[str, Query(max_length=LONGEST_LINK, description="One SELECT over the views of docs/views.md.")],
    as_of: Annotated[str | None, Query(description="As of an event's number, a date or a time.")] = None,
    timeout: Annotated[float, Query(gt=0, le=LONGEST_QUESTION)] = 30.0,
    opened: bool = True,
    wait_for: Annotated[int | None, Query(ge=0)] = None,
) -> Response:
    """As POST, with all in the address: for links, and for tools that read a table from one."""
    as_of = call.at if as_of is None else as_of
    return await _answered(
        call, SqlQuestion(query=query, params=None, as_of=as_of, timeout=timeout, opened=opened, wait_for=wait_for)
    )


@router.post(
    "/sql", summary="One SELECT over the views", responses=answers(TABLE, also=TABLES, marks=(RECORDS_NOTHING,))
)
async def ask(call: Call, asked: SqlQuestion) -> Response:
    """The answer as JSON, CSV, Arrow's stream or Parquet, by Accept.

    The query runs in a process of its own over a copy of the views, which holds all that was recorded before it was
    asked. It reaches nothing else, and ends at its limits of time, memory, rows and bytes.
    """
    return await _answered(call, asked)


async def _answered(call: Caller, asked: SqlQuestion) -> Response:
    call.visitor.rights.check_everywhere("sql")
    form(call)
    question = Question(asked.query, asked.params, call.at if asked.as_of is None else asked.as_of, asked.timeout)
    queries = call.service.queries
    rows = await queries.answer(call.request, call.visitor, question, asked.wait_for)
    return tabled(call, queries.table(rows, opened=asked.opened))


@router.get(
    "/search", summary="Versions for which an expression holds", responses=answers(FOUND, also=TABLES, page=True)
)
def search(
    call: Call,
    where: Annotated[str, Query(max_length=LONGEST_LINK, description="As docs/expressions.md has it.")],
    most: Most = USUAL,
    cursor: Cursor = None,
) -> Response:
    """The versions of all models for which `metric.f1 > 0.8 and note.ticket = 'RISK-12'` holds, by model and number.

    All pages tell how it was when the first one was asked for.
    """
    begun = paging(call, most, cursor)
    matches = call.manager.find(where, most=most + 1, after=begun.after, as_of=begun.up_to)
    here = begun.page(matches, lambda version: f"{version.model}@{version}")
    body = here.body("versions", Version.to_dict)
    return listed(call, matches, partial(_rows, here.rows), body=body, headers=here.headers)


@router.get("/status", summary="How the ledger is", responses=answers(STATUS))
def status(call: Call) -> Response:
    """How far the log, its topic and its views are, and what is away. Where its home lies only who may all is told."""
    return call.read(call.manager.status())


def _rows(versions: Sequence[Version]) -> pa.Table:
    import pyarrow as pa

    told = ((version.model, int(version), version.digest, version.branch) for version in versions)
    columns = zip(*told, strict=True) if versions else ((),) * 4
    names = {"model": pa.string(), "version": pa.uint64(), "digest": pa.string(), "branch": pa.string()}
    arrays = [pa.array(list(column), kind) for column, kind in zip(columns, names.values(), strict=True)]
    return pa.Table.from_arrays(arrays, schema=pa.schema(list(names.items())))
