"""Reports: what workers say of their attempts and of themselves, taken in."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import cast

from ...errors import LeptonError, Malformed, Refused, Unavailable
from ...events.inbox import Letter
from ...events.sql.admission import Admission
from ...events.sql.leases import Change
from ...isolation import unforeseen
from ...ledger import Ledger, Receipt, Request
from ..endings import Endings
from ..protocol.messages import AttemptMessage, Left, Said, WorkerReady, said
from ..protocol.ports import Results
from ..roll import Roll
from .consumer import TOGETHER, Answer, Consumer, Read
from .rejected import RefusedMessages
from .results import Receiver, Stranger


class Reports(Consumer[Said | None]):
    """Takes in what was said on one partition: what it asks for, who is alive, and how far it is read.

    What is no message, or a stranger's, is kept as rejected; any other refusal has its consequences for the attempt.
    """

    log = logging.getLogger("lepton.assigner")

    def __init__(
        self,
        ledger: Ledger,
        results: Results,
        receiver: Receiver,
        endings: Endings,
        roll: Roll,
        refused: RefusedMessages,
        now: Callable[[], datetime],
    ) -> None:
        super().__init__(ledger, results.topic, results.part)
        self._results = results
        self._receiver = receiver
        self._endings = endings
        self._roll = roll
        self._refused = refused
        self._now = now
        self.read_to = 0
        """Until when all that was said has been read, in microseconds by the messages' own clock."""
        self.left: set[str] = set()
        """The workers that have left, as far as they were heard last."""
        self.resume()

    def listen(self) -> bool:
        """Take in what was said meanwhile: whether there was anything."""
        self.left.clear()
        letters = self.hear(self._results, TOGETHER)
        if letters:
            self.read_to = letters[-1].sent
            self._results.discard(letters[-1].position + 1)
        return bool(letters)

    def read(self, letters: Sequence[Letter]) -> list[Read[Said | None]]:
        """The commands that messages of attempts ask for."""
        return [self._read(letter) for letter in letters]

    def unread(self, letter: Letter, error: LeptonError) -> Read[Said | None]:
        """A message that raised an error: what it says ends its attempt, where that can be told."""
        try:
            told = said(letter.raw, self._results.place)
        except Exception:  # noqa: BLE001 - its error is told already
            told = None
        return Read(letter, told, error, self._refused.own())

    def rejects(
        self, admission: Admission, reads: Sequence[Read[Said | None]], answers: Sequence[Answer]
    ) -> list[LeptonError | None]:
        """What is no message, and what strangers say; who is alive is noted beside."""
        change = Change.within(admission)
        return [self._noted(change, read, answer) for read, answer in zip(reads, answers, strict=True)]

    def follow_up(
        self, reads: Sequence[Read[Said | None]], answers: Sequence[Answer]
    ) -> list[tuple[Said | None, LeptonError]]:
        """Whatever is refused of an attempt; what a stranger says changes nothing."""
        return [
            (read.says, answer)
            for read, answer in zip(reads, answers, strict=True)
            if read.says and isinstance(read.says.message, AttemptMessage)
            if isinstance(answer, LeptonError) and not isinstance(answer, Stranger)
        ]

    def refuse(self, said: Said | None, error: LeptonError) -> None:
        """End the attempt, or note what it lost."""
        self._endings.refuse(cast(AttemptMessage, cast(Said, said).message), error)

    def _read(self, letter: Letter) -> Read[Said | None]:
        own = self._refused.own()  # what workers say may quote whom they work for
        try:
            told = said(letter.raw, self._results.place)
        except Malformed as error:
            return Read(letter, None, error, own)
        return Read(letter, told, self._request(told) if isinstance(told.message, AttemptMessage) else None, own)

    def _request(self, told: Said) -> Request | LeptonError:
        try:
            return self._receiver.asked(told, self._now())
        except Unavailable:
            raise
        except Exception as error:  # noqa: BLE001 - one job's payload must not keep the others from being heard
            return unforeseen(error, "the attempt's message")

    def _noted(self, change: Change, read: Read[Said | None], answer: Answer) -> LeptonError | None:
        """Keep what a message says about who is alive; or why it is kept as rejected.

        What was said before prolongs nothing: whoever says it again need not be who said it first.
        """
        told, letter = read.says, read.letter
        if isinstance(answer, LeptonError):
            of_attempt = told is not None and isinstance(told.message, AttemptMessage)
            return None if of_attempt and not isinstance(answer, Malformed | Stranger) else answer
        if told is None:
            return None
        message = told.message
        if isinstance(answer, Receipt) and answer.events and not answer.repeated:
            attempt = cast(AttemptMessage, message)
            self._roll.renew(change, told.by, [(attempt.job, attempt.epoch)], letter.sent)
        if isinstance(message, WorkerReady):
            try:
                self._roll.take(change, self._results.place, letter, told)
            except Refused as refusal:
                return refusal
        if isinstance(message, Left) and self._roll.leave(change, told):
            self.left.add(told.by)
        return None
