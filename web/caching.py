"""What caches may keep of answers: each is for whoever asked, and is what it says it is."""

from __future__ import annotations

from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import Message, Send

_USUAL: Final = "private, no-cache"


def private(send: Send) -> Send:
    """Mark the answers that go through: no cache gives one out to anybody else, no browser guesses what it is."""

    async def marked(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers.setdefault("Cache-Control", _USUAL)
            headers.setdefault("X-Content-Type-Options", "nosniff")
            headers.add_vary_header("Authorization")
        await send(message)

    return marked
