"""The comparison of a read model with one built anew: whether its rows are still what the events say."""

from __future__ import annotations

import os
import shutil
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING

from ..events.log import EventLog
from .file import ViewsFile
from .instance import foreign
from .projector import Projection
from .schema import schema
from .translation import of_file

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def compare(projection: Projection, log: EventLog, *, memory_limit: str = "1GB") -> Iterator[str]:
    """One line for each base table that differs from a rebuild up to the same event, naming the first `seq` that does.

    The rebuild stands in a temporary folder beside the file and needs as much room again.
    """
    with projection.reading() as kept, _folder(projection.path.parent) as folder:
        fresh = ViewsFile(folder / "rebuilt.duckdb", log, memory_limit)
        try:
            fresh.follow(projection.position)
            with _translated():
                rebuilt = fresh.cursor()
                for table in schema().tables:
                    seq = _first_difference(kept, rebuilt, table.name, 0, projection.position)
                    if seq is not None:
                        yield f"table {table.name} differs from a rebuild first at event {seq}; run `lepton rebuild`"
        finally:
            fresh.close()


@contextmanager
def _folder(beside: Path) -> Generator[Path]:
    """A temporary folder that only the process that made it takes away: a forked child must not."""
    process, folder = os.getpid(), Path(mkdtemp(prefix="compare-", dir=beside))
    try:
        yield folder
    finally:
        if os.getpid() == process:
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _translated() -> Generator[None]:
    try:
        yield
    except foreign() as error:
        raise of_file(error) from error


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
