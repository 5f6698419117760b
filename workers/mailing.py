"""The ports between ledger and workers over tables of the ledger's own database: all on one machine, no broker.

With a broker the assigner's orders pass through their table too, for whatever is told on Kafka is committed first; the
relay takes them from there.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from typing import Final

from ..errors import Malformed
from ..events.envelope import decode
from ..events.mail import COMMANDS, RESULTS, Mail, Posted
from ..events.store import Store
from .channel import CLOSING, Fact
from .orders import Order, addressed, read

LARGEST: Final = 700_000
"""Bytes of an order: what a broker takes as one record."""
_MANY: Final = 1000


class MailChannel:
    """A worker's side."""

    strangers = 0

    def __init__(self, store: Store, incarnation: str, poll: float) -> None:
        self._store = store
        self._poll = poll
        self._mail = Mail(store.database)
        self._incarnation = incarnation
        self._position = self._mail.end(COMMANDS)
        self._seq = store.end()

    def say(self, raw: bytes) -> None:
        """Put a message onto the topic of results."""
        self._mail.send(RESULTS, raw)

    def orders(self, patience: float = 0.0) -> Sequence[Order]:
        """The new orders for this incarnation: a table rings no bell, so it is looked at after a pause."""
        time.sleep(min(patience, self._poll))
        letters = self._mail.read(COMMANDS, self._position, _MANY)
        if letters:
            self._position = letters[-1].position + 1
        return addressed(self._incarnation, (letter.raw for letter in letters if letter.raw))

    def facts(self) -> Sequence[Fact]:
        """What the event table says anew."""
        end = self._store.end()
        rows = self._store.rows_of_types(CLOSING, self._seq, end) if end > self._seq else []
        self._seq = end
        return [Fact.of(decode(row.envelope, row.leaf, row.seq)) for row in rows]

    def close(self) -> None:
        """Nothing is open: the database is its home's."""


class MailResults:
    """The ledger's side of what workers say."""

    def __init__(self, mail: Mail) -> None:
        self._mail = mail
        self.topic = RESULTS
        self.part = 0

    def read(self, position: int, limit: int) -> Sequence[Posted]:
        """Messages from a position on."""
        return self._mail.read(RESULTS, position, limit)

    def say(self, raw: bytes) -> int:
        """Put a message of the ledger's own behind all others."""
        return self._mail.send(RESULTS, raw).sent

    def discard(self, before: int) -> None:
        """Throw read messages away."""
        self._mail.discard(RESULTS, before)


class MailOrders:
    """The ledger's side of what workers are told."""

    def __init__(self, mail: Mail) -> None:
        self._mail = mail

    def send(self, order: Order) -> None:
        """Place an order in the table of commands."""
        raw = order.model_dump_json().encode()
        if len(raw) > LARGEST:
            raise Malformed(
                f"the order for job {order.job} has {len(raw):,} bytes of {LARGEST:,}; ask for less at once"
            )
        self._mail.send(COMMANDS, raw)

    def keep_only(self, jobs: Collection[str]) -> None:
        """Erase the orders of all other jobs, and throw their rows away as far as nothing stands before them."""
        first = None
        for posted in self._mail.all(COMMANDS):
            order = read(posted.raw) if posted.raw else None
            if order is not None and order.job in jobs:
                first = posted.position if first is None else first
            elif posted.raw:
                self._mail.erase(COMMANDS, posted.position)
        self._mail.discard(COMMANDS, self._mail.end(COMMANDS) if first is None else first)
