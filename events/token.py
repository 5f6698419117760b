"""The events of one token: who it is of and what it is for. Its secret is in no event, nor is the secret's hash."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from .bounds import Moment
from .event import Event, Sealed

TokenId = Annotated[str, Field(description="a token's id, which its stream bears too")]


class TokenCreated(Event):
    """A token was made: whoever holds its secret acts as its owner."""

    type: Literal["lepton.token.created.v1"] = "lepton.token.created.v1"
    token: TokenId
    owner: str = Field(description="pseudonym of whom it belongs to")
    scopes: tuple[str, ...] = Field(description="what it allows: read, write, move, admin, sql")
    models: tuple[str, ...] = Field(default=("*",), description="globs, one of which fits the names of its models")
    expires: Moment | None = Field(default=None, description="when it ends by itself; never, if null")


class TokenRevoked(Event):
    """A token is good no more."""

    free_text: ClassVar = ("reason",)
    type: Literal["lepton.token.revoked.v1"] = "lepton.token.revoked.v1"
    reason: Sealed = ""


TokenEvent = TokenCreated | TokenRevoked
