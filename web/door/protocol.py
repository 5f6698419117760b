"""Connections as the server bears them: what is no HTTP is a problem, and whoever is slow or greedy is cut off."""

from __future__ import annotations

from asyncio import BaseTransport, TimerHandle
from typing import Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from ..problems import problem

CONNECTION: Final = "lepton.connection"
"""In a scope: what is known of the connection, for as long as it stands."""
LONGEST_HEAD: Final = 128 << 10
"""Bytes of a request's head."""
HEAD_SECONDS: Final = 30.0
"""In which the head of a request must have come, and the rest of a body that was refused."""
UNREAD_SECONDS: Final = 30.0
UNREAD_BYTES: Final = 16 << 10
"""So much at least of what is sent must a client take within that time, or it is cut off."""
_SENTENCE: Final = "this is no HTTP request that is taken here; send one with an address of less than 64 KiB"


class BoundedProtocol(HttpToolsProtocol):
    """uvicorn's own, but for what it bears without end: heads, silence, and clients that do not read."""

    _in_head = False
    _head = 0
    """Bytes of a head that is not whole yet."""
    _slow: TimerHandle | None = None
    _unread: TimerHandle | None = None

    def connection_made(self, transport: BaseTransport) -> None:  # type: ignore[override]
        """Begin to wait for a head."""
        self._known: dict[str, object] = {}
        super().connection_made(transport)  # pyright: ignore[reportArgumentType]
        self._expect_more()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing any more."""
        for timer in (self._slow, self._unread):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take bytes, if they are not too many before a head is whole."""
        goes_on = self._in_head
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._in_head and goes_on:
            self._head += len(data)
            if self._head > LONGEST_HEAD:
                self.send_400_response("")
                return
        if self._in_head or self._is_answered:
            self._expect_more()

    def on_message_begin(self) -> None:
        """A head begins."""
        self._in_head, self._head = True, 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """The head is whole."""
        self._in_head = False
        if self._slow is not None:
            self._slow.cancel()
            self._slow = None
        self.scope[CONNECTION] = self._known  # pyright: ignore[reportGeneralTypeIssues, reportTypedDictNotRequiredAccess]
        super().on_headers_complete()

    def pause_writing(self) -> None:
        """More is to be sent than the client takes at the moment."""
        super().pause_writing()
        if not self.transport.is_closing():
            self._watch_reading(self.transport.get_write_buffer_size())

    def resume_writing(self) -> None:
        """The client took what was sent."""
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None
        super().resume_writing()

    def timeout_keep_alive_handler(self) -> None:
        """Close a connection that nothing comes on; what its client does not read is not waited for."""
        if not self.transport.is_closing() and self.transport.get_write_buffer_size():
            self.transport.abort()
        super().timeout_keep_alive_handler()

    def send_400_response(self, msg: str) -> None:
        """Refuse what cannot be parsed, and close the connection; which bytes it was is known to nobody."""
        del msg
        answer = problem(400, "malformed", _SENTENCE, {"Connection": "close"})
        head = b"".join(name + b": " + value + b"\r\n" for name, value in answer.raw_headers)
        self.transport.write(b"HTTP/1.1 400 Bad Request\r\n" + head + b"\r\n" + bytes(answer.body))
        self.transport.close()

    @property
    def _is_answered(self) -> bool:
        return self.cycle is None or self.cycle.response_complete  # pyright: ignore[reportUnnecessaryComparison]

    def _expect_more(self) -> None:
        """Begin to wait, unless it is waited for already: single bytes win no time."""
        if self._slow is None:
            self._slow = self.loop.call_later(HEAD_SECONDS, self._too_slow)

    def _too_slow(self) -> None:
        self._slow = None
        if self._is_answered:
            self.transport.abort()
        else:
            self._expect_more()  # an answer is under way, and the client may be silent meanwhile

    def _watch_reading(self, size: int) -> None:
        if self._unread is not None:
            self._unread.cancel()
        self._unread = self.loop.call_later(UNREAD_SECONDS, self._check_reading, size)

    def _check_reading(self, before: int) -> None:
        if self.transport.is_closing():
            return
        left = self.transport.get_write_buffer_size()
        if before - left < UNREAD_BYTES:
            self.transport.abort()
        else:
            self._watch_reading(left)
