"""Moments: whole microseconds since 1970 in the tables, and which of those that others claim can be kept."""

from __future__ import annotations

from datetime import MAXYEAR, MINYEAR, UTC, datetime, timedelta
from typing import Final

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


def microseconds(moment: datetime) -> int:
    """A moment as it is kept."""
    return (moment - _EPOCH) // _MICROSECOND


def moment(microseconds: int) -> datetime:
    """The moment that was kept."""
    return _EPOCH + microseconds * _MICROSECOND


def in_calendar(moment: datetime) -> datetime:
    """The moment as it came, if it says its offset and is the same calendar's in UTC and in all zones; else ValueError.

    The first and the last year are left out: an offset would lead beyond the calendar, where nothing can be compared.
    """
    if moment.tzinfo is None or not MINYEAR < moment.year < MAXYEAR:
        raise ValueError("a time needs an offset, and a year from 2 to 9998")
    return moment
