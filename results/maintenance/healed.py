"""What became of damaged packs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ...errors import at_door
from ..answer import Result
from ..description import Block, text, title
from ..figures import count
from ..words import say, word


@dataclass(frozen=True)
class HealedPack(Result):
    """What became of a damaged pack: the packs that hold its content now, and the digests found nowhere whole."""

    pack: str
    into: tuple[str, ...]
    missing: tuple[str, ...]

    def blocks(self) -> Iterator[Block]:
        copies = at_door(python="heal(PLACE)", cli="--from")
        missing = {"digests": count(len(self.missing), "digest"), "copies": copies}
        left = str(say("{digests} not found; {copies} takes a copy of the objects", **missing))
        if self.into:
            yield text(title(word("written again")), f"  {self.pack}", f", {left}" if self.missing else "")
        else:
            yield text(title(word("not healed")), f"  {self.pack}: {left}")


@dataclass(frozen=True)
class Healed(Result):
    """The damaged packs that were looked after; one with nothing missing is damage no more."""

    packs: tuple[HealedPack, ...]

    def blocks(self) -> Iterator[Block]:
        for each in self.packs:
            yield from each.blocks()
        if not self.packs:
            yield "no pack is damaged"
