"""The assigner: hears what workers say, gives them the queued jobs, and takes back what is lost. One a ledger."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, TypeGuard, cast

from ..domain.commands import job_stream
from ..domain.job.commands import ExpireLease, Ready
from ..domain.job.decide import chosen
from ..domain.job.offers import LIMITS
from ..domain.job.state import AT_WORK, Job
from ..errors import Damaged, LeptonError, Malformed, Refused, Unavailable
from ..events.bookmark import Bookmark
from ..events.envelope import decode
from ..events.inbox import Letter
from ..events.job import JobCancelled, JobFailed, JobFinished, JobRequeued, JobSubmitted
from ..events.log import Row
from ..events.sql.leases import Change, Lease, Leases
from ..events.sql.queue import Posted
from ..events.sql.rows import Rejected
from ..isolation import isolated
from ..ledger import Receipt
from ..settings import Terms
from ..versions.workspace import Workspace
from .admission import Admitting, Answer
from .assignment import Assignment
from .hearing import REMEMBERED, Ear, Hearing, Roll
from .protocol import messages
from .protocol.messages import AttemptMessage, Left, Said, said
from .protocol.ports import Orders, Results
from .rejected import RefusedMessages, kept
from .results import Receiver, Stranger

LOOKED_AT: Final = tuple(kind.type_name() for kind in (JobSubmitted, JobRequeued, JobFinished, JobFailed, JobCancelled))
ENDS: Final = tuple(kind.type_name() for kind in (JobFinished, JobFailed, JobCancelled))
MANY: Final = 100
"""Messages that are admitted in one transaction."""

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
        self._hearing = Hearing(workspace.ledger.store, results, clock)
        self._roll = Roll(secret)
        self._orders = orders
        self._clock = clock
        self._terms = terms
        self._offers_at_once = offers_at_once
        self._now = now
        self._refused = RefusedMessages(workspace.ledger.store, workspace.actors, terms.rejected)
        self._receiver = Receiver(workspace, workspace.actors.named("lepton"), terms.pause)
        self._admitting = Admitting(workspace, self._receiver, now)
        self._assignment = Assignment(workspace, leases, orders, self._receiver, self._admitting, terms, now)
        self._resting: dict[str, float] = {}
        """The jobs whose orders could not be written, and until when they are not tried again."""
        self._queued: dict[str, Job] = {}
        """The jobs that wait, in their order, as they have waited since."""
        self._seq = workspace.ledger.store.end()
        self._begin()

    def step(self) -> bool:
        """Do what there is to do now: whether there was anything. Raises `Unavailable`."""
        self._refused.expire()
        if self._workspace.lost is not None:
            self._workspace.lost.note()
        heard = sum(self._hear(ear) for ear in self._hearing.ears) > 0
        followed = self._follow()
        if heard or followed:
            self._orders.keep_only([lease.job for lease in self._leases.held() if self._unheard(lease)])
        self._hearing.keep_time(self._terms.heartbeat)
        expired = self._expire()
        assigned = self._assign()
        return heard or followed or expired or assigned

    def ready(self) -> dict[Ready, str]:
        """The workers that were heard of within their term, with the slots that no lease fills; each with its keys."""
        held = [lease.worker for lease in self._leases.held()]
        since = self._hearing.now() - _micro(self._terms.lease)
        return {
            Ready(each.incarnation, each.pool, each.capabilities, each.slots - held.count(each.incarnation)): each.key
            for each in self._leases.workers(since)
        }

    def _begin(self) -> None:
        """Find the open jobs. Nobody was heard while nobody listened, so every lease gets a fresh term."""
        until = self._hearing.now() + _micro(self._terms.lease)
        known = {(lease.job, lease.epoch) for lease in self._leases.held()}
        jobs = list(open_jobs(self._workspace))  # not below: who admits in this process waits for the writers' lock
        with self._leases.change() as change:
            change.renew_all(until)
            change.forget(until - REMEMBERED)
            for name, job in jobs:
                if job.status == "queued":
                    self._queued[name] = job
                elif job.status in AT_WORK and (name, job.epoch) not in known:
                    change.lease(Lease(name, job.epoch, job.worker, until))

    # ── what workers say ─────────────────────────────────────────────────────────────────────────────────────────────

    def _hear(self, ear: Ear) -> bool:
        """Take in what was said on one partition: what it asks for, who is alive, and how far it is read."""
        letters = ear.results.read(ear.position, MANY)
        if not letters:
            return False
        left = isolated(
            letters, lambda together: self._taken(ear, together), lambda letter, why: self._set_aside(ear, letter, why)
        )
        ear.taken(letters)
        self._released({worker for worker in left if worker})
        self._hearing.heard(letters[-1].sent)
        return True

    def _taken(self, ear: Ear, letters: Sequence[Posted]) -> list[str | None]:
        """Take in messages together; for each the worker that leaves by it, or None.

        A command that was admitted before one of them raised is known by its key.
        """
        told = [_read(letter, ear.results.place) for letter in letters]
        answers = iter(self._admitting.admit([each for each in told if _of_attempt(each)]))
        self._refused.own()  # not below, where the writers' lock is held
        held = self._leases.held()
        left: list[str | None] = []
        rejected: list[Rejected] = []
        with self._leases.change() as change:
            for letter, each in zip(letters, told, strict=True):
                answer = next(answers) if _of_attempt(each) else None
                refusal = self._noted(change, ear, letter, each, answer, held)
                if refusal is not None:
                    log.warning("message %d of %s is rejected: %s", letter.position, ear.results.topic, refusal)
                    rejected.append(self._rejected(ear, letter, refusal))
                left.append(self._left(change, each) if refusal is None else None)
            change.reject(rejected)
            last = letters[-1]
            change.move(ear.results.topic, Bookmark(last.position + 1, last.topic_id, last.mark), ear.results.part)
        return left

    def _left(self, change: Change, told: Said | Malformed) -> str | None:
        if isinstance(told, Said) and isinstance(told.message, Left) and self._roll.leave(change, told):
            return told.by
        return None

    def _set_aside(self, ear: Ear, letter: Posted, refusal: LeptonError) -> None:
        """Keep a message with what it raised, in a transaction that asks nothing of what it holds."""
        row = self._rejected(ear, letter, refusal)
        to = Bookmark(letter.position + 1, letter.topic_id, letter.mark)
        with self._leases.change() as change:
            change.reject([row])
            change.move(ear.results.topic, to, ear.results.part)
        log.warning("message %d of %s is rejected: %s", letter.position, ear.results.topic, row.reason)

    def _rejected(self, ear: Ear, letter: Posted, refusal: LeptonError) -> Rejected:
        """As a row, sealed under the ledger's own key: what workers say may quote whom they work for."""
        place = (ear.results.topic, ear.results.part)
        return kept(place, Letter(letter.position, letter.raw), refusal, self._refused.own())

    def _noted(
        self,
        change: Change,
        ear: Ear,
        letter: Posted,
        told: Said | Malformed,
        answer: Answer | None,
        held: list[Lease],
    ) -> Refused | None:
        """Keep what a message says about who is alive; or why it is kept as rejected.

        What was said before prolongs nothing: whoever says it again need not be who said it first.
        """
        until = letter.sent + _micro(self._terms.lease)
        if isinstance(told, Malformed):
            return told
        if isinstance(answer, Malformed | Stranger):
            return answer
        if isinstance(answer, Receipt) and answer.events and not answer.repeated:
            message = cast(AttemptMessage, told.message)
            change.renew(told.by, [(message.job, message.epoch)], until)
        if isinstance(told.message, messages.WorkerReady):
            try:
                self._roll.take(change, ear.results.place, letter, told, held, until)
            except Refused as refusal:
                return refusal
        return None

    def _released(self, left: set[str]) -> None:
        """Take back what workers were given that have left in good order: it costs the jobs nothing."""
        for lease in self._leases.held() if left else ():
            if lease.worker in left and self._unheard(lease):
                self._admitting.give_back(lease.job, lease.epoch)

    # ── what the log says ────────────────────────────────────────────────────────────────────────────────────────────

    def _follow(self) -> bool:
        store = self._workspace.ledger.store
        end = store.end()
        rows = store.rows_of_types(LOOKED_AT, self._seq, end) if end > self._seq else []
        found = {name: self._job(name) for name in dict.fromkeys(_jobs_in(rows))}
        for name, job in found.items():
            self._queued.pop(name, None)
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
        lost = [lease for lease in self._leases.held() if lease.until < self._hearing.read_to]
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
        given = self._assignment.give(name, job, worker, key, lambda: self._hearing.now() + _micro(self._terms.start))
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

    def _job(self, name: str) -> Job:
        """A job as it stands; one whose events are damaged is as one that nobody asked for: it holds up no other."""
        try:
            return cast(Job, self._workspace.ledger.state(job_stream(name)))
        except Damaged as error:
            log.error("job %s is passed over: %s", name, error)
            return Job()


def open_jobs(workspace: Workspace) -> Iterator[tuple[str, Job]]:
    """The jobs that have not ended, the oldest first; without those whose events are damaged."""
    for stream in workspace.ledger.store.streams_without("job/", ENDS):
        try:
            yield stream.removeprefix("job/"), cast(Job, workspace.ledger.state(stream))
        except Damaged as error:
            log.error("%s is passed over: %s", stream, error)


def _jobs_in(rows: Iterable[Row]) -> Iterator[str]:
    """The jobs that rows of the event table tell of; `fsck` names the rows whose bytes are damaged."""
    for row in rows:
        try:
            yield decode(row.envelope, row.leaf, row.seq).stream.removeprefix("job/")
        except Damaged as error:
            log.error("event %d is passed over: %s", row.seq, error)


def _read(letter: Posted, place: str) -> Said | Malformed:
    """What a message says, or what is wrong with it."""
    try:
        return said(letter.raw, place)
    except Malformed as error:
        return error


def _of_attempt(told: Said | Malformed) -> TypeGuard[Said]:
    return isinstance(told, Said) and isinstance(told.message, AttemptMessage)


def _offered(job: Job) -> bool:
    """Whether an outside service asked for it: of these only so many are looked at at a time."""
    return LIMITS in job.payload


def _less(ready: Iterable[Ready], worker: str) -> Iterable[Ready]:
    """The workers with one slot less where one was just given."""
    for each in ready:
        yield Ready(*(each.incarnation, each.pool, each.capabilities), each.free - (each.incarnation == worker))


def _micro(seconds: float) -> int:
    return int(seconds * 1_000_000)
