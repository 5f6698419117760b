"""How much one request and all of them together may take: bytes of bodies, time, requests at work."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ...media import JSON
from ..options import Limits
from ..problems import RETRY_AFTER, Problem, of_http


class Limited:
    """Bounds what requests take. A request that is answered late is told so, and may be sent again under its key."""

    def __init__(self, app: ASGIApp, limits: Limits) -> None:
        self._app = app
        self._limits = limits
        self._at_work: Counter[str] = Counter()
        """Requests by who sends them."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange, visitor = _Exchange(scope, receive, send, self._limits), scope.get("lepton.visitor")
        exchange.who = _stranger(scope) if visitor is None else visitor.name
        try:
            if visitor is not None or scope["method"] not in ("GET", "HEAD"):  # health and styles are for everybody
                self._check_room(exchange.who)
            exchange.check_length()
            self._at_work[exchange.who] += 1
            try:
                await self._answered(exchange)
            finally:
                if not exchange.let_go:
                    self._let_go(exchange)
        except Problem as refusal:
            if not exchange.begun:
                await of_http(refusal, Request(scope))(scope, receive, send)
        except asyncio.CancelledError:  # the server stops, and waits no longer
            if exchange.begun:
                raise
            await of_http(_stopping(), Request(scope))(scope, receive, send)

    def _check_room(self, who: str) -> None:
        limits = self._limits
        if self._at_work.total() >= limits.requests:
            raise Problem(503, "the server is at its limit of requests at a time", Retry_After=str(RETRY_AFTER))
        if self._at_work[who] >= limits.requests_each:
            sentence = f"{limits.requests_each} requests of this token are under way; wait for one to end"
            raise Problem(429, sentence, Retry_After=str(RETRY_AFTER))

    def _let_go(self, exchange: _Exchange) -> None:
        exchange.let_go = True
        self._at_work[exchange.who] -= 1
        self._at_work += Counter()  # those who ask nothing are forgotten

    async def _answered(self, exchange: _Exchange) -> None:
        work = asyncio.ensure_future(self._app(exchange.scope, exchange.receive, exchange.send))
        begun = asyncio.ensure_future(exchange.answering.wait())
        try:
            await asyncio.wait((work, begun), timeout=self._limits.seconds, return_when=asyncio.FIRST_COMPLETED)
            if not (work.done() or begun.done()):
                work.cancel()
                sentence = (
                    f"the answer took more than {self._limits.seconds:g} s; a write may have been recorded: send it "
                    "again under its key"
                )
                raise Problem(503, sentence, Retry_After=str(RETRY_AFTER))
            if exchange.is_stream:  # streams are counted apart, where they are made
                self._let_go(exchange)
            await work
        finally:
            begun.cancel()
            if not work.done():
                work.cancel()


def _stranger(scope: Scope) -> str:
    """By what requests of who is not known are counted."""
    return f"from {scope['client'][0] if scope.get('client') else 'nowhere'}"


def _stopping() -> Problem:
    sentence = "the server stops; a write may have been recorded: send it again under its key"
    return Problem(503, sentence, Retry_After=str(RETRY_AFTER), Connection="close")


class _Exchange:
    """One request with its answer: bytes counted, and whether the answer has begun."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, limits: Limits) -> None:
        self.scope = scope
        self.answering = asyncio.Event()
        self.is_stream = False
        self.let_go = False
        self.who = ""
        self._receive = receive
        self._send = send
        self._limits = limits
        self._bytes = 0
        self._ended = False
        headers = Headers(scope=scope)
        self._length = headers.get("content-length")
        is_json = headers.get("content-type", "").strip().lower().startswith(JSON)
        self._most = limits.json if is_json else limits.body

    @property
    def begun(self) -> bool:
        """Whether the answer has begun."""
        return self.answering.is_set()

    def check_length(self) -> None:
        """Refuse a body that says itself that it is too large."""
        if self._length is not None and self._length.isdecimal() and int(self._length) > self._most:
            self._too_large()

    async def receive(self) -> Message:
        """The next piece of the body. Raises `Problem` where there are too many bytes, or none come."""
        if self._ended:
            return await self._receive()
        try:
            message = await asyncio.wait_for(self._receive(), self._limits.silence)
        except TimeoutError:
            sentence = f"no more of the body came within {self._limits.silence:g} s; send the request again"
            raise Problem(408, sentence, Connection="close") from None
        self._bytes += len(message.get("body", b""))
        self._ended = message["type"] != "http.request" or not message.get("more_body", False)
        if self._bytes > self._most:
            self._too_large()
        return message

    async def send(self, message: Message) -> None:
        """Pass the answer on."""
        if message["type"] == "http.response.start":
            media: Any = dict(message.get("headers", ())).get(b"content-type", b"")
            self.is_stream = media.startswith(b"text/event-stream")
            self.answering.set()
        await self._send(message)

    def _too_large(self) -> None:
        raise Problem(413, f"the body is of more than {self._most:,} bytes; send less at a time")
