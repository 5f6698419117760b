"""The place in the log that a read is of: `at` looks back, `wait_for` waits until the log has come so far."""

from __future__ import annotations

import asyncio
import time
from typing import Annotated, Any, Final

from fastapi import Depends, Query
from starlette.requests import Request

from ..errors import Unavailable

LIMIT: Final = 10.0
"""Seconds that an event is waited for."""
_FIRST, _LAST = 0.01, 0.25
"""Seconds between two looks whether it has come: ever longer."""
_SEQ: Final = 2**63 - 1

At = Annotated[
    str | None,
    Query(max_length=64, description="The ledger as it was: behind a seq, at the end of a day (UTC) or at a time."),
]
WaitFor = Annotated[int | None, Query(ge=0, le=_SEQ, description="A seq, from Lepton-Seq, to be waited for.")]


async def placed(request: Request, at: At = None, wait_for: WaitFor = None) -> None:
    """What every read takes. Raises `Unavailable` where what is waited for does not come."""
    if wait_for is not None:
        await _reached(request.app.state.service, wait_for)
    request.scope["lepton.at"] = at


READS: Final[list[Any]] = [Depends(placed)]


async def _reached(service: Any, seq: int) -> None:
    """Wait until the log has an event, holding no thread meanwhile."""
    end, pause = time.monotonic() + LIMIT, _FIRST
    while (last := await asyncio.to_thread(service.end)) < seq:
        if service.ending.is_set():
            raise Unavailable(f"event {seq} was waited for, and the server stops; ask again")
        if time.monotonic() + pause > end:
            raise Unavailable(f"event {seq} was waited for, and the log ends at event {last} yet; ask again")
        await asyncio.sleep(pause)
        pause = min(2 * pause, _LAST)
