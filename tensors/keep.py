"""Keeping a version: nothing where it is known, else a delta where that is the better choice, else a keyframe."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from ..errors import Damaged
from .blob import blob_entry, fold_blob
from .cache import ChunkCache, HeldChunks
from .delta import DeltaEntry, DeltaInfo, Pairing
from .graph import Deltas, Route
from .manifest import Manifest, TensorEntry, describe
from .objects import ObjectStore
from .pack import PackEntry, PackWriter, Placement, WrittenPack, read_index
from .saving import DeltaTooLarge, changed_chunks, full_chunks
from .tensor import Tensor
from .threads import in_order
from .way import Placements, Way

_log = logging.getLogger("lepton")


class KeptFile(NamedTuple):
    """A file or blob of a save: its name, the digest of its content and the bytes of that."""

    name: str
    digest: str
    bytes: int


class SavedTensors(NamedTuple):
    """What a save wrote, all of it synced, and the older packs on which it rests."""

    manifest: Manifest
    keyframe: bool
    delta: DeltaInfo | None
    packs: tuple[WrittenPack, ...]
    placements: tuple[Placement, ...]
    relies_on: frozenset[str]
    files: tuple[KeptFile, ...]


class TensorSave:
    """One save, and the ways in which it can go: each returns None where it cannot, with nothing written."""

    def __init__(
        self,
        objects: ObjectStore,
        places: Placements,
        sound: SoundPacks,
        cache: ChunkCache,
        way: Callable[[Route], Way],
        tensors: Mapping[str, Tensor],
        extras: Mapping[str, Path | bytes],
    ) -> None:
        self._objects = objects
        self._places = places
        self._sound = sound
        self._cache = cache
        self._way = way
        self._tensors = tensors
        self.manifest = describe(tensors)
        self._chunks = _chunks_of(self.manifest.owners)
        named = {name: blob_entry(name, source) for name, source in sorted(extras.items())}
        self._extras = {entry.digest: entry for entry, _ in named.values()}
        self._files = tuple(KeptFile(name, entry.digest, size) for name, (entry, size) in named.items())
        wanted = {self.manifest.digest, *self._chunks, *self._extras}
        self._placed: Mapping[str, Placement] = sound.found(places, wanted)

    def known(self, deltas: Deltas) -> SavedTensors | None:
        """The manifest is one of the model's already: its tensors are not written again."""
        digest = self.manifest.digest
        if digest not in self._placed or digest not in (graph := deltas.around(digest)):
            return None
        if self._chunks <= self._placed.keys():
            return self._write((), True, self._packs_of(self._chunks))
        try:
            rests_on = self._behind(self._way(graph.cheapest(digest)))
        except Damaged as error:  # then these tensors are the chance to store it whole again
            return self._anew(error)
        return None if rests_on is None else self._write((), digest in graph.keyframes, rests_on)

    def as_delta(self, base: Manifest, deltas: Deltas) -> SavedTensors | None:
        """Write what differs from `base`, unless the whole is stored already, or a keyframe is due or smaller."""
        pairing = Pairing(base, self.manifest)
        unstored = self._chunks - self._placed.keys()
        if not unstored or base == self.manifest or not pairing.names:
            return None
        if not (graph := deltas.around(base.digest)).may_extend(base.digest):
            return None
        try:
            way = self._way(graph.cheapest(base.digest))
            rests_on = self._behind(way)
            if rests_on is None:
                return None
            held = self._cache.taken(_chunks_of(base.owners), self._stamps(rests_on))
            delta = DeltaEntry(pairing, changed_chunks(way, self._places, pairing, self._tensors, held))
            added = full_chunks(self.manifest, pairing.added, self._tensors, self._placed, held)
            rests_on |= self._packs_of(_chunks_of(pairing.added))
            return self._write(chain((delta,), added), False, rests_on, held)._replace(delta=delta.info)
        except DeltaTooLarge:
            return None
        except Damaged as error:  # the past's damage must not keep the present from being saved
            return self._anew(error)

    def as_keyframe(self) -> SavedTensors:
        """Write every chunk that is not stored already; all of them where a pack with one is gone since it was seen."""
        try:
            stamps = self._stamps(self._packs_of({self.manifest.digest, *self._chunks, *self._extras}))
        except Damaged as error:
            return self._anew(error)
        held = self._cache.taken((), stamps)
        chunks = full_chunks(self.manifest, self.manifest.owners, self._tensors, self._placed.keys(), held)
        return self._write(chunks, True, self._packs_of(self._chunks), held)

    def _anew(self, error: Damaged) -> SavedTensors:
        """Write everything, trusting nothing that is said to be stored."""
        _log.warning("%s; saving all tensors anew", error)
        self._sound.forget(place.pack for place in self._placed.values())
        self._placed = {}
        return self.as_keyframe()

    def _write(
        self, entries: Iterable[PackEntry], keyframe: bool, rests_on: frozenset[str], held: HeldChunks | None = None
    ) -> SavedTensors:
        """Write what is not placed yet; manifests last, so that a reader of the pack alone finds all before it."""
        manifest = fold_blob(self.manifest.encoded)
        about = (*self._extras.values(), manifest)
        extras = [entry for entry in self._extras.values() if entry.digest not in self._placed]
        last = () if manifest.digest in self._placed else (manifest,)
        writer = PackWriter(self._objects)
        writer.write(chain(extras, entries, last))
        self._sound.add(pack.key for pack in writer.packs)
        rests_on |= self._packs_of(entry.digest for entry in about)
        if held is not None:
            held.packs.update(self._stamps({*rests_on, *(pack.key for pack in writer.packs)} - held.packs.keys()))
            self._cache.give_back(held)
        return SavedTensors(
            self.manifest, keyframe, None, tuple(writer.packs), tuple(writer.placements), rests_on, self._files
        )

    def _behind(self, way: Way) -> frozenset[str] | None:
        """The packs on which a way rests, or None if not all of it is stored; raises `Damaged` where one is."""
        needed = way.rests_on
        placed = self._places.find(needed)
        for damage in self._sound.damages(placed.values()).values():
            raise damage
        return frozenset(place.pack for place in placed.values()) if needed <= placed.keys() else None

    def _stamps(self, packs: Iterable[str]) -> dict[str, Hashable]:
        return {pack: self._objects.stamp(pack) for pack in packs}

    def _packs_of(self, digests: Iterable[str]) -> frozenset[str]:
        return frozenset(self._placed[digest].pack for digest in digests if digest in self._placed)


def _chunks_of(entries: Iterable[TensorEntry]) -> set[str]:
    return {digest for entry in entries for digest in entry.chunks}


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

    def forget(self, packs: Iterable[str]) -> None:
        """Look at packs again when they are next relied on."""
        with self._lock:
            self._sound.difference_update(packs)

    def found(self, places: Placements, digests: Collection[str]) -> Mapping[str, Placement]:
        """Where digests lie in packs that are sound; what a damaged one held is as good as not stored."""
        placed = places.find(digests)
        damages = self.damages(placed.values())
        for damage in damages.values():
            _log.warning("%s; what this save needs of it is stored anew", damage)
        return {digest: place for digest, place in placed.items() if place.pack not in damages}

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
