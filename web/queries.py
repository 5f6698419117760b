"""Strangers' SQL over HTTP: each query in a process of its own over a copy of the views, a few at a time."""

# pyright: reportUnknownParameterType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# (pyarrow ships no types)

from __future__ import annotations

import asyncio
from asyncio import Future
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import cache, cached_property, partial
from threading import Lock
from typing import TYPE_CHECKING, Final

from starlette.requests import Request

from ..projections.queries.child import AnswerRows, StrangersQuery
from ..projections.queries.client import Question
from ..projections.queries.opening import Opener, opens
from ..projections.queries.query import resolved
from ..versions.unsealed import unsealed
from .options import Limits
from .problems import RETRY_AFTER, Problem, retry_after
from .rates import Rate
from .tables import AnsweredTable

if TYPE_CHECKING:
    import pyarrow as pa

    from ..events.actor import Actor
    from ..projections.queries.copies import ViewCopies
    from ..wiring import Home
    from .door.visitor import Visitor

_WAITING: Final = 8
"""Queries that may wait for their turn, by one that may be at work."""
_LOOKS: Final = 0.25
"""Seconds between two looks whether the client is still there."""


class Queries:
    """The queries of all who ask. What they may take is bounded, of each and of all together."""

    def __init__(self, home: Home, limits: Limits) -> None:
        self._home = home
        self._limits = limits
        self._rate = Rate(limits.queries_minute)
        self._asking: Counter[str] = Counter()
        self._opening = Lock()
        # the kernel ends a child with the thread that started it, so these threads stay
        self._threads = ThreadPoolExecutor(limits.queries, "queries")

    @property
    def copies(self) -> ViewCopies:
        """The copies of the views that are asked."""
        with self._opening:
            return self._copies

    @cached_property
    def _copies(self) -> ViewCopies:
        return self._home.copies_of_views()

    def close(self) -> None:
        """Take no more."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        with self._opening:
            if "_copies" in vars(self):
                self._copies.close()

    async def answer(self, request: Request, visitor: Visitor, question: Question, wait_for: int | None) -> AnswerRows:
        """The rows of an answer. The query ends with the request, whatever ends that.

        Raises what `StrangersQuery.answer` raises, and `Problem` where too many queries are asked.
        """
        asking = _Asking(self._home, lambda: self.copies, question, wait_for, self._limits)
        with self._turn(visitor.name):
            work = asyncio.get_running_loop().run_in_executor(self._threads, asking.answer)
            gone = asyncio.ensure_future(_gone(request))
            try:
                await asyncio.wait((work, gone), return_when=asyncio.FIRST_COMPLETED)
                if not work.done():
                    raise Problem(499, "whoever asked has gone")
                return work.result()
            finally:
                gone.cancel()
                asking.end()
                if not work.done():
                    work.add_done_callback(_dropped)

    def table(self, rows: AnswerRows, *, opened: bool) -> AnsweredTable:
        """An answer to be told; with `opened` as its readers see it."""
        batches = partial(self._unsealed, rows) if opened else rows.batches
        return AnsweredTable(rows.schema, rows.num_rows, batches, resolved(rows.schema), rows.close)

    def _unsealed(self, rows: AnswerRows) -> Iterator[pa.RecordBatch]:
        import pyarrow as pa

        @cache
        def actors() -> Mapping[str, Actor]:
            return self._home.workspace.actors.all()

        for batch in rows.batches():
            yield from unsealed(pa.Table.from_batches([batch]), actors).to_batches()

    @contextmanager
    def _turn(self, who: str) -> Generator[None]:
        limits = self._limits
        if self._asking.total() >= limits.queries * (1 + _WAITING):
            raise Problem(503, "the server is at its limit of queries; ask again later", Retry_After=str(RETRY_AFTER))
        if self._asking[who] >= limits.queries_each:
            sentence = f"{limits.queries_each} queries of this token are under way; wait for one to end"
            raise Problem(429, sentence, Retry_After=str(RETRY_AFTER))
        if (wait := self._rate.wait(who)) > 0:
            sentence = f"this token may ask {limits.queries_minute} queries a minute; wait a moment"
            raise Problem(429, sentence, Retry_After=retry_after(wait))
        self._rate.note(who)
        self._asking[who] += 1
        try:
            yield
        finally:
            self._asking[who] -= 1
            self._asking += Counter()  # those who ask nothing are forgotten


class _Asking:
    """One query on its way, which any thread may end."""

    def __init__(
        self, home: Home, copies: Callable[[], ViewCopies], question: Question, wait_for: int | None, limits: Limits
    ) -> None:
        self._home = home
        self._copies = copies
        self._question = question
        self._wait_for = wait_for
        seconds = min(question.timeout, limits.query.seconds)
        self._limits = replace(limits.query, seconds=seconds)
        self._query: StrangersQuery | None = None
        self._ended = False

    def answer(self) -> AnswerRows:
        """The answer over a copy that holds all up to now, or the event that is waited for."""
        seq = self._home.store.end() if self._wait_for is None else self._wait_for
        with self._copies().reaching(seq, self._home.settings.wait) as path:
            opener = Opener(self._home.workspace.actors.all) if opens(self._question.sql) else None
            self._query = StrangersQuery(path, self._question._replace(opener=opener), self._limits)
            if self._ended:
                self._query.end()
            return self._query.answer()

    def end(self) -> None:
        """End it, whatever it is at."""
        self._ended = True
        if self._query is not None:
            self._query.end()


async def _gone(request: Request) -> None:
    while not await request.is_disconnected():
        await asyncio.sleep(_LOOKS)


def _dropped(work: Future[AnswerRows]) -> None:
    """Nobody waits for the answer any more."""
    if not work.cancelled() and work.exception() is None:
        work.result().close()
