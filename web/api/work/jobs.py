"""Jobs: work asked for, looked at, waited for and called off."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Annotated, Any, Final

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from ....domain.streams import job_stream
from ....events.job import JobCancelled, JobFailed, JobFinished
from ....manager import ModelManager
from ....results import JobRecord, JobRecords
from ....results.shapes.history import EVENTS
from ....results.shapes.work import JOB, JOBS
from ...caller import ANSWER, JSON, Call
from ...cursors import USUAL, Cursor, Most, paging
from ...described import answers
from ...following.streams import SSE, EventStream, begun_after
from ...negotiation import accepted
from ...routing import Router
from .job_requests import Asked, ask

router = Router("jobs")

LONGEST_WAIT: Final = 60.0
"""Seconds that a request waits for a job to end."""
_LOOK: Final = 0.25
ENDS: Final = frozenset(kind.type_name() for kind in (JobFinished, JobFailed, JobCancelled))
Before = Annotated[str | None, Query(description="Those submitted before this job.")]
After = Annotated[int, Query(ge=0, le=2**63 - 1, description="Only events behind this `seq`.")]
Wait = Annotated[float, Query(ge=0, le=LONGEST_WAIT, description="Seconds to wait for its end, at most.")]


class Cancellation(BaseModel):
    """Why a job is called off."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field("", description="why, for the record")
    epoch: int | None = Field(None, ge=0, description="the attempt that was seen at work; refused if another one is")


@router.get("/jobs", summary="The jobs", responses=answers(JOBS, page=True))
def jobs(call: Call, before: Before = None, most: Most = USUAL, cursor: Cursor = None) -> Response:
    """The jobs submitted last, the newest first."""
    asked = paging(call, most, cursor)
    page = asked.page(call.manager.jobs.recent(most + 1, before=asked.after or before), lambda job: job.job)
    response = call.read(JobRecords(page.rows), body=page.body("jobs"))
    response.headers.update(page.headers)
    return response


@router.post("/jobs", summary="Ask for work", status_code=202, responses=answers(JOB, status=202, place=True))
def submit(call: Call, asked: Asked) -> Response:  # pyright: ignore
    """Ask for a training, an evaluation, or that a version trained elsewhere is taken in."""

    def act() -> JobRecord:
        return ask(call.manager, call.visitor.rights, asked, call.key)

    return call.wrote(act, tell=_then, status=202, location=lambda job: f"/api/v1/jobs/{job.job}")


@router.get("/jobs/{job}", summary="A job", responses=answers(JOB))
async def job(call: Call, job: str, wait: Wait = 0.0) -> Response:
    """A job as it stands, at once or when it has ended; named by its id, or the id's beginning or end."""
    end = time.monotonic() + wait
    while True:
        record = await run_in_threadpool(call.manager.jobs.show, job)
        left = end - time.monotonic()
        if record.ended or left <= 0 or call.service.ending.is_set() or await call.request.is_disconnected():
            return call.read(record)
        await asyncio.sleep(min(_LOOK, left))


@router.post("/jobs/{job}/cancel", summary="Call a job off", responses=answers(JOB))
def cancel(call: Call, job: str, told: Cancellation | None = None) -> Response:
    """End a job that nobody wants any more; its worker stops it."""

    def act() -> JobRecord:
        reason, epoch = (told.reason, told.epoch) if told else ("", None)
        return call.manager.jobs.cancel(job, reason=reason, epoch=epoch, key=call.key)

    return call.wrote(act, tell=_then)


@router.get("/jobs/{job}/events", summary="A job's story", responses=answers(EVENTS, also=(SSE,)))
def events(call: Call, job: str, after: After = 0) -> Response:
    """The events of a job and of its attempts, in their order.

    With `Accept: text/event-stream` the job's own as they happen, until it has ended; its attempts' metrics are events
    of `run/JOB.ATTEMPT`.
    """
    media = accepted(call.request.headers.get("accept"), (JSON, ANSWER, SSE))
    if media == SSE:
        name = call.manager.jobs.show(job).job
        return EventStream(call, begun_after(call, after), job_stream(name), until=_is_end)
    story = [event for event in call.manager.jobs.events(job) if int(event["sequence"]) > after]
    return call.read({"events": story})


def _then(then: ModelManager, job: JobRecord) -> JobRecord:
    """A job as it stood when it was written of."""
    return then.jobs.show(job.job)


def _is_end(event: Mapping[str, Any]) -> bool:
    """Whether nothing can happen to a job any more once this has."""
    return event["type"] in ENDS
