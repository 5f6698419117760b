"""The end of the log as all streams of this process wait for it: one look ten times a second, however many they are."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from threading import Event
from typing import Final

from ...errors import LeptonError
from ...events.log import Row
from ...events.sql.actors import Actor, Actors
from ...events.sql.store import Store

log = logging.getLogger("lepton.serve")

LOOKS: Final = 0.1
"""Seconds between two looks at the head of the log."""
_AWAY: Final = 1.0
"""Seconds between two looks while the database is away."""
_ENDING: Final = 0.5
"""Seconds between two looks whether the server stops."""
_KEPT_ROWS: Final = 1_000
_KEPT_BYTES: Final = 4 << 20
"""The newest rows that are kept, at most: streams that keep up read these, the others the store."""
_ONCE: Final = 200
"""Rows that are read at a time."""


class Tail:
    """Wakes whoever waits for more events. It looks only while somebody waits, and through outages.

    Its methods are for the one event loop that serves.
    """

    def __init__(self, parts: Callable[[], tuple[Store, Actors]], ending: Event) -> None:
        self._parts = parts
        self._ending = ending
        self.end = 0
        """The last event, as it was seen."""
        self._moved = asyncio.Event()
        self._newest: list[Row] = []
        self.actors: Mapping[str, Actor] = {}
        """Everybody who was not forgotten when the log was last seen to grow."""
        self._watching = 0
        self._watch: asyncio.Task[None] | None = None

    @property
    def is_ending(self) -> bool:
        """Whether the server stops: streams end."""
        return self._ending.is_set()

    @asynccontextmanager
    async def watched(self) -> AsyncGenerator[None]:
        """Have the log looked at."""
        self._watching += 1
        if self._watch is None:
            self._watch = asyncio.ensure_future(self._looked())
        try:
            yield
        finally:
            self._watching -= 1
            if not self._watching:
                self._stop_looking()

    def _stop_looking(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None
        self._newest = []

    async def beyond(self, seq: int, seconds: float) -> int:
        """The end of the log once it is beyond `seq`, else as it is after `seconds`, or when the server stops."""
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while self.end <= seq and not self.is_ending and (left := end - loop.time()) > 0:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._moved.wait(), min(left, _ENDING))
        return self.end

    async def rows(self, after: int, most: int = _ONCE) -> Sequence[Row]:
        """Some rows behind `after`, in order. Raises `Unavailable` while the database is away."""
        if self._newest and self._newest[0].seq <= after + 1:
            start = after + 1 - self._newest[0].seq
            return self._newest[start : start + most]
        return await asyncio.to_thread(lambda: self._parts()[0].matching(after, self.end, most))

    async def _looked(self) -> None:
        told = ""
        while not self.is_ending:
            try:
                await self._look()
                told = ""
            except LeptonError as error:
                if str(error) != told:
                    log.warning("events are waited for while the ledger is away: %s", error)
                told = str(error)
            await asyncio.sleep(_AWAY if told else LOOKS)
        self._wake()

    async def _look(self) -> None:
        end, rows, actors = await asyncio.to_thread(self._seen, self.end)
        if end == self.end and self.actors:
            return
        self._newest = self._kept(rows) if rows else []
        self.end, self.actors = end, actors
        self._wake()

    def _seen(self, before: int) -> tuple[int, Sequence[Row], Mapping[str, Actor]]:
        """The end of the log, what was added if it was little, and who acts; whoever is far behind reads the store."""
        store, actors = self._parts()
        if (end := store.end()) == before and self.actors:
            return end, (), self.actors
        near = before and end - before <= _KEPT_ROWS
        return end, store.read(before, end - before) if near else (), actors.all()

    def _kept(self, rows: Sequence[Row]) -> list[Row]:
        newest = [*self._newest, *rows]
        size, first = 0, len(newest)
        while first and len(newest) - first < _KEPT_ROWS and size <= _KEPT_BYTES:
            first -= 1
            size += len(newest[first].envelope)
        return newest[first:]

    def _wake(self) -> None:
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()
