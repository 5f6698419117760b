"""Work that anybody may ask for without a token: a few threads at a time, and an end to those who wait."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from anyio import CapacityLimiter, to_thread

from ..problems import RETRY_AFTER, Problem

T = TypeVar("T")


class Lane:
    """So many threads at a time, in the order of asking; others have theirs whatever stands here."""

    def __init__(self, threads: int, waiting: int) -> None:
        self._threads = CapacityLimiter(threads)
        self._waiting = waiting

    async def run(self, work: Callable[..., T], *given: object) -> T:
        """Do something in its turn. Raises `Problem` where too many wait."""
        if self._threads.statistics().tasks_waiting >= self._waiting:
            raise Problem(503, "too many try to be let in at a time; try again", Retry_After=str(RETRY_AFTER))
        return await to_thread.run_sync(work, *given, limiter=self._threads)
