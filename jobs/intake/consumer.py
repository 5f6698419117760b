"""The consumer: takes a partition's messages in, in order, each once; what becomes of them stands with the position.

What a message means is a subclass's: the inbox's (inbox.py) and that of workers' results (reports.py).
"""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from threading import Event
from typing import Any, Final, Generic, NamedTuple, TypeVar

from ...errors import LeptonError, Unavailable
from ...events.actor import Actor
from ...events.inbox import Letter
from ...events.sql.admission import Admission
from ...events.sql.rows import Rejected
from ...isolation import isolated
from ...ledger import Ledger, Receipt, Request
from ...ledger.transaction import Transaction
from ...retries import Retries
from ..protocol.ports import Source
from .rejected import kept

TOGETHER: Final = 100
"""Messages a transaction."""
_READ: Final = 500
_IDLE: Final = 0.02
"""Seconds between two looks for messages."""

T = TypeVar("T")
Answer = Receipt | LeptonError | None
"""What became of a message; None where it asks for nothing."""


class Read(NamedTuple, Generic[T]):
    """A message, what it says, and what it asks for: a request, nothing, or why it cannot ask."""

    letter: Letter
    says: T
    request: Request | LeptonError | None
    actor: Actor
    """Under whose key it is sealed if it is rejected."""
    source: str = ""
    """Who sends it, whom the reason must not name; empty where it does not say."""


class Consumer(ABC, Generic[T]):
    """Takes in the messages of one topic's partition."""

    log: logging.Logger

    def __init__(self, ledger: Ledger, topic: str, part: int = 0) -> None:
        self.ledger = ledger
        self.topic = topic
        self.part = part
        self.taken = 0
        """Messages taken in so far."""
        self.expected: int | None = None
        """The position of the next message to take in, None where none ever was."""

    def position(self) -> int | None:
        """As `expected`, as the ledger has it."""
        return self.ledger.store.position(self.topic, self.part)

    def hear(self, source: Source, limit: int = _READ) -> Sequence[Letter]:
        """Read on, and take in what there is. Raises `Unavailable`, after which `resume` finds where to go on."""
        letters = source.read(self.expected or 0, limit)
        if letters:
            self.take(letters, self.expected)
        return letters

    def resume(self) -> None:
        """Go on where the ledger says."""
        self.expected = self.position()

    def take(self, letters: Sequence[Letter], expected: int | None) -> list[Answer]:
        """Take in what follows position `expected`; an answer for each, a refusal being one.

        A message that is refused or raises whatever it likes holds up no other. Raises `Unavailable` where another
        process was faster, or the database is away: then nothing of the transaction at hand is kept.
        """
        self.expected = expected
        starts = range(0, len(letters), TOGETHER)
        batches = (letters[start : start + TOGETHER] for start in starts)
        return [answer for batch in batches for answer in isolated(batch, self._together, self._alone)]

    @abstractmethod
    def read(self, letters: Sequence[Letter]) -> list[Read[T]]:
        """What messages ask for; no lock is held meanwhile."""

    @abstractmethod
    def unread(self, letter: Letter, error: LeptonError) -> Read[T]:
        """A message that raised an error, as one that asks for nothing."""

    def answers(self, transaction: Transaction, reads: Sequence[Read[T]]) -> list[Answer]:
        """Decide what messages ask for."""
        return [
            transaction.decide(each.request) if isinstance(each.request, Request) else each.request for each in reads
        ]

    @abstractmethod
    def rejects(
        self, admission: Admission, reads: Sequence[Read[T]], answers: Sequence[Answer]
    ) -> list[LeptonError | None]:
        """Why messages are to be kept as rejected, if they are; what they say beside the log is written meanwhile."""

    def follow_up(self, reads: Sequence[Read[T]], answers: Sequence[Answer]) -> list[tuple[T, LeptonError]]:
        """What is to be done about refusals before the position moves: what was said, and why it was refused."""
        del reads, answers
        return []

    def refuse(self, said: T, error: LeptonError) -> None:
        """Do what a refusal asks for; it may be done twice."""

    def _together(self, letters: Sequence[Letter]) -> list[Answer]:
        return self._recorded(self.read(letters))

    def _alone(self, letter: Letter, error: LeptonError) -> Answer:
        (answer,) = self._recorded([self.unread(letter, error)])
        return answer

    def _recorded(self, reads: Sequence[Read[T]]) -> list[Answer]:
        """One transaction; where refusals have consequences these come before the position moves, in one of its own."""
        requests = [each.request for each in reads if isinstance(each.request, Request)]
        with self.ledger.transaction(requests) as transaction:
            answers = self.answers(transaction, reads)
            rejects = self.rejects(transaction.admission, reads, answers)
            consequences = self.follow_up(reads, answers)
            rows = [] if consequences else self._move(transaction.admission, reads, rejects)
        for said, error in consequences:
            self.refuse(said, error)
        if consequences:
            with self.ledger.transaction() as transaction:
                rows = self._move(transaction.admission, reads, rejects)
        self.expected = reads[-1].letter.position + 1
        self.taken += len(reads)
        for row in rows:
            self.log.warning("message %d of %s is rejected: %s", row.position, row.topic, row.reason)
        return answers

    def _move(
        self, admission: Admission, reads: Sequence[Read[T]], rejects: Sequence[LeptonError | None]
    ) -> list[Rejected]:
        place = (self.topic, self.part)
        rows = [
            kept(place, each.letter, why, each.actor, each.source)
            for each, why in zip(reads, rejects, strict=True)
            if why is not None
        ]
        admission.reject(rows)
        admission.move(*place, self.expected, reads[-1].letter.bookmark)
        return rows


def consume(
    opened: Callable[[], AbstractContextManager[Sequence[Source]]],
    consumer: Callable[[int], Consumer[Any]],
    stop: Event,
) -> None:
    """Take in every partition of a topic until told to stop; `consumer` makes that of a partition.

    What is away is waited for, and one partition that is away keeps none of the others waiting. Raises `Refused` once
    the topic is not as it must be.
    """
    consumers: dict[int, Consumer[Any]] = {}

    def taken(source: Source) -> int | Unavailable:
        try:
            return len(consumers[source.part].hear(source))
        except Unavailable as error:
            return error

    def take_all() -> None:
        with opened() as sources:
            for part in (source.part for source in sources):
                consumers[part] = consumers.get(part) or consumer(part)
                consumers[part].resume()
            while not stop.is_set():
                counts = [taken(source) for source in sources]
                for error in counts:
                    if isinstance(error, Unavailable):
                        raise error
                if not any(counts):
                    stop.wait(_IDLE)

    Retries("intake", logging.getLogger("lepton.intake")).run(take_all, stop)
