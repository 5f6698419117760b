"""The shapes of tokens."""

from __future__ import annotations

from typing import Final

from .shape import Shape

TOKEN: Final[Shape] = {
    "token": "text",
    "owner": "text",
    "scopes": ["text"],
    "models": ["text"],
    "created": "time",
    "actor": "text",
    "expires": "time?",
    "revoked": "time?",
    "status": "text",
    "seq": "number",
}
CREATED: Final[Shape] = TOKEN | {"secret": "text?"}
TOKENS: Final[Shape] = {"tokens": [TOKEN]}
FORGOTTEN: Final[Shape] = {"forgotten": "true or false"}
