"""Rows that are sent to be judged on: Parquet, Arrow or delimited text, kept for an hour for whoever sent them."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Annotated, Any, Final

from anyio import to_thread
from fastapi import Depends
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from ...media import ARROW, ARROW_FILE, CSV, PARQUET
from ...results.shapes.data import SENT
from ...versions.data.uploaded import RowsTooLarge, RowsUpload
from ..caller import Call
from ..described import RECORDS_NOTHING, answers, nothing
from ..problems import Problem
from ..routing import Router

router = Router("rows")

ENDINGS: Final = {
    CSV: ".csv",
    "text/tab-separated-values": ".tsv",
    PARQUET: ".parquet",
    ARROW: ".arrows",
    ARROW_FILE: ".arrow",
}
"""The media types that rows are sent as, and what a file of them is called."""
PACKED: Final = {"": "", "identity": "", "gzip": ".gz", "zstd": ".zst"}
"""How text may be compressed."""
_SENT: Final = {
    "requestBody": {
        "required": True,
        "content": {media: {"schema": {"type": "string", "format": "binary"}} for media in ENDINGS},
    }
}
"""What the API's description says of the body, which no model describes."""
_AT_ONCE: Final = 1 << 20
"""Bytes that are written down at once."""


async def received(request: Request, call: Call) -> AsyncGenerator[RowsUpload]:
    """The rows in a request's body, written down as they come; nothing of them stays where they are cut or refused."""
    call.needs("read")
    ending, uploads = ending_of(request), call.service.uploads
    length = request.headers.get("content-length", "")
    upload = await _bounded(uploads.begin, ending, call.visitor.actor, int(length) if length.isdecimal() else None)
    try:
        held = bytearray()
        async for piece in request.stream():
            held += piece
            if len(held) >= _AT_ONCE:
                await _bounded(upload.write, bytes(held))
                held.clear()
        await _bounded(upload.write, bytes(held))
        yield upload
    except ClientDisconnect:
        raise Problem(400, "the rows were cut off; send them again") from None
    finally:
        upload.drop()


@router.post(
    "/rows",
    status_code=201,
    summary="Send rows to be judged on",
    openapi_extra=_SENT,
    responses=answers(SENT, status=201, place=True, marks=(RECORDS_NOTHING,)),
)
async def send_rows(call: Call, upload: Annotated[RowsUpload, Depends(received)]) -> Response:
    """Keep rows for an hour, under an id that other requests name; docs/judging-over-http.md has the media types."""

    def keep() -> Response:
        told = _too_large_told(upload.finished)
        return call.wrote(told.to_dict, status=201, location=lambda _: f"/api/v1/rows/{told.rows}")

    # those who wait for their rows to be read hold no thread that others need
    return await to_thread.run_sync(keep, limiter=call.service.reading)


@router.get("/rows/{rows}", summary="What was sent", responses=answers(SENT))
def show_rows(call: Call, rows: str) -> Response:
    """Rows that the caller sent, and until when they are kept."""
    call.needs("read")
    return call.read(call.service.uploads.show(rows, call.visitor.actor).to_dict())


@router.delete("/rows/{rows}", status_code=204, summary="Delete what was sent", responses=nothing())
def delete_rows(call: Call, rows: str) -> Response:
    """Delete rows before their hour is over."""
    call.needs("read")
    call.service.uploads.drop(rows, call.visitor.actor)
    return Response(None, 204)


def ending_of(request: Request) -> str:
    """The ending of a file of what a request holds, by its headers. Raises `Problem` (415)."""
    media, *parameters = (part.strip().lower() for part in request.headers.get("content-type", "").split(";"))
    packed = request.headers.get("content-encoding", "").strip().lower()
    ending = ENDINGS.get(media)
    if ending is None:
        raise Problem(415, f"the rows are {media or 'of no stated type'}; send {', '.join(ENDINGS)}")
    charset = dict(each.split("=", 1) for each in parameters if "=" in each).get("charset", "utf-8").strip('"')
    if charset not in ("utf-8", "utf8", "us-ascii"):
        raise Problem(415, f"the rows are in {charset[:40]}; send them as UTF-8")
    if packed not in PACKED or (PACKED[packed] and not media.startswith("text/")):
        raise Problem(
            415, f"the rows are packed as {packed[:40]}; only text is, by gzip or zstd", Accept_Encoding="gzip, zstd"
        )
    return ending + PACKED[packed]


async def _bounded(act: Any, *arguments: Any) -> Any:
    return await to_thread.run_sync(_too_large_told, act, *arguments)


def _too_large_told(act: Any, *arguments: Any) -> Any:
    """What an act gives; too many bytes as the problem that they are."""
    try:
        return act(*arguments)
    except RowsTooLarge as error:
        raise Problem(413, str(error)) from None
