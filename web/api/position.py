"""Where the log ends."""

from __future__ import annotations

from starlette.responses import Response

from ...results.shapes.ledger import POSITION
from ..caller import Call
from ..described import answers
from ..routing import Router

router = Router("ledger")


@router.get("/position", summary="The seq of the last event", responses=answers(POSITION))
def position(call: Call) -> Response:
    """The `seq` of the last event, which `wait_for` and `at` take."""
    call.needs("read")
    return call.read({"seq": call.manager.position()})
