"""Moments as places in the log, and back, as one connection to the views sees them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from ..events.clock import moment
from .instance import foreign
from .translation import of_file

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def seq_at(cursor: DuckDBPyConnection, when: datetime | date) -> int:
    """The last `seq` recorded by then, as one connection to the file sees it."""
    try:
        found = cursor.execute(
            "SELECT coalesce(max(seq), 0) FROM store.events WHERE coalesce(clock, recorded) <= ?::TIMESTAMPTZ",
            [instant(when)],
        ).fetchall()
    except foreign() as error:
        raise of_file(error) from error
    return found[0][0]


def recorded_at(cursor: DuckDBPyConnection, seq: int) -> datetime | None:
    """When an event was recorded, as one connection to the file sees it; None for no event."""
    try:
        found = cursor.execute(
            "SELECT epoch_us(coalesce(clock, recorded)) FROM store.events WHERE seq = ?", [seq]
        ).fetchall()
    except foreign() as error:
        raise of_file(error) from error
    return moment(found[0][0]) if found else None


def instant(when: datetime | date) -> str:
    """A moment as DuckDB reads it, to the microsecond: the last one of a date's day; UTC where no zone is said."""
    if not isinstance(when, datetime):
        when = datetime(when.year, when.month, when.day, tzinfo=UTC) + timedelta(days=1, microseconds=-1)
    elif when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    return when.astimezone(UTC).isoformat()
