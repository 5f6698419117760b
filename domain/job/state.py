"""The aggregate of one job: what was asked, which attempt counts, and whether it has ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final, Literal

from ...events.envelope import Recorded
from ...events.job import (
    JobAssigned,
    JobCancelled,
    JobCheckpointed,
    JobFailed,
    JobFinished,
    JobReleased,
    JobRequeued,
    JobStarted,
    JobSubmitted,
    JobWarned,
)

Status = Literal["unknown", "waiting", "queued", "assigned", "running", "finished", "failed", "cancelled"]
ENDED: Final[frozenset[Status]] = frozenset(("finished", "failed", "cancelled"))
AT_WORK: Final[frozenset[Status]] = frozenset(("assigned", "running"))
NOT_STARTED: Final = "NotStarted"
"""The error of an attempt that its worker did not begin in time."""


@dataclass(frozen=True, slots=True)
class JobCheckpoint:
    """A checkpoint that the next attempt goes on from."""

    step: int
    tensors: str


@dataclass(frozen=True, slots=True)
class JobState:
    """What a job's events add up to."""

    status: Status = "unknown"
    kind: str = ""
    model: str = ""
    payload: Mapping[str, Any] = field(default_factory=dict[str, Any])
    source: str = ""
    validation_source: str = ""
    message: str = ""
    pool: str = ""
    needs: tuple[str, ...] = ()
    memory: int | None = None
    seconds: float | None = None
    retries: int = 0
    after: tuple[str, ...] = ()
    """The jobs that must have finished before it begins."""
    actor: str = ""
    """Pseudonym of who asked for it."""
    traceparent: str | None = None
    """The trace of who asked, where there is one."""
    submitted: datetime | None = None
    changed: datetime | None = None
    epoch: int = 0
    worker: str = ""
    run: str | None = None
    unheeded: frozenset[str] = frozenset()
    """The workers that were given it and did not begin."""
    lost: int = 0
    """Attempts that count against the retries."""
    until: datetime | None = None
    """Not to be assigned before."""
    checkpoint: JobCheckpoint | None = None
    version: int | None = None
    result: Mapping[str, Any] = field(default_factory=dict[str, Any])
    remarks: tuple[str, ...] = ()
    """What was suspicious about the rows."""
    error: str | None = None
    upstream: str | None = None
    """The job that it waited for and that did not finish."""
    warnings: int = 0
    """What its attempts said and was not taken in."""
    lost_points: int = 0
    """Metric points that were lost by that."""
    warning: tuple[str, str] = ("", "")
    """The last of it: by whom, and the sealed text."""
    reason: tuple[str, str] = ("", "")
    """Why it stands as it does: by whom, and the sealed text."""

    @property
    def ended(self) -> bool:
        """Whether nothing can happen to it any more."""
        return self.status in ENDED


def evolve(job: JobState, recorded: Recorded) -> JobState:
    """The job after one more event."""
    return replace(_evolved(job, recorded), changed=recorded.recorded)


def _evolved(job: JobState, recorded: Recorded) -> JobState:
    match event := recorded.event:
        case JobSubmitted():
            return _submitted(event, recorded)
        case JobReleased(payload=resolved):
            return replace(job, status="queued", payload={**job.payload, **resolved})
        case JobAssigned(epoch=epoch, worker=worker):
            return replace(job, status="assigned", epoch=epoch, worker=worker, run=None)
        case JobStarted(run=run):
            return replace(job, status="running", run=run)
        case JobWarned(points=points, reason=reason):
            count, lost = job.warnings + 1, job.lost_points + points
            return replace(job, warnings=count, lost_points=lost, warning=(recorded.actor, reason))
        case JobCheckpointed(step=step, tensors=tensors):
            return replace(job, checkpoint=JobCheckpoint(step, tensors))
        case JobRequeued():
            lost = job.lost + event.counted
            story = {"error": event.error, "reason": (recorded.actor, event.reason)}
            story |= {"unheeded": job.unheeded | {job.worker}} if event.error == NOT_STARTED else {}
            return replace(job, status="queued", worker="", run=None, lost=lost, until=event.until, **story)
        case JobFinished(version=version, result=result, remarks=remarks):
            made = {"version": version, "result": result, "remarks": remarks}
            return replace(job, status="finished", error=None, reason=("", ""), **made)
        case JobFailed(error=error, reason=reason, upstream=upstream):
            return replace(job, status="failed", error=error, reason=(recorded.actor, reason), upstream=upstream)
        case JobCancelled(reason=reason):
            return replace(job, status="cancelled", reason=(recorded.actor, reason))
        case _:
            return job


def _submitted(event: JobSubmitted, recorded: Recorded) -> JobState:
    return JobState(
        status="waiting" if event.after else "queued",
        kind=event.kind,
        model=event.model,
        payload=event.payload,
        source=event.source,
        validation_source=event.validation_source,
        message=event.message,
        pool=event.pool,
        needs=event.needs,
        memory=event.memory,
        seconds=event.seconds,
        retries=event.retries,
        after=event.after,
        actor=recorded.actor,
        traceparent=recorded.traceparent,
        submitted=recorded.recorded,
    )
