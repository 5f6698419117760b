"""The moment of an event: what the slider of a page tells while it is moved."""

from __future__ import annotations

from datetime import UTC
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from ...errors import LeptonError, Malformed
from ...media import JSON
from ..caller import encoded
from ..problems import of_error
from .page import Visit


def moment(request: Request) -> Response:
    """When an event was recorded, and the last event there is by now."""
    page = Visit(request)
    try:
        page.workspace.rights.check("read")
        last = page.service.end()
        seq = page.number("seq", 1, max(1, last)) if page.asked("seq") else last
        if not last:
            raise Malformed("nothing was recorded yet; there is no moment to go to")
        time = page.home.workspace.as_of(seq).now.astimezone(UTC)
        told = {"seq": seq, "time": time.isoformat(), "shown": f"{time:%Y-%m-%d %H:%M:%S} UTC", "last": last}
        return Response(encoded(told), media_type=JSON)
    except LeptonError as error:
        return of_error(error, request)


ROUTES: Final[list[BaseRoute]] = [Route("/moment", moment, methods=["GET"])]
