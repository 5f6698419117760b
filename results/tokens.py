"""Tokens: whose they are, what they allow, and whether they are good."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from .answer import Result, Shown
from .description import Block, Text, grid, text, title
from .figures import ABSENT, when
from .words import say, word

COLOURS: Final = {"good": "green", "expired": "yellow", "revoked": "red", "forgotten": "red"}


@dataclass(frozen=True)
class TokenRecord(Result):
    """A token as it stands. What it is known by, its secret, is kept nowhere."""

    token: str
    """Its id, by which it is revoked."""
    owner: str
    """Who acts with it."""
    scopes: tuple[str, ...]
    models: tuple[str, ...]
    """Globs, one of which fits the names of its models."""
    created: datetime
    actor: str
    """Who made it."""
    expires: datetime | None
    """None where it never ends by itself."""
    revoked: datetime | None
    status: str
    """good, expired, revoked, or forgotten where its owner was."""
    seq: int

    @property
    def is_good(self) -> bool:
        """Whether whoever holds it may come in."""
        return self.status == "good"

    @property
    def coloured(self) -> Text:
        """The status, as it is coloured everywhere."""
        return text(word(self.status), style=COLOURS[self.status])

    def blocks(self) -> Iterator[Block]:
        yield say("token {token} of {owner}", token=title(self.token), owner=self.owner)
        ends = when(self.expires, seconds=True) if self.expires else word("never")
        rows = (("scopes", ", ".join(self.scopes)), ("models", ", ".join(self.models)), ("expires", ends))
        yield grid(((word(name), said) for name, said in (*rows, ("status", self.coloured))), indent=2)


@dataclass(frozen=True)
class CreatedToken(TokenRecord):
    """A token that was made, with its secret: it is shown this once."""

    secret: str | None = field(default=None, repr=False)
    """What is sent as `Authorization: Bearer`. None where the token was made before, under the same key."""

    def blocks(self) -> Iterator[Block]:
        yield from super().blocks()
        if self.secret is None:
            yield word("it was made before, under the same key; its secret was shown then and cannot be shown again")
            return
        yield word("its secret, which is shown this once:")
        yield text(self.secret, style="bold")


class Tokens(Shown, tuple[TokenRecord, ...]):
    """Tokens, one below the other."""

    def blocks(self) -> Iterator[Block]:
        head = ("token", "owner", "scopes", "models", "status", "expires")
        rows = (
            (each.token, each.owner, ", ".join(each.scopes), ", ".join(each.models), each.coloured, _ends(each))
            for each in self
        )
        yield grid(rows, head=map(word, head)) if self else word("there is no token")


def _ends(token: TokenRecord) -> str:
    return when(token.expires) if token.expires else ABSENT
