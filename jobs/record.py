"""A job as callers are told of it: how it stands, and its story."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, cast

from ..domain.commands import job_stream, run_stream
from ..domain.job.commands import attempt
from ..domain.job.state import JobState
from ..errors import Refused, UnknownRevision
from ..results import JobRecord
from ..results import JobRecords as JobRecords
from ..versions import feed
from ..versions.workspace import Workspace

_ENDED: Final = {"failed": "failed", "cancelled": "was cancelled"}


def record(workspace: Workspace, name: str) -> JobRecord:
    """A job as it stands. Raises `Refused` where there is none."""
    job = state(workspace, name)
    assert job.submitted is not None
    assert job.changed is not None
    model = workspace.model(job.model)
    return JobRecord(
        job=name,
        kind=job.kind,
        model=job.model,
        status=job.status,
        epoch=job.epoch,
        pool=job.pool,
        submitted=job.submitted,
        changed=job.changed,
        message=workspace.opened(job.actor, job.message),
        version=None if job.version is None else workspace.version(model, job.version),
        figures=dict(job.result),
        error=job.error,
        reason=why(workspace, job),
        warnings=job.warnings,
        lost_points=job.lost_points,
        warning=workspace.opened(*job.warning),
        remarks=job.remarks,
        step=job.checkpoint.step if job.checkpoint else None,
        after=job.after,
    )


def why(workspace: Workspace, job: JobState) -> str:
    """Why a job stands as it does; of one that failed for another the story of that one, if it may be read.

    It is read where it stands, so that what was said of one job is forgotten with whoever asked for that one.
    """
    if job.upstream is None:
        return workspace.opened(*job.reason)
    first = root = job.upstream
    while workspace.may_read("job", root) and (further := state(workspace, root).upstream):
        root = further
    if not workspace.may_read("job", root):
        return f"job {first}, which it waited for, did not finish"
    ended = state(workspace, root)
    said = workspace.opened(*ended.reason) or ended.error or "nobody said why"
    told = f"job {root} ({ended.kind} {ended.model}) {_ENDED[ended.status]}: {said}"
    return told if root == first else f"job {first} did not begin, since {told}"


def state(workspace: Workspace, name: str) -> JobState:
    """A job's aggregate; `Refused` where there is none of that name."""
    job = cast(JobState, workspace.ledger.state(job_stream(name)))
    if job.status == "unknown":
        raise UnknownRevision(f"there is no job {name!r}; `lepton jobs` lists them")
    return job


def to_do(workspace: Workspace, job: JobState) -> Iterator[JobState]:
    """The jobs that a worker could take now for a job to end: itself, or those that it waits for."""
    ahead, seen = [job], set[str]()
    while ahead:
        each = ahead.pop()
        if each.status == "queued":
            yield each
        elif each.status == "waiting":
            ahead += (state(workspace, name) for name in each.after if name not in seen)
            seen.update(each.after)


def newest(workspace: Workspace, most: int, before: str | None = None) -> list[str]:
    """The jobs submitted last that may be read, the newest first; those submitted `before` another, if it is named."""
    looked = most
    while True:
        streams = workspace.ledger.store.newest_streams("job/", looked, before and job_stream(before))
        names = (stream.removeprefix("job/") for stream in streams)
        if len(found := [name for name in names if workspace.may_read("job", name)]) >= most or len(streams) < looked:
            return found[:most]
        looked *= 4


def story(workspace: Workspace, name: str) -> Iterator[dict[str, Any]]:
    """The events of a job and of its attempts' runs in their order, free text opened."""
    store, last = workspace.ledger.store, state(workspace, name).epoch
    streams = (job_stream(name), *(run_stream(attempt(name, epoch)) for epoch in range(1, last + 1)))
    rows = sorted(row for stream in streams for row in store.stream(stream)[1])
    return feed.heard(workspace, rows, workspace.actors.all())


def finished(found: JobRecord) -> JobRecord:
    """The job, if it went well; else what kept it raises as `Refused`."""
    if found.status != "finished":
        why = found.reason or f"{found.error or found.status}"
        raise Refused(why if found.status == "failed" else f"job {found.job} is {found.status}")
    return found
