"""What uvicorn itself refuses, as a problem: a request that is no HTTP, or whose address is too long."""

from __future__ import annotations

from typing import Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from .problems import problem

_SENTENCE: Final = "this is no HTTP request that is taken here; send one with an address of less than 64 KiB"


class ProblemProtocol(HttpToolsProtocol):
    """uvicorn's own, but for how it refuses what it cannot parse."""

    def send_400_response(self, msg: str) -> None:
        """Refuse what cannot be parsed, and close the connection; which bytes it was is known to nobody."""
        del msg
        answer = problem(400, "malformed", _SENTENCE, {"Connection": "close"})
        head = b"".join(name + b": " + value + b"\r\n" for name, value in answer.raw_headers)
        self.transport.write(b"HTTP/1.1 400 Bad Request\r\n" + head + b"\r\n" + bytes(answer.body))
        self.transport.close()
