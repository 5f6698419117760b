"""Endings: attempts that the ledger's side ends itself, and notes on those that go on."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from typing import cast

from ..domain.commands import job_stream
from ..domain.job.commands import FailJob, WarnJob
from ..domain.job.state import AT_WORK, JobState
from ..errors import Condemned, Damaged, LeptonError, Unavailable, recorded
from ..isolation import unforeseen
from ..versions.spool import refused
from ..versions.workspace import Workspace
from .intake.results import Receiver
from .protocol.messages import AttemptMessage, Failed, Finished, MadeVersion, Measured, Started

log = logging.getLogger("lepton.assigner")


class Endings:
    """Ends attempts in the name of who asked for the work. Nothing here is raised but `Unavailable`."""

    def __init__(self, workspace: Workspace, receiver: Receiver, now: Callable[[], datetime]) -> None:
        self._workspace = workspace
        self._receiver = receiver
        self._now = now

    def refuse(self, message: AttemptMessage, error: LeptonError) -> None:
        """An attempt that cannot begin or end as it was told is over; any other goes on, with a note."""
        log.info("%s of job %s: %s", message.said, message.job, error)
        key = f"worker.{message.name}.refused"
        if isinstance(message, Finished):
            self._keep(message, error)
        if isinstance(message, Started | Finished | Failed):
            self.give_up(message.job, message.epoch, error, key, points=getattr(message, "points", 0))
            return
        points = len(message.block.names) if isinstance(message, Measured) else 0
        reason = recorded(error)[:2000]
        self._admit(WarnJob(job=message.job, epoch=message.epoch, said=message.said, points=points, reason=reason), key)

    def give_up(self, name: str, epoch: int, error: LeptonError, key: str | None = None, *, points: int = 0) -> None:
        """End an attempt for what is wrong with its order or its answer, so that nobody waits for it for ever."""
        again = isinstance(error, Condemned | Damaged)
        reason = recorded(error)[:2000]
        told = Failed(job=name, epoch=epoch, n=0, error=type(error).__name__, reason=reason, again=again, points=points)
        self._end(told, key)

    def give_back(self, name: str, epoch: int) -> None:
        """Give a job back that its worker never began, for it left in good order."""
        told = Failed(job=name, epoch=epoch, n=0, error="Left", again=True, counted=False)
        self._end(told, f"worker.{name}.{epoch}.left")

    def _keep(self, message: Finished, error: LeptonError) -> None:
        """Keep the version that an attempt made and that is refused, unless the job goes on without it."""
        if not isinstance(message.made, MadeVersion) or (spool := self._workspace.spool) is None:
            return
        try:
            job = cast(JobState, self._workspace.ledger.state(job_stream(message.job)))
            if job.status not in AT_WORK or job.epoch != message.epoch:
                return
            subject, save = self._receiver.kept(job, message.made)
            actor = self._workspace.actors.all().get(job.actor)
            error.kept_as(refused.keep(spool, subject, save, actor.name if actor else "lepton", error))
        except Exception as trouble:  # noqa: BLE001 - what a worker says it kept may be anything
            log.warning("what job %s made could not be kept: %s", message.job, trouble)

    def _end(self, told: Failed, key: str | None) -> None:
        self._admit(self._receiver.failure(told, self._now()), key)

    def _admit(self, command: FailJob | WarnJob, key: str | None) -> None:
        """Admit a command of the ledger's own; what is too late or about what is damaged is told, and passed over."""
        try:
            job = cast(JobState, self._workspace.ledger.state(job_stream(command.job)))
            actor, trace = self._receiver.actor_of(job), job.traceparent
            self._workspace.ledger.admit(command, actor, key=key, traceparent=trace)
        except Unavailable:
            raise
        except Exception as error:  # noqa: BLE001 - one job's events must not keep the others from being heard
            log.info("job %s: %s", command.job, unforeseen(error, "the end of an attempt"))
