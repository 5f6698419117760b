"""The version that work is asked for on: one that is there, or one that another job makes."""

from __future__ import annotations

from typing import Any, NamedTuple

from ..datasets.selection import Selection
from ..domain.job.state import JobState
from ..domain.job.waiting import check_makes_version
from ..domain.names import JOB_PREFIX
from ..errors import Malformed, Refused
from ..results import Version
from .made_by_job import job_in
from .rows import evaluated_as
from .workspace import Workspace


class AskedVersion(NamedTuple):
    """A version as a payload has it, with what of it decides which worker can take the work."""

    model: str
    version: int | str
    """Its number, or `job:ID` where that job makes it."""
    class_name: object
    chosen: Selection
    """How rows are read that it is judged on, where it recorded no columns of its own."""
    after: tuple[str, ...] = ()
    """The job that makes it."""


def asked_version(workspace: Workspace, rev: Any, chosen: Selection) -> AskedVersion:
    """The version that a revision names. Raises `Refused` where it recorded its columns and a selection is given.

    `job:ID` stays as it is said, also where that job has finished: repeated under its key, a request is the same.
    """
    made = None if isinstance(rev, Version) else job_in(workspace, str(rev))
    if made is None:
        model, number = workspace.resolve(rev)
        class_name = model.version(number).event.architecture.get("class")
        return AskedVersion(model.name, number, class_name, evaluated_as(model, number, chosen))
    name, job = made
    if set("~^{").intersection(str(rev)):
        raise Malformed(f"{rev!r} goes back from a version that may not be made yet; name the job alone, job:{name}")
    check_makes_version(name, job, job.model)
    return AskedVersion(job.model, f"{JOB_PREFIX}{name}", _class_of(job), _read_by(job, chosen), (name,))


def _class_of(job: JobState) -> object:
    """The class of what a job makes, as it was asked for."""
    return job.payload.get("class") or job.payload.get("architecture", {}).get("class")


def _read_by(job: JobState, chosen: Selection) -> Selection:
    if chosen and job.kind == "train":
        raise Refused(
            "a training records the columns that it learnt and their types, and its version is judged by these; leave "
            "types, drop and columns out"
        )
    return chosen
