"""Which streams of the ledger grow, as it happens: by this a page knows when it is to be asked for anew."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from ...errors import LeptonError, Malformed
from ..caller import Caller
from ..following.streams import EventStream, begun_after
from ..problems import of_error


class Moves(EventStream):
    """The names of streams, each with the seq of an event of it as id; metrics come in blocks that no page needs."""

    def sent(self, event: Mapping[str, Any]) -> bytes:
        return f"id: {int(event['sequence'])}\ndata: {event['subject']}\n\n".encode()


def followed(request: Request) -> Response:
    """Follow the ledger behind the event that the page is of."""
    try:
        call, after = Caller(request), request.query_params.get("after", "0")
        call.needs("read")
        if not (after.isascii() and after.isdecimal() and len(after) < 19):
            raise Malformed(f"after is {after[:40]!r}; give the seq of an event")
        return Moves(call, begun_after(call, int(after)))
    except LeptonError as error:
        return of_error(error, request)


ROUTES: Final[list[BaseRoute]] = [Route("/live", followed, methods=["GET"])]
