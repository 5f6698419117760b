"""Submitting: work asked for, looked at, waited for and called off."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, cast
from uuid import NAMESPACE_OID, uuid5

import uuid_utils

from ..domain.commands import job_stream, run_stream
from ..domain.job import Job
from ..domain.job_commands import CancelJob, OfferVersion, SubmitJob, attempt
from ..domain.jobs import fits
from ..domain.names import checked_name
from ..domain.offers import checked_source
from ..errors import Refused, Stale, Unavailable, UnknownRevision
from ..events.envelope import decode
from ..events.job import JobSubmitted
from ..events.leases import Leases
from ..events.run import MetricsLogged
from ..settings import Terms
from . import datasets, history, serving
from .job_record import JobRecord
from .serving import Desk
from .workspace import Workspace

log = logging.getLogger("lepton")

POLL: Final = 0.1
SURELY: Final = 5.0
"""Seconds after which a job that others should take would have been taken."""
OnEpoch = Callable[[int, Mapping[str, float]], None]
SHORTEST: Final = 4
"""Characters of a job's id that may stand for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Who may do it, and what it may take."""

    pool: str = "default"
    needs: tuple[str, ...] = ()
    memory: int | None = None
    """Bytes."""
    seconds: float | None = None
    retries: int = 3


def submit(
    workspace: Workspace,
    kind: str,
    model: str,
    data: str,
    payload: Mapping[str, Any],
    limits: Limits,
    *,
    message: str = "",
    key: str | None,
) -> JobRecord:
    """Ask for work on labelled rows at an address. Repeated under its key, the job that it became the first time."""
    checked_name(payload.get("branch", "main"), "branch")
    source = datasets.checked(data, payload["label"])
    command = SubmitJob(
        job=str(uuid_utils.uuid7()),
        kind=kind,
        model=model,
        payload=payload,
        source=source,
        message=message,
        **asdict(limits),
    )
    event = workspace.admit(command, key).events[0].event
    assert isinstance(event, JobSubmitted)
    return record(workspace, event.job)


def offer(workspace: Workspace, model: str, source: str, limits: Limits, *, key: str | None, **told: Any) -> JobRecord:
    """Have a version that was trained elsewhere looked at. Repeated under its key, the job that it became then."""
    key = key or str(uuid_utils.uuid7())
    address = source if "://" in source else Path(source).absolute().as_uri()
    job = str(uuid5(NAMESPACE_OID, key))
    command = OfferVersion(job=job, model=model, source=checked_source(address), **told, **asdict(limits))
    workspace.admit(command, key)
    return record(workspace, job)


def record(workspace: Workspace, name: str) -> JobRecord:
    """A job as it stands. Raises `Refused` where there is none."""
    job = state(workspace, name)
    assert job.submitted is not None
    assert job.changed is not None
    model = workspace.model(job.model)
    return JobRecord(
        job=name,
        kind=job.kind,
        model=job.model,
        status=job.status,
        epoch=job.epoch,
        pool=job.pool,
        submitted=job.submitted,
        changed=job.changed,
        message=workspace.opened(job.actor, job.message),
        version=None if job.version is None else workspace.version(model, job.version),
        figures=dict(job.result),
        error=job.error,
        reason=workspace.opened(*job.reason),
        step=job.checkpoint.step if job.checkpoint else None,
    )


def state(workspace: Workspace, name: str) -> Job:
    """A job's aggregate; `Refused` where there is none of that name."""
    job = cast(Job, workspace.ledger.state(job_stream(name)))
    if job.status == "unknown":
        raise UnknownRevision(f"there is no job {name!r}; `lepton jobs` lists them")
    return job


def named(workspace: Workspace, words: str) -> str:
    """The job whose id begins or ends so. Raises `UnknownRevision` where there is none, or more than one."""
    names = [stream.removeprefix("job/") for stream in workspace.ledger.store.streams("job/")]
    if words in names:
        return words
    found = [name for name in names if len(words) >= SHORTEST and (name.startswith(words) or name.endswith(words))]
    if len(found) != 1:
        many = f"{len(found)} jobs have ids like" if found else "there is no job"
        raise UnknownRevision(f"{many} {words!r}; `lepton jobs` lists them")
    return found[0]


def recent(workspace: Workspace, most: int) -> list[JobRecord]:
    """The jobs submitted last, the newest first."""
    streams = workspace.ledger.store.newest_streams("job/", most)
    return [record(workspace, stream.removeprefix("job/")) for stream in streams]


def story(workspace: Workspace, name: str) -> Iterator[dict[str, Any]]:
    """The events of a job and of its attempts' runs in their order, free text opened."""
    store, last = workspace.ledger.store, state(workspace, name).epoch
    streams = (job_stream(name), *(run_stream(attempt(name, epoch)) for epoch in range(1, last + 1)))
    rows = sorted(row for stream in streams for row in store.stream(stream)[1])
    return history.told(workspace, rows)


def cancel(workspace: Workspace, name: str, reason: str, key: str | None) -> JobRecord:
    """Call a job off, wherever it stands; its worker stops it."""
    while True:
        command = CancelJob(job=name, epoch=state(workspace, name).epoch, reason=reason)
        try:
            workspace.admit(command, key)
        except Stale:  # another attempt began in between
            continue
        return record(workspace, name)


def wait(
    workspace: Workspace, desk: Desk | None, name: str, *, on_epoch: OnEpoch | None, timeout: float | None
) -> JobRecord:
    """Wait until a job has ended, telling its epochs. With a desk, jobs are assigned meanwhile by whoever can, and
    where no worker could take this one there is one in this process.

    Raises `Unavailable` where it has not ended in time; it goes on.
    """
    begun = time.monotonic()
    pause = desk.terms.poll if desk else POLL
    with ExitStack() as stack:
        if desk is not None:
            stack.enter_context(serving.assigning(desk))
        seen_to = False
        epochs = _Epochs(workspace, name)
        while not (job := state(workspace, name)).ended:
            waited = time.monotonic() - begun
            if not seen_to and job.status == "queued" and not _served(workspace, desk, job):
                seen_to = _seen_to(stack, desk, job, waited)
            epochs.tell(job, on_epoch)
            if timeout is not None and waited > timeout:
                raise Unavailable(f"job {name} has not ended in {timeout:g} s; it goes on, `lepton jobs` tells how")
            time.sleep(pause)
        epochs.tell(job, on_epoch)
    return record(workspace, name)


def _served(workspace: Workspace, desk: Desk | None, job: Job) -> bool:
    """Whether a worker that could take the job was heard of within its term."""
    workers = serving.heard_of(Leases(workspace.ledger.store.database), desk.terms if desk else Terms())
    return any(fits(job, each.pool, each.capabilities) for each in workers)


def _seen_to(stack: ExitStack, desk: Desk | None, job: Job, waited: float) -> bool:
    """Have a worker here for a job that nobody could take; where workers are elsewhere, say in time that none is."""
    if desk is not None:
        post = serving.post(desk.workplace, pool=job.pool)
        stack.enter_context(serving.working(desk.workplace, post))
    elif waited > SURELY:
        what = " ".join((job.kind, *job.needs))
        log.warning("no worker of pool %s that does %s has been heard of; `lepton worker` starts one", job.pool, what)
    return desk is not None or waited > SURELY


def finished(found: JobRecord) -> JobRecord:
    """The job, if it went well; else what kept it raises as `Refused`."""
    if found.status != "finished":
        why = found.reason or f"{found.error or found.status}"
        raise Refused(why if found.status == "failed" else f"job {found.job} is {found.status}")
    return found


class _Epochs:
    """The figures of a job's attempts as the log tells them, epoch by epoch."""

    def __init__(self, workspace: Workspace, name: str) -> None:
        self._workspace = workspace
        self._name = name
        self._epoch = 0
        self._after = 0

    def tell(self, job: Job, on_epoch: OnEpoch | None) -> None:
        """Tell what has been logged since."""
        if on_epoch is None or job.run is None:
            return
        if job.epoch != self._epoch:
            self._epoch, self._after = job.epoch, 0
        stream, kinds = run_stream(attempt(self._name, job.epoch)), (MetricsLogged.type_name(),)
        self._after, rows = self._workspace.ledger.store.stream(stream, self._after, kinds)
        for row in rows:
            event = decode(row.envelope, row.leaf, row.seq).event
            assert isinstance(event, MetricsLogged)
            for step, figures in _by_step(event):
                on_epoch(step, figures)


def _by_step(event: MetricsLogged) -> Iterator[tuple[int, dict[str, float]]]:
    steps: dict[int, dict[str, float]] = {}
    for name, step, value in zip(event.names, event.steps, event.values, strict=True):
        steps.setdefault(step or 0, {})[name] = value
    yield from steps.items()
