"""What waits for what: the jobs that a job needs and those that need it, in order, and where a drawing has them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from ...results import JobRecord
from ...results.figures import first_line
from .page import Visit
from .views import rows

MOST: Final = 60
"""Jobs that are shown; the others are told as a number."""
WIDTH: Final = 188
"""Of a box and the way to the next."""
HEIGHT: Final = 56
LONGEST: Final = 20
"""Characters that fit into a box."""
BOX: Final = (148, 40)
_CONNECTED: Final = """
WITH RECURSIVE above(job) AS (
    SELECT ?::VARCHAR UNION SELECT unnest(j.after) FROM jobs AS j JOIN above USING (job)
), below(job) AS (
    SELECT ?::VARCHAR UNION SELECT j.job FROM jobs AS j JOIN below ON list_contains(j.after, below.job)
)
SELECT job, model FROM jobs WHERE job IN (SELECT job FROM above) OR job IN (SELECT job FROM below) ORDER BY seq
"""


class Box(NamedTuple):
    """A job in the drawing, by the corner at its top and left."""

    job: JobRecord
    x: int
    y: int
    name: str


@dataclass(frozen=True)
class NeededJobs:
    """Jobs that need one another, each behind those that it needs."""

    boxes: Sequence[Box]
    ways: Sequence[str]
    """The paths from a job to those that wait for it."""
    left_out: int

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the drawing."""
        return max(box.x for box in self.boxes) + BOX[0] + 2, max(box.y for box in self.boxes) + BOX[1] + 2


def needed_jobs(page: Visit, job: str) -> NeededJobs | None:
    """The jobs that a job needs, however far back, and those that need it; None where there is no other."""
    found = [row["job"] for row in rows(page, _CONNECTED, job, job) if page.workspace.rights.covers(row["model"])]
    if len(found) < 2:
        return None
    place = found.index(job)
    first = max(0, min(place - MOST // 2, len(found) - MOST))
    shown = found[first : first + MOST]
    return drawn([page.manager.jobs.show(each) for each in shown], len(found) - len(shown))


def drawn(jobs: Sequence[JobRecord], left_out: int = 0) -> NeededJobs:
    """Jobs laid out from left to right, each in the column behind the last one that it needs."""
    columns: dict[str, int] = {}
    rows_taken: Counter[int] = Counter()
    boxes: dict[str, Box] = {}
    for each in jobs:
        column = max((columns[name] + 1 for name in each.after if name in columns), default=0)
        columns[each.job] = column
        boxes[each.job] = Box(each, 1 + column * WIDTH, 1 + rows_taken[column] * HEIGHT, _name(each))
        rows_taken[column] += 1
    ways = [_way(boxes[name], boxes[each.job]) for each in jobs for name in each.after if name in boxes]
    return NeededJobs(tuple(boxes.values()), ways, left_out)


def told(needed: NeededJobs | None) -> Sequence[Mapping[str, object]]:
    """The same as JSON."""
    return [] if needed is None else [{"job": box.job.job, "after": box.job.after} for box in needed.boxes]


def _way(start: Box, end: Box) -> str:
    x, y, to, down = start.x + BOX[0], start.y + BOX[1] // 2, end.x, end.y + BOX[1] // 2
    middle = (x + to) // 2
    return f"M{x} {y}C{middle} {y} {middle} {down} {to} {down}"


def _name(job: JobRecord) -> str:
    """What it is for, or else its model, as far as it fits into a box."""
    name = first_line(job.message) or job.model
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…"
