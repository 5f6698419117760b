"""Who sends a request, and by which token."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..domain.access.rights import Rights
from .problems import Problem


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who sends a request, and what they may."""

    actor: str
    rights: Rights
    token: str | None = None
    """The id of the token; None for this machine's own user."""


def bearer(headers: Mapping[str, str]) -> str | None:
    """The token of a request. Raises `Problem` where something else is sent in its place."""
    if (header := headers.get("authorization")) is None:
        return None
    kind, _, secret = header.partition(" ")
    if kind.lower() != "bearer" or not secret.strip() or len(secret) > 16_384:
        raise Problem(
            401, "Authorization is no bearer token; send Authorization: Bearer TOKEN", WWW_Authenticate="Bearer"
        )
    return secret.strip()
