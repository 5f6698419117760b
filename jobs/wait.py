"""Waiting: until a job has ended, with a worker in this process where no other could take it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Final

from ..domain.commands import run_stream
from ..domain.job.commands import attempt
from ..domain.job.decide import pauses, pool_of
from ..domain.job.kinds import SEARCH
from ..domain.job.state import AT_WORK, JobState
from ..errors import Unavailable
from ..events.envelope import decode
from ..events.run import MetricsLogged
from ..results import JobRecord
from ..supervised import Supervised
from ..versions.workspace import Workspace
from .desk import Desk
from .record import record, state, to_do

log = logging.getLogger("lepton")

POLL: Final = 0.1
SURELY: Final = 5.0
"""Seconds after which a job that others should take would have been taken."""
OFTEN: Final = 60.0
"""Seconds after which it is said again what a job waits for."""
OnEpoch = Callable[[int, Mapping[str, float]], None]


def wait(
    workspace: Workspace, desk: Desk, name: str, *, on_epoch: OnEpoch | None = None, timeout: float | None = None
) -> JobRecord:
    """Wait until a job has ended, telling its epochs. Where jobs are given out here they are assigned meanwhile by
    whoever can, and where no worker could take this one there is one in this process.

    Raises `Unavailable` where it has not ended in time, or the ledger is away for longer than a lease's term; the job
    goes on. Raises what keeps the assigner or the worker of this process from their work, where nobody else does it.
    """
    with ExitStack() as stack:
        watch = _Watch(workspace, desk, name, stack)
        epochs, away = _Epochs(workspace, name), 0.0
        while True:
            try:
                job = state(workspace, name)
                epochs.tell(job, on_epoch)
                if job.ended:
                    return _told(record(workspace, name))
                watch.look(job, timeout)
                away = 0.0
            except Unavailable as error:
                away = watch.patient(error, away)
            time.sleep(desk.terms.poll if desk.here else POLL)


def _told(ended: JobRecord) -> JobRecord:
    """The job, once it is said what of it was not taken in, and what is suspicious about its rows."""
    if ended.warned:
        log.warning("%s", ended)
    for remark in ended.remarks:
        log.warning("%s", remark)
    return ended


class _Watch:
    """Sees to it that a job is worked on, and says what it waits for where it is not."""

    def __init__(self, workspace: Workspace, desk: Desk, name: str, stack: ExitStack) -> None:
        self._workspace = workspace
        self._desk = desk
        self._name = name
        self._stack = stack
        self._begun = self._said = time.monotonic()
        self._last = ""
        # that another does is nothing to who waits, and may be the next wait of this process
        self._assigner = stack.enter_context(desk.assigning(log.debug)) if desk.here else None
        self._workers: dict[str, Supervised] = {}
        """Those of this process, by their pools."""

    def look(self, job: JobState, timeout: float | None) -> None:
        """One look at a job that has not ended."""
        now = time.monotonic()
        if self._desk.here:
            searches = [job] if job.kind == SEARCH and job.status in AT_WORK else []
            for each in (*searches, *to_do(self._workspace, job)):
                pool = pool_of(each)
                if pool not in self._workers and not self._desk.serves(each):
                    self._workers[pool] = self._stack.enter_context(self._desk.work(pool))
        if timeout is not None and now - self._begun > timeout:
            raise _Over(
                f"job {self._name} has not ended in {timeout:g} s: {self._reason(job)}; it goes on, `lepton jobs` "
                "tells how"
            )
        for part in (self._assigner, *self._workers.values()):
            if part is not None and (trouble := part.trouble) is not None and not self._desk.serves(job):
                raise _Over(str(trouble)) if isinstance(trouble, Unavailable) else trouble
        self._say(job, now)

    def patient(self, error: Unavailable, away: float) -> float:
        """Since when the ledger is away, which is said once. Raises where that is too long, or it is no outage."""
        now = time.monotonic()
        if isinstance(error, _Over):
            raise Unavailable(str(error)) from error.__cause__
        if not away:
            log.warning("job %s is waited for on: %s", self._name, error)
        if away and now - away > self._desk.terms.lease:
            raise Unavailable(f"{error}; job {self._name} goes on where its worker is, `lepton jobs` tells how")
        return away or now

    def _say(self, job: JobState, now: float) -> None:
        """Say what the job waits for: once it has waited longer than it should, and where that changes."""
        if job.status == "running" or now - max(self._begun, self._said) < SURELY:
            return
        reason = self._reason(job)
        if reason != self._last or now - self._said > OFTEN:
            log.warning("job %s is %s: %s", self._name, job.status, reason)
        self._last, self._said = reason, now

    def _reason(self, job: JobState) -> str:
        """What a job waits for that has not ended."""
        if job.status == "waiting":
            return self._reason_of_needed(job)
        if job.status == "running":
            return f"worker {job.worker} is at its attempt {job.epoch}"
        if job.status == "assigned":
            return f"worker {job.worker} was given it, and has not begun"
        if not self._desk.here and self._desk.unattended():
            return "nobody gives jobs out; `lepton intake` does"
        if job.until is not None and pauses(job, datetime.now(UTC)):
            return f"its next attempt comes after {job.until:%H:%M:%S} UTC, for the last one ended by {job.error}"
        if not self._desk.serves(job):
            what = " ".join((job.kind, *job.needs))
            none = f"no worker of pool {pool_of(job)} that does {what} has been heard of; `lepton worker` starts one"
            turned_away = self._workspace.ledger.store.rejected_count()
            return f"{none}, `lepton rejected` tells of any that was turned away" if turned_away else none
        return f"the workers of pool {job.pool} are busy with other jobs"

    def _reason_of_needed(self, job: JobState) -> str:
        """What a job waits for that needs others: the first that could be at work, and what that one waits for."""
        name = self._name
        while job.status == "waiting":
            needed = {each: state(self._workspace, each) for each in job.after}
            if (name := next((each for each, other in needed.items() if not other.ended), None)) is None:
                unattended = not self._desk.here and self._desk.unattended()
                return "what it needs has ended; " + (
                    "`lepton intake` lets it begin" if unattended else "it begins soon"
                )
            job = needed[name]
        return f"it needs job {name}, which is {job.status}: {self._reason(job)}"


class _Over(Unavailable):
    """An end of the waiting that no patience mends."""


class _Epochs:
    """The figures of a job's attempts as the log tells them, epoch by epoch."""

    def __init__(self, workspace: Workspace, name: str) -> None:
        self._workspace = workspace
        self._name = name
        self._epoch = 0
        self._after = 0

    def tell(self, job: JobState, on_epoch: OnEpoch | None) -> None:
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
