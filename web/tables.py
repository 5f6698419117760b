"""Tables over HTTP: rows as JSON, CSV, Arrow's stream or Parquet, whichever Accept likes best, piece by piece."""

# pyright: reportUnknownParameterType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# (pyarrow ships no types)

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

from pydantic_core import to_json
from starlette.responses import Response, StreamingResponse

from ..media import ARROW as ARROW
from ..media import CSV as CSV
from ..media import PARQUET as PARQUET
from ..media import TABLES
from ..projections.encoding import arrow_stream, check_names, csv_lines, json_objects, parquet
from .caller import ANSWER, JSON, Caller
from .negotiation import accepted

if TYPE_CHECKING:
    import pyarrow as pa

FORMS: Final = (JSON, *TABLES)
"""What a table is told as; the first where nobody says."""


@dataclass(frozen=True, slots=True)
class AnsweredTable:
    """Rows to be told: their columns, how many they are, and how they are read, from the first, when they are sent."""

    schema: pa.Schema
    count: int
    batches: Callable[[], Iterable[pa.RecordBatch]]
    as_of: Mapping[str, Any] | None = None
    """What a date or time that was asked for stood for."""
    close: Callable[[], None] = field(default=lambda: None)
    """Gives back what holds the rows."""


def of_table(table: pa.Table) -> AnsweredTable:
    """An Arrow table as one to be told."""
    return AnsweredTable(table.schema, table.num_rows, table.to_batches)


def form(call: Caller) -> str:
    """What a table is told as. Raises `Problem` (406) where the client takes none of these."""
    return accepted(call.request.headers.get("accept"), FORMS)


def tabled(call: Caller, table: AnsweredTable, headers: Mapping[str, str] | None = None) -> Response:
    """A table in the form that the client likes best. JSON is what `lepton sql --json` prints."""
    return sent(table, form(call), {"Vary": "Accept", **(headers or {})})


def sent(table: AnsweredTable, media: str, headers: Mapping[str, str]) -> Response:
    """A table in one form."""
    if media == JSON:
        check_names(table.schema)
    if media == CSV:
        media += "; charset=utf-8; header=present"
    pieces = _pieces(table, media.partition(";")[0])
    first = next(pieces)  # what no form of the answer can hold is refused before it begins
    return StreamingResponse(chain((first,), pieces), 200, headers, media)


def listed(
    call: Caller,
    answer: Any,
    rows: Callable[[], pa.Table],
    *,
    body: Any = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """An answer that is a list: as JSON or as the SDK reads it back, or its rows as CSV, Arrow's stream or Parquet."""
    if accepted(call.request.headers.get("accept"), (JSON, ANSWER, *FORMS[1:])) not in (JSON, ANSWER):
        return tabled(call, of_table(rows()), headers)
    response = call.read(answer, body=body)
    response.headers.update(headers or {})
    return response


def _pieces(table: AnsweredTable, media: str) -> Iterator[bytes]:
    try:
        match media:
            case _ if media == CSV:
                yield from (piece.encode() for piece in csv_lines(table.schema, table.batches(), "\r\n"))
            case _ if media == ARROW:
                yield from arrow_stream(table.schema, table.batches())
            case _ if media == PARQUET:
                yield from parquet(table.schema, table.batches())
            case _:
                yield from _json(table)
    finally:
        table.close()


def _json(table: AnsweredTable) -> Iterator[bytes]:
    head, tail = {"columns": table.schema.names, "count": table.count}, {"file": None, "as_of": table.as_of}
    yield to_json(head)[:-1] + b',"rows":['
    for piece in json_objects(table.schema, table.batches()):
        yield piece.encode()
    yield b"]," + to_json(tail)[1:]
