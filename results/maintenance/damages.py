"""What of a ledger is damaged, in a list."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...errors import Damaged
from ..answer import Listing
from ..description import Block, grid, text, title
from ..figures import count
from ..words import say, word


class Damages(Listing, list[Damaged]):
    """What is damaged, one below the other."""

    called = "damaged"

    def to_dict(self) -> dict[str, Any]:
        """Each thing with what was expected and what was found; JSON-ready."""
        return {self.called: [{name: getattr(each, name) for name in ("thing", "expected", "found")} for each in self]}

    def blocks(self) -> Iterator[Block]:
        if not self:
            yield say("{whole}: nothing is damaged", whole=title(word("whole")))
            return
        yield text(say("{things} damaged", things=count(len(self), "thing")), style="red bold")
        yield grid(
            ((each.thing, each.expected, each.found) for each in self), head=map(word, ("thing", "expected", "found"))
        )
