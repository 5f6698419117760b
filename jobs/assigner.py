"""The assigner: hears what workers say, gives them the queued jobs, and takes back what is lost. One a ledger."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, cast

from ..domain.commands import job_stream
from ..domain.job.commands import ExpireLease, Ready
from ..domain.job.decide import chosen, taken_by
from ..domain.job.kinds import SEARCH
from ..domain.job.offers import IMPORT, LIMITS
from ..domain.job.state import AT_WORK, JobState
from ..errors import Damaged, LeptonError, Unavailable
from ..events.envelope import decode
from ..events.job import JobCancelled, JobFailed, JobFinished, JobReleased, JobRequeued, JobSubmitted
from ..events.log import Row
from ..events.sql.leases import Lease, Leases
from ..settings import Terms
from ..versions.workspace import Workspace
from .assignment import Assignment
from .endings import Endings
from .intake.rejected import RefusedMessages
from .intake.reports import Reports
from .intake.results import Receiver
from .protocol.broker_clock import BrokerClock
from .protocol.ports import Orders, Results
from .roll import REMEMBERED, Roll
from .suites.judging import SuiteJudge
from .waiting import WaitingJobs

_ENDS: Final = (JobFinished, JobFailed, JobCancelled)
ENDS: Final = tuple(kind.type_name() for kind in _ENDS)
LOOKED_AT: Final = tuple(kind.type_name() for kind in (JobSubmitted, JobReleased, JobRequeued, *_ENDS))
REST: Final = 5.0
"""Seconds before an order is tried again for which something was away."""
log = logging.getLogger("lepton.assigner")


class Assigner:
    """Steps through what there is to do. Whoever runs it holds the ledger's lock of assigning.

    Its tables may be lost: what it needs to know beyond them it finds in the log, and every lease begins anew.
    """

    def __init__(
        self,
        workspace: Workspace,
        leases: Leases,
        results: Sequence[Results],
        orders: Orders,
        terms: Terms,
        secret: str | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        clock: Callable[[], float] = time.monotonic,
        *,
        offers_at_once: int = 2,
    ) -> None:
        self._workspace = workspace
        self._leases = leases
        self._time = BrokerClock(results, clock)
        self._orders = orders
        self._clock = clock
        self._terms = terms
        self._offers_at_once = offers_at_once
        self._now = now
        self._refused = RefusedMessages(workspace.ledger.store, workspace.actors, terms.rejected)
        self._receiver = receiver = Receiver(workspace, workspace.actors.named("lepton"), terms.pause)
        self._endings = endings = Endings(workspace, receiver, now)
        self._assignment = Assignment(workspace, leases, orders, receiver, endings, terms, now)
        taking = (receiver, endings, Roll(secret, terms.lease), self._refused, now)
        self._reports = [Reports(workspace.ledger, each, *taking) for each in results]
        self._resting: dict[str, float] = {}
        """The jobs whose orders could not be written, and until when they are not tried again."""
        self._queued: dict[str, JobState] = {}
        """The jobs that wait, in their order, as they have waited since."""
        self._seq = workspace.ledger.store.end()
        self._suites = SuiteJudge(workspace)
        self._waiting = WaitingJobs(workspace, receiver, self._job)
        self._begin()

    def step(self) -> bool:
        """Do what there is to do now: whether there was anything. Raises `Unavailable`."""
        self._refused.expire()
        if self._workspace.lost is not None:
            self._workspace.lost.note()
        heard = sum(self._hear(each) for each in self._reports) > 0
        judged = self._suites.step()
        followed = self._follow()
        if heard or followed:
            self._orders.keep_only([lease.job for lease in self._leases.held() if self._unheard(lease)])
        released = self._waiting.step()
        self._time.keep_time(self._terms.heartbeat)
        expired = self._expire()
        assigned = self._assign()
        return heard or judged or followed or released or expired or assigned

    def searches(self) -> bool:
        """Whether a search waits for who runs it."""
        return any(job.kind == SEARCH for job in self._queued.values())

    def ready(self) -> dict[Ready, str]:
        """The workers that were heard of within their term, with the slots that no lease fills; each with its keys."""
        held = [lease.worker for lease in self._leases.held()]
        since = self._time.now() - _micro(self._terms.lease)
        return {
            Ready(each.incarnation, each.pool, each.capabilities, each.slots - held.count(each.incarnation)): each.key
            for each in self._leases.workers(since)
        }

    def _begin(self) -> None:
        """Find the open jobs. Nobody was heard while nobody listened, so every lease gets a fresh term."""
        until = self._time.now() + _micro(self._terms.lease)
        known = {(lease.job, lease.epoch) for lease in self._leases.held()}
        jobs = list(open_jobs(self._workspace))  # not below: who admits in this process waits for the writers' lock
        with self._leases.change() as change:
            change.renew_all(until)
            change.forget(until - REMEMBERED)
            for name, job in jobs:
                self._waiting.note(name, job)
                if job.status == "queued":
                    self._queued[name] = job
                elif job.status in AT_WORK and (name, job.epoch) not in known:
                    change.lease(Lease(name, job.epoch, job.worker, until))

    # ── what workers say ─────────────────────────────────────────────────────────────────────────────────────────────

    def _hear(self, reports: Reports) -> bool:
        """Take in what was said on one partition. What workers that left were given is taken back: it costs nothing."""
        if not reports.listen():
            return False
        self._time.heard(reports.read_to)
        for lease in self._leases.held() if reports.left else ():
            if lease.worker in reports.left and self._unheard(lease):
                self._endings.give_back(lease.job, lease.epoch)
        return True

    # ── what the log says ────────────────────────────────────────────────────────────────────────────────────────────

    def _follow(self) -> bool:
        store = self._workspace.ledger.store
        end = store.end()
        rows = store.rows_of_types(LOOKED_AT, self._seq, end) if end > self._seq else []
        found = {name: self._job(name) for name in dict.fromkeys(_jobs_in(rows))}
        for name, job in found.items():
            self._queued.pop(name, None)
            self._waiting.note(name, job)
            if job.status == "queued":
                self._queued[name] = job
        if over := [(name, job.epoch) for name, job in found.items() if job.status not in AT_WORK]:
            with self._leases.change() as change:
                for name, epoch in over:
                    change.end(name, epoch)
        self._seq = end
        return bool(found)

    # ── what is lost, and what waits ─────────────────────────────────────────────────────────────────────────────────

    def _expire(self) -> bool:
        """Take back what has run out. A lease is lost only once all that was said up to its end has been read."""
        lost = [lease for lease in self._leases.held() if lease.until < min(each.read_to for each in self._reports)]
        for lease in lost:
            self._take_back(lease)
        return bool(lost)

    def _take_back(self, lease: Lease) -> None:
        job = self._job(lease.job)
        command = ExpireLease(job=lease.job, epoch=lease.epoch, now=self._now(), pause=self._terms.pause)
        try:
            self._workspace.ledger.admit(command, self._receiver.actor_of(job), traceparent=job.traceparent)
        except Unavailable:
            raise
        except LeptonError as error:
            log.info("%s", error)
            with self._leases.change() as change:
                change.end(lease.job, lease.epoch)

    def _assign(self) -> bool:
        """Give the jobs that wait to the workers that are free, the oldest first."""
        given, now = False, self._now()
        keys = self.ready() if self._queued else {}
        ready = [each for each in keys if each.free > 0]
        offers = sum(_offered(self._job(lease.job)) for lease in self._leases.held()) if ready else 0
        for name, job in tuple(self._queued.items()):
            if not ready:
                break
            if _offered(job) and offers >= self._offers_at_once:
                continue
            worker = None if self._rests(name) else chosen(job, ready, now)
            if worker is not None and self._assigned(name, worker, keys):
                ready = [each for each in _less(ready, worker.incarnation) if each.free > 0]
                offers += _offered(job)
                given = True
        return given

    def _assigned(self, name: str, worker: Ready, keys: Mapping[Ready, str]) -> bool:
        """Whether a worker was given a job; one whose order needs what is away rests, and the others go on."""
        job = self._job(name)
        key = next(key for each, key in keys.items() if each.incarnation == worker.incarnation)
        given = self._assignment.give(name, job, worker, key, lambda: self._time.now() + _micro(self._terms.start))
        if isinstance(given, Unavailable):
            log.warning("job %s waits on: %s", name, given)
            self._resting[name] = self._clock() + REST
            return False
        del self._queued[name]
        if not given and (job := self._job(name)).status == "queued":  # it waits for other things than it did
            self._queued[name] = job
        return given

    def _rests(self, name: str) -> bool:
        """Whether a job whose order could not be written is not to be tried again yet."""
        if self._clock() >= self._resting.get(name, 0.0):
            self._resting.pop(name, None)
        return name in self._resting

    def _unheard(self, lease: Lease) -> bool:
        """Whether nothing tells yet that the worker has its order."""
        job = self._job(lease.job)
        return job.status == "assigned" and job.epoch == lease.epoch

    def _job(self, name: str) -> JobState:
        """A job as it stands; one whose events are damaged is as one that nobody asked for: it holds up no other."""
        try:
            return cast(JobState, self._workspace.ledger.state(job_stream(name)))
        except Damaged as error:
            log.error("job %s is passed over: %s", name, error)
            return JobState()


def open_jobs(workspace: Workspace) -> Iterator[tuple[str, JobState]]:
    """The jobs that have not ended, the oldest first; without those whose events are damaged."""
    for stream in workspace.ledger.store.streams_without("job/", ENDS):
        try:
            yield stream.removeprefix("job/"), cast(JobState, workspace.ledger.state(stream))
        except Damaged as error:
            log.error("%s is passed over: %s", stream, error)


def work_waits(workspace: Workspace, pool: str, capabilities: frozenset[str]) -> bool:
    """Whether there is work that a worker of that pool could take, or that comes to be without anybody's asking."""
    store = workspace.ledger.store
    end = store.end()
    if any(taken_by(job, pool, capabilities) and _may_come(workspace, job) for _, job in open_jobs(workspace)):
        return True
    return SuiteJudge(workspace).acts() or store.end() != end  # what happened meanwhile is looked at anew


def _may_come(workspace: Workspace, job: JobState) -> bool:
    """Whether a job waits for no work of others: what it waits for is work of its own until it has ended."""
    try:
        needed = [cast(JobState, workspace.ledger.state(job_stream(name))) for name in job.after]
    except Damaged as error:
        log.error("what a job waits for is damaged: %s", error)
        return False
    return job.status != "waiting" or all(each.ended for each in needed)


def _jobs_in(rows: Iterable[Row]) -> Iterator[str]:
    """The jobs that rows of the event table tell of; `fsck` names the rows whose bytes are damaged."""
    for row in rows:
        try:
            yield decode(row.envelope, row.leaf, row.seq).stream.removeprefix("job/")
        except Damaged as error:
            log.error("event %d is passed over: %s", row.seq, error)


def _offered(job: JobState) -> bool:
    """Whether an outside service asked for it: of these only so many are looked at at a time."""
    return job.kind == IMPORT and LIMITS in job.payload


def _less(ready: Iterable[Ready], worker: str) -> Iterable[Ready]:
    """The workers with one slot less where one was just given."""
    for each in ready:
        yield Ready(*(each.incarnation, each.pool, each.capabilities), each.free - (each.incarnation == worker))


def _micro(seconds: float) -> int:
    return int(seconds * 1_000_000)
