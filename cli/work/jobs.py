"""`jobs`, `logs`, `cancel`: work that was asked for, how it went, and an end to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from ...results.description import Block, Words, dim, joined, text, title
from ...results.figures import figure, when
from ...results.shapes.history import EVENT
from ...results.shapes.work import JOB
from ...results.words import say
from ..command import Session, command, keyed
from ..completion import jobs as known_jobs

if TYPE_CHECKING:
    from ...results import JobRecord

UNTOLD = ("payload", "source", "epoch", "run", "result", "tensors")
OF_RUN = "lepton.run."
"""What types of a run's events begin with: how an attempt began, got on and ended, which the job's events tell too."""


@command({"jobs": [JOB]}, "lepton jobs", "lepton jobs -n 5")
@click.option("-n", "most", type=click.IntRange(min=1), default=20, show_default=True, help="How many at most.")
def jobs(session: Session, most: int) -> None:
    """List the work that was asked for, the newest first."""
    records = session.manager.jobs.recent(most)
    session.answer(records.to_dict(), records)


@command({"job": JOB, "events": [EVENT]}, "lepton logs 6b7c8d")
@click.argument("job", metavar="JOB", shell_complete=known_jobs)
def logs(session: Session, job: str) -> None:
    """Tell a job's story: who had it when, how its figures went, and why it ended. JOB is its id, or a part of it."""
    record = session.manager.jobs.show(job)
    events = list(session.manager.jobs.events(record.job))
    session.answer({"job": record, "events": events}, _story(record, events))


@command({"job": JOB}, "lepton cancel 6b7c8d --reason 'wrong data'")
@click.argument("job", metavar="JOB", shell_complete=known_jobs)
@click.option("--reason", default="", metavar="TEXT", help="Why.")
@keyed
def cancel(session: Session, job: str, reason: str, key: str | None) -> None:
    """Call a job off, wherever it stands; its worker stops it."""
    with session.noted() as news:
        record = session.manager.jobs.cancel(job, reason=reason, key=key)
    words = "job {job} is {status}" if news() else "job {job} is already {status}"
    session.answer({"job": record}, say(words, job=title(record.job), status=record.coloured))


def _story(record: JobRecord, events: Sequence[Mapping[str, Any]]) -> Iterator[Block]:
    yield text(title(record.job), f"  {record.kind} {record.model}  ", record.coloured)
    for event in (each for each in events if not each["type"].startswith(OF_RUN)):
        moment = dim(when(datetime.fromisoformat(event["recordedtime"]), seconds=True))
        yield text("  ", moment, f"  {event['type'].split('.')[2]:<12}  ", _told(event["data"]))


def _told(data: Mapping[str, Any]) -> Words:
    if "steps" in data:
        last = dict(zip(data["names"], data["values"], strict=True))
        return f"step {data['steps'][-1]}  " + "  ".join(f"{name} {figure(value)}" for name, value in last.items())
    shown = {name: value for name, value in data.items() if name not in UNTOLD and value not in (None, "", [], {})}
    attempt = f"attempt {data['epoch']}" if data.get("epoch") else ""
    return joined("  ", (attempt, *(text(dim(name), f" {figure(value)}") for name, value in shown.items())))
