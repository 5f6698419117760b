"""Healing: what a damaged pack held, found whole in other places and written again into a pack of its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import NamedTuple

from ..errors import Damaged
from .check import check_entry
from .objects import ObjectStore, is_pack
from .pack import Indexed, PackWriter, Placement, Whole, WrittenPack, read_index


class EntryCopy(NamedTuple):
    """One stored copy of an entry."""

    store: ObjectStore
    pack: str
    line: Indexed


class EntryCopies:
    """All copies of entries in the packs of some stores; their indexes are read when first asked for."""

    def __init__(self, stores: Sequence[ObjectStore]) -> None:
        self._stores = stores

    def whole(self, digest: str) -> Whole | None:
        """An entry as it is stored, from a copy that was decoded and compared with its digest; None where none is."""
        for store, pack, line in self._by_digest.get(digest, ()):
            if check_entry(store, pack, line) is None:
                return Whole(line.kind, digest, bytes(store.get(pack, line.offset, line.length)))
        return None

    @cached_property
    def _by_digest(self) -> dict[str, list[EntryCopy]]:
        found: dict[str, list[EntryCopy]] = {}
        for copy in self._all():
            found.setdefault(copy.line.digest, []).append(copy)
        return found

    def _all(self) -> Iterator[EntryCopy]:
        for store in self._stores:
            for pack in filter(is_pack, store.list("packs/")):
                try:
                    yield from (EntryCopy(store, pack, line) for line in read_index(store, pack).entries)
                except Damaged:
                    continue  # what it may hold cannot be found in it


class Rewritten(NamedTuple):
    """What became of the entries of a damaged pack: the packs that hold them now, and the digests found nowhere."""

    packs: tuple[WrittenPack, ...]
    placements: tuple[Placement, ...]
    missing: frozenset[str]


def rewrite(objects: ObjectStore, digests: Iterable[str], copies: EntryCopies) -> Rewritten:
    """Write whole copies of entries into a new pack, as many as there are copies of. Raises `Unavailable`."""
    missing: set[str] = set()

    def entries() -> Iterator[Whole]:
        for digest in digests:
            if (entry := copies.whole(digest)) is None:
                missing.add(digest)
            else:
                yield entry

    writer = PackWriter(objects)
    writer.write(entries())
    return Rewritten(tuple(writer.packs), tuple(writer.placements), frozenset(missing))
