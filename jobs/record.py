"""A job as callers are told of it: how it stands, and its story."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, cast

from ..domain.commands import job_stream, run_stream
from ..domain.job.commands import attempt
from ..domain.job.state import ENDED, JobState
from ..errors import Refused, UnknownRevision
from ..results import Result, Shown, Version
from ..results.description import Block, Text, grid, text
from ..results.figures import figure, first_line, when
from ..results.words import say, word
from ..versions import history
from ..versions.workspace import Workspace

COLOURS: Final = {"finished": "green", "failed": "red", "cancelled": "yellow"}


@dataclass(frozen=True)
class JobRecord(Result):
    """A piece of work that was asked for, and what became of it."""

    job: str
    kind: str
    model: str
    status: str
    """queued, assigned, running, finished, failed or cancelled."""
    epoch: int
    """The attempt that counts, 0 before the first."""
    pool: str
    submitted: datetime
    changed: datetime
    message: str
    version: Version | None
    """The version that it made or judged."""
    figures: Mapping[str, Any]
    """What else came of it."""
    error: str | None
    reason: str
    """Why it stands as it does, where something went wrong."""
    step: int | None
    """The step of its last checkpoint."""
    warnings: int = 0
    """What its attempts said and was not taken in, such as metrics that no metric may be called."""
    lost_points: int = 0
    """Metric points that were lost by that."""
    warning: str = ""
    """Why, the last time."""
    remarks: tuple[str, ...] = ()
    """What was suspicious about the rows, a sentence each."""

    @property
    def ended(self) -> bool:
        """Whether nothing can happen to it any more."""
        return self.status in ENDED

    def blocks(self) -> Iterator[Block]:
        """A sentence: which job it is, how it stands, and why."""
        why = f": {self.reason or self.error}" if self.reason or self.error else ""
        names = {"job": f"{self.job} ({self.kind} {self.model})", "status": word(self.status)}
        yield text(say("job {job} is {status}", **names), f"{why}{self.warned}")

    @property
    def warned(self) -> str:
        """What was not taken in, as it stands behind a sentence; empty where all was."""
        if not self.warnings:
            return ""
        points = f", {self.lost_points:,} metric points are lost" if self.lost_points else ""
        return f" ({self.warnings:,} warnings{points}: {self.warning})"

    @property
    def coloured(self) -> Text:
        """The status, as it is coloured everywhere."""
        return text(word(self.status), style=COLOURS.get(self.status, ""))


class JobRecords(Shown, list[JobRecord]):
    """Jobs, one below the other."""

    def blocks(self) -> Iterator[Block]:
        head = ("job", "kind", "model", "status", "version", "submitted", "message, or why")
        rows = ((*_cells(each), _said(each)) for each in self)
        yield grid(rows, head=map(word, head), right=(4,)) if self else word("no job was asked for")


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
        remarks=job.remarks,
        step=job.checkpoint.step if job.checkpoint else None,
    )


def state(workspace: Workspace, name: str) -> JobState:
    """A job's aggregate; `Refused` where there is none of that name."""
    job = cast(JobState, workspace.ledger.state(job_stream(name)))
    if job.status == "unknown":
        raise UnknownRevision(f"there is no job {name!r}; `lepton jobs` lists them")
    return job


def newest(workspace: Workspace, most: int) -> list[str]:
    """The jobs submitted last that may be read, the newest first."""
    looked = most
    while True:
        streams = workspace.ledger.store.newest_streams("job/", looked)
        names = (stream.removeprefix("job/") for stream in streams)
        if len(found := [name for name in names if workspace.may_read("job", name)]) >= most or len(streams) < looked:
            return found[:most]
        looked *= 4


def story(workspace: Workspace, name: str) -> Iterator[dict[str, Any]]:
    """The events of a job and of its attempts' runs in their order, free text opened."""
    store, last = workspace.ledger.store, state(workspace, name).epoch
    streams = (job_stream(name), *(run_stream(attempt(name, epoch)) for epoch in range(1, last + 1)))
    rows = sorted(row for stream in streams for row in store.stream(stream)[1])
    return history.told(workspace, rows)


def finished(found: JobRecord) -> JobRecord:
    """The job, if it went well; else what kept it raises as `Refused`."""
    if found.status != "finished":
        why = found.reason or f"{found.error or found.status}"
        raise Refused(why if found.status == "failed" else f"job {found.job} is {found.status}")
    return found


def _cells(job: JobRecord) -> tuple[str | Text, ...]:
    return job.job, job.kind, job.model, job.coloured, figure(job.version), when(job.submitted)


def _said(job: JobRecord) -> str:
    why = "" if job.status in ("running", "assigned", "finished") else job.reason or job.error or ""
    return first_line(why or job.message)
