"""A thread of its own for the clients of asyncio, on behalf of callers that are synchronous."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

from ...errors import Unavailable

T = TypeVar("T")
GRACE: Final = 1.0
"""Seconds for what is left when the loop ends, such as clients that close."""


class LoopThread:
    """A running event loop. The thread is a daemon: it keeps no process alive."""

    def __init__(self, name: str) -> None:
        self._process = os.getpid()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=name, daemon=True)
        try:
            self._thread.start()
        except BaseException:
            self._loop.close()
            raise

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        """Run work on the loop and wait for what comes of it. `Unavailable` in a forked child, which has no loop."""
        if os.getpid() != self._process:
            work.close()
            raise Unavailable("this process was forked from the one that is connected; open the ledger anew in it")
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def leave(self, work: Coroutine[Any, Any, Any]) -> None:
        """Run work on the loop; nobody waits for it, and what it raises nobody hears."""
        asyncio.run_coroutine_threadsafe(work, self._loop)

    def stop(self) -> None:
        """End the loop, and what was still left to it; in a forked child nothing, for the loop is the parent's."""
        if os.getpid() != self._process:
            return

        async def end() -> None:
            left = asyncio.all_tasks() - {asyncio.current_task()}
            if left:
                _, late = await asyncio.wait(left, timeout=GRACE)
                for task in late:
                    task.cancel()
                await asyncio.gather(*late, return_exceptions=True)

        self.do(end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
