"""The comparison of a read model with one built anew: whether its rows are still what the events say."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from ..events.log import Log
from .file import File
from .projector import Projection
from .schema import schema

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def compare(projection: Projection, log: Log, *, memory_limit: str = "1GB") -> Iterator[str]:
    """One line for each base table that differs from a rebuild up to the same event, naming the first `seq` that does.

    The rebuild stands in a temporary folder beside the file and needs as much room again.
    """
    with TemporaryDirectory(prefix="compare-", dir=projection.path.parent) as folder:
        fresh = File(Path(folder) / "rebuilt.duckdb", log, memory_limit)
        try:
            fresh.follow(projection.position)
            with projection.reading() as kept:
                rebuilt = fresh.cursor()
                for table in schema().tables:
                    seq = _first_difference(kept, rebuilt, table.name, 0, projection.position)
                    if seq is not None:
                        yield f"table {table.name} differs from a rebuild first at event {seq}; run `lepton rebuild`"
        finally:
            fresh.close()


def _first_difference(
    kept: DuckDBPyConnection, rebuilt: DuckDBPyConnection, table: str, after: int, until: int
) -> int | None:
    """The first event in (after, until] whose rows differ, by halving the span, so that no row leaves DuckDB."""
    if _sum(kept, table, after, until) == _sum(rebuilt, table, after, until):
        return None
    while until - after > 1:
        middle = (after + until) // 2
        if _sum(kept, table, after, middle) == _sum(rebuilt, table, after, middle):
            after = middle
        else:
            until = middle
    return until


def _sum(connection: DuckDBPyConnection, table: str, after: int, until: int) -> tuple[int, int]:
    # A sum and not an exclusive or: two equal rows must not cancel each other.
    sql = f"SELECT count(*), coalesce(sum(hash(t)), 0) FROM store.{table} AS t WHERE seq > ? AND seq <= ?"
    return connection.execute(sql, [after, until]).fetchall()[0]
