"""`job:ID` as a revision: the version that a job made or judged, wherever a version is asked for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, cast

from ..domain.job.state import JobState
from ..domain.names import JOB_PREFIX
from ..domain.streams import job_stream
from ..errors import Refused, UnknownRevision

if TYPE_CHECKING:
    from .workspace import Workspace

_MADE: Final = re.compile(rf"(?:([^@~^{{}}]*)@)?{JOB_PREFIX}([^@~^{{}}]+)")


def job_in(workspace: Workspace, rev: str) -> tuple[str, JobState] | None:
    """The job that a revision names by `job:ID`, with its state; None where it names none.

    Raises `UnknownRevision` where there is no such job, `Refused` where it is of another model than is named.
    """
    if (match := _MADE.match(rev)) is None:
        return None
    name = workspace.named("job", match[2])
    job = cast(JobState, workspace.ledger.state(job_stream(name)))
    if match[1] not in (None, job.model):
        raise Refused(f"job {name} is of model {job.model}, and {rev!r} asks for a version of {match[1]}; name one")
    return name, job


def numbered(workspace: Workspace, text: str) -> str:
    """A revision, or range, with versions by number in place of the jobs that made them.

    Raises `UnknownRevision` where a job has made none.
    """
    return "..".join(_numbered(workspace, each) for each in text.split("..")) if JOB_PREFIX in text else text


def _numbered(workspace: Workspace, rev: str) -> str:
    if (found := job_in(workspace, rev)) is None:
        return rev
    name, job = found
    if job.version is None:
        why = f"is {job.status} and has made none" + ("" if job.ended else " yet")
        raise UnknownRevision(f"{rev!r} names no version: job {name} {why}; `lepton logs {name}` tells its story")
    return f"{job.model}@{job.version}" + _MADE.sub("", rev, count=1)
