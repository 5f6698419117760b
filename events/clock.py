"""Moments as the tables keep them: whole microseconds since 1970, UTC; and what a clock that is wrong does to the log.

The log's time never decreases. So a writer whose clock is ahead carries it ahead for good, and those after it, whose
clocks are right, are recorded at the same moment as it. Their own reading is recorded beside that, as `clocktime`, and
as-of by date goes by it. docs/decisions/0006-clocks.md says why.
"""

from __future__ import annotations

from datetime import MAXYEAR, MINYEAR, UTC, datetime, timedelta
from typing import Final, NamedTuple

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)

JUMP: Final = 24 * 3600 * 10**6
"""Microseconds between two events, or two clocks, beyond which one of the clocks may be wrong."""
_BEHIND: Final = 60 * 10**6
"""Microseconds that a clock may be behind the log before its own reading is recorded."""


class Stamp(NamedTuple):
    """The time of the next event."""

    recorded: int
    """Not before the last event's."""
    clock: int | None
    """The reading that as-of goes by, where the log had been carried ahead of it; else None."""


def stamped(last: int, trusted: int | None, now: int) -> Stamp:
    """The stamp of an event after one recorded at `last`, by a clock that says `now`.

    A clock behind the log is taken for right where the log jumped ahead before, and the clock says no less than was
    recorded until then; else it is the clock that is behind, and its reading counts for nothing.
    """
    right = trusted is not None and trusted <= now < last - _BEHIND
    return Stamp(max(last, now), now if right else None)


def trusted_after(last: int, trusted: int | None, stamp: Stamp) -> int | None:
    """What clocks behind the log are measured by after an event: the time recorded before it jumped ahead last."""
    if stamp.clock is not None:
        return stamp.clock
    return last if last and stamp.recorded - last > JUMP else trusted


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
