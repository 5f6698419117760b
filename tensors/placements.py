"""Placements that need no ledger: told by the packs themselves."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import cached_property

from .objects import ObjectStore
from .pack import Placement, read_index


class KnownPlacements:
    """Placements that need no ledger; they are gathered when first asked for."""

    def __init__(self, placements: Callable[[], Iterable[Placement]]) -> None:
        self._placements = placements

    @cached_property
    def _known(self) -> dict[str, Placement]:
        return {each.digest: each for each in self._placements()}

    def find(self, digests: Collection[str]) -> Mapping[str, Placement]:
        """Where digests lie; those that lie nowhere are left out."""
        return {digest: self._known[digest] for digest in digests if digest in self._known}


def told_by(objects: ObjectStore, packs: Iterable[str]) -> Iterator[Placement]:
    """What packs tell of themselves: where all that they hold lies."""
    for pack in packs:
        yield from read_index(objects, pack).placements(pack)
