"""The queue: what a broker's topics carry, in a table of the database where there is no broker."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from ..clock import microseconds
from ..inbox import Letter
from .database import Database

RESULTS: Final = "results"
COMMANDS: Final = "commands"
_PAGE: Final = 200


class Mail:
    """Topics of one ledger. A message is placed under the head's lock, so that positions are the order of commit."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = database.sql

    def send(self, topic: str, raw: bytes) -> Letter:
        """Place a message; on return it stays. Raises `Unavailable`, after which it may stand there or not."""
        with self._database.transaction() as connection:
            posted = _next(connection.execute(self._sql.last_mail, (topic,)).fetchone(), raw)
            connection.execute(self._sql.insert_mail, (topic, posted.position, posted.sent, raw))
        return posted

    def read(self, topic: str, position: int, limit: int) -> Sequence[Letter]:
        """At most `limit` messages from `position` on, in order."""
        with self._database.connection() as connection:
            rows = connection.execute(self._sql.mail, (topic, position, limit)).fetchall()
        return [Letter(place, bytes(raw), sent=sent) for place, sent, raw in rows]

    def all(self, topic: str) -> Iterator[Letter]:
        """All messages that stand there, in order."""
        position = 0
        while posted := self.read(topic, position, _PAGE):
            yield from posted
            position = posted[-1].position + 1

    def end(self, topic: str) -> int:
        """The position that the next message gets."""
        with self._database.connection() as connection:
            last = connection.execute(self._sql.last_mail, (topic,)).fetchone()
        return last[0] + 1 if last else 0

    def erase(self, topic: str, position: int) -> None:
        """Leave nothing of a message but its place."""
        with self._database.transaction() as connection:
            connection.execute(self._sql.erase_mail, (b"", topic, position, position + 1))

    def discard(self, topic: str, before: int) -> None:
        """Throw messages before a position away. Of the last one its place stays: the next follows from it."""
        last = self.end(topic) - 1
        with self._database.transaction() as connection:
            connection.execute(self._sql.discard_mail, (topic, min(before, last)))
            connection.execute(self._sql.erase_mail, (b"", topic, last, before))


def _next(last: Any, raw: bytes) -> Letter:
    position, sent = (last[0] + 1, last[1]) if last else (0, 0)
    return Letter(position, raw, sent=max(sent, microseconds(datetime.now(UTC))))
