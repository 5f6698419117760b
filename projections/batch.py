"""A batch of rows put into the tables: all of it with the new position in one transaction, or nothing."""

# pyright: reportUnknownParameterType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# (pyarrow ships no types)

from __future__ import annotations

import logging
from array import array
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import Damaged, LeptonError, NewerLedger
from ..events.catalogue import CATALOGUE
from ..events.envelope import decode
from ..events.log import Row
from ..events.merkle import leaf_hash
from ..events.upcast import UPCASTERS, upcast
from . import aside
from .instance import foreign
from .schema import schema
from .translation import of_file

if TYPE_CHECKING:
    import pyarrow as pa
    from duckdb import DuckDBPyConnection

_log = logging.getLogger("lepton.projector")

_CHUNK = 1_000
"""Rows a record batch: DuckDB hands these to its threads one at a time."""


def checked(rows: Sequence[Row], after: int) -> Sequence[Row]:
    """The rows that follow `after`, each with the hash its leaf says; `Damaged` names the first that is not.

    Rows at or before `after` were applied already and are left out.
    """
    fresh = [row for row in rows if row.seq > after]
    for expected, (seq, leaf, envelope) in enumerate(fresh, after + 1):
        if seq != expected:
            raise Damaged(f"event {expected}", expected="present", found=f"a gap up to event {seq}")
        if (found := leaf_hash(envelope)) != leaf:
            raise Damaged(f"event {expected}", expected=f"sha256:{leaf.hex()}", found=f"sha256:{found.hex()}")
    return fresh


def staged(connection: DuckDBPyConnection, rows: Sequence[Row], ledger_id: str) -> pa.Table:
    """Checked rows parsed once, as Arrow.

    Raises `Damaged` naming a row that is no event of this ledger, `NewerLedger` on an unknown type.
    """
    connection.register("raw", _column(rows))
    try:
        parsed = connection.sql(schema().batch).to_arrow_table(_CHUNK)
    except foreign() as error:
        if aside.is_about_values(error):
            raise _named(rows, error) from error
        raise of_file(error) from error
    finally:
        connection.unregister("raw")
    _admit(parsed, rows, ledger_id)
    return parsed


def apply(connection: DuckDBPyConnection, rows: Sequence[Row], parsed: pa.Table) -> None:
    """Fill all tables from staged rows. An event that holds a value which a table cannot hold is set aside by name.

    Raises `Damaged`, `NewerLedger`, or `Unavailable` where it cannot write.
    """
    try:
        _write(connection, rows, parsed, {})
    except foreign() as error:
        if not aside.is_about_values(error):
            raise of_file(error) from error
        if damage := _undecodable(rows):
            raise damage from error
        _write_around(connection, rows, parsed, error)
    except (AttributeError, TypeError, ValueError) as error:  # data of an old type that is not what that type was
        if damage := _undecodable(rows):
            raise damage from error
        raise


def _write_around(connection: DuckDBPyConnection, rows: Sequence[Row], parsed: pa.Table, error: Exception) -> None:
    """Write a batch that failed for a value, without the events that it failed for."""

    def attempt(part: pa.Table) -> Exception | None:
        try:
            with _transaction(connection, part, commit=False):
                _fill(connection, part, {})
        except foreign() as error:
            if not aside.is_about_values(error):
                raise
            return error
        return None

    try:
        reasons = dict(aside.found(attempt, parsed))
        if not reasons:
            raise _of_batch(rows, error)
        _write(connection, rows, parsed, reasons)
    except foreign() as again:
        raise of_file(again) from again
    for seq, reason in sorted(reasons.items()):
        _log.warning("event %d is set aside, for the views cannot hold it: %s", seq, reason)


def _write(connection: DuckDBPyConnection, rows: Sequence[Row], parsed: pa.Table, reasons: aside.Aside) -> None:
    """Fill the tables and move the position, or change nothing."""
    with _transaction(connection, parsed, commit=True):
        _fill(connection, parsed, reasons)
        connection.execute("INSERT INTO store.position VALUES (?, ?)", [rows[-1].seq, rows[-1].leaf])


@contextmanager
def _transaction(connection: DuckDBPyConnection, parsed: pa.Table, *, commit: bool) -> Generator[None]:
    """A transaction over rows that are registered as `batch`: kept at its end, or undone as after any error."""
    connection.register("batch", parsed)
    try:
        connection.execute("BEGIN")
        yield
        connection.execute("COMMIT" if commit else "ROLLBACK")
    except BaseException:
        _rolled_back(connection)
        raise
    finally:
        connection.unregister("batch")


def _column(rows: Sequence[Row]) -> pa.Table:
    """The envelopes as one column of text, cut for DuckDB's threads."""
    import pyarrow as pa

    parts = [_strings([row.envelope for row in rows[i : i + _CHUNK]]) for i in range(0, len(rows), _CHUNK)]
    try:
        for part in parts:
            part.validate(full=True)
    except pa.ArrowInvalid as error:
        raise _named(rows, error) from error
    return pa.Table.from_arrays([pa.chunked_array(parts)], names=["raw"])


def _strings(texts: Sequence[bytes]) -> pa.Array[Any]:
    # Built from its buffers because `pa.array` imports pandas where there is one, which takes seconds.
    import pyarrow as pa

    ends = array("i", accumulate(map(len, texts), initial=0))
    return pa.Array.from_buffers(pa.string(), len(texts), [None, pa.py_buffer(ends), pa.py_buffer(b"".join(texts))])


def _admit(parsed: pa.Table, rows: Sequence[Row], ledger_id: str) -> None:
    """Hold that the envelopes are this ledger's, and each where its row says. They come in any order."""
    source = f"/lepton/{ledger_id}"
    if parsed["source"].unique().to_pylist() != [source]:
        sources = zip(parsed["seq"].to_pylist(), parsed["source"].to_pylist(), strict=True)
        seq, other = min(stray for stray in sources if stray[1] != source)
        raise Damaged(f"event {seq}", expected=f"source {source}", found=f"source {other}")
    places = np.sort(parsed["seq"].to_numpy())
    expected = np.arange(rows[0].seq, rows[-1].seq + 1, dtype=places.dtype)
    if len(wrong := (places != expected).nonzero()[0]):
        seq = int(expected[wrong[0]])
        raise Damaged(f"event {seq}", expected=f"sequence {seq}", found="another in its envelope")


def _fill(connection: DuckDBPyConnection, parsed: pa.Table, reasons: aside.Aside) -> None:
    """Run the statements whose event types the batch holds. Old types are brought up to today's after `events`."""
    events, *others = schema().tables
    connection.execute(events.insert)
    types = _types(parsed)
    if not types.isdisjoint(UPCASTERS):
        parsed = _brought_up(parsed)
        types = _types(parsed)
        _register(connection, parsed)
    if unknown := sorted(types - CATALOGUE.keys()):
        raise NewerLedger(f"the ledger holds events of type {unknown[0]!r}; this Lepton is older: update the package")
    if reasons:
        _set_aside(connection, reasons)
        _register(connection, aside.without(parsed, reasons))
    for table in others:
        if not types.isdisjoint(table.types):
            connection.execute(table.insert)


def _register(connection: DuckDBPyConnection, parsed: pa.Table) -> None:
    connection.unregister("batch")
    connection.register("batch", parsed)


def _set_aside(connection: DuckDBPyConnection, reasons: aside.Aside) -> None:
    (table,) = (table for table in schema().tables if table.name == "unprojected")
    connection.register("aside", aside.listed(reasons))
    try:
        connection.execute(table.insert)
    finally:
        connection.unregister("aside")


def _types(parsed: pa.Table) -> set[str]:
    return {str(kind) for kind in parsed["type"].unique().to_pylist()}


def _brought_up(parsed: pa.Table) -> pa.Table:
    """The batch with its old types and their data as today's code knows them."""
    import pyarrow as pa
    from pydantic_core import from_json, to_json

    types, facts, streams = (parsed[column].to_pylist() for column in ("type", "data", "stream"))
    for place, kind in enumerate(types):
        if kind in UPCASTERS:
            types[place], data = upcast(kind, from_json(facts[place]), streams[place])
            facts[place] = to_json(data, inf_nan_mode="strings").decode()
    for name, values in (("type", types), ("data", facts)):
        column = pa.chunked_array([_strings([value.encode() for value in values])])
        parsed = parsed.set_column(parsed.schema.get_field_index(name), name, column)
    return parsed


def _named(rows: Sequence[Row], error: Exception) -> LeptonError:
    """The first row that is no event of today's kind, or the whole batch where each one alone is."""
    return _undecodable(rows) or _of_batch(rows, error)


def _undecodable(rows: Sequence[Row]) -> LeptonError | None:
    """What is wrong with the first row that is no event of today's kind, None where each is."""
    for row in rows:
        try:
            decode(row.envelope, row.leaf, row.seq)
        except (Damaged, NewerLedger) as found:
            return found
    return None


def _of_batch(rows: Sequence[Row], error: Exception) -> Damaged:
    span = f"one of the events {rows[0].seq} to {rows[-1].seq}"
    return Damaged(span, expected="data as its type says", found=type(error).__name__)


def _rolled_back(connection: DuckDBPyConnection) -> None:
    try:
        connection.execute("ROLLBACK")
    except foreign():
        # A failed COMMIT, or an instance that DuckDB itself has shut, leaves nothing to roll back.
        return
