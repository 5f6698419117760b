"""The mailbox: an actor on a Ray cluster that carries what processes of a training say, and what is answered."""

from __future__ import annotations

from asyncio import Future, Queue
from itertools import count
from typing import Any


class Mailbox:
    """What was said and is not heard yet, and who waits for an answer. Nothing is lost while it lives."""

    def __init__(self) -> None:
        self._said: Queue[tuple[int, str, Any]] = Queue()
        self._waiting: dict[int, Future[Any]] = {}
        self._numbers = count()

    async def ask(self, who: str, said: Any) -> Any:
        """Say something, and wait for the answer."""
        number = next(self._numbers)
        self._waiting[number] = Future()
        await self._said.put((number, who, said))
        return await self._waiting[number]

    async def hear(self) -> tuple[int, str, Any]:
        """What was said next: its number, by whom, and what."""
        return await self._said.get()

    async def answer(self, number: int, said: Any) -> None:
        """Answer what bore a number."""
        waiting = self._waiting.pop(number)
        if not waiting.done():  # its process may have died
            waiting.set_result(said)
