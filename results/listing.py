"""Versions in lists and by names: a list and a dictionary as ever, that show themselves as tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .answer import Listing, Shown
from .description import Block, dim, grid, number, title
from .figures import short
from .version import Version
from .words import word


class Versions(Listing, list[Version]):
    """Versions, of any models."""

    called = "versions"

    def to_dict(self) -> dict[str, Any]:
        """The versions whole, JSON-ready."""
        return {self.called: [each.to_dict() for each in self]}

    def blocks(self) -> Iterator[Block]:
        rows = ((number(each), each.model, each.branch, dim(short(each.digest))) for each in self)
        head = map(word, ("version", "model", "branch", "digest"))
        yield grid(rows, head=head, right=(0,)) if self else word("no version is so")


class Refs(Shown, dict[str, Version]):
    """What versions the branches, tags or aliases of a model stand on; `kind` says which of the three.

    `last_moves` has by name the event of its last move, which `LastMove` takes, and `last` that of the last move of any
    such name, also of those given up.
    """

    def __init__(
        self, kind: str, versions: Mapping[str, Version], last_moves: Mapping[str, int] | None = None, last: int = 0
    ) -> None:
        super().__init__(versions)
        self.kind = kind
        self.last_moves: dict[str, int] = dict(last_moves or {})
        self.last = last

    def to_dict(self) -> dict[str, Any]:
        """The versions whole, by their names, under the kind; JSON-ready."""
        return {self.kind: {name: at.to_dict() for name, at in self.items()}}

    def blocks(self) -> Iterator[Block]:
        rows = ((title(name), number(at), dim(short(at.digest)), dim(at.model)) for name, at in self.items())
        head = map(word, ("name", "version", "digest", "model"))
        yield grid(rows, head=head, right=(1,)) if self else word(f"there are no {self.kind}")
