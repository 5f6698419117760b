"""A faulty way to S3: a proxy that refuses, cuts, loses or spoils what is sent, and acknowledges what it spoiled."""

from __future__ import annotations

import http.client
import threading
from collections import Counter
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final, Literal

Fault = Literal["error", "cut", "drop", "halve", "flip"]
FAULTS: Final[tuple[Fault, ...]] = ("error", "cut", "drop", "halve", "flip")
_PASSED_ON: Final = {"content-type", "range", "if-none-match", "if-match"}


class FaultyS3:
    """A port that passes requests on to S3; `fault` says for each PUT, by its path and number, what goes wrong with it.

    `error` answers 503, `cut` hangs up, `drop` acknowledges and passes nothing on, `halve` and `flip` pass on half of
    the body, or all of it with one bit changed, and acknowledge.
    """

    def __init__(self, port: int, fault: Callable[[str, int], Fault | None]) -> None:
        self.fault = fault
        self.done: Counter[str] = Counter()
        """How often each fault was done."""
        self.puts = 0
        self.headers: list[dict[str, str]] = []
        """Of each PUT."""
        faulty = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do(self) -> None:
                faulty._serve(self, port)

            do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = do

            def log_message(self, format: str, *args: object) -> None:
                """Nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port: int = self._server.server_address[1]
        self._lock = threading.Lock()
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Serve no more."""
        self._server.shutdown()
        self._server.server_close()

    def _serve(self, request: BaseHTTPRequestHandler, port: int) -> None:
        body = request.rfile.read(int(request.headers.get("content-length") or 0))
        fault = self._next(request) if request.command == "PUT" and body else None
        if fault == "cut":
            request.close_connection = True
            return
        if fault == "error":
            _answer(request, 503, {}, b"<Error><Code>SlowDown</Code></Error>")
            return
        if fault == "drop":
            _answer(request, 200, {"ETag": '"0123456789abcdef0123456789abcdef"'}, b"")
            return
        _answer(request, *_passed_on(request, _spoiled(body, fault), port))

    def _next(self, request: BaseHTTPRequestHandler) -> Fault | None:
        with self._lock:
            self.puts += 1
            self.headers.append({name.lower(): value for name, value in request.headers.items()})
            fault = self.fault(request.path, self.puts)
            if fault:
                self.done[fault] += 1
            return fault


def _spoiled(body: bytes, fault: Fault | None) -> bytes:
    if fault == "halve":
        return body[: len(body) // 2]
    if fault == "flip":
        place = len(body) // 2
        return body[:place] + bytes([body[place] ^ 1]) + body[place + 1 :]
    return body


def _passed_on(request: BaseHTTPRequestHandler, body: bytes, port: int) -> tuple[int, dict[str, str], bytes]:
    headers = {
        name: value
        for name, value in request.headers.items()
        if name.lower() in _PASSED_ON or name.lower().startswith(("x-amz", "authorization"))
    }
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request(request.command, request.path, body or None, headers | {"Content-Length": str(len(body))})
        answer = connection.getresponse()
        data = answer.read()
        told = {
            name: value
            for name, value in answer.getheaders()
            if name.lower() not in ("connection", "transfer-encoding", "content-length", "server", "date")
        }
        if request.command == "HEAD":
            told["Content-Length"] = answer.getheader("content-length") or "0"
        return answer.status, told, data
    finally:
        connection.close()


def _answer(request: BaseHTTPRequestHandler, status: int, headers: dict[str, str], body: bytes) -> None:
    request.send_response(status)
    for name, value in headers.items():
        request.send_header(name, value)
    if "Content-Length" not in headers:
        request.send_header("Content-Length", str(len(body)))
    request.end_headers()
    request.wfile.write(body)
