"""A batch of rows put into the tables: all of it with the new position in one transaction, or nothing."""

# pyright: reportUnknownParameterType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# (pyarrow ships no types)

from __future__ import annotations

from array import array
from collections.abc import Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from ..errors import Damaged, LeptonError, NewerLedger
from ..events.catalogue import CATALOGUE
from ..events.envelope import decode
from ..events.log import Row
from ..events.merkle import leaf_hash
from ..events.upcast import UPCASTERS, upcast
from .instance import translated
from .schema import schema

if TYPE_CHECKING:
    import pyarrow as pa
    from duckdb import DuckDBPyConnection

_CHUNK = 1_000
"""Rows a record batch: DuckDB hands these to its threads one at a time."""


def checked(rows: Sequence[Row], after: int) -> Sequence[Row]:
    """The rows that follow `after`, each with the hash its leaf says; `Damaged` names the first that is not.

    Rows at or before `after` were applied already and are left out.
    """
    fresh = [row for row in rows if row.seq > after]
    for expected, row in enumerate(fresh, after + 1):
        if row.seq != expected:
            raise Damaged(f"event {expected}", expected="present", found=f"a gap up to event {row.seq}")
        if (found := leaf_hash(row.envelope)) != row.leaf:
            raise Damaged(f"event {expected}", expected=f"sha256:{row.leaf.hex()}", found=f"sha256:{found.hex()}")
    return fresh


def apply(connection: DuckDBPyConnection, rows: Sequence[Row], ledger_id: str) -> None:
    """Fill all tables from checked rows. Raises `Damaged`, `NewerLedger` on an unknown type, or `Unavailable`."""
    import duckdb

    connection.register("raw", _column(rows))
    connection.execute("BEGIN")
    try:
        connection.execute(schema().batch)
        _admitted(connection, rows, ledger_id)
        _fill(connection)
        connection.execute("INSERT INTO store.position VALUES (?, ?)", [rows[-1].seq, rows[-1].leaf])
        connection.execute("COMMIT")
    except (duckdb.DataError, duckdb.IntegrityError, duckdb.ProgrammingError) as error:
        _rolled_back(connection)
        raise _named(rows, error) from error
    except duckdb.Error as error:
        _rolled_back(connection)
        raise translated(error) from error
    except LeptonError:
        _rolled_back(connection)
        raise
    finally:
        connection.unregister("raw")


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


def _admitted(connection: DuckDBPyConnection, rows: Sequence[Row], ledger_id: str) -> None:
    """Hold that the envelopes are this ledger's, in their places, and of known types."""
    source = f"/lepton/{ledger_id}"
    stray = connection.execute(
        "SELECT min(seq), arg_min(source, seq) FROM batch WHERE source IS DISTINCT FROM ?", [source]
    ).fetchall()[0]
    if stray[1] is not None or stray[0] is not None:
        raise Damaged(f"event {stray[0]}", expected=f"source {source}", found=f"source {stray[1]}")
    missing = connection.execute(
        "SELECT min(seq) FROM range(?, ?) AS expected (seq) ANTI JOIN batch USING (seq)",
        [rows[0].seq, rows[-1].seq + 1],
    ).fetchall()[0][0]
    if missing is not None:
        raise Damaged(f"event {missing}", expected=f"sequence {missing}", found="another in its envelope")


def _fill(connection: DuckDBPyConnection) -> None:
    """Run the statements whose event types the batch holds. Old types are brought up to today's after `events`."""
    types = _types(connection)
    for table in schema().tables:
        if table.name == "events":
            connection.execute(table.inserts[0])
            if not types.isdisjoint(UPCASTERS):
                _bring_up(connection)
                types = _types(connection)
            _refuse_unknown(types)
        elif not types.isdisjoint(table.types):
            for insert in table.inserts:
                connection.execute(insert)


def _types(connection: DuckDBPyConnection) -> set[str]:
    return {kind for (kind,) in connection.execute("SELECT DISTINCT type FROM batch").fetchall()}


def _refuse_unknown(types: set[str]) -> None:
    if unknown := sorted(str(kind) for kind in types - CATALOGUE.keys()):
        raise NewerLedger(f"the ledger holds events of type {unknown[0]!r}; this Lepton is older: update the package")


def _bring_up(connection: DuckDBPyConnection) -> None:
    from pydantic_core import from_json, to_json

    old = connection.execute("SELECT seq, type, data FROM batch WHERE type IN ?", [list(UPCASTERS)]).fetchall()
    for seq, stored, data in old:
        kind, fields = upcast(stored, from_json(data))
        connection.execute(
            "UPDATE batch SET type = ?, data = ? WHERE seq = ?",
            [kind, to_json(fields, inf_nan_mode="strings").decode(), seq],
        )


def _named(rows: Sequence[Row], error: Exception) -> LeptonError:
    """The first row that is no event of today's kind, or the whole batch where each one alone is."""
    for row in rows:
        try:
            decode(row.envelope, row.leaf, row.seq)
        except (Damaged, NewerLedger) as found:
            return found
    span = f"one of the events {rows[0].seq} to {rows[-1].seq}"
    return Damaged(span, expected="data as its type says", found=type(error).__name__)


def _rolled_back(connection: DuckDBPyConnection) -> None:
    import duckdb

    try:
        connection.execute("ROLLBACK")
    except duckdb.Error:
        # A failed COMMIT, or an instance that DuckDB itself has shut, leaves nothing to roll back.
        return
