"""Who sends a request, and by which token."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.datastructures import Headers

from ...domain.access.rights import Rights
from ..problems import Problem


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who sends a request, and what they may."""

    actor: str
    rights: Rights
    token: str | None = None
    """The id of the token; None for this machine's own user."""

    @property
    def name(self) -> str:
        """By what they are told apart, where each has a share."""
        return self.token or self.actor


def bearer(headers: Headers) -> str | None:
    """The token of a request. Raises `Problem` where something else, or more than one, is sent in its place."""
    if not (sent := headers.getlist("authorization")):
        return None
    kind, _, secret = sent[0].partition(" ")
    if len(sent) > 1 or kind.lower() != "bearer" or not secret.strip() or len(secret) > 16_384:
        raise Problem(
            401, "Authorization is no bearer token; send Authorization: Bearer TOKEN", WWW_Authenticate="Bearer"
        )
    return secret.strip()
