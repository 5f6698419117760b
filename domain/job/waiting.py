"""How a job waits for others: which it may name, when it is released, and what becomes of it when one of them fails.

A job names only jobs that were asked for before it, and what it waits for never changes. So no two wait for each other.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

from ...errors import Malformed, Refused, UnknownRevision
from ...events.job import JobFailed, JobReleased
from ..commands import job_stream
from ..names import JOB_PREFIX
from ..state import State
from .commands import AskForWork, ReleaseJob
from .kinds import MakesVersion, Payload, payload_of
from .state import JobState

MOST: Final = 100
"""Jobs that one job waits for."""
UPSTREAM_FAILED: Final = "UpstreamFailed"
"""The error of a job that failed because one that it waited for did."""


def taken(payload: Payload) -> dict[str, str]:
    """The fields of a payload that name what another job makes, each with the id of that job."""
    said = {name: getattr(payload, name, None) for name in payload.takes}
    return {name: value.removeprefix(JOB_PREFIX) for name, value in said.items() if isinstance(value, str)}


def check_needed(state: State, command: AskForWork, model: str, payload: Payload) -> None:
    """Hold that a job can wait for those that it names, and take from them what it is to take.

    Raises `UnknownRevision` where there is no such job in this ledger, `Malformed` or `Refused` where it is of no use.
    """
    if len(command.after) > MOST:
        raise Malformed(f"a job waits for {len(command.after):,} others; name at most {MOST}")
    for name in command.after:
        if name == command.job:
            raise Malformed("a job cannot wait for itself; name one that was asked for before")
        if _job(state, name).status == "unknown":
            raise UnknownRevision(f"there is no job {name!r} to wait for; `lepton jobs` lists them")
    for field, name in taken(payload).items():
        if name not in command.after:
            raise Malformed(f"{field} is what job {name!r} makes; name that job in `after` too")
        check_makes_version(name, _job(state, name), model)


def check_makes_version(name: str, job: JobState, model: str) -> None:
    """Hold that a job makes a version of a model."""
    if not isinstance(payload_of(job.kind, job.payload), MakesVersion):
        raise Refused(f"job {name} ({job.kind}) makes no version; name one that does, such as a training")
    if job.model != model:
        raise Refused(f"job {name} makes a version of {job.model}, and what was asked is about {model}; name one of it")


def release(state: State, command: ReleaseJob) -> tuple[JobReleased | JobFailed, ...]:
    """What becomes of a waiting job as those that it needs stand: nothing while one of them may still finish."""
    job = _job(state, command.job)
    if job.status != "waiting":
        return ()
    if set(command.after) != set(job.after):
        raise Malformed(f"job {command.job!r} waits for others than {', '.join(command.after)}; look at it again")
    needed = {name: _job(state, name) for name in job.after}
    for name, each in needed.items():
        if each.ended and each.status != "finished":
            return (JobFailed(epoch=0, error=UPSTREAM_FAILED, upstream=name),)
    if not all(each.status == "finished" for each in needed.values()):
        return ()
    return (JobReleased(payload=_resolved(payload_of(job.kind, job.payload), needed)),)


def is_decided(after: Mapping[str, JobState]) -> bool:
    """Whether it is known what becomes of a job that waits for these."""
    ended = [job.status for job in after.values() if job.ended]
    return len(ended) == len(after) or any(status != "finished" for status in ended)


def _resolved(payload: Payload, needed: Mapping[str, JobState]) -> dict[str, Any]:
    return {field: needed[name].version for field, name in taken(payload).items()}


def _job(state: State, name: str) -> JobState:
    return cast(JobState, state[job_stream(name)])
