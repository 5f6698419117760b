"""The ports between ledger and workers over tables of the ledger's own database: all on one machine, no broker."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from typing import Final

from ..errors import Malformed
from ..events.envelope import Recorded, decode
from ..events.job import JobCancelled, JobFailed, JobFinished, JobRequeued
from ..events.mail import Mail, Posted
from ..events.store import Store
from .channel import Fact
from .orders import Order, decoded

RESULTS: Final = "results"
COMMANDS: Final = "commands"
CLOSING: Final = tuple(kind.type_name() for kind in (JobRequeued, JobFinished, JobFailed, JobCancelled))
_MANY: Final = 1000

log = logging.getLogger("lepton")


class MailChannel:
    """A worker's side."""

    def __init__(self, store: Store, incarnation: str) -> None:
        self._store = store
        self._mail = Mail(store.database)
        self._incarnation = incarnation
        self._position = self._mail.end(COMMANDS)
        self._seq = store.end()

    def say(self, raw: bytes) -> None:
        """Put a message onto the topic of results."""
        self._mail.send(RESULTS, raw)

    def orders(self) -> Sequence[Order]:
        """The new orders for this incarnation."""
        letters = self._mail.read(COMMANDS, self._position, _MANY)
        if letters:
            self._position = letters[-1].position + 1
        orders = [_order(letter) for letter in letters if letter.raw]
        return [order for order in orders if order is not None and order.worker == self._incarnation]

    def facts(self) -> Sequence[Fact]:
        """What the event table says anew."""
        end = self._store.end()
        rows = self._store.rows_of_types(CLOSING, self._seq, end) if end > self._seq else []
        self._seq = end
        return [_fact(decode(row.envelope, row.leaf, row.seq)) for row in rows]


class MailResults:
    """The ledger's side of what workers say."""

    def __init__(self, mail: Mail) -> None:
        self._mail = mail

    def read(self, position: int, limit: int) -> Sequence[Posted]:
        """Messages from a position on."""
        return self._mail.read(RESULTS, position, limit)

    def say(self, raw: bytes) -> None:
        """Put a message of the ledger's own behind all others."""
        self._mail.send(RESULTS, raw)

    def discard(self, before: int) -> None:
        """Throw read messages away."""
        self._mail.discard(RESULTS, before)


class MailOrders:
    """The ledger's side of what workers are told."""

    def __init__(self, mail: Mail) -> None:
        self._mail = mail

    def send(self, order: Order) -> None:
        """Put an order onto the topic of commands."""
        self._mail.send(COMMANDS, order.model_dump_json().encode())

    def keep_only(self, jobs: Collection[str]) -> None:
        """Erase the orders of all other jobs, and throw their rows away as far as nothing stands before them."""
        first = None
        for posted in self._mail.read(COMMANDS, 0, _MANY):
            order = _order(posted) if posted.raw else None
            if order is not None and order.job in jobs:
                first = posted.position if first is None else first
            elif posted.raw:
                self._mail.erase(COMMANDS, posted.position)
        self._mail.discard(COMMANDS, self._mail.end(COMMANDS) if first is None else first)


def _order(posted: Posted) -> Order | None:
    """The order in a message; what is none, such as a newer Lepton's, is nobody's here."""
    try:
        return decoded(posted.raw)
    except Malformed as error:
        log.warning("message %d of commands: %s", posted.position, error)
        return None


def _fact(recorded: Recorded) -> Fact:
    event = recorded.event
    what = event.type.split(".")[2]
    return Fact(recorded.stream.removeprefix("job/"), event.epoch, what)  # pyright: ignore
