"""The jobs that a job needs and those that need it, in order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from ....results import JobRecord
from ....results.figures import first_line
from ..page import Visit
from ..views import rows
from .drawing import NeedsDrawing, Node, drawing

MOST: Final = 60
"""Jobs that are shown; the others are told as a number."""
_CONNECTED: Final = """
WITH RECURSIVE above(job) AS (
    SELECT ?::VARCHAR UNION SELECT unnest(j.after) FROM jobs AS j JOIN above USING (job)
), below(job) AS (
    SELECT ?::VARCHAR UNION SELECT j.job FROM jobs AS j JOIN below ON list_contains(j.after, below.job)
)
SELECT job, model FROM jobs WHERE job IN (SELECT job FROM above) OR job IN (SELECT job FROM below) ORDER BY seq
"""


@dataclass(frozen=True)
class NeededJobs:
    """Jobs that need one another, each behind those that it needs."""

    jobs: Sequence[JobRecord]
    left_out: int

    @cached_property
    def drawing(self) -> NeedsDrawing:
        """What waits for what."""
        return drawing(map(_node, self.jobs))


def needed_jobs(page: Visit, job: str) -> NeededJobs | None:
    """The jobs that a job needs, however far back, and those that need it; None where there is no other."""
    found = [row["job"] for row in rows(page, _CONNECTED, job, job) if page.workspace.rights.covers(row["model"])]
    if len(found) < 2:
        return None
    place = found.index(job)
    first = max(0, min(place - MOST // 2, len(found) - MOST))
    shown = found[first : first + MOST]
    return NeededJobs([page.manager.jobs.show(each) for each in shown], len(found) - len(shown))


def told(needed: NeededJobs | None) -> Sequence[Mapping[str, object]]:
    """The same as JSON."""
    return [] if needed is None else [{"job": job.job, "after": job.after} for job in needed.jobs]


def _node(job: JobRecord) -> Node:
    """A job, by what it is for, or else by its model."""
    name = first_line(job.message) or job.model
    return Node(job.job, job.after, job.kind, job.status, name)
