"""Connections of their own for bytes, which are read to where they are wanted and sent from where they lie.

The client for JSON copies a body several times on its way; a hundred megabytes take as long as to restore them.
"""

from __future__ import annotations

import base64
import http.client
import os
import threading
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Final, Self
from urllib.parse import SplitResult, unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from ...errors import Unavailable

if TYPE_CHECKING:
    from .server import JsonServer

KEPT: Final = 4
"""Connections kept open between requests."""
_PAUSES: Final = (0.05, 0.5, 2.0)
"""Seconds waited before a broken request is gone on with; after so many in vain the server is away."""
_SILENCE: Final = 60.0
"""Seconds without a byte after which a connection is broken."""
_REFUSAL: Final = 1 << 20
"""Bytes read of what a refusal says."""
_BROKEN: Final = (OSError, http.client.HTTPException)


class Connections:
    """Connections to one server, opened when they are needed. Any thread may use them; a forked child opens its own."""

    def __init__(self, server: JsonServer) -> None:
        self._server = server
        self._place = urlsplit(server.url)
        self._proxy = _proxy_for(self._place)
        whole = self._proxy is not None and self._place.scheme == "http"
        """Whether a proxy must be told where the server is with every request, for it has no tunnel to it."""
        self._prefix = f"http://{self._place.netloc}{self._place.path}" if whole else self._place.path
        self._idle: list[http.client.HTTPConnection] = []
        self._process = os.getpid()
        self._lock = threading.Lock()

    def read_into(self, path: str, offset: int, into: memoryview, etag: str) -> None:
        """Bytes of what a path answers under an ETag, as a `Download` reads them."""
        with Download(self, path, offset, offset + len(into), etag) as download:
            download.read_into(into)

    def send(self, path: str, pieces: Sequence[bytes | memoryview], headers: Mapping[str, str]) -> bytes:
        """What a path answers to a body, sent piece by piece. To send it twice must do no harm: it is, where the
        connection breaks. Raises as `read_into` does."""
        for pause in (*_PAUSES, None):
            try:
                return self._send(path, pieces, headers)
            except _BROKEN as error:
                self.close()  # the others are as old
                if pause is None:
                    raise _away(self._place, error) from error
                time.sleep(pause)
        raise AssertionError  # the last attempt has ended in one of two ways

    def close(self) -> None:
        """Close what is idle."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    @contextmanager
    def range(self, path: str, start: int, stop: int, etag: str) -> Generator[http.client.HTTPResponse]:
        """The answer of one request for bytes of what a path answers under an ETag; what is left of it is given up."""
        with self._connection() as connection:
            span = f"bytes={start}-{stop - 1}"
            headers = {"Range": span, "If-Match": f'"{etag}"', "Accept-Encoding": "identity"}
            self._begin(connection, "GET", path, headers)
            answer = self._answer(connection)
            if answer.status != 206 or answer.headers.get("Content-Range", "").split("/")[0] != span.replace("=", " "):
                raise Unavailable(
                    f"{self._place.netloc} does not answer by ranges; see to what stands before the server"
                )
            yield answer
            if not answer.isclosed():  # something of it is left, which nobody waits for
                connection.close()

    def away(self, error: Exception) -> Unavailable:
        """What is told where the server is away for good."""
        self.close()  # the others are as old
        return _away(self._place, error)

    def _send(self, path: str, pieces: Sequence[bytes | memoryview], headers: Mapping[str, str]) -> bytes:
        with self._connection() as connection:
            size = str(sum(len(piece) for piece in pieces))
            self._begin(connection, "POST", path, {**headers, "Content-Length": size})
            try:
                for piece in pieces:
                    connection.send(piece)
            except OSError as error:  # whoever refuses a body need not read all of it
                try:
                    return self._answer(connection).read()
                except _BROKEN:
                    raise error from None
            return self._answer(connection).read()

    def _answer(self, connection: http.client.HTTPConnection) -> http.client.HTTPResponse:
        answer = connection.getresponse()
        if answer.status >= 300:
            content = answer.read(_REFUSAL)
            connection.close()
            raise self._server.error(answer.status, content)
        return answer

    def _begin(
        self, connection: http.client.HTTPConnection, method: str, path: str, headers: Mapping[str, str]
    ) -> None:
        connection.putrequest(method, f"{self._prefix}/api/v1{path}", skip_accept_encoding=True)
        through = _proxy_authorisation(self._proxy) if self._proxy and self._place.scheme == "http" else {}
        for name, value in {**self._server.headers(), **headers, **through}.items():
            connection.putheader(name, value)
        connection.endheaders()

    @contextmanager
    def _connection(self) -> Generator[http.client.HTTPConnection]:
        """A connection that nobody else uses; what ends in an error is closed."""
        with self._lock:
            if self._process != os.getpid():  # the parent's are not ours to read from
                self._process, self._idle = os.getpid(), []
            connection = self._idle.pop() if self._idle else None
        connection = connection or self._opened()
        try:
            yield connection
        except BaseException:
            connection.close()
            raise
        with self._lock:
            if len(self._idle) < KEPT:
                self._idle.append(connection)
                return
        connection.close()

    def _opened(self) -> http.client.HTTPConnection:
        host, port = self._place.hostname or "", self._place.port
        if self._place.scheme != "https":
            if self._proxy is not None:
                return http.client.HTTPConnection(self._proxy.hostname or "", self._proxy.port or 80, timeout=_SILENCE)
            return http.client.HTTPConnection(host, port or 80, timeout=_SILENCE)
        through = (self._proxy.hostname or "", self._proxy.port or 80) if self._proxy else (host, port or 443)
        connection = http.client.HTTPSConnection(*through, timeout=_SILENCE, context=self._server.tls())
        if self._proxy is not None:
            connection.set_tunnel(host, port or 443, headers=_proxy_authorisation(self._proxy))
        return connection


class Download:
    """Bytes of what a path answers under an ETag, from one place to before another, read by one request as they come.

    Where the connection breaks it is gone on with. One thread at a time uses it.
    """

    def __init__(self, connections: Connections, path: str, start: int, stop: int, etag: str) -> None:
        self._connections = connections
        self._path = path
        self._at: int = start
        self._stop = stop
        self._etag = etag
        self._exchange = ExitStack()
        self._answer: http.client.HTTPResponse | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def read_into(self, into: memoryview) -> None:
        """The next bytes. Raises what the server refuses, `Unavailable` where it stays away or has something else there
        by now."""
        vain = 0
        while into:
            before = self._at
            try:
                if not (size := self._opened().readinto(into)):
                    raise http.client.IncompleteRead(b"", len(into))
                self._at, into = self._at + size, into[size:]
            except _BROKEN as error:
                self.close()
                come = len(error.partial) if isinstance(error, http.client.IncompleteRead) else 0
                self._at, into = self._at + come, into[come:]
                vain = vain + 1 if self._at == before else 1
                if vain > len(_PAUSES):
                    raise self._connections.away(error) from error
                self._connections.close()  # the others are as old
                time.sleep(_PAUSES[vain - 1])
        if self._at == self._stop:
            self.close()

    def close(self) -> None:
        """Give up what is left; it can be gone on with."""
        self._answer = None
        self._exchange.close()

    def _opened(self) -> http.client.HTTPResponse:
        if self._answer is None:
            asked = self._connections.range(self._path, self._at, self._stop, self._etag)
            self._answer = self._exchange.enter_context(asked)
        return self._answer


def _proxy_for(place: SplitResult) -> SplitResult | None:
    """The proxy that the environment names for a server, if any."""
    proxy = getproxies().get(place.scheme)
    if proxy is None or proxy_bypass(place.hostname or ""):
        return None
    return urlsplit(proxy if "://" in proxy else f"http://{proxy}")


def _proxy_authorisation(proxy: SplitResult) -> dict[str, str]:
    if proxy.username is None:
        return {}
    words = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}"
    return {"Proxy-Authorization": f"Basic {base64.b64encode(words.encode()).decode()}"}


def _away(place: SplitResult, error: Exception) -> Unavailable:
    said = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return Unavailable(f"{place.hostname} cannot be reached ({said}); try again")
