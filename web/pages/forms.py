"""What a form says: names and values as browsers send them (`application/x-www-form-urlencoded`)."""

from __future__ import annotations

from typing import Final
from urllib.parse import parse_qsl

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from ...errors import Malformed
from ..problems import Problem

MEDIA: Final = "application/x-www-form-urlencoded"
_FIELDS: Final = 200
LONGEST: Final = 1 << 20
"""Bytes of a form."""


class TypedFields(dict[str, str]):
    """What a refused form said, to be shown in it again; nothing of what it did not say."""

    def __missing__(self, name: str) -> str:
        return ""


async def form_of(request: Request) -> dict[str, str]:
    """The fields of a form. Raises `Malformed` where one is there twice, and `Problem` where it is none."""
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > LONGEST:
            raise Problem(413, f"the form is of more than {LONGEST:,} bytes; send less at a time", Connection="close")
    if body and media != MEDIA:
        raise Problem(415, f"the body is {media or 'of no stated type'}; send a form as {MEDIA}", Accept=MEDIA)
    try:
        pairs = await run_in_threadpool(_fields, bytes(body))  # some need a second for all their escapes
    except ValueError:
        raise Malformed("the form is none; send names and values in UTF-8, percent-encoded") from None
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise Malformed("a field of the form is there twice; send each once")
    return fields


def _fields(body: bytes) -> list[tuple[str, str]]:
    return parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_FIELDS, errors="strict")
