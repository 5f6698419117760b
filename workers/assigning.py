"""The assigner: hears what workers say, gives them the queued jobs, and takes back what is lost. One a ledger."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Final, TypeGuard, cast

from ..domain.commands import job_stream
from ..domain.job import AT_WORK, Job
from ..domain.job_commands import AssignJob, ExpireLease, Ready
from ..domain.jobs import fits, pauses
from ..domain.offers import LIMITS, VERIFY
from ..errors import LeptonError, Malformed, Refused, Unavailable
from ..events.envelope import decode
from ..events.inbox import Letter
from ..events.job import JobAssigned, JobCancelled, JobFailed, JobFinished, JobRequeued, JobSubmitted
from ..events.leases import Change, Heard, Lease, Leases
from ..events.mail import Posted
from ..events.rows import Rejected
from ..settings import Terms
from . import messages
from .admitting import Admitting
from .answers import Receiver, Stranger
from .channel import Orders, Results
from .hearing import Ear, Hearing
from .isolation import isolated, unforeseen
from .messages import Left, OfAttempt, OfWorker, Said, said
from .orders import compose
from .refused import RefusedMessages, kept
from .workspace import Workspace

LOOKED_AT: Final = tuple(kind.type_name() for kind in (JobSubmitted, JobRequeued, JobFinished, JobFailed, JobCancelled))
ENDS: Final = tuple(kind.type_name() for kind in (JobFinished, JobFailed, JobCancelled))
MANY: Final = 100
"""Messages that are admitted in one transaction."""

FORGOTTEN: Final = 100
"""Terms of a lease after which a worker that was never heard of again need not be remembered."""

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
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        clock: Callable[[], float] = time.monotonic,
        *,
        offers_at_once: int = 2,
    ) -> None:
        self._workspace = workspace
        self._leases = leases
        self._hearing = Hearing(workspace.ledger.store, results, clock)
        self._orders = orders
        self._terms = terms
        self._offers_at_once = offers_at_once
        self._now = now
        self._refused = RefusedMessages(workspace.ledger.store, workspace.actors, terms.rejected)
        self._receiver = Receiver(workspace, workspace.actors.named("lepton"), terms.pause)
        self._admitting = Admitting(workspace, self._receiver, now)
        self._queued: dict[str, Job] = {}
        """The jobs that wait, in their order, as they have waited since."""
        self._seq = workspace.ledger.store.end()
        self._begin()

    def step(self) -> bool:
        """Do what there is to do now: whether there was anything. Raises `Unavailable`."""
        self._refused.expire()
        heard = sum(self._hear(ear) for ear in self._hearing.ears) > 0
        followed = self._follow()
        if heard or followed:
            self._orders.keep_only([lease.job for lease in self._leases.held() if self._unheard(lease)])
        self._hearing.keep_time(self._terms.heartbeat)
        expired = self._expire()
        assigned = self._assign()
        return heard or followed or expired or assigned

    def ready(self) -> tuple[Ready, ...]:
        """The workers that were heard of within their term, with the slots that no lease fills."""
        held = [lease.worker for lease in self._leases.held()]
        since = self._hearing.now() - _micro(self._terms.lease)
        return tuple(
            Ready(each.incarnation, each.pool, each.capabilities, each.slots - held.count(each.incarnation))
            for each in self._leases.workers(since)
        )

    def _begin(self) -> None:
        """Find the open jobs. Nobody was heard while nobody listened, so every lease gets a fresh term."""
        until = self._hearing.now() + _micro(self._terms.lease)
        known = {(lease.job, lease.epoch) for lease in self._leases.held()}
        jobs = list(open_jobs(self._workspace))  # not below: who admits in this process waits for the writers' lock
        with self._leases.change() as change:
            change.renew_all(until)
            change.forget(until - FORGOTTEN * _micro(self._terms.lease))
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
        told = isolated(
            letters, lambda together: self._taken(ear, together), lambda letter, why: self._set_aside(ear, letter, why)
        )
        ear.taken(letters)
        self._released({each.by for each in told if isinstance(each, Said) and isinstance(each.message, Left)})
        self._hearing.heard(letters[-1].sent)
        return True

    def _taken(self, ear: Ear, letters: Sequence[Posted]) -> list[Said | LeptonError]:
        """Take in messages together: a command that was admitted before one of them raised is known by its key."""
        told = [_read(letter) for letter in letters]
        answers = iter(self._admitting.admit([each for each in told if _of_attempt(each)]))
        self._refused.own()  # not below, where the writers' lock is held
        rejected: list[Rejected] = []
        with self._leases.change() as change:
            for letter, each in zip(letters, told, strict=True):
                answer = next(answers) if _of_attempt(each) else each
                if isinstance(answer, Malformed | Stranger):
                    log.warning("message %d of %s is rejected: %s", letter.position, ear.results.topic, answer)
                    rejected.append(self._rejected(ear, letter, answer))
                elif isinstance(each, Said):
                    self._note(change, letter, each)
            change.reject(rejected)
            change.move(ear.results.topic, letters[-1].position + 1, ear.results.part)
        return [*told]

    def _set_aside(self, ear: Ear, letter: Posted, refusal: LeptonError) -> LeptonError:
        """Keep a message with what it raised, in a transaction that asks nothing of what it holds."""
        row = self._rejected(ear, letter, refusal)
        with self._leases.change() as change:
            change.reject([row])
            change.move(ear.results.topic, letter.position + 1, ear.results.part)
        log.warning("message %d of %s is rejected: %s", letter.position, ear.results.topic, row.reason)
        return refusal

    def _rejected(self, ear: Ear, letter: Posted, refusal: LeptonError) -> Rejected:
        """As a row, sealed under the ledger's own key: what workers say may quote whom they work for."""
        place = (ear.results.topic, ear.results.part)
        return kept(place, Letter(letter.position, letter.raw), refusal, self._refused.own())

    def _note(self, change: Change, letter: Posted, told: Said) -> None:
        """Keep what a message says about who is alive."""
        until = letter.sent + _micro(self._terms.lease)
        match message := told.message:
            case messages.Ready():
                heard = Heard(
                    message.incarnation, message.pool, frozenset(message.capabilities), message.slots, letter.sent
                )
                change.hear(heard)
                change.renew(told.by, message.running, until)
            case Left():
                change.leave(message.incarnation)
            case OfAttempt():
                change.renew(told.by, [(message.job, message.epoch)], until)
            case _:
                pass

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
        jobs = dict.fromkeys(decode(row.envelope, row.leaf, row.seq).stream.removeprefix("job/") for row in rows)
        found = {name: self._job(name) for name in jobs}
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
        except Refused as error:
            log.info("%s", error)
            with self._leases.change() as change:
                change.end(lease.job, lease.epoch)

    def _assign(self) -> bool:
        """Give the jobs that wait to the workers that are free, the oldest first."""
        given, now = False, self._now()
        ready = [each for each in self.ready() if each.free > 0] if self._queued else []
        offers = sum(_offered(self._job(lease.job)) for lease in self._leases.held()) if ready else 0
        for name, job in tuple(self._queued.items()):
            if not ready:
                break
            if _offered(job) and offers >= self._offers_at_once:
                continue
            if pauses(job, now) or not any(fits(job, each.pool, each.capabilities) for each in ready):
                continue
            if (event := self._assigned(name, tuple(ready))) is not None:
                ready = [each for each in _less(ready, event.worker) if each.free > 0]
                offers += _offered(job)
                given = True
        return given

    def _assigned(self, name: str, ready: tuple[Ready, ...]) -> JobAssigned | None:
        """Assign a job and send its order; an order that gets lost costs its term."""
        job = self._queued.pop(name)
        command = AssignJob(job=name, ready=ready, now=self._now(), within=self._terms.start)
        try:
            actor = self._receiver.actor_of(job)
            receipt = self._workspace.ledger.admit(command, actor, traceparent=job.traceparent)
        except Refused:
            return None  # it was cancelled meanwhile
        if not receipt.events:  # it waits for other things than it did
            self._queued[name] = self._job(name)
            return None
        event = receipt.events[0].event
        assert isinstance(event, JobAssigned)
        with self._leases.change() as change:
            until = self._hearing.now() + _micro(self._terms.start)
            change.lease(Lease(name, event.epoch, event.worker, until))
        self._order(name, event)
        return event

    def _order(self, name: str, event: JobAssigned) -> None:
        try:
            self._orders.send(compose(self._workspace, name, event))
        except Unavailable as error:
            log.warning("the order for job %s was not sent: %s", name, error)
        except LeptonError as error:
            self._admitting.give_up(name, event.epoch, error)
        except Exception as error:  # noqa: BLE001 - one job's payload must not keep the others from being assigned
            self._admitting.give_up(name, event.epoch, unforeseen(error, "the job's order"))

    def _unheard(self, lease: Lease) -> bool:
        """Whether nothing tells yet that the worker has its order."""
        job = self._job(lease.job)
        return job.status == "assigned" and job.epoch == lease.epoch

    def _job(self, name: str) -> Job:
        return cast(Job, self._workspace.ledger.state(job_stream(name)))


def open_jobs(workspace: Workspace) -> Iterator[tuple[str, Job]]:
    """The jobs that have not ended, the oldest first."""
    for stream in workspace.ledger.store.streams_without("job/", ENDS):
        yield stream.removeprefix("job/"), cast(Job, workspace.ledger.state(stream))


def _read(letter: Posted) -> Said | Malformed:
    """What a message says, or what is wrong with it."""
    try:
        told = said(letter.raw)
    except Malformed as error:
        return error
    if isinstance(told.message, OfWorker) and told.by != told.message.incarnation:
        return Malformed(f"worker {told.by[:40]!r} speaks of itself as {told.message.incarnation!r}")
    return told


def _of_attempt(told: Said | Malformed) -> TypeGuard[Said]:
    return isinstance(told, Said) and isinstance(told.message, OfAttempt)


def _offered(job: Job) -> bool:
    """Whether an outside service asked for it: of these only so many are looked at at a time."""
    return job.kind == VERIFY and LIMITS in job.payload


def _less(ready: Iterable[Ready], worker: str) -> Iterable[Ready]:
    """The workers with one slot less where one was just given."""
    for each in ready:
        yield Ready(*(each.incarnation, each.pool, each.capabilities), each.free - (each.incarnation == worker))


def _micro(seconds: float) -> int:
    return int(seconds * 1_000_000)
