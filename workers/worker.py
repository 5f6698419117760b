"""A worker: announces itself, takes the orders that bear its name, and answers each of them once."""

from __future__ import annotations

import logging
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from threading import Event
from typing import Any, Final

from ..errors import LeptonError, Unavailable
from ..jobs.protocol import identity
from ..jobs.protocol.identity import WorkerKeys
from ..jobs.protocol.messages import FINAL, Failed, Left, Message, Started, WorkerReady, encoded
from ..jobs.protocol.orders import Order
from ..jobs.protocol.ports import Channel, Fact
from ..provenance import code, environment
from ..settings import Terms
from .attempt import Attempt
from .order_book import Odd, OrderBook
from .task import TASKS

REMEMBERED: Final = 10_000
"""Jobs of which a worker knows the attempts it has dealt with."""
PATIENCE: Final = 10
"""Terms of a lease for which an answer is repeated that the log never tells of."""
AWAY: Final = 0.5
"""Seconds between two looks while the ledger is away."""
IDLE: Final = 0.25
"""Seconds that orders are waited for while there is nothing else to do but to leave."""

log = logging.getLogger("lepton.worker")


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """What a worker is: its one life's keys, the pool it works for, what it can, how much at once, and where."""

    identity: WorkerKeys = field(repr=False)
    secret: str | None = field(default=None, repr=False)
    """What the ledger knows its workers by, where it was given one."""
    pool: str = "default"
    capabilities: tuple[str, ...] = field(default_factory=lambda: (*TASKS, "cpu"))
    slots: int = 1
    objects: Mapping[str, Any]
    """Where the object store is: what `tensors.address.objects_at` takes."""
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    """What its processes find in their environment beside its own."""
    program: str = "lepton_ai.cli.child"
    """The module that a process of its own begins with."""

    @property
    def incarnation(self) -> str:
        """Its one life's name, which follows from its keys."""
        return self.identity.incarnation


@dataclass(slots=True)
class FinalAnswer:
    """A final answer, said again until the log tells of it or of the attempt's end."""

    raw: bytes
    given: float
    said: float


class Worker:
    """One worker's loop. It waits for nobody: what cannot be said now is said later, and orders can wait for a slot.

    Where nothing it says is acknowledged for a lease's term it stops its processes, for others are at their work then.
    """

    def __init__(self, post: Post, channel: Channel, terms: Terms, clock: Callable[[], float] = time.monotonic) -> None:
        self.post = post
        self._channel = channel
        self._terms = terms
        self._clock = clock
        self._attempts: dict[tuple[str, int], Attempt] = {}
        self._book = OrderBook(post.identity, post.capabilities, 2 * terms.start, clock)
        self._waiting: deque[Order] = deque()
        self._outbox: deque[bytes] = deque()
        self._answers: dict[tuple[str, int], FinalAnswer] = {}
        self._acknowledged = clock()
        self._announced = -terms.heartbeat
        self._beat = 0
        self._faults = 0
        """Steps in a row that ended by what no rule has foreseen."""
        self._draining = False
        self.answered = 0
        """Attempts that it has answered for."""
        self._away = False
        """Whether the ledger was away when it was last spoken to: it is said once, and looked less often."""
        self._past: OrderedDict[str, int] = OrderedDict()
        """By job the attempt up to which orders are dealt with, the latest last: an order may come twice, or late."""
        self._made_with = {"environment": environment(), "code": code()}

    @property
    def at_work(self) -> int:
        """How many attempts are under way."""
        return len(self._attempts)

    @property
    def strangers(self) -> int:
        """How many records it passed over because they are no orders or events."""
        return self._channel.strangers

    @property
    def idle(self) -> bool:
        """Whether nothing is under way, waits, or is still to be heard."""
        return not (self._attempts or self._waiting or self._outbox or self._answers)

    def run(self, stop: Event, done: Callable[[], bool] | None = None) -> None:
        """Work until told to stop, or done; then finish in good order, within the terms."""
        try:
            while not stop.is_set() and not (done and done()):
                self._step(stop)
            self._drain()
            until = self._clock() + 2 * self._terms.drain
            while not self.idle and self._clock() < until:
                self._step(stop)
        finally:  # whatever ended it, its processes end with it, and others get their work
            self._abandon("it left")
            self._tell(self._encoded(Left(incarnation=self.post.incarnation), None))
            self._channel.close()

    def _step(self, stop: Event) -> None:
        """A step; what no rule has foreseen is told, and the next one comes after a pause that grows with each."""
        try:
            self.step()
            self._faults = 0
        except LeptonError:  # it cannot go on: a right that is missing, say
            raise
        except Exception:
            log.exception("a fault of the worker's own; it goes on")
            self._faults += 1
            stop.wait(min(self._terms.lease / 4, AWAY * 2**self._faults))

    def step(self) -> None:
        """One look at everything there is, and a short wait: for orders, or for the processes."""
        if self._clock() - self._acknowledged > self._terms.lease:
            self._abandon(f"nobody acknowledged anything for {self._terms.lease:g} s")
        self._announce()
        try:
            for raw in self._channel.orders(self._patience):
                self._book.came(raw)
            for fact in self._channel.facts():
                self._book.told(fact)
                if fact.closes:
                    self._closed(fact)
        except Unavailable as error:
            self._missed(error)
        for order in self._book.taken():
            if order.epoch > self._past.get(order.job, 0):
                self._pass(order.job, order.epoch)
                self._take(order)
        self._begin()
        for attempt in tuple(self._attempts.values()):
            try:
                self._look_after(attempt)
            except Exception as fault:
                log.exception("job %s, attempt %d is ended by a fault of the worker's own", *attempt.name)
                self._break_off(attempt, fault)
        self._repeat()
        self._flush()
        self._rest()

    @property
    def _patience(self) -> float:
        """Seconds to wait for orders: long where nothing else could happen, not at all beside processes."""
        if self._attempts:
            return 0.0
        return IDLE if self.idle and not self._book.waiting else self._terms.poll

    def _rest(self) -> None:
        """Wait until a process says something, and no longer than a look's pause; longer while the ledger is away."""
        pause = max(self._terms.poll, AWAY) if self._away else self._terms.poll
        if self._attempts:
            wait([attempt.pipe for attempt in self._attempts.values()], pause)
        elif self._away:
            time.sleep(pause)

    # ── what is told ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _announce(self, *, now: bool = False) -> None:
        """Say that it is there, what it is at, and how much it takes."""
        if not now and self._clock() - self._announced < self._terms.heartbeat:
            return
        post, running = self.post, tuple(self._attempts)
        try:
            vouched = identity.vouched(post.incarnation, post.secret, self._channel.place) if post.secret else ""
        except Unavailable as error:
            self._missed(error)
            return
        self._beat += 1
        ready = WorkerReady(
            incarnation=post.incarnation,
            pool=post.pool,
            capabilities=post.capabilities,
            slots=0 if self._draining else post.slots,
            running=running,
            beat=self._beat,
            vouched=vouched,
        )
        if self._tell(self._encoded(ready, None)):
            self._announced = self._clock()

    def _say(self, message: Message, order: Order) -> None:
        self._outbox.append(self._encoded(message, order))

    def _encoded(self, message: Message, order: Order | Odd | None) -> bytes:
        trace = order.traceparent if isinstance(order, Order) else None
        return encoded(message, self.post.incarnation, trace)

    def _flush(self) -> None:
        """Send what is to be said of attempts, in order. What is not acknowledged stays."""
        while self._outbox and self._tell(self._outbox[0]):
            self._outbox.popleft()

    def _tell(self, body: bytes) -> bool:
        try:
            self._channel.say(body)
        except Unavailable as error:
            self._missed(error)
            return False
        if self._away:
            log.info("worker %s is heard again", self.post.incarnation)
        self._away, self._acknowledged = False, self._clock()
        return True

    def _missed(self, error: Unavailable) -> None:
        if not self._away:
            log.warning("%s", error)
        self._away = True

    def _repeat(self) -> None:
        """Say final answers again that nobody seems to have heard, in the same words; not for ever."""
        for name, answer in tuple(self._answers.items()):
            if self._clock() - answer.given > PATIENCE * self._terms.lease:
                log.warning("job %s, attempt %d: the log tells of no answer; it is not repeated any more", *name)
                del self._answers[name]
            elif self._clock() - answer.said > self._terms.heartbeat:
                answer.said = self._clock()
                self._outbox.append(answer.raw)

    def _answer(self, name: tuple[str, int], raw: bytes) -> None:
        self.answered += 1
        self._answers[name] = FinalAnswer(raw, self._clock(), self._clock())
        self._outbox.append(raw)

    # ── what is done ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _take(self, order: Order | Odd) -> None:
        if isinstance(order, Odd):
            log.warning("job %s, attempt %d is not begun: %s", order.job, order.epoch, order.reason)
            self._give_back(order, "Malformed", order.reason, again=False, counted=True)
        elif self._draining:
            self._give_back(order, "Drained", "its worker had to leave", counted=False)
        else:
            self._waiting.append(order)

    def _begin(self) -> None:
        """Spawn what waits, as far as there are slots."""
        while self._waiting and len(self._attempts) < self.post.slots and not self._draining:
            order = self._waiting.popleft()
            try:
                attempt = Attempt(order, self.post.program, self.post.objects, dict(self.post.environment))
            except Exception as error:  # noqa: BLE001 - no room, no descriptors, no threads: it may go better elsewhere
                log.warning("job %s, attempt %d: its process could not be spawned: %r", order.job, order.epoch, error)
                what = error.strerror if isinstance(error, OSError) else type(error).__name__
                self._give_back(order, "NotSpawned", f"its process could not be spawned ({what})", counted=True)
                continue
            self._attempts[attempt.name] = attempt
            log.debug("job %s, attempt %d: %s begun in process %d", *attempt.name, order.kind, attempt.pid)
            self._say(Started(job=order.job, epoch=order.epoch, n=0, **self._made_with), order)

    def _look_after(self, attempt: Attempt) -> None:
        """Pass on what a process says, hold it to its limits, and answer for it where it died."""
        attempt.check(self._terms.drain, self._terms.lease)
        for message, body in attempt.heard():
            if isinstance(message, FINAL):
                self._answer(attempt.name, body)
            else:
                self._outbox.append(body)
        if attempt.over:
            attempt.close() if attempt.answered else self._mourn(attempt)
            del self._attempts[attempt.name]
            log.debug("job %s, attempt %d: over", *attempt.name)

    def _break_off(self, attempt: Attempt, fault: Exception) -> None:
        """End one attempt that its worker cannot look after, so that it keeps nothing else from being looked after."""
        self._attempts.pop(attempt.name, None)
        if not attempt.answered:
            reason = f"its worker could not look after it ({type(fault).__name__}: {str(fault)[:500]})"
            self._give_back(attempt.order, "WorkerFault", reason, counted=True, n=attempt.told + 1)
        attempt.kill("Stopped", "its worker could not look after it")
        attempt.close()

    def _mourn(self, attempt: Attempt) -> None:
        obituary = attempt.obituary()
        attempt.close()
        self._answer(attempt.name, self._encoded(obituary, attempt.order))

    def _pass(self, job: str, epoch: int) -> None:
        self._past[job] = max(epoch, self._past.get(job, 0))
        self._past.move_to_end(job)
        if len(self._past) > REMEMBERED:
            self._past.popitem(last=False)

    def _closed(self, fact: Fact) -> None:
        """What the log tells of an attempt: its answer was heard, or it counts no more."""
        self._pass(fact.job, fact.epoch)
        for name in [name for name in self._answers if name[0] == fact.job and name[1] <= fact.epoch]:
            del self._answers[name]
        self._waiting = deque(order for order in self._waiting if order.job != fact.job or order.epoch > fact.epoch)
        for job, epoch in [name for name in self._attempts if name[0] == fact.job and name[1] <= fact.epoch]:
            self._end(self._attempts.pop((job, epoch)), fact.what)

    def _end(self, attempt: Attempt, why: str) -> None:
        log.debug("job %s, attempt %d: stopped, for %s", *attempt.name, why)
        attempt.kill("Stopped", why)
        attempt.close()

    def _abandon(self, why: str) -> None:
        """Stop everything: by now it is given to others."""
        for attempt in self._attempts.values():
            self._end(attempt, why)
        self._attempts.clear()
        self._waiting.clear()
        self._answers.clear()
        self._outbox.clear()
        self._acknowledged, self._announced = self._clock(), -self._terms.heartbeat

    def _give_back(
        self, order: Order | Odd, error: str, reason: str, *, counted: bool, again: bool = True, n: int = 0
    ) -> None:
        """Answer for an order about which nothing is done, or nothing more."""
        job, epoch = order.job, order.epoch
        failed = Failed(job=job, epoch=epoch, n=n, error=error, reason=reason, again=again, counted=counted)
        self._answer((job, epoch), self._encoded(failed, order))

    def _drain(self) -> None:
        """Take nothing more, give back what waits, and ask what is under way to keep what it has come to."""
        self._draining = True
        for order in self._waiting:
            self._give_back(order, "Drained", "its worker had to leave", counted=False)
        self._waiting.clear()
        for attempt in self._attempts.values():
            attempt.stop()
        self._announce(now=True)
