"""The ports between ledger and workers over tables of the ledger's own database: all on one machine, no broker.

With a broker the assigner's orders pass through their table too, for whatever is told on Kafka is committed first; the
relay takes them from there.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Sequence
from typing import Final

from ...errors import LeptonError
from ...events.envelope import decode
from ...events.inbox import Letter
from ...events.log import Row
from ...events.sql.queue import COMMANDS, RESULTS, Mail
from ...events.sql.store import Store
from .identity import WorkerKeys
from .orders import is_for, job_of
from .ports import FACTS, Fact

_MANY: Final = 1000

log = logging.getLogger("lepton.worker")


class MailChannel:
    """A worker's side."""

    strangers = 0
    """Whoever writes to the tables is the ledger."""

    def __init__(self, store: Store, identity: WorkerKeys, poll: float) -> None:
        self._store = store
        self._poll = poll
        self._mail = Mail(store.database)
        self._identity = identity
        self._position = self._mail.end(COMMANDS)
        self._seq = store.end()
        self.place = _place(store)

    def say(self, body: bytes) -> None:
        """Sign a message and put it onto the topic of results."""
        self._mail.send(RESULTS, self._identity.signed(body, self.place))

    def orders(self, patience: float = 0.0) -> Sequence[bytes]:
        """What came for this incarnation: a table rings no bell, so it is looked at after a pause."""
        time.sleep(min(patience, self._poll))
        letters = self._mail.read(COMMANDS, self._position, _MANY)
        if letters:
            self._position = letters[-1].position + 1
        return [letter.raw for letter in letters if is_for(letter.raw, self._identity.incarnation)]

    def facts(self) -> Sequence[Fact]:
        """What the event table says anew."""
        end = self._store.end()
        rows = self._store.rows_of_types(FACTS, self._seq, end) if end > self._seq else []
        self._seq = end
        return [fact for row in rows if (fact := _fact(row)) is not None]

    def close(self) -> None:
        """Nothing is open: the database is its home's."""


class MailResults:
    """The ledger's side of what workers say."""

    def __init__(self, store: Store) -> None:
        self._mail = Mail(store.database)
        self.topic = RESULTS
        self.part = 0
        self.place = _place(store)

    def read(self, position: int, limit: int) -> Sequence[Letter]:
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

    def send(self, raw: bytes) -> None:
        """Place a sealed order in the table of commands."""
        self._mail.send(COMMANDS, raw)

    def keep_only(self, jobs: Collection[str]) -> None:
        """Erase the orders of all other jobs, and throw their rows away as far as nothing stands before them."""
        first = None
        for posted in self._mail.all(COMMANDS):
            if posted.raw and job_of(posted.raw) in jobs:
                first = posted.position if first is None else first
            elif posted.raw:
                self._mail.erase(COMMANDS, posted.position)
        self._mail.discard(COMMANDS, self._mail.end(COMMANDS) if first is None else first)


def _place(store: Store) -> str:
    return f"{store.ledger_id}/{RESULTS}"


def _fact(row: Row) -> Fact | None:
    """What an event says of an attempt; None where its bytes are damaged."""
    try:
        return Fact.of(decode(row.envelope, row.leaf, row.seq))
    except LeptonError as error:
        log.warning("event %d is passed over: %s", row.seq, error)
        return None
