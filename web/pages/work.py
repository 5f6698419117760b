"""The jobs that workers do, each with its story and the curves of its metrics."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, Final
from uuid import uuid4

from starlette.responses import Response

from ...domain.job.commands import attempt
from ...domain.streams import job_stream, run_stream
from ...errors import Malformed, Stale
from ...events.actor import FORGOTTEN, Actor
from ...results import JobRecord
from ...versions.feed import told
from .chains.needed_jobs import needed_jobs
from .chains.needed_jobs import told as needs_told
from .charts.curve import curve_chart
from .charts.figure import spec_sent
from .curves import curves
from .html import translated
from .new_job.page import is_unattended, worker_command
from .page import PageRoutes, PageView, Visit
from .views import named, rows

pages = PageRoutes()

LISTED: Final = 50
"""Jobs or runs of a page."""
OF_ATTEMPT: Final = 4
"""Curves on the page of a job; its run has them all."""
STATES: Final = ("waiting", "queued", "assigned", "running", "finished", "failed", "cancelled")
_JOBS: Final = (
    "SELECT job, model, actor FROM jobs WHERE (? = '' OR status = ?) AND (? = '' OR model = ?) "
    "AND (? = '' OR seq < (SELECT seq FROM jobs WHERE job = ?)) ORDER BY seq DESC LIMIT ?"
)
_JOB: Final = "SELECT started, ended, worker, run, payload, actor FROM jobs WHERE job = ?"
_OF_CHAIN: Final = "SELECT chain FROM chain_steps WHERE job = ?"
SAID: Final[Mapping[str, str]] = {
    "lepton.job.submitted.v1": "asked for",
    "lepton.job.released.v1": "all that it waited for has finished",
    "lepton.job.assigned.v1": "attempt {epoch} given to a worker",
    "lepton.job.started.v1": "attempt {epoch} began",
    "lepton.job.warned.v1": "what attempt {epoch} {said} was not taken in",
    "lepton.job.checkpointed.v1": "attempt {epoch} came to step {step}, which is kept",
    "lepton.job.requeued.v1": "attempt {epoch} ended without an answer ({error}); the job waits for another",
    "lepton.job.finished.v1": "finished",
    "lepton.job.failed.v1": "failed: {error}",
    "lepton.job.cancelled.v1": "called off",
    "lepton.run.started.v1": "run {run} began",
    "lepton.run.checkpointed.v1": "the run kept what it had come to",
    "lepton.run.finished.v1": "the run ended: {status}",
    "lepton.run.lost.v1": "the run was not heard of any more",
    "lepton.run.resumed.v1": "the run goes on",
}
"""What is told of a job's events, by their types; its metrics are drawn."""


@pages.page("/jobs", "jobs")
def jobs(page: Visit) -> PageView:
    """The jobs, the newest first: of one state, or of one model, if it is asked for."""
    state, model, before = page.asked("state"), page.asked("model"), page.asked("before")
    check_state(state, STATES)
    page.workspace.rights.check("read")
    most = LISTED + 1 if page.workspace.rights.everywhere else None  # else some of them may not be read
    found = rows(page, _JOBS, state, state, model, model, before, before, most)
    some = list(islice((row for row in found if page.workspace.rights.covers(row["model"])), LISTED + 1))
    records = [page.manager.jobs.show(row["job"]) for row in some[:LISTED]]
    who = {row["job"]: named(page, row["actor"]) for row in some[:LISTED]}
    more = some[LISTED - 1]["job"] if len(some) > LISTED else None
    shown = {"jobs": records, "who": who, "states": STATES, "state": state, "model": model, "more": more}
    return PageView(shown, {"jobs": [each.to_dict() | {"actor": who[each.job]} for each in records], "next": more})


@pages.page("/jobs/{job}", "job")
def job(page: Visit, job: str) -> PageView | Response:
    """One job: what was asked, how it stands, its story, and the curves of the attempt that counts."""
    record = page.manager.jobs.show(job)
    (view,) = rows(page, _JOB, record.job)
    drawn = curves(page, view["run"], "", OF_ATTEMPT) if view["run"] else None
    if spec := spec_sent(page, [curve_chart(each) for each in drawn.drawn] if drawn else []):
        return spec
    story, needed = _story(page, record), needed_jobs(page, record.job)
    asked = {name: value for name, value in json.loads(view["payload"]).items() if value not in (None, [], {}, "")}
    shown = {
        "job": record, "view": view, "asked": asked, "who": named(page, view["actor"]), "story": story,
        "curves": drawn, "needed": needed, "chain": _chain(page, record.job), "key": str(uuid4()),
        "waits": record.status == "queued" and page.at is None and is_unattended(page, record.pool),
        "start": worker_command(page, record.pool),
    }  # fmt: skip
    metrics = [] if drawn is None else [each.to_dict() for each in drawn.drawn]
    return PageView(
        shown,
        record.to_dict()
        | {"actor": shown["who"], "asked": asked, "run": view["run"], "story": story, "metrics": metrics}
        | {"chain": needs_told(needed)},
    )


@pages.act("/jobs/{job}/cancel", "job", job)
def cancel(page: Visit, said: Mapping[str, str], job: str) -> str:
    """Call a job off, if it stands as whoever asks was shown."""
    record, epoch = page.present.jobs.show(job), said.get("epoch", "")
    if not epoch.isdecimal() or len(epoch) > 9:
        raise Malformed("the form does not say which attempt it is about; open the job's page and cancel it there")
    if record.status not in ("cancelled", said.get("status")):
        raise Stale(f"job {record.job}", said.get("status", ""), record.status, "look at the job again")
    page.present.jobs.cancel(record.job, reason=said.get("reason", ""), epoch=int(epoch), key=said.get("key") or None)
    return page.link("jobs", record.job)


def _chain(page: Visit, job: str) -> str | None:
    """The chain that a job is a step of, if it is one's."""
    return next((row["chain"] for row in rows(page, _OF_CHAIN, job)), None)


def check_state(state: str, known: Sequence[str]) -> None:
    """Raise `Malformed` where a state that is asked for is none of those known."""
    if state and state not in known:
        raise Malformed(f"{state[:40]!r} is no state; it is one of {', '.join(known)}")


def _story(page: Visit, record: JobRecord) -> list[dict[str, Any]]:
    """The events of a job and of its attempts' runs in their order, without metrics."""
    work, attempts = page.workspace, range(1, record.epoch + 1)
    streams = (job_stream(record.job), *(run_stream(attempt(record.job, epoch)) for epoch in attempts))
    found = sorted(row for stream in streams for row in work.ledger.store.stream(stream, 0, tuple(SAID))[1])
    known = work.actors.all()
    return [_said(event, known) for event in told(work, found)]


def _said(event: Mapping[str, Any], known: Mapping[str, Actor]) -> dict[str, Any]:
    actor, parts = known.get(event["authid"]), dict(event["data"])
    if "status" in parts:
        parts["status"] = translated(parts["status"])
    return {
        "seq": int(event["sequence"]),
        "time": datetime.fromisoformat(event["time"]),
        "actor": FORGOTTEN if actor is None else actor.name,
        "words": translated(SAID[event["type"]], **parts),
        "data": event["data"],
    }
