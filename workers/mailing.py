"""The ports between ledger and workers over tables of the ledger's own database: all on one machine, no broker."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ..events.envelope import Recorded, decode
from ..events.job import JobCancelled, JobFailed, JobFinished, JobRequeued
from ..events.mail import Mail
from ..events.store import Store
from .channel import Fact, Letter
from .orders import Order, decoded

RESULTS: Final = "results"
COMMANDS: Final = "commands"
CLOSING: Final = tuple(kind.type_name() for kind in (JobRequeued, JobFinished, JobFailed, JobCancelled))
_MANY: Final = 1000
_KEPT: Final = 10_000
"""Orders that stay; a worker that is further behind has lost its lease long ago."""


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
        return [order for order in (decoded(letter.raw) for letter in letters) if order.worker == self._incarnation]

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

    def read(self, position: int, limit: int) -> Sequence[Letter]:
        """Messages from a position on."""
        return [Letter(*posted) for posted in self._mail.read(RESULTS, position, limit)]

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
        posted = self._mail.send(COMMANDS, order.model_dump_json().encode())
        self._mail.discard(COMMANDS, posted.position - _KEPT)


def _fact(recorded: Recorded) -> Fact:
    event = recorded.event
    what = event.type.split(".")[2]
    return Fact(recorded.stream.removeprefix("job/"), event.epoch, what)  # pyright: ignore
