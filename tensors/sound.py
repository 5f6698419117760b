"""Packs that a save may rely on: written in this process, or looked at by it since it began."""

from __future__ import annotations

import threading
from collections.abc import Iterable

from ..errors import Damaged
from .objects import ObjectStore
from .pack import Placement, read_index
from .threads import in_order


class SoundPacks:
    """Remembers which packs have their index and their length, and that what the ledger says lies in them does.

    A store may have acknowledged what it never kept, and a folder may have been restored from an older copy: a save
    that only names older packs would then be a version that cannot be loaded. Each pack is looked at once a process.
    Any thread may use it.
    """

    def __init__(self, objects: ObjectStore) -> None:
        self._objects = objects
        self._sound: set[str] = set()
        self._lock = threading.Lock()

    def add(self, packs: Iterable[str]) -> None:
        """Note packs that were written here, and so were looked at."""
        with self._lock:
            self._sound.update(packs)

    def damages(self, placements: Iterable[Placement]) -> dict[str, Damaged]:
        """What is wrong with the packs in which these lie, by pack; what is sound is left out. Raises `Unavailable`."""
        by_pack: dict[str, list[Placement]] = {}
        for place in placements:
            by_pack.setdefault(place.pack, []).append(place)
        unseen = [pack for pack in by_pack if pack not in self._sound]
        damages: dict[str, Damaged] = {}
        for pack, damage in zip(unseen, in_order(lambda pack: self._look(pack, by_pack[pack]), unseen), strict=True):
            if damage is None:
                self.add((pack,))
            else:
                damages[pack] = damage
        return damages

    def _look(self, pack: str, placements: Iterable[Placement]) -> Damaged | None:
        try:
            held = {(line.digest, line.offset, line.length) for line in read_index(self._objects, pack).entries}
        except Damaged as error:
            return error
        for digest, _, offset, length in placements:
            if (digest, offset, length) not in held:
                return Damaged(f"pack {pack}", expected=f"{digest} at {offset}", found="another index")
        return None
