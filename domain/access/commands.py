"""What is asked of tokens: to be made, and to be good no more."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from ..commands import OfToken


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateToken(OfToken):
    """Let whoever holds a secret act as its owner. The secret's hash is kept beside the log before this is asked."""

    incidental: ClassVar = ("token",)
    owner: str
    """A pseudonym."""
    scopes: tuple[str, ...]
    models: tuple[str, ...] = ("*",)
    expires: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokeToken(OfToken):
    """Let a token be good no more."""

    free_text: ClassVar = ("reason",)
    reason: str = ""


TokenCommand = CreateToken | RevokeToken
