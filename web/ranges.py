"""Bytes by ranges (RFC 9110, 13 and 14): parts of what is made only as far as it is read."""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from itertools import chain, islice
from typing import Final, NamedTuple
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from .caller import IMMUTABLE, known_tags
from .problems import Problem

BYTES: Final = "application/octet-stream"
_SPAN: Final = re.compile(r"(\d{0,18})-(\d{0,18})")
_FIRST: Final = 3
"""Pieces after which stored bytes are among them: the head of a part, that of a file, and a tensor."""
_MOST: Final = 16
"""Ranges of one request; where more are asked for, all is sent, which RFC 9110 allows."""


class ByteSpan(NamedTuple):
    """Bytes from `start` to before `stop`."""

    start: int
    stop: int


class Content(NamedTuple):
    """What can be read by ranges: `pieces` gives the bytes from one place to before another."""

    size: int
    etag: str
    pieces: Callable[[int, int], Iterator[memoryview]]
    media: str = BYTES


def ranged(
    request: Request,
    content: Content,
    *,
    immutable: bool = False,
    name: str | None = None,
    more: Mapping[str, str] | None = None,
) -> Response:
    """The bytes that a request asks for. `name` is what they are called where they are kept as a file.

    Raises `Problem`: 412 where If-Match names other bytes, 416 where no range is within them.
    """
    tag = f'"{content.etag}"'
    headers = {"ETag": tag, "Accept-Ranges": "bytes", "X-Content-Type-Options": "nosniff", **(more or {})}
    headers["Cache-Control"] = IMMUTABLE if immutable else "private, no-cache"
    if name is not None:
        headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(name, safe='')}"
    _check_match(request, tag)
    known = known_tags(request.headers.get("if-none-match"))
    if tag in known or "*" in known:
        return Response(None, 304, headers)
    spans = None if request.scope.get("lepton.head") else _spans(request, content.size, tag)
    if spans is None:
        return _sent(request, content, ByteSpan(0, content.size), 200, headers)
    if not spans:
        sentence = f"no range asked for is within the {content.size:,} bytes that there are"
        raise Problem(416, sentence, Content_Range=f"bytes */{content.size}")
    if len(spans) == 1:
        headers["Content-Range"] = _told(spans[0], content.size)
        return _sent(request, content, spans[0], 206, headers)
    return _multipart(content, spans, headers)


def _check_match(request: Request, tag: str) -> None:
    wanted = request.headers.get("if-match")
    if wanted is not None and not {tag, "*"} & {each.strip() for each in wanted.split(",")}:
        raise Problem(412, f"these bytes are {tag} by now; ask for them anew")


def _spans(request: Request, size: int, tag: str) -> list[ByteSpan] | None:
    """The ranges asked for that there are, None where all is to be sent."""
    header, unless = request.headers.get("range"), request.headers.get("if-range")
    unit, _, words = (header or "").partition("=")
    if unit.strip().lower() != "bytes" or (unless is not None and unless.strip() != tag):
        return None
    matches = [_SPAN.fullmatch(each.strip()) for each in words.split(",")]
    if len(matches) > _MOST:
        return None
    spans: list[ByteSpan] = []
    for match in matches:
        first, last = match.groups() if match else ("", "")
        if not (first or last) or (first and last and int(last) < int(first)):
            return None  # what is no range is as if nothing were said
        start = int(first) if first else max(0, size - int(last))
        stop = min(size, int(last) + 1) if first and last else size
        spans += [ByteSpan(start, stop)] if start < stop else []
    return spans if sum(stop - start for start, stop in spans) <= size else None


def _sent(request: Request, content: Content, span: ByteSpan, status: int, headers: dict[str, str]) -> Response:
    headers["Content-Length"] = str(span.stop - span.start)
    if request.scope.get("lepton.head"):
        return Response(b"", status, headers, content.media)
    pieces = content.pieces(*span)
    first = next(pieces, memoryview(b""))
    if len(first) == span.stop - span.start:
        return Response(first, status, headers, content.media)
    return StreamingResponse(_ahead(_begun(chain((first,), pieces))), status, headers, content.media)


def _multipart(content: Content, spans: list[ByteSpan], headers: dict[str, str]) -> Response:
    boundary = secrets.token_hex(16)
    heads = [
        f"--{boundary}\r\nContent-Type: {content.media}\r\nContent-Range: {_told(span, content.size)}\r\n\r\n".encode()
        for span in spans
    ]
    end = f"--{boundary}--\r\n".encode()
    size = sum(len(head) + span.stop - span.start + 2 for head, span in zip(heads, spans, strict=True)) + len(end)

    def parts() -> Iterator[bytes | memoryview]:
        for head, span in zip(heads, spans, strict=True):
            yield head
            yield from content.pieces(*span)
            yield b"\r\n"
        yield end

    headers["Content-Length"] = str(size)
    return StreamingResponse(_ahead(_begun(parts())), 206, headers, f"multipart/byteranges; boundary={boundary}")


def _begun(pieces: Iterator[bytes | memoryview]) -> Iterator[bytes | memoryview]:
    """Pieces of which the first are read by now: what is wrong with stored bytes is told as a problem still."""
    return chain([*islice(pieces, _FIRST)], pieces)


async def _ahead(pieces: Iterator[bytes | memoryview]) -> AsyncGenerator[bytes | memoryview]:
    """Pieces, of which each is read in a thread while the one before it is sent."""
    reading = asyncio.ensure_future(run_in_threadpool(next, pieces, None))
    try:
        while (piece := await reading) is not None:
            reading = asyncio.ensure_future(run_in_threadpool(next, pieces, None))
            yield piece
    finally:
        reading.cancel()


def _told(span: ByteSpan, size: int) -> str:
    return f"bytes {span.start}-{span.stop - 1}/{size}"
