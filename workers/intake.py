"""The intake: messages from outside become commands, each taken in once, its place kept with its answer."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from base64 import b64decode, b64encode
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from pydantic import ValidationError

from ..domain.outside import command_of
from ..errors import Malformed, Refused
from ..events.actors import Actor, Actors
from ..events.admission import Admission
from ..events.bookmark import Bookmark
from ..events.inbox import Letter, parsed
from ..events.rows import Rejected
from ..events.store import Store
from ..ledger import Asked, Ledger, Receipt

TOGETHER: Final = 100
"""Messages a transaction."""

Answer = Receipt | Refused


class Intake:
    """Takes in the messages of one topic's partition, in order."""

    def __init__(self, ledger: Ledger, actors: Actors, topic: str, part: int = 0) -> None:
        self._ledger = ledger
        self._actors = actors
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

        A refused message is kept in `rejected` and holds up nothing. Raises `Unavailable` where another intake was
        faster, or the database is away: then nothing of the transaction at hand is kept.
        """
        answers: list[Answer] = []
        for start in range(0, len(letters), TOGETHER):
            together = letters[start : start + TOGETHER]
            place = _Place(self.topic, self._part, expected, self.topic_id)
            answers += self._admitted(_Taken(place, together, self._all_asked(together)))
            expected = together[-1].position + 1
            self.taken += len(together)
        return answers

    def retry(self, id: int) -> Answer:
        """Decide a rejected message anew; what it becomes is its answer. `Malformed` where no such message is kept."""
        rejected, retried = refused(self._ledger.store, id)
        if retried is not None:
            raise Refused(f"message {id} was admitted when it was tried again; there is nothing left to do")
        headers = tuple((name, b64decode(value)) for name, value in rejected.headers)
        letter = Letter(rejected.position, rejected.raw, headers)
        (answer,) = self._admitted(_Retried(id, letter, self._all_asked([letter])[0]))
        return answer

    def _admitted(self, batch: _Batch) -> list[Answer]:
        self._ledger.admit_all(batch.asked(), batch)
        return batch.answers

    def _all_asked(self, letters: Sequence[Letter]) -> list[Asked | Refused]:
        actors: dict[str, Actor] = {}
        return [self._asked(letter, actors) for letter in letters]

    def _asked(self, letter: Letter, actors: dict[str, Actor]) -> Asked | Refused:
        """The command that a message asks for, or why it asks for none. Who tells it acts under its source's name."""
        try:
            told = parsed(letter)
            if told.source == f"/lepton/{self._ledger.store.ledger_id}":
                raise Malformed("source is this ledger itself; a copy of its own event is no news to it")
            command = command_of(told)
            actor = actors.get(told.source) or actors.setdefault(told.source, self._actors.named(told.source))
            return Asked(command, actor, time=told.time, outside=told)
        except Refused as refusal:
            return refusal
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            place = ".".join(str(part) for part in first["loc"]) or "data"
            return Malformed(f"{place}: {first['msg'].lower()}; docs/events has the schema of {error.title}")


def refused(store: Store, id: int) -> tuple[Rejected, int | None]:
    """A rejected message by its number, and when it was admitted after all. `Malformed` where there is none."""
    for number, rejected, retried in store.rejected(id - 1, 1):
        if number == id:
            return rejected, retried
    raise Malformed(f"no rejected message has the number {id}; `lepton rejected` lists them")


class _Batch(ABC):
    """One transaction's messages: what is answered, and what is written beside the events."""

    def __init__(self, letters: Sequence[Letter], asked: Sequence[Asked | Refused]) -> None:
        self._letters = letters
        self._asked = asked
        self._new: dict[tuple[str, str], str] = {}
        self.answers: list[Answer] = []

    def asked(self) -> list[Asked]:
        """The commands among them."""
        return [each for each in self._asked if isinstance(each, Asked)]

    def answer(self, admission: Admission, asked: Asked, decided: Callable[[], Answer]) -> Answer:
        """The same bytes again are skipped, other bytes under one id refused; what is refused leaves its id free."""
        assert asked.outside is not None
        source, id = name = (asked.outside.source, asked.outside.id)
        digest = self._new.get(name) or admission.seen(source, id)
        if digest is None:
            answer = decided()
            if isinstance(answer, Receipt):
                self._new[name] = asked.outside.digest
            return answer
        if digest == asked.outside.digest:
            return Receipt(f"{source} {id}", (), repeated=True)
        return Refused(f"id {id!r} of {source} was used for another event; every event needs an id of its own")

    def kept(self, admission: Admission, answers: Sequence[Answer]) -> None:
        """Remember the ids, and write down what became of the messages."""
        given = iter(answers)
        self.answers = [next(given) if isinstance(asked, Asked) else asked for asked in self._asked]
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

    def __init__(self, place: _Place, letters: Sequence[Letter], asked: Sequence[Asked | Refused]):
        super().__init__(letters, asked)
        self._place = place

    def write(self, admission: Admission) -> None:
        refused = [
            self._rejected(letter, answer)
            for letter, answer in zip(self._letters, self.answers, strict=True)
            if isinstance(answer, Refused)
        ]
        admission.reject(refused)
        last, place = self._letters[-1], self._place
        to = Bookmark(last.position + 1, place.topic_id, last.mark)
        admission.move(place.topic, place.part, place.expected, to)

    def _rejected(self, letter: Letter, refusal: Refused) -> Rejected:
        headers = tuple((name, b64encode(value).decode()) for name, value in letter.headers)
        topic, part = self._place.topic, self._place.part
        return Rejected(topic, part, letter.position, _now(), str(refusal), letter.raw, headers)


class _Retried(_Batch):
    """One rejected message, decided anew: where it is admitted now, that is noted."""

    def __init__(self, id: int, letter: Letter, asked: Asked | Refused) -> None:
        super().__init__([letter], [asked])
        self._id = id

    def write(self, admission: Admission) -> None:
        if isinstance(self.answers[0], Receipt):
            admission.retried(self._id, _now())


def _now() -> int:
    return time.time_ns() // 1000
