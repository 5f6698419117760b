"""Admitting: what workers say of attempts is taken into the ledger, and whatever one message holds stops no other."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import cast

from ..domain.commands import job_stream
from ..domain.job.commands import FailJob, WarnJob
from ..domain.job.state import AT_WORK, Job
from ..errors import Condemned, Damaged, LeptonError, Unavailable
from ..isolation import isolated, unforeseen
from ..ledger import Asked, Receipt
from ..versions import refused
from ..versions.workspace import Workspace
from .protocol.messages import AttemptMessage, Failed, Finished, MadeVersion, Measured, Said, Started
from .results import Receiver, Stranger

log = logging.getLogger("lepton.assigner")

Answer = Receipt | LeptonError


class Admitting:
    """Makes commands of messages and admits them; a final answer that cannot be taken in ends its attempt."""

    def __init__(self, workspace: Workspace, receiver: Receiver, now: Callable[[], datetime]) -> None:
        self._workspace = workspace
        self._receiver = receiver
        self._now = now

    def admit(self, told: Sequence[Said]) -> list[Answer]:
        """Admit what was told of attempts, in order, all of it in one transaction: an answer for each.

        Raises `Unavailable`.
        """
        composed = [self._composed(each) for each in told]
        admitted = iter(self._admitted([each for each in composed if isinstance(each, Asked)]))
        answers = [next(admitted) if isinstance(each, Asked) else each for each in composed]
        for each, answer in zip(told, answers, strict=True):
            if isinstance(answer, LeptonError):
                self._refused(cast(AttemptMessage, each.message), answer)
        return answers

    def _refused(self, message: AttemptMessage, answer: LeptonError) -> None:
        """Tell what was not taken in: an attempt that cannot begin or end so is over, any other goes on, with a note.

        What comes too late, or of a stranger, changes nothing.
        """
        log.info("%s of job %s: %s", message.said, message.job, answer)
        if isinstance(answer, Stranger):
            return
        key = f"worker.{message.name}.refused"
        if isinstance(message, Finished):
            self._keep(message, answer)
        if isinstance(message, Started | Finished | Failed):
            self.give_up(message.job, message.epoch, answer, key, points=getattr(message, "points", 0))
            return
        points = len(message.block.names) if isinstance(message, Measured) else 0
        reason = str(answer)[:2000]
        self._admit(WarnJob(job=message.job, epoch=message.epoch, said=message.said, points=points, reason=reason), key)

    def _keep(self, message: Finished, answer: LeptonError) -> None:
        """Keep the version that an attempt made and that is refused, unless the job goes on without it."""
        job = cast(Job, self._workspace.ledger.state(job_stream(message.job)))
        counts = job.status in AT_WORK and job.epoch == message.epoch
        if not counts or not isinstance(message.made, MadeVersion) or (spool := self._workspace.spool) is None:
            return
        try:
            subject, save = self._receiver.kept(job, message.made)
            actor = self._workspace.actors.all().get(job.actor)
            answer.kept_as(refused.keep(spool, subject, save, actor.name if actor else "lepton", answer))
        except Exception as trouble:  # noqa: BLE001 - what a worker says it kept may be anything
            log.warning("what job %s made could not be kept: %s", message.job, trouble)

    def give_up(self, name: str, epoch: int, error: LeptonError, key: str | None = None, *, points: int = 0) -> None:
        """End an attempt for what is wrong with its order or its answer, so that nobody waits for it for ever."""
        again = isinstance(error, Condemned | Damaged)
        reason = str(error)[:2000]
        told = Failed(job=name, epoch=epoch, n=0, error=type(error).__name__, reason=reason, again=again, points=points)
        self._end(told, key)

    def give_back(self, name: str, epoch: int) -> None:
        """Give a job back that its worker never began, for it left in good order."""
        told = Failed(job=name, epoch=epoch, n=0, error="Left", again=True, counted=False)
        self._end(told, f"worker.{name}.{epoch}.left")

    def _end(self, told: Failed, key: str | None) -> None:
        self._admit(self._receiver.failure(told, self._now()), key)

    def _admit(self, command: FailJob | WarnJob, key: str | None) -> None:
        """Admit a command of the assigner's own; what is too late or about what is damaged is told, and passed over."""
        try:
            job = cast(Job, self._workspace.ledger.state(job_stream(command.job)))
            actor, trace = self._receiver.actor_of(job), job.traceparent
            self._workspace.ledger.admit(command, actor, key=key, traceparent=trace)
        except Unavailable:
            raise
        except LeptonError as error:
            log.info("job %s: %s", command.job, error)

    def _composed(self, told: Said) -> Asked | LeptonError:
        try:
            return self._receiver.asked(told, self._now())
        except Unavailable:
            raise
        except LeptonError as error:
            return error
        except Exception as error:  # noqa: BLE001 - one job's payload must not keep the others from being heard
            return unforeseen(error, "the attempt's message")

    def _admitted(self, asked: Sequence[Asked]) -> list[Answer]:
        """All in one transaction; apart from the one that is damaged, or raises what no rule has foreseen."""
        return isolated(asked, self._workspace.ledger.admit_all, lambda _, refusal: refusal)
