"""Waiting jobs: released once all that they wait for has finished, failed once one of it never will."""

from __future__ import annotations

import logging
from collections.abc import Callable

from ..domain.job.commands import ReleaseJob
from ..domain.job.state import JobState
from ..domain.job.waiting import is_decided
from ..errors import Unavailable
from ..isolation import unforeseen
from ..versions.workspace import Workspace
from .intake.results import Receiver

log = logging.getLogger("lepton.assigner")


class WaitingJobs:
    """Follows the jobs that wait for others. What becomes of them is decided in the ledger: this only asks in time."""

    def __init__(self, workspace: Workspace, receiver: Receiver, job: Callable[[str], JobState]) -> None:
        self._workspace = workspace
        self._receiver = receiver
        self._job = job
        self._waiting: dict[str, JobState] = {}
        self._news = False
        """Whether a job ended or came to wait since it was last looked."""

    def note(self, name: str, job: JobState) -> None:
        """Learn how a job stands now."""
        self._waiting.pop(name, None)
        if job.status == "waiting":
            self._waiting[name] = job
        self._news |= job.status == "waiting" or job.ended

    def step(self) -> bool:
        """Ask for what is decided now: whether there was anything. Raises `Unavailable`."""
        if not self._news:
            return False
        due = [name for name, job in self._waiting.items() if is_decided({each: self._job(each) for each in job.after})]
        for name in due:
            self._release(name, self._waiting[name])
        self._news = False
        return bool(due)

    def _release(self, name: str, job: JobState) -> None:
        """One job; whatever is wrong with it keeps no other waiting."""
        actor = self._receiver.actor_of(job)
        try:
            self._workspace.ledger.admit(ReleaseJob(job=name, after=job.after), actor, traceparent=job.traceparent)
        except Unavailable:
            raise
        except Exception as error:  # noqa: BLE001 - one job's events must not keep the others waiting
            log.warning("job %s waits on: %s", name, unforeseen(error, f"job {name}"))
