"""`jobs`, `logs`, `cancel`: work that was asked for, how it went, and an end to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from .command import Session, command, keyed
from .shapes import EVENT, JOB
from .text import columns, dim, figure, title, when

if TYPE_CHECKING:
    from ..jobs.record import JobRecord

COLOURS = {"finished": "green", "failed": "red", "cancelled": "yellow"}
UNTOLD = ("payload", "source", "epoch", "run", "result", "tensors")
OF_RUN = "lepton.run."
"""What types of a run's events begin with: how an attempt began, got on and ended, which the job's events tell too."""


@command({"jobs": [JOB]}, "lepton jobs", "lepton jobs -n 5")
@click.option("-n", "most", type=click.IntRange(min=1), default=20, show_default=True, help="How many at most.")
def jobs(session: Session, most: int) -> None:
    """List the work that was asked for, the newest first."""
    found = session.manager.jobs.recent(most)
    session.answer({"jobs": [job.to_dict() for job in found]}, lambda: _jobs(found))


@command({"job": JOB, "events": [EVENT]}, "lepton logs 6b7c8d")
@click.argument("job", metavar="JOB")
def logs(session: Session, job: str) -> None:
    """Tell a job's story: who had it when, how its figures went, and why it ended. JOB is its id, or a part of it."""
    found = session.manager.jobs.show(job)
    events = list(session.manager.jobs.events(found.job))
    session.answer({"job": found.to_dict(), "events": events}, lambda: _story(found, events))


@command({"job": JOB}, "lepton cancel 6b7c8d --reason 'wrong data'")
@click.argument("job", metavar="JOB")
@click.option("--reason", default="", metavar="TEXT", help="Why.")
@keyed
def cancel(session: Session, job: str, reason: str, key: str | None) -> None:
    """Call a job off, wherever it stands; its worker stops it."""
    found = session.manager.jobs.cancel(job, reason=reason, key=key)
    session.answer({"job": found.to_dict()}, lambda: [f"job {title(found.job)} is {_status(found)}"])


def _jobs(found: Sequence[JobRecord]) -> Iterator[str]:
    if not found:
        yield "no job was asked for"
        return
    rows = (
        (each.job, each.kind, each.model, _status(each), figure(each.version), when(each.submitted), _said(each))
        for each in found
    )
    yield from columns(
        rows, head=("job", "kind", "model", "status", "version", "submitted", "message, or why"), right=(4,)
    )


def _status(job: JobRecord) -> str:
    return click.style(job.status, fg=COLOURS.get(job.status))


def _said(job: JobRecord) -> str:
    why = "" if job.status in ("running", "assigned", "finished") else job.reason or job.error or ""
    first = (why or job.message).partition("\n")[0]
    return first if len(first) <= 60 else f"{first[:59]}…"


def _story(found: JobRecord, events: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    yield f"{title(found.job)}  {found.kind} {found.model}  {_status(found)}"
    for event in (each for each in events if not each["type"].startswith(OF_RUN)):
        moment = dim(when(datetime.fromisoformat(event["recordedtime"]), seconds=True))
        yield f"  {moment}  {event['type'].split('.')[2]:<12}  {_told(event['data'])}".rstrip()


def _told(data: Mapping[str, Any]) -> str:
    if "steps" in data:
        points = list(zip(data["names"], data["values"], strict=True))
        last = dict(points)
        return f"step {data['steps'][-1]}  " + "  ".join(f"{name} {figure(value)}" for name, value in last.items())
    shown = {name: value for name, value in data.items() if name not in UNTOLD and value not in (None, "", [], {})}
    attempt = f"attempt {data['epoch']}  " if data.get("epoch") else ""
    return attempt + "  ".join(f"{dim(name)} {figure(value)}" for name, value in shown.items())
