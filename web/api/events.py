"""The log: events in pages, or as they happen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final

from fastapi import Query
from starlette.responses import Response

from ...errors import Malformed
from ...results.shapes.history import EVENTS
from ...versions.feed import check_types, page
from ..caller import JSON, Call, Caller, encoded
from ..cursors import USUAL, Cursor, Most, paging
from ..described import answers
from ..following.streams import SSE, EventStream, Until, begun_after
from ..negotiation import accepted
from ..routing import Router

router = Router("events")

BATCH: Final = "application/cloudevents-batch+json"
FORMS: Final = (JSON, BATCH, SSE)

After = Annotated[int, Query(ge=0, le=2**63 - 1, description="Only events behind this `seq`.")]
Types = Annotated[list[str] | None, Query(max_length=50, description="Only events of these types.")]


@router.get(
    "/events",
    summary="Events of the log, in pages or as they happen",
    responses=answers(EVENTS | {"end": "number"}, also=FORMS[1:], page=True),
)
def events(
    call: Call,
    after: After = 0,
    stream: Annotated[str | None, Query(description="Only events of a stream, such as model/credit.")] = None,
    type: Types = None,
    most: Most = USUAL,
    cursor: Cursor = None,
) -> Response:
    """The events behind `after` that you may read, oldest first, as CloudEvents.

    JSON has them in pages: all that stood in the log when the first one was asked for, up to its `end`. With
    `Accept: text/event-stream` the answer goes on with events as they happen: `id` is the `seq`, and a client that
    lost the connection says the last one in `Last-Event-ID`.
    """
    return told(call, after, stream, type or (), most, cursor)


def told(
    call: Caller,
    after: int,
    stream: str | None,
    types: Sequence[str],
    most: int,
    cursor: str | None,
    until: Until | None = None,
) -> Response:
    """Events of a stream, of some types or all, in the form that the client likes best; `until` ends a live stream."""
    call.needs("read")
    check_types(types)
    media = accepted(call.request.headers.get("accept"), FORMS)
    if media == SSE:
        if cursor is not None or call.at is not None:
            raise Malformed("a cursor and `at` are of pages; a stream of events goes on by `after` or Last-Event-ID")
        return EventStream(call, begun_after(call, after), stream, types, until)
    begun = paging(call, most, cursor)
    workspace = call.service.home.acting(call.visitor.actor, call.visitor.rights).workspace
    some = page(workspace, begun.after or after, begun.up_to, most, stream, types)
    here = begun.cut(some.events, some.position if some.position < begun.up_to else None)
    body = here.rows if media == BATCH else here.body("events") | {"end": begun.up_to}
    return Response(encoded(body), 200, {"Vary": "Accept", **here.headers}, media)
