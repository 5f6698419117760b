"""Events as they happen: server-sent events (WHATWG HTML, 9.2), each with its `seq` as id, so that none is missed.

A stream holds no more than what it sends at the moment: where its client reads slowly, it reads the log later.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from pydantic_core import to_json
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from ...errors import LeptonError, Malformed, Unavailable
from ...events.log import Row
from ...versions.feed import SPAN, heard
from ..door.session import token_of
from ..door.visitor import bearer
from ..problems import RETRY_AFTER, Problem

if TYPE_CHECKING:
    from ..caller import Caller

SSE: Final = "text/event-stream"
HEARTBEAT: Final = 15.0
"""Seconds in which a stream says something: proxies close what is silent, and a client sees that the server lives."""
CHECKED: Final = 3.0
"""Seconds after which it is seen anew whether whoever reads a stream may, however much there is to tell."""
_RETRY: Final = 2_000
"""Milliseconds after which a client comes back."""
_UNREAD: Final = 60.0
"""Seconds in which a client must take what is sent."""
_ROWS: Final = 200
_BYTES: Final = 1 << 20
"""Of events that are told at a time, at most; one may be larger."""
_NEAR: Final = 1_000
"""Events behind the end of the log that are gone through one by one, whatever is asked for."""

Until = Callable[[Mapping[str, Any]], bool]
"""Whether an event is the last that is asked for."""


class Streams:
    """The streams that are open, of each and of all."""

    def __init__(self, most: int, each: int) -> None:
        self._most = most
        self._each = each
        self._open: Counter[str] = Counter()

    @contextmanager
    def opened(self, who: str) -> Generator[None]:
        """Count one of somebody's. Raises `Problem` where it would be one too many."""
        self._check(who)
        self._open[who] += 1
        try:
            yield
        finally:
            self._open[who] -= 1
            self._open += Counter()

    def _check(self, who: str) -> None:
        if self._open[who] >= self._each:
            sentence = f"{self._each} streams of this token are open; close one, or follow several things by one stream"
            raise Problem(429, sentence, Retry_After=str(RETRY_AFTER))
        if self._open.total() >= self._most:
            raise Problem(503, "the server is at its limit of streams; come back later", Retry_After=str(RETRY_AFTER))


class EventStream(Response):
    """The events behind `after` that the caller may read, of a stream or of some types, and those to come."""

    media_type = SSE

    def __init__(
        self, call: Caller, after: int, stream: str | None = None, types: Sequence[str] = (), until: Until | None = None
    ) -> None:
        self._service = call.service
        self._visitor = call.visitor
        self._secret = bearer(call.request.headers) or token_of(call.request.scope, call.request.headers)
        self._who = call.visitor.name
        self._workspace = call.service.home.acting(call.visitor.actor, call.visitor.rights).workspace
        self._position = after
        self._stream = stream
        self._types = types
        self._until = until
        self._ended = False
        self.status_code = 200
        self.background = None
        self.body = b""
        self.init_headers({"Cache-Control": "no-store", "X-Accel-Buffering": "no", "Vary": "Accept"})
        del self.headers["content-length"]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        del scope
        with self._service.streams.opened(self._who):
            told = asyncio.ensure_future(self._told(send))
            gone = asyncio.ensure_future(_gone(receive))
            try:
                await asyncio.wait((told, gone), return_when=asyncio.FIRST_COMPLETED)
                if told.done():
                    told.result()
            finally:
                for each in (told, gone):
                    each.cancel()

    async def _told(self, send: Send) -> None:
        tail, now = self._service.tail, asyncio.get_running_loop().time
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        await _sent(send, f"retry: {_RETRY}\n\n".encode())
        spoken = checked = now()
        async with tail.watched():
            while not (tail.is_ending or self._ended):
                words = await self._next()
                if now() - checked >= CHECKED:
                    if not await self._may_go_on():
                        break
                    checked = now()
                if words or now() - spoken >= HEARTBEAT:  # a sign of life, where there is nothing to tell
                    await _sent(send, words or b": \n\n")
                    spoken = now()
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _next(self) -> bytes:
        """What is told of the next events; nothing where there is none for a while."""
        loop, tail = asyncio.get_running_loop(), self._service.tail
        end = loop.time() + min(CHECKED, HEARTBEAT)
        while (left := end - loop.time()) > 0 and not tail.is_ending:
            if await tail.beyond(self._position, left) <= self._position:
                continue
            try:
                if words := await self._read():
                    return words
            except Unavailable:
                await asyncio.sleep(min(1.0, max(0.0, left)))
        return b""

    async def _read(self) -> bytes:
        tail = self._service.tail
        if (self._stream or self._types) and tail.end - self._position > _NEAR:
            rows, position = await asyncio.to_thread(self._matching, tail.end)
        else:
            rows = await tail.rows(self._position, _ROWS)
            position = rows[-1].seq if rows else self._position
        if len(some := _some(rows)) < len(rows):
            rows, position = some, some[-1].seq
        words = await asyncio.to_thread(self._words, rows)
        self._position = position
        return words

    def sent(self, event: Mapping[str, Any]) -> bytes:
        """What is sent of an event."""
        return told(event)

    def _matching(self, end: int) -> tuple[Sequence[Row], int]:
        """Events that are asked for, from far behind the end, and how far the log was gone through for them."""
        store = self._workspace.ledger.store
        last = end if self._stream else min(end, self._position + SPAN)
        rows = store.matching(self._position, last, _ROWS, self._stream, self._types)
        return rows, rows[-1].seq if len(rows) == _ROWS else last

    def _words(self, rows: Sequence[Row]) -> bytes:
        words = list[bytes]()
        for event in heard(self._workspace, rows, self._service.tail.actors, self._stream, self._types):
            words.append(self.sent(event))
            if self._until is not None and self._until(event):
                self._ended = True
                break
        return b"".join(words)

    async def _may_go_on(self) -> bool:
        """Whether the token is good still; without one, whether none is needed yet."""
        try:
            if self._secret is None:
                return await self._service.is_open()
            return await asyncio.to_thread(self._service.visitor, self._secret) == self._visitor
        except LeptonError:  # who cannot be asked now is asked again
            return True


def told(event: Mapping[str, Any]) -> bytes:
    """One event as it is sent."""
    head = f"id: {int(event['sequence'])}\nevent: {event['type']}\ndata: "
    return head.encode() + to_json(event, inf_nan_mode="strings") + b"\n\n"


def begun_after(call: Caller, after: int) -> int:
    """Behind which event a stream goes on: the last one that the client says it has, else `after`."""
    last = call.request.headers.get("last-event-id", "")
    if not last:
        return after
    if not (last.isascii() and last.isdecimal() and len(last) < 20):
        raise Malformed("Last-Event-ID is no seq; send the id of the last event that came, or leave it out")
    return int(last)


def _some(rows: Sequence[Row]) -> Sequence[Row]:
    size = 0
    for count, row in enumerate(rows):
        size += len(row.envelope)
        if size > _BYTES:
            return rows[: max(1, count)]
    return rows


async def _sent(send: Send, words: bytes) -> None:
    await asyncio.wait_for(send({"type": "http.response.body", "body": words, "more_body": True}), _UNREAD)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
