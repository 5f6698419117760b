"""`sql`, `events`, `snapshot`: the ledger's views and facts, for people and programs."""
# pyright: reportUnknownParameterType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# (pyarrow ships no types)

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Literal, cast

import click

from ..results.description import Block, dim, grid, joined, text, title
from ..results.figures import CUT, count, encoded, figure, when
from ..results.shapes.history import EVENT
from ..results.shapes.ledger import TABLE
from ..results.words import say, word
from .command import Session, command
from .output import show, write

if TYPE_CHECKING:
    import pyarrow as pa


Form = Literal["table", "csv", "json", "parquet"]


SHOWN: Final = 200
"""Rows of a table that are shown to people."""
LONGEST: Final = 1000
"""Characters of a cell that are."""


@command(
    TABLE,
    "lepton sql 'select model, version, digest from versions order by version desc limit 5'",
    """lepton sql "select version, message from versions where opened(actor) = 'ada'\"""",
    "lepton sql 'select * from branches' --as-of 20",
    "lepton sql 'select * from metrics' --format csv",
    "lepton sql 'select * from versions' --format parquet -o versions.parquet",
)
@click.argument("query")
@click.option("--as-of", metavar="SEQ|TIME", help="As it stood at an event's number, a date or a time.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "csv", "json", "parquet"]),
    default="table",
    show_default=True,
    help="How to write the answer.",
)
@click.option("-o", "--output", metavar="FILE", help="Write it there, whole or not at all, instead of stdout.")
@click.option("--sealed", is_flag=True, help="Show pseudonyms and sealed texts as they are stored.")
def sql(session: Session, query: str, as_of: str | None, form: Form, output: str | None, sealed: bool) -> None:
    """Ask one SELECT of the views that docs/views.md describes. It can neither change nor reach anything.

    The answer shows actors' names and opened texts; the query itself compares what is stored, and what it says by
    opened(), as in where opened(actor) = 'ada'. That is null for what was forgotten.

    A date is the end of that day in UTC. The answer says which event a date or time stood for, and when that was
    recorded.
    """
    if form == "table" and output:
        raise click.UsageError("a table is for people; write a file with --format csv, json or parquet", _here())
    if form != "table" and session.as_json and not output:
        raise click.UsageError("--json and --format both fill stdout; send one of them to a file with -o", _here())
    if form == "parquet" and not output and sys.stdout.isatty():
        raise click.UsageError("Parquet is not for a terminal; name a file with -o", _here())
    with session.waiting("asking"):
        table = session.manager.sql(query, as_of=as_of, opened=not sealed)
    from ..projections.queries.query import resolved

    at = resolved(table.schema)
    if form == "table":
        shown = _shown(table) | {"as_of": at} if session.as_json else {}
        session.answer(shown, (*_table(table), *_as_of(at)))
        return
    session.show(_as_of(at), err=True)
    from ..projections.export import export

    content = export(table, form)
    if output is None:
        show(content)
        return
    write(content, output, force=True)
    shown = {"columns": table.column_names, "count": table.num_rows, "rows": None, "file": output, "as_of": at}
    session.answer(shown, say("{rows} in {file}", rows=count(table.num_rows, "row"), file=output))


@command(
    {"events": [EVENT]},
    "lepton events",
    "lepton events --after 20 --stream model/credit",
)
@click.option("--follow", is_flag=True, help="Go on with events as they happen; with --json one object a line.")
@click.option("--after", type=click.IntRange(min=0), default=0, metavar="SEQ", help="Only those behind this number.")
@click.option("--stream", metavar="NAME", help="Only those of a stream, such as model/credit.")
def events(session: Session, follow: bool, after: int, stream: str | None) -> None:
    """Show the facts that the ledger is made of, oldest first; --json shows long values whole."""
    log = session.manager.events(after=after, stream=stream, follow=follow)
    if session.as_json and not follow:
        session.answer({"events": list(log)}, ())
        return
    for event in log:
        session.answer(event, _event(event))
        if follow:
            sys.stdout.flush()


@command({"file": "text"}, "lepton snapshot views.duckdb")
@click.argument("file")
def snapshot(session: Session, file: str) -> None:
    """Copy the views to a file of their own, to be opened with DuckDB anywhere."""
    with session.waiting("copying"):
        session.manager.snapshot(file)
    session.answer({"file": file}, say("the views are in {file}", file=file))


def _here() -> click.Context:
    return click.get_current_context()


def _shown(table: pa.Table) -> dict[str, Any]:
    from ..projections.export import export

    rows = json.loads(export(table, "json"))
    return {"columns": table.column_names, "count": table.num_rows, "rows": rows, "file": None}


def _table(table: pa.Table) -> Iterator[Block]:
    """The first rows."""
    values = (column.to_pylist() for column in table.slice(0, SHOWN).columns)
    numbers = [place for place, field in enumerate(table.schema) if _numeric(field.type)]
    rows = [tuple(map(_cell, row)) for row in zip(*values, strict=True)]
    yield grid((map(_cut, row) for row in rows), head=table.column_names, right=numbers)
    if any(len(cell) > LONGEST for row in rows for cell in row):
        yield dim(str(say("what ends in {mark} is cut; --format csv shows all of it", mark=CUT)))
    if table.num_rows > SHOWN:
        more = count(table.num_rows - SHOWN, "row")
        yield dim(str(say("and {rows} more; --format csv shows all", rows=more)))
    elif not table.num_rows:
        yield dim(word("no rows"))


def _as_of(at: Mapping[str, Any] | None) -> Iterator[Block]:
    """What a date or time stood for."""
    if at is None:
        return
    recorded = at["recorded"] and when(datetime.fromisoformat(at["recorded"]), seconds=True)
    told = say("as of event {seq}, recorded {when}", seq=at["seq"], when=recorded or "")
    yield dim(str(told) if recorded else word("as of before the first event"))


def _numeric(kind: Any) -> bool:
    import pyarrow as pa

    return pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)


def _cell(value: Any) -> str:
    if isinstance(value, datetime):
        return when(value if value.tzinfo else value.replace(tzinfo=UTC), seconds=True)
    return figure(value)


def _cut(cell: str) -> str:
    return cell if len(cell) <= LONGEST else f"{cell[:LONGEST]} {CUT}"


def _event(event: Mapping[str, Any]) -> Block:
    """One line: where it stands, when it was recorded, what it is, of which stream, and what it says."""
    moment = when(datetime.fromisoformat(event["recordedtime"]), seconds=True)
    kind = event["type"].removeprefix("lepton.").rpartition(".")[0]
    data = cast("Mapping[str, Any]", event["data"]).items()
    said = (text(dim(name), f" {_brief(value)}") for name, value in data if value not in (None, "", [], {}))
    head = (f"{int(event['sequence']):>6}", dim(moment), title(f"{kind:<20}"), f"{event['subject']:<24}")
    return joined("  ", (*head, *said))


def _brief(value: Any) -> str:
    if isinstance(value, str) and value.startswith(("sha256:", "blake3:")):
        return value[:15]
    words = value if isinstance(value, str) else encoded(value)
    return words if len(words) <= 40 else f"{words[:36]} {CUT}"
