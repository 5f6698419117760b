"""A stranger's SELECT over the read model: guarded, timed, as of any place in the log."""

# pyright: reportUnknownParameterType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# (pyarrow ships no types)

from __future__ import annotations

import json
import re
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from datetime import UTC, date, datetime
from functools import cache
from threading import TIMEOUT_MAX, Event, Thread
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

from ...errors import Damaged, Malformed, Refused
from ..instance import foreign
from ..schema import schema
from ..translation import FILE, of_query
from .opening import HIDDEN, NAME, Opens, opening

if TYPE_CHECKING:
    import pyarrow as pa
    from duckdb import DuckDBPyConnection, Statement

Params = Sequence[Any] | Mapping[str, Any]

LONGEST: Final = 256 * 1024
"""Bytes of a query."""
MOST_PARTS: Final = 20_000
"""Expressions, tables and the like in a query: planning them takes time that no timer interrupts."""
RESULT_LIMIT = 1 << 30
"""The largest answer, in bytes of Arrow: what has left DuckDB no longer counts against its memory limit."""

_ROWS = 8_192
_AS_OF = b"lepton.as_of"
_AGAIN = 0.05

_LOOKING = re.compile(
    r"range|generate_series|unnest|json_each|json_tree|repeat|repeat_row|duckdb_(columns|views|tables|types)",
    re.IGNORECASE,
)
"""Table functions that see nothing of the host; beside them only the macros NAME_at may be called."""

_TELLING = re.compile(r"current_setting|write_log|getenv|pg_settings|databases|(duckdb|pragma)_.*", re.IGNORECASE)
"""Functions and views that tell of the host: its folders, its settings."""


class Readable(Protocol):
    """Views that can be asked: a read model, or a copy of one."""

    @property
    def position(self) -> int:
        """The last `seq` that is in them."""
        ...

    def reading(self) -> AbstractContextManager[DuckDBPyConnection]:
        """A cursor of one's own."""
        ...

    def seq_at(self, when: datetime | date) -> int:
        """The last `seq` recorded by then."""
        ...

    def recorded_at(self, seq: int) -> datetime | None:
        """When an event was recorded."""
        ...


def query(
    projection: Readable,
    sql: str,
    params: Params | None = None,
    *,
    as_of: int | datetime | date | str | None = None,
    timeout: float = 30.0,
    most: int | None = None,
    opener: Opens | None = None,
) -> pa.Table:
    """The answer of one SELECT over the public views, as they stood at `as_of`.

    An int is a `seq`; a date or time stands for the last `seq` recorded by then, a date for the end of that day in UTC;
    text is one of the three.
    What a date or time stood for is told with the answer; `resolved` reads it. With an `opener` the query may call
    `opened(text)`.
    Raises `Refused` for anything but one SELECT, for what reaches outside or into the settings, for an answer above
    `most` bytes (1 GiB where nothing is said), and past `timeout` seconds; `Malformed` with DuckDB's own words where
    the SQL is wrong.
    """
    most = RESULT_LIMIT if most is None else most
    with answering(projection, sql, params, as_of=as_of, timeout=timeout, opener=opener) as reader:
        return _fetched(reader, most)


@contextmanager
def answering(
    projection: Readable,
    sql: str,
    params: Params | None = None,
    *,
    as_of: int | datetime | date | str | None = None,
    timeout: float = 30.0,
    opener: Opens | None = None,
) -> Generator[pa.RecordBatchReader]:
    """As `query`, batch by batch while it is open: what was read of the answer takes no memory here."""
    import pyarrow as pa

    by_date = not isinstance(as_of, int | None) and isinstance(as_of := place(as_of), date)
    if len(sql.encode(errors="replace")) > LONGEST:
        raise Refused(f"a query has at most {LONGEST:,} bytes; give lists of values as parameters")
    at = _seq(projection, as_of)
    told = _place_told(projection, at) if by_date and at is not None else {}
    with ExitStack() as stack:
        cursor = stack.enter_context(projection.reading())
        stack.enter_context(_explained(cursor, sql, timeout))
        if opener is not None:
            stack.enter_context(opening(cursor, opener))
        stack.enter_context(_interrupted(cursor, timeout))
        statement = _only_select(cursor, sql, may_open=opener is not None)
        if at is not None:
            cursor.execute("SET VARIABLE as_of = ?::UBIGINT", [at])
        cursor.execute("BEGIN TRANSACTION READ ONLY")
        reader = cursor.sql(statement, params=params).to_arrow_reader(_ROWS)
        schema = reader.schema.with_metadata({**(reader.schema.metadata or {}), **told}) if told else reader.schema
        yield pa.RecordBatchReader.from_batches(schema, reader)


def resolved(schema: pa.Schema) -> Mapping[str, Any] | None:
    """What a date or time that an answer was asked for stood for: `seq`, and when that event was `recorded`."""
    place = (schema.metadata or {}).get(_AS_OF)
    return None if place is None else json.loads(place)


def _place_told(projection: Readable, seq: int) -> dict[bytes, bytes]:
    recorded = projection.recorded_at(seq)
    return {_AS_OF: json.dumps({"seq": seq, "recorded": recorded and recorded.isoformat()}).encode()}


def _seq(projection: Readable, as_of: int | datetime | date | None) -> int | None:
    if isinstance(as_of, date):
        return projection.seq_at(as_of)
    if as_of is not None and not 0 <= as_of <= projection.position:
        raise Malformed(
            f"the ledger ends at event {projection.position}, and none of its places is {as_of}; ask as of one"
        )
    return as_of


def place(text: str | date) -> int | datetime | date:
    """A place in the log, from its text: an event's number, a date or a time. Raises `Malformed`."""
    try:
        if isinstance(text, datetime):
            return text.astimezone(UTC) if text.tzinfo else text
        if isinstance(text, date):
            return text
        if text.isdecimal():
            return int(text)
        if len(text) == len("2026-11-24"):
            return date.fromisoformat(text)
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo else moment
    except (ValueError, OverflowError):
        raise Malformed(
            f"{str(text)[:80]!r} is no place in the log; write an event's number, a date or a time"
        ) from None


def _only_select(cursor: DuckDBPyConnection, sql: str, *, may_open: bool) -> Statement:
    """The statement, if it is one SELECT that calls nothing beyond the read model."""
    import duckdb

    statements = cursor.extract_statements(sql)
    if len(statements) != 1:
        raise Refused(f"a query is one SELECT, and this is {len(statements)} statements; send them one by one")
    (statement,) = statements
    if statement.type != duckdb.StatementType.SELECT:
        raise Refused(f"a query is one SELECT, and this is {statement.type.name}; only reading is allowed here")
    tree = json.loads(cursor.execute("SELECT json_serialize_sql(?)", [sql]).fetchall()[0][0])
    if tree["error"]:
        raise Refused("a query is one plain SELECT, and this form of it cannot be checked; PIVOT is such a form")
    for count, part in enumerate(_parts(tree)):
        if count > MOST_PARTS:
            raise Refused(f"a query has at most {MOST_PARTS:,} parts, and this has more; give values as parameters")
        for name in _outside(part):
            raise Refused(f"a query reads the ledger's views alone, and {name!r} reaches beyond them; leave it out")
        if not may_open and str(part.get("function_name", "")).lower() == NAME:
            what = f"{NAME}() needs the keys of actors, which are not here"
            raise Refused(what, python="ask with manager.sql", cli="ask with `lepton sql`")
    return statement


def _parts(tree: Any) -> Iterator[Mapping[str, Any]]:
    """Every object in a parsed statement, however deep."""
    left = [tree]
    while left:
        node = left.pop()
        if isinstance(node, dict):
            yield cast(dict[str, Any], node)
            left += cast(dict[str, Any], node).values()
        elif isinstance(node, list):
            left += cast(list[Any], node)


def _outside(part: Mapping[str, Any]) -> Iterator[str]:
    """The names in a part of a statement of functions and tables that a query may not use."""
    if part.get("type") == "TABLE_FUNCTION":
        name = str(part["function"]["function_name"])
        if not _LOOKING.fullmatch(name) and name.lower() not in _macros():
            yield name
    for key in ("function_name", "table_name"):
        name = str(part.get(key, "")).strip('"')
        if name.lower().startswith(HIDDEN) and key == "function_name":
            yield name  # what another's question is lent keys with
        elif _TELLING.fullmatch(name) and not _LOOKING.fullmatch(name):
            yield name


@cache
def _macros() -> frozenset[str]:
    return frozenset(f"{view.name}_at" for view in schema().views)


def _fetched(reader: pa.RecordBatchReader, most: int) -> pa.Table:
    import pyarrow as pa

    batches: list[pa.RecordBatch] = []
    size = 0
    for batch in reader:
        size += batch.nbytes
        if size > most:
            raise too_long(most)
        batches.append(batch)
    return pa.Table.from_batches(batches, reader.schema)


def too_long(most: int) -> Refused:
    """An answer has more bytes than it may."""
    return Refused(f"the answer exceeds {most >> 20} MiB; add a LIMIT or aggregate")


def checked_timeout(seconds: float) -> float:
    """Seconds that a query may take; `Malformed` where they are none, at most what a thread can wait."""
    if not seconds > 0:
        raise Malformed(f"a timeout of {seconds:g} s lets no query end; give seconds above 0")
    return min(seconds, TIMEOUT_MAX)


@contextmanager
def _interrupted(cursor: DuckDBPyConnection, timeout: float) -> Generator[None]:
    """Interrupt the cursor after `timeout` seconds, again and again: one alone may fall between two statements."""
    done = Event()

    def watch() -> None:
        if not done.wait(timeout):
            while not done.wait(_AGAIN):
                cursor.interrupt()

    watcher = Thread(target=watch, name="query-limit", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()


@contextmanager
def _explained(cursor: DuckDBPyConnection, sql: str, timeout: float) -> Generator[None]:
    """DuckDB's errors as one sentence; `Damaged` where a view that the query may need is gone from the file."""
    import duckdb

    try:
        yield
    except (*foreign(), RecursionError) as error:
        if isinstance(error, duckdb.CatalogException | duckdb.BinderException) and (gone := _gone(cursor)):
            raise Damaged(FILE, expected=f"the view {gone}", found="none of its columns") from error
        raise of_query(error, sql, timeout) from error


def _gone(cursor: DuckDBPyConnection) -> str | None:
    """The first view that the file has lost, or that its tables do not carry any more."""
    with suppress(*foreign()):
        cursor.execute("ROLLBACK")
    for view in schema().views:
        try:
            cursor.execute(f"FROM {view.name} LIMIT 0")
        except foreign():
            return view.name
    return None
