"""The order book: what came for a worker, held until the log tells which of it the ledger ordered."""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Collection
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from ..datasets.sources.web import WebFile, is_web
from ..errors import Malformed
from ..jobs.protocol.identity import WorkerKeys
from ..jobs.protocol.orders import Order, digest, opened
from ..jobs.protocol.ports import Fact

ROOM: Final = 32 << 20
"""Bytes of orders that are held while nothing tells whether the ledger sent them; the oldest make room."""
MANY: Final = 10_000
"""Orders, or assignments, that are held while their other half has not come."""
SCHEMES: Final = ("", "file", "s3", "gs", "az", "abfs", "abfss", "gcs")
"""Of addresses that data may have; whether the place may be read is the business of whoever reads it."""

log = logging.getLogger("lepton.worker")


class Odd(NamedTuple):
    """An order of the ledger's own that its worker cannot do anything about, and why."""

    job: str
    epoch: int
    reason: str


class _Held(NamedTuple):
    raw: bytes
    came: float


class OrderBook:
    """Orders by their digests, and the assignments that name them, whichever comes first.

    Anybody who may write to the topic of commands can put something there; only what `job.assigned` names by the
    digest of its exact bytes, for this worker, is an order. The rest is dropped after `patience` seconds, and told.
    """

    def __init__(
        self,
        identity: WorkerKeys,
        capabilities: Collection[str],
        patience: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._identity = identity
        self._capabilities = frozenset(capabilities)
        self._patience = patience
        self._clock = clock
        self._came: OrderedDict[str, _Held] = OrderedDict()
        self._room = ROOM
        self._assigned: OrderedDict[str, Fact] = OrderedDict()
        self._given: OrderedDict[str, None] = OrderedDict()
        """The orders that were given, the latest last: one may come again."""
        self.strange = 0
        """What came for this worker, and was no order of the ledger's."""

    @property
    def waiting(self) -> bool:
        """Whether something is held of which the other half has still to come."""
        return bool(self._came or self._assigned)

    def came(self, raw: bytes) -> None:
        """Hold what came, be it an order or not."""
        name = digest(raw)
        if name in self._came or name in self._given:
            return
        self._came[name] = _Held(raw, self._clock())
        self._room -= len(raw)
        while self._room < 0 or len(self._came) > MANY:
            self._drop(next(iter(self._came)), "more came than is held")

    def told(self, fact: Fact) -> None:
        """Note what the log says of an attempt: that it is this worker's, by an order of this digest, or over."""
        for name in [name for name, each in self._assigned.items() if each.job == fact.job]:
            if fact.epoch >= self._assigned[name].epoch:
                del self._assigned[name]
        if fact.closes or fact.worker != self._identity.incarnation or fact.order is None:
            return
        self._assigned[fact.order] = fact
        if len(self._assigned) > MANY:
            self._assigned.popitem(last=False)

    def taken(self) -> list[Order | Odd]:
        """The orders of which both halves are there; each is given once."""
        both = [name for name in self._assigned if name in self._came]
        taken = [self._opened(self._assigned.pop(name), self._let_go(name)) for name in both]
        while self._came and self._clock() - next(iter(self._came.values())).came > self._patience:
            self._drop(next(iter(self._came)), f"the ledger assigned no such thing within {self._patience:g} s")
        return taken

    def _opened(self, fact: Fact, raw: bytes) -> Order | Odd:
        self._given[digest(raw)] = None
        if len(self._given) > MANY:
            self._given.popitem(last=False)
        try:
            order = opened(raw, self._identity)
        except Malformed as error:
            return Odd(fact.job, fact.epoch, str(error))
        if (order.job, order.epoch, order.worker) != (fact.job, fact.epoch, fact.worker):
            return Odd(fact.job, fact.epoch, f"the order is for attempt {order.epoch} of job {order.job!r}")
        reason = objection(order, self._capabilities)
        return order if reason is None else Odd(fact.job, fact.epoch, reason)

    def _drop(self, name: str, why: str) -> None:
        raw = self._let_go(name)
        self.strange += 1
        log.warning("%d bytes that came as an order are not taken: %s (%s)", len(raw), why, name)

    def _let_go(self, name: str) -> bytes:
        raw = self._came.pop(name).raw
        self._room += len(raw)
        return raw


def objection(order: Order, capabilities: Collection[str]) -> str | None:
    """What a worker with these capabilities has against an order; None where it can do it."""
    if order.kind not in capabilities:
        return f"this worker knows no work of kind {order.kind!r}"
    if lacking := sorted(set(order.needs) - set(capabilities)):
        return f"this worker has no {', '.join(lacking)}"
    if is_web(order.source):
        return _without_digest(order.source)
    try:
        scheme = urlsplit(order.source).scheme if "://" in order.source else ""
    except ValueError:
        scheme = "no"
    if scheme.lower() not in SCHEMES:
        return f"data is read from a file, s3://, gs://, az:// or https://, and not from {scheme[:20]}:// addresses"
    return None


def _without_digest(source: str) -> str | None:
    """What there is against an address on the web: that it does not say which bytes it stands for."""
    try:
        WebFile.of(source)
    except Malformed as error:
        return str(error)
    return None
