"""Who sends a request."""

from __future__ import annotations

from dataclasses import dataclass

from ..domain.access.rights import Rights


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who sends a request, and what they may."""

    actor: str
    rights: Rights
    token: str | None = None
    """The id of the token; None for this machine's own user."""
