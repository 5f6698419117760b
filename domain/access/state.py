"""The aggregate of one token: whose it is, what it allows, and until when."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import cast

from ...events.envelope import Recorded
from ...events.token import TokenCreated, TokenRevoked
from .rights import SCOPES, Rights, Scope


@dataclass(frozen=True, slots=True)
class TokenState:
    """What a token's events add up to."""

    event: TokenCreated | None = None
    """None where nobody made it."""
    seq: int = 0
    created: datetime | None = None
    creator: str = ""
    """Pseudonym of who made it."""
    revoked: datetime | None = None

    @property
    def rights(self) -> Rights:
        """What it allows; scopes of a newer Lepton allow nothing here."""
        if self.event is None:
            return Rights(frozenset(), ())
        return Rights(cast("frozenset[Scope]", frozenset(self.event.scopes) & set(SCOPES)), self.event.models)

    def good(self, now: datetime) -> bool:
        """Whether whoever holds it may come in at a moment."""
        if self.event is None or self.revoked is not None:
            return False
        return self.event.expires is None or now < self.event.expires


def evolve(token: TokenState, recorded: Recorded) -> TokenState:
    """The token after one more event."""
    match recorded.event:
        case TokenCreated() as event:
            return TokenState(event, recorded.seq, recorded.recorded, recorded.actor)
        case TokenRevoked():
            return replace(token, revoked=token.revoked or recorded.recorded)
        case _:
            return token
