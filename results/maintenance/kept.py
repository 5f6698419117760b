"""Saves that were refused and are kept, in a list."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from ..answer import Listing, Result
from ..description import Block, text, title
from ..figures import when
from ..words import word


@dataclass(frozen=True)
class RefusedSave(Result):
    """A save that was refused: what it was asked to keep, why it was not, and the name to adopt it by."""

    name: str
    model: str
    branch: str
    tags: tuple[str, ...]
    message: str
    metrics: Mapping[str, float]
    run: str | None
    time: datetime
    """When it was refused."""
    actor: str
    reason: str
    tensors: str
    """Digest of their manifest."""

    def blocks(self) -> Iterator[Block]:
        moment = when(self.time, seconds=True)
        yield text(title(self.name), f"  {self.model} {self.branch}  {moment}  {self.message}")
        yield f"  {self.reason}"


class RefusedSaves(Listing, tuple[RefusedSave, ...]):
    """Refused saves, one below the other."""

    called = "kept"

    def blocks(self) -> Iterator[Block]:
        for each in self:
            yield from each.blocks()
        if not self:
            yield word("no refused save is kept")
