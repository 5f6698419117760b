"""How a job's story is decided: one attempt counts at a time, and it ends exactly once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final, assert_never, cast

from ...errors import Refused, Stale
from ...events.event import Event
from ...events.job import (
    JobAssigned,
    JobCancelled,
    JobCheckpointed,
    JobFailed,
    JobFinished,
    JobRequeued,
    JobStarted,
    JobSubmitted,
    JobWarned,
)
from ...events.model import VersionCommitted
from ...events.run import RunCheckpointed, RunFinished, RunStarted
from ...plain import plain
from ..append import Append
from ..commands import OBJECTS, Commit, LogMetrics, OfJob, RecordEvaluation, job_stream, model_stream, run_stream
from ..guards import limits, writable
from ..model.commit import commit, evaluated, kept
from ..model.state import ModelState
from ..names import checked_model, checked_run
from ..run import decide
from ..run.state import RunState
from ..state import Objects, State
from .commands import (
    AssignJob,
    CancelJob,
    CheckpointJob,
    ExpireLease,
    FailJob,
    FinishJob,
    JobCommand,
    MeasureJob,
    OfAttempt,
    OfferVersion,
    Ready,
    ReleaseJob,
    StartJob,
    SubmitJob,
    WarnJob,
    attempt,
)
from .kinds import SEARCH, checked_payload
from .offers import offer
from .state import AT_WORK, NOT_STARTED, JobState
from .waiting import check_needed, release

WARNINGS: Final = 100
"""Of one job that are recorded; what comes after them is in the log of the intake alone."""
LONGEST_PAUSE: Final = 600.0
"""Seconds; attempts come no further apart."""
_DOUBLED: Final = 60
"""Times that the pause is doubled at most: long before it is the longest, and no float is too small for it."""


def decide_job(state: State, asked: OfJob) -> tuple[Append, ...]:
    """The events that a command becomes, none where there is nothing to do; `Refused` where a rule forbids it."""
    job, command = cast(JobState, state[job_stream(asked.job)]), cast(JobCommand, asked)
    if isinstance(command, SubmitJob):
        return _of_job(command.job, _submit(state, job, command))
    if isinstance(command, OfferVersion):
        return offer(state, job, command)
    if job.status == "unknown":
        raise Refused(f"there is no job {command.job!r}; `lepton jobs` lists them")
    if isinstance(command, ReleaseJob):
        return _of_job(command.job, *release(state, command))
    if isinstance(command, AssignJob):
        return _of_job(command.job, *_assign(job, command))
    if isinstance(command, CancelJob):
        return _cancel(job, command)
    _counts(job, command)
    return tuple(_of_attempt(state, job, command))


def fits(job: JobState, pool: str, capabilities: frozenset[str]) -> bool:
    """Whether a worker of that pool can do a job."""
    return pool == job.pool and {job.kind, *job.needs} <= capabilities


def taken_by(job: JobState, pool: str, capabilities: frozenset[str]) -> bool:
    """Whether a worker of that pool can do a job, or the trials of one that is a search."""
    if job.kind != SEARCH:
        return fits(job, pool, capabilities)
    return pool == pool_of(job) and {"trial", *_limits_of(job).get("needs", ())} <= capabilities


def pool_of(job: JobState) -> str:
    """The pool of the workers that do a job, or the trials of one that is a search."""
    return job.pool if job.kind != SEARCH else _limits_of(job).get("pool", "default")


def _limits_of(search: JobState) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", search.payload.get("limits", {}))


def pauses(job: JobState, now: datetime) -> bool:
    """Whether a job is not to be assigned yet; a pause longer than any is by a clock that was wrong, and over."""
    return job.until is not None and timedelta() < job.until - now <= timedelta(seconds=LONGEST_PAUSE)


def chosen(job: JobState, ready: Iterable[Ready], now: datetime) -> Ready | None:
    """The worker that a queued job goes to: the one with the most free slots, rather one that has not left it lying.

    None while none fits or the job's pause is not over.
    """
    fit = [each for each in ready if each.free > 0 and fits(job, each.pool, each.capabilities)]
    if not fit or pauses(job, now):
        return None
    return max(fit, key=lambda each: (each.incarnation not in job.unheeded, each.free, each.incarnation))


def _of_attempt(
    state: State,
    job: JobState,
    command: StartJob | MeasureJob | WarnJob | CheckpointJob | FinishJob | FailJob | ExpireLease,
) -> Iterator[Append]:
    """What is told of the attempt that counts."""
    match command:
        case StartJob():
            yield from _start(job, command)
        case MeasureJob():
            run = attempt(command.job, command.epoch)
            yield from decide.log(cast(RunState, state[run_stream(run)]), LogMetrics(run=run, blocks=command.blocks))
            if command.lost:
                yield from _warn(job, command, "measured", command.lost)
        case WarnJob():
            yield from _warn(job, command, command.said, command.points)
        case CheckpointJob():
            yield from _checkpoint(job, cast(Objects, state[OBJECTS]), command)
        case FinishJob():
            yield from _finish(state, job, command)
        case FailJob():
            yield from _fail(job, command)
        case ExpireLease():
            yield from _fail(job, _lost(job, command))
        case _:
            assert_never(command)


def _submit(state: State, job: JobState, command: SubmitJob) -> JobSubmitted:
    checked_run(command.job)
    checked_model(command.model)
    if job.status != "unknown":
        raise Refused(f"job {command.job!r} exists already; submit another")
    check_needed(state, command, command.model, checked_payload(command.kind, command.payload))
    return JobSubmitted(
        job=command.job,
        kind=command.kind,
        model=command.model,
        payload=plain(command.payload, "payload"),
        source=command.source,
        validation_source=command.validation_source,
        message=command.message,
        **limits(command),
    )


def _assign(job: JobState, command: AssignJob) -> Iterator[Event]:
    """To the worker that is chosen; nothing while there is none."""
    if job.status != "queued":
        raise Refused(f"job {command.job!r} is {job.status}; only a queued one is assigned")
    epoch = job.epoch + 1
    if command.epoch not in (None, epoch):
        raise Refused(f"the order is for attempt {command.epoch} of job {command.job!r}, and the next is {epoch}")
    if (worker := chosen(job, command.ready, command.now)) is not None:
        deadline = command.now + timedelta(seconds=command.within)
        yield JobAssigned(epoch=epoch, worker=worker.incarnation, deadline=deadline, order=command.order)


def _start(job: JobState, command: StartJob) -> Iterator[Append]:
    if job.status == "running":
        return
    run = attempt(command.job, command.epoch) if command.tells_run else None
    if run is not None:
        started = RunStarted(
            run=run,
            model=job.model,
            hyperparameters=plain(command.hyperparameters, "hyperparameters"),
            data=None if command.data is None else plain(command.data, "data"),
            environment=plain(command.environment, "environment"),
            code=plain(command.code, "code"),
        )
        yield Append(run_stream(run), started)
    yield Append(job_stream(command.job), JobStarted(epoch=command.epoch, run=run))


def _warn(job: JobState, command: MeasureJob | WarnJob, said: str, points: int) -> Iterator[Append]:
    """Only so many: a story that repeats itself every second would bury the job's own."""
    if job.warnings < WARNINGS:
        warned = JobWarned(epoch=command.epoch, said=said, points=points, reason=command.reason)
        yield Append(job_stream(command.job), warned)


def _checkpoint(job: JobState, objects: Objects, command: CheckpointJob) -> Iterator[Append]:
    for event in kept(objects, command.stored):
        yield Append(OBJECTS, event)
    if job.run is not None:
        yield Append(run_stream(job.run), RunCheckpointed(tensors=command.tensors, step=command.step))
    told = JobCheckpointed(epoch=command.epoch, step=command.step, tensors=command.tensors)
    yield Append(job_stream(command.job), told)


def _finish(state: State, job: JobState, command: FinishJob) -> Iterator[Append]:
    """The job's end, and in the same append what it made."""
    appends, version = _made(state, job, command)
    yield from appends
    yield from _run_ends(job, "finished", command.points)
    result, remarks = plain(command.result, "result"), command.remarks
    finished = JobFinished(epoch=command.epoch, version=version, result=result, remarks=remarks)
    yield Append(job_stream(command.job), finished)


def _made(state: State, job: JobState, command: FinishJob) -> tuple[Sequence[Append], int | None]:
    """What a job made, and the version that it is or is of; nothing where its result is all."""
    if command.made is None:
        return (), None
    model = cast(ModelState, state[model_stream(command.made.model)])
    match command.made:
        case Commit() as made:
            # a save may go on from what another job made of the branch meanwhile: this one never looked at it
            follows = made.asked_parents is None
            made = replace(made, message=command.message, run=job.run, follows_head=follows)
            appends = commit(state, made)
            committed = [each.event.version for each in appends if isinstance(each.event, VersionCommitted)]
            version = committed[0] if committed else model.head(made.branch)
        case RecordEvaluation() as made:
            writable(model)
            version = made.version
            appends = evaluated(state, made)
    return appends, version


def _fail(job: JobState, command: FailJob) -> Iterator[Append]:
    """Another attempt, if it may go better and one is left; else the end."""
    yield from _run_ends(job, "failed", command.points, command.error, command.reason)
    lost = job.lost + command.counted
    if command.again and lost <= job.retries:
        pause = min(LONGEST_PAUSE, command.pause * 2.0 ** min(max(0, lost - 1), _DOUBLED)) if command.counted else 0.0
        event: Event = JobRequeued(
            epoch=command.epoch,
            error=command.error,
            reason=command.reason,
            counted=command.counted,
            until=command.now + timedelta(seconds=pause),
        )
    else:
        event = JobFailed(epoch=command.epoch, error=command.error, reason=command.reason)
    yield Append(job_stream(command.job), event)


def _lost(job: JobState, command: ExpireLease) -> FailJob:
    error = NOT_STARTED if job.status == "assigned" else "LeaseLost"
    return FailJob(job=command.job, epoch=command.epoch, error=error, again=True, now=command.now, pause=command.pause)


def _cancel(job: JobState, command: CancelJob) -> tuple[Append, ...]:
    if job.status == "cancelled":
        return ()
    if job.ended:
        raise Refused(f"job {command.job!r} has {job.status} already; there is nothing to cancel")
    if job.run is not None and command.epoch != job.epoch:
        raise Stale(f"job {command.job!r}", f"attempt {command.epoch}", f"attempt {job.epoch}", "cancel it again")
    cancelled = Append(job_stream(command.job), JobCancelled(epoch=job.epoch, reason=command.reason))
    return (*_run_ends(job, "failed", 0, "Cancelled", command.reason), cancelled)


def _run_ends(job: JobState, status: str, points: int, error: str | None = None, reason: str = "") -> Iterator[Append]:
    if job.run is not None:
        ended = RunFinished.model_validate({"status": status, "error": error, "reason": reason, "points": points})
        yield Append(run_stream(job.run), ended)


def _counts(job: JobState, command: OfAttempt) -> None:
    """What is told of any attempt but the one at work comes too late."""
    if job.ended:
        raise Refused(f"job {command.job!r} has ended ({job.status}); what attempt {command.epoch} says is too late")
    if command.epoch != job.epoch or job.status not in AT_WORK:
        raise Refused(f"attempt {command.epoch} of job {command.job!r} was given up; what it says now is too late")


def _of_job(job: str, *events: Event) -> tuple[Append, ...]:
    return tuple(Append(job_stream(job), event) for event in events)
