"""Turns: requests that take long are answered a few at a time, and hold no thread while they wait for that."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Final

from fastapi import Depends
from starlette.requests import Request


async def _compares(request: Request) -> AsyncIterator[None]:
    async with request.app.state.service.comparing:
        yield


async def _judges(request: Request) -> AsyncIterator[None]:
    async with request.app.state.service.judging:
        yield


COMPARES: Final[list[Any]] = [Depends(_compares, scope="function")]
"""Of routes that read versions tensor by tensor to compare them, or all that the ledger holds."""
JUDGES: Final[list[Any]] = [Depends(_judges, scope="function")]
"""Of routes that judge versions on rows, or restore them."""
