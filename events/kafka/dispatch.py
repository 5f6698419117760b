"""Dispatch: the assigner's orders, brought from their table onto the topic of commands."""

from __future__ import annotations

from asyncio import to_thread

from ..sql.database import Database
from ..sql.queue import COMMANDS, Mail
from .clients import Outgoing, Writer


class Dispatch:
    """Sends what lies in the table, and takes it out once the broker has it.

    What was sent and not yet taken out when the relay ended is sent again; a worker takes an order once.
    """

    def __init__(self, database: Database) -> None:
        self._mail = Mail(database)

    async def send(self, writer: Writer) -> None:
        """Send what has come since."""
        for posted in await to_thread(lambda: [each for each in self._mail.all(COMMANDS) if each.raw]):
            await writer.send(COMMANDS, [Outgoing(posted.raw)])
            await to_thread(self._mail.discard, COMMANDS, posted.position + 1)
