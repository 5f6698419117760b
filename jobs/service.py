"""Submitting: work asked for, looked at, waited for and called off."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast
from uuid import NAMESPACE_OID, uuid5

import uuid_utils

from ..addresses import checked_source
from ..datasets import read
from ..domain.commands import job_stream, run_stream
from ..domain.job.commands import CancelJob, OfferVersion, SubmitJob, attempt
from ..domain.job.state import Job
from ..domain.names import checked_name
from ..errors import Refused, Stale, UnknownRevision
from ..events.job import JobSubmitted
from ..versions import history
from ..versions.workspace import Workspace
from .record import JobRecord, JobRecords

log = logging.getLogger("lepton")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Who may do it, and what it may take."""

    pool: str = "default"
    needs: tuple[str, ...] = ()
    memory: int | None = None
    """Bytes."""
    seconds: float | None = None
    retries: int = 3


def submit(
    workspace: Workspace,
    kind: str,
    model: str,
    data: str,
    payload: Mapping[str, Any],
    limits: Limits,
    *,
    message: str = "",
    key: str | None,
) -> JobRecord:
    """Ask for work on labelled rows at an address. Repeated under its key, the job that it became the first time."""
    checked_name(payload.get("branch", "main"), "branch")
    source = read.checked(data, payload["label"])
    command = SubmitJob(
        job=str(uuid_utils.uuid7()),
        kind=kind,
        model=model,
        payload=payload,
        source=source,
        message=message,
        **asdict(limits),
    )
    event = workspace.admit(command, key).events[0].event
    assert isinstance(event, JobSubmitted)
    return record(workspace, event.job)


def offer(workspace: Workspace, model: str, source: str, limits: Limits, *, key: str | None, **told: Any) -> JobRecord:
    """Have a version that was trained elsewhere looked at. Repeated under its key, the job that it became then."""
    key = key or str(uuid_utils.uuid7())
    address = source if "://" in source else Path(source).absolute().as_uri()
    job = str(uuid5(NAMESPACE_OID, key))
    command = OfferVersion(job=job, model=model, source=checked_source(address), **told, **asdict(limits))
    workspace.admit(command, key)
    return record(workspace, job)


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
        reason=workspace.opened(*job.reason),
        warnings=job.warnings,
        lost_points=job.lost_points,
        warning=workspace.opened(*job.warning),
        step=job.checkpoint.step if job.checkpoint else None,
    )


def state(workspace: Workspace, name: str) -> Job:
    """A job's aggregate; `Refused` where there is none of that name."""
    job = cast(Job, workspace.ledger.state(job_stream(name)))
    if job.status == "unknown":
        raise UnknownRevision(f"there is no job {name!r}; `lepton jobs` lists them")
    return job


def recent(workspace: Workspace, most: int) -> JobRecords:
    """The jobs submitted last, the newest first."""
    streams = workspace.ledger.store.newest_streams("job/", most)
    return JobRecords(record(workspace, stream.removeprefix("job/")) for stream in streams)


def story(workspace: Workspace, name: str) -> Iterator[dict[str, Any]]:
    """The events of a job and of its attempts' runs in their order, free text opened."""
    store, last = workspace.ledger.store, state(workspace, name).epoch
    streams = (job_stream(name), *(run_stream(attempt(name, epoch)) for epoch in range(1, last + 1)))
    rows = sorted(row for stream in streams for row in store.stream(stream)[1])
    return history.told(workspace, rows)


def cancel(workspace: Workspace, name: str, reason: str, key: str | None) -> JobRecord:
    """Call a job off, wherever it stands; its worker stops it."""
    while True:
        command = CancelJob(job=name, epoch=state(workspace, name).epoch, reason=reason)
        try:
            workspace.admit(command, key)
        except Stale:  # another attempt began in between
            continue
        return record(workspace, name)


def finished(found: JobRecord) -> JobRecord:
    """The job, if it went well; else what kept it raises as `Refused`."""
    if found.status != "finished":
        why = found.reason or f"{found.error or found.status}"
        raise Refused(why if found.status == "failed" else f"job {found.job} is {found.status}")
    return found
