"""The inbox: what other services say becomes commands, each message taken in once."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import cast

from pydantic import ValidationError

from ...addresses import within
from ...domain.commands import RecordEvaluation
from ...domain.job.commands import OfferVersion
from ...domain.outside import command_of
from ...domain.suites.state import SuiteState
from ...errors import Damaged, LeptonError, Malformed, Refused, Unavailable, first_fault
from ...events.actor import Actor, checked_actor, names_an_actor
from ...events.inbox import Letter, parsed, source_of
from ...events.sql.actors import Actors
from ...events.sql.admission import Admission
from ...isolation import Unforeseen, unforeseen
from ...ledger import Ledger, Receipt, Request
from ...ledger.transaction import Transaction
from ...settings import Offers, Terms
from ...versions.runs.lost import LostRuns
from .consumer import Answer, Consumer, Read
from .rejected import RefusedMessages, refused


class Intake(Consumer[None]):
    """Takes in the messages of one topic's partition, in order; what is refused is kept, and holds up nothing."""

    log = logging.getLogger("lepton.intake")

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
        super().__init__(ledger, topic, part)
        self._actors = actors
        terms = terms or Terms()
        self._refused = RefusedMessages(ledger.store, actors, terms.rejected)
        self._lost = LostRuns(ledger, actors, terms.run)
        self._offers = offers or Offers()

    def retry(self, id: int) -> Answer:
        """Decide a rejected message anew; what it becomes is its answer. `Malformed` where no such message is kept."""
        rejected, retried = refused(self.ledger.store, id)
        if retried is not None:
            raise Refused(f"message {id} was admitted when it was tried again; there is nothing left to do")
        letter = self._refused.opened(rejected)
        if isinstance(letter, str):
            raise Refused(f"message {id} is {letter}; have its sender send it again")
        try:
            read = self._read(letter, {})
            with self.ledger.transaction([read.request] if isinstance(read.request, Request) else []) as transaction:
                (answer,) = self.answers(transaction, [read])
                if isinstance(answer, Receipt):
                    transaction.admission.retried(id, time.time_ns() // 1000)
            return answer
        except (Refused, Unavailable):
            raise
        except Exception as error:  # noqa: BLE001 - it stays where it is, as it did when it came
            return _refusal(unforeseen(error))

    def read(self, letters: Sequence[Letter]) -> list[Read[None]]:
        """The commands that messages ask for."""
        self._lost.note()
        actors: dict[str, Actor] = {}
        return [self._read(letter, actors) for letter in letters]

    def unread(self, letter: Letter, error: LeptonError) -> Read[None]:
        """A message that is refused; nothing of it is looked at but who sends it."""
        source, actor = self._teller(source_of(letter), {})
        return Read(letter, None, _refusal(error), actor, source)

    def answers(self, transaction: Transaction, reads: Sequence[Read[None]]) -> list[Answer]:
        """The same bytes again are skipped, other bytes under one id refused; what is refused leaves its id free."""
        new: dict[tuple[str, str], str] = {}
        answers = [
            _answer(transaction, each.request, new) if isinstance(each.request, Request) else each.request
            for each in reads
        ]
        transaction.admission.see([(*name, digest) for name, digest in new.items()])
        return answers

    def rejects(
        self, admission: Admission, reads: Sequence[Read[None]], answers: Sequence[Answer]
    ) -> list[LeptonError | None]:
        """Whatever is refused."""
        del admission, reads
        return [answer if isinstance(answer, Refused) else None for answer in answers]

    def _read(self, letter: Letter, actors: dict[str, Actor]) -> Read[None]:
        """The command that a message asks for, or why it asks for none. Who sends it acts under its source's name."""
        try:
            event = parsed(letter)
        except Malformed as refusal:
            source, actor = self._teller(source_of(letter), actors)
            return Read(letter, None, refusal, actor, source)
        source, actor = self._teller(event.source, actors)
        try:
            checked_actor(event.source, "source")
            if event.source == f"/lepton/{self.ledger.store.ledger_id}":
                raise Malformed("source is this ledger itself; a copy of its own event is no news to it")
            command = command_of(event, actor.id)
            if isinstance(command, OfferVersion):
                command = bounded(command, self._offers)
            if isinstance(command, RecordEvaluation):
                _check_name(self.ledger, command.name)
            request = Request(command, actor, time=event.time, outside=event)
        except Refused as refusal:
            request = refusal
        except ValidationError as error:
            place, words, _ = first_fault(error, "data")
            request = Malformed(f"{place}: {words}; docs/events has the schema of {error.title}")
        return Read(letter, None, request, actor, source)

    def _teller(self, source: str | None, actors: dict[str, Actor]) -> tuple[str, Actor]:
        """A source and its actor; none and the ledger's own, where a message has none or it cannot name anybody."""
        if source is None or not names_an_actor(source):
            return "", self._refused.own()
        return source, actors.get(source) or actors.setdefault(source, self._actors.named(source))


def _check_name(ledger: Ledger, name: str) -> None:
    """Refuse an evaluation that would pass for a suite's own: gates and aliases go by what workers found."""
    for stream in ledger.store.streams("suite/") if name else ():
        with suppress(Damaged):
            suite = cast(SuiteState, ledger.state(stream))
            if any(each.event.evaluation == name for each in suite.versions):
                raise Refused(f"{name!r} is what a suite calls its evaluations; tell yours under another name")


def _answer(transaction: Transaction, request: Request, new: dict[tuple[str, str], str]) -> Answer:
    """The answer to an outside event; `new` are those of this transaction by source and id, with their digests."""
    assert request.outside is not None
    name, digest = (request.actor.id, request.outside.id), request.outside.digest
    known = new.get(name) or transaction.admission.seen(*name, digest)
    if known is None:
        answer = transaction.decide(request)
        if isinstance(answer, Receipt):
            new[name] = digest
        return answer
    if known == digest:
        return Receipt(" ".join(name), (), repeated=True)
    return Refused("its id was used for another event of its source; every event needs an id of its own")


def _refusal(error: LeptonError) -> Refused:
    return error if isinstance(error, Refused) else Unforeseen(str(error))


def bounded(command: OfferVersion, allowed: Offers) -> OfferVersion:
    """An outsider's offer, held to what is allowed: it chooses neither its workers nor what they may spend on it.

    Raises `Refused` where it lies in none of the allowed places.
    """
    if not within(command.source, allowed.places):
        raise Refused(
            "source lies where no offer may; LEPTON_OFFERS_FROM names the buckets and folders from which they are taken"
        )
    return replace(
        command,
        pool=allowed.pool,
        seconds=allowed.seconds,
        memory=allowed.memory,
        limits={"bytes": allowed.bytes, "tensors": allowed.tensors, "elements": allowed.elements},
    )
