"""Keeping files alone: those that are not stored already, in one pack."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from .blob import blob_entry
from .keep import KeptFile, SoundPacks
from .objects import ObjectStore
from .pack import PackWriter, Placement, WrittenPack
from .way import Placements


class SavedFiles(NamedTuple):
    """What was written, all of it synced, and the older packs in which files lie."""

    files: tuple[KeptFile, ...]
    packs: tuple[WrittenPack, ...]
    placements: tuple[Placement, ...]
    relies_on: frozenset[str]


def keep_files(
    objects: ObjectStore, places: Placements, sound: SoundPacks, files: Mapping[str, Path | bytes]
) -> SavedFiles:
    """Write files that are not stored in a sound pack. Raises `Refused` where one cannot be read, or changes."""
    named = {name: blob_entry(name, source) for name, source in sorted(files.items())}
    entries = {entry.digest: entry for entry, _ in named.values()}
    placed = sound.found(places, entries)
    writer = PackWriter(objects)
    writer.write(entry for digest, entry in entries.items() if digest not in placed)
    sound.add(pack.key for pack in writer.packs)
    return SavedFiles(
        files=tuple(KeptFile(name, entry.digest, size) for name, (entry, size) in named.items()),
        packs=tuple(writer.packs),
        placements=tuple(writer.placements),
        relies_on=frozenset(place.pack for place in placed.values()),
    )
