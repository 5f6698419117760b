"""The intake: messages from outside become commands, each taken in once, its place kept with its answer."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from pydantic import ValidationError

from ..domain.job.commands import OfferVersion
from ..domain.outside import command_of
from ..errors import LeptonError, Malformed, Refused, Unavailable, first_fault
from ..events.bookmark import Bookmark
from ..events.inbox import Letter, parsed, source_of
from ..events.sql.actors import Actor, Actors, checked_actor, names_an_actor
from ..events.sql.admission import Admission
from ..isolation import Unforeseen, isolated, unforeseen
from ..ledger import Asked, Ledger, Receipt
from ..settings import Offers, Terms
from ..versions.lost_runs import LostRuns
from .offer_bounds import bounded
from .rejected import RefusedMessages, kept, refused

TOGETHER: Final = 100
"""Messages a transaction."""

Answer = Receipt | Refused


class Placed(NamedTuple):
    """A message, and where its partition had been taken in to before it; None where nothing was."""

    letter: Letter
    expected: int | None


class Read(NamedTuple):
    """What a message asks for, or why it asks for none, and who tells it."""

    letter: Letter
    asked: Asked | Refused
    source: str
    """Empty where it does not say."""
    actor: Actor
    """Under whose key it is sealed if it is refused: its source's, or the ledger's own."""


class Intake:
    """Takes in the messages of one topic's partition, in order."""

    def __init__(
        self,
        ledger: Ledger,
        actors: Actors,
        topic: str,
        part: int = 0,
        *,
        terms: Terms | None = None,
        offers: Offers | None = None,
    ) -> None:
        self._ledger = ledger
        self._actors = actors
        terms = terms or Terms()
        self._refused = RefusedMessages(ledger.store, actors, terms.rejected)
        self._lost = LostRuns(ledger, actors, terms.run)
        self._offers = offers or Offers()
        self.topic = topic
        self._part = part
        self.taken = 0
        """Messages taken in so far."""
        self.topic_id: str | None = None
        """Which topic of that name the messages come from, where the broker tells."""

    def bookmark(self) -> Bookmark | None:
        """Where the next message to take in lies, and in which topic; None where none ever was taken in."""
        return self._ledger.store.bookmark(self.topic, self._part)

    def position(self) -> int | None:
        """The position of the next message to take in, None where none ever was."""
        return self._ledger.store.position(self.topic, self._part)

    def take(self, letters: Sequence[Letter], expected: int | None) -> list[Answer]:
        """Take in what follows position `expected`; an answer for each, a refusal being one.

        A refused message is kept in `rejected` and holds up nothing, whatever it raises. Raises `Unavailable` where
        another intake was faster, or the database is away: then nothing of the transaction at hand is kept.
        """
        self._lost.note()
        before = (expected, *(letter.position + 1 for letter in letters))
        placed = [Placed(letter, place) for letter, place in zip(letters, before, strict=False)]
        answers: list[Answer] = []
        for start in range(0, len(placed), TOGETHER):
            together = placed[start : start + TOGETHER]
            answers += isolated(together, self._taken, self._set_aside)
            self.taken += len(together)
        return answers

    def retry(self, id: int) -> Answer:
        """Decide a rejected message anew; what it becomes is its answer. `Malformed` where no such message is kept."""
        rejected, retried = refused(self._ledger.store, id)
        if retried is not None:
            raise Refused(f"message {id} was admitted when it was tried again; there is nothing left to do")
        letter = self._refused.opened(rejected)
        if isinstance(letter, str):
            raise Refused(f"message {id} is {letter}; have its sender send it again")
        try:
            (answer,) = self._admitted(_Retried(id, self._read(letter, {})))
        except (Refused, Unavailable):
            raise
        except Exception as error:  # noqa: BLE001 - it stays where it is, as it did when it came
            return _refusal(unforeseen(error))
        return answer

    def _taken(self, together: Sequence[Placed]) -> list[Answer]:
        """Take messages in together, in one transaction."""
        actors: dict[str, Actor] = {}
        return self._admitted(self._batch(together, [self._read(each.letter, actors) for each in together]))

    def _set_aside(self, placed: Placed, error: LeptonError) -> Answer:
        """Keep a message with what it raised, in a transaction of its own that asks nothing of what it holds."""
        read = Read(placed.letter, _refusal(error), *self._teller(source_of(placed.letter), {}))
        (answer,) = self._admitted(self._batch([placed], [read]))
        return answer

    def _batch(self, together: Sequence[Placed], read: Sequence[Read]) -> _Taken:
        return _Taken(_Place(self.topic, self._part, together[0].expected, self.topic_id), read)

    def _admitted(self, batch: _Batch) -> list[Answer]:
        self._ledger.admit_all(batch.asked(), batch)
        return batch.answers

    def _read(self, letter: Letter, actors: dict[str, Actor]) -> Read:
        """The command that a message asks for, or why it asks for none. Who tells it acts under its source's name."""
        try:
            told = parsed(letter)
        except Malformed as refusal:
            return Read(letter, refusal, *self._teller(source_of(letter), actors))
        source, actor = self._teller(told.source, actors)
        try:
            checked_actor(told.source, "source")
            if told.source == f"/lepton/{self._ledger.store.ledger_id}":
                raise Malformed("source is this ledger itself; a copy of its own event is no news to it")
            command = command_of(told, actor.id)
            if isinstance(command, OfferVersion):
                command = bounded(command, self._offers)
            return Read(letter, Asked(command, actor, time=told.time, outside=told), source, actor)
        except Refused as refusal:
            return Read(letter, refusal, source, actor)
        except ValidationError as error:
            place, words, _ = first_fault(error, "data")
            story = Malformed(f"{place}: {words}; docs/events has the schema of {error.title}")
            return Read(letter, story, source, actor)

    def _teller(self, source: str | None, actors: dict[str, Actor]) -> tuple[str, Actor]:
        """A source and its actor; none and the ledger's own, where a message has none or it cannot name anybody."""
        if source is None or not names_an_actor(source):
            return "", self._refused.own()
        return source, actors.get(source) or actors.setdefault(source, self._actors.named(source))


def _refusal(error: LeptonError) -> Refused:
    return error if isinstance(error, Refused) else Unforeseen(str(error))


class _Batch(ABC):
    """One transaction's messages: what is answered, and what is written beside the events."""

    def __init__(self, read: Sequence[Read]) -> None:
        self._read = read
        self._new: dict[tuple[str, str], str] = {}
        self.answers: list[Answer] = []

    def asked(self) -> list[Asked]:
        """The commands among them."""
        return [each.asked for each in self._read if isinstance(each.asked, Asked)]

    def answer(self, admission: Admission, asked: Asked, decided: Callable[[], Answer]) -> Answer:
        """The same bytes again are skipped, other bytes under one id refused; what is refused leaves its id free."""
        assert asked.outside is not None
        name = (asked.actor.id, asked.outside.id)
        digest = self._new.get(name) or admission.seen(*name, asked.outside.digest)
        if digest is None:
            answer = decided()
            if isinstance(answer, Receipt):
                self._new[name] = asked.outside.digest
            return answer
        if digest == asked.outside.digest:
            return Receipt(" ".join(name), (), repeated=True)
        return Refused("its id was used for another event of its source; every event needs an id of its own")

    def kept(self, admission: Admission, answers: Sequence[Answer]) -> None:
        """Remember the ids, and write down what became of the messages."""
        given = iter(answers)
        self.answers = [next(given) if isinstance(each.asked, Asked) else each.asked for each in self._read]
        admission.see([(*name, digest) for name, digest in self._new.items()])
        self.write(admission)

    @abstractmethod
    def write(self, admission: Admission) -> None:
        """What is written for this batch in particular."""


class _Place(NamedTuple):
    """The partition that messages come from, and how far it was taken in before."""

    topic: str
    part: int
    expected: int | None
    topic_id: str | None


class _Taken(_Batch):
    """Messages from their topic: refused ones are kept, and the position moves behind them."""

    def __init__(self, place: _Place, read: Sequence[Read]) -> None:
        super().__init__(read)
        self._place = place

    def write(self, admission: Admission) -> None:
        place = (self._place.topic, self._place.part)
        refused = [
            kept(place, each.letter, answer, each.actor, each.source)
            for each, answer in zip(self._read, self.answers, strict=True)
            if isinstance(answer, Refused)
        ]
        admission.reject(refused)
        last, to = self._read[-1].letter, self._place
        admission.move(to.topic, to.part, to.expected, Bookmark(last.position + 1, to.topic_id, last.mark))


class _Retried(_Batch):
    """One rejected message, decided anew: where it is admitted now, that is noted."""

    def __init__(self, id: int, read: Read) -> None:
        super().__init__([read])
        self._id = id

    def write(self, admission: Admission) -> None:
        if isinstance(self.answers[0], Receipt):
            admission.retried(self._id, time.time_ns() // 1000)
