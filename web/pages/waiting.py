"""Answers that wait for something without a thread."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.types import Receive, Scope, Send


class LateResponse(Response):
    """An answer that is made once something else is done, or `seconds` are over. No thread waits for that."""

    def __init__(self, waits: Iterable[Future[Any]], seconds: float, answer: Callable[[], Response]) -> None:
        super().__init__()
        self._waits = [each for each in waits if not each.done()]
        self._seconds = seconds
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Wait, then make the answer and send it."""
        waited = [asyncio.wrap_future(each) for each in self._waits]
        for each in waited:
            each.add_done_callback(_heed)
        if waited:
            await asyncio.wait(waited, timeout=self._seconds)
        answer = await run_in_threadpool(self._answer)
        await answer(scope, receive, send)


def _heed(done: asyncio.Future[Any]) -> None:
    """Look at why something failed: the answer tells it, and asyncio need not log it."""
    if not done.cancelled():
        done.exception()
