"""What is held between saves: used only while it stands for what is stored, bounded, and by one save at a time."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from lepton_ai.tensors import cache
from lepton_ai.tensors.cache import ChunkCache, HeldChunks
from lepton_ai.tensors.folder import FolderStore

from .past import Lineage, floats, network, same, stepped


class Reading(FolderStore):
    """A folder that counts what is read of it."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.reads = 0

    def get(self, key: str, offset: int = 0, length: int | None = None) -> bytes:
        self.reads += 1
        return super().get(key, offset, length)


@pytest.fixture
def lineage(tmp_path: Path) -> Lineage:
    """Two versions, the second a delta."""
    lineage = Lineage(tmp_path, Reading(tmp_path))
    lineage.save(network())
    lineage.save(stepped(network(), 1), base=0)
    return lineage


def reads(lineage: Lineage) -> int:
    assert isinstance(lineage.objects, Reading)
    return lineage.objects.reads


def test_a_save_on_top_of_the_last_one_reads_nothing_and_is_exact(lineage: Lineage) -> None:
    before = reads(lineage)
    for number in (2, 3, 4):
        assert lineage.save(stepped(lineage.versions[-1][1], number), base=number - 1).delta
    assert reads(lineage) == before

    for manifest, tensors in lineage.versions:
        assert same(lineage.fresh().restore(manifest.digest, lineage.graph), tensors)


def test_a_save_writes_the_same_bytes_whether_or_not_its_base_is_held(tmp_path: Path) -> None:
    packs: list[bytes] = []
    for name in ("held", "made"):
        lineage = Lineage(tmp_path / name)
        lineage.save(network())
        lineage.save(stepped(network(), 1), base=0)
        if name == "made":
            lineage.vault = lineage.fresh()
        kept = lineage.save(stepped(lineage.versions[1][1], 2), base=1)
        packs.append(lineage.objects.get(kept.packs[0].key))

    assert packs[0] == packs[1]


def test_a_save_on_top_of_an_older_version_makes_its_base_from_what_is_stored(lineage: Lineage) -> None:
    before = reads(lineage)
    kept = lineage.save(stepped(lineage.versions[0][1], 9), base=0)

    assert kept.delta
    assert reads(lineage) > before
    assert same(lineage.fresh().restore(kept.manifest.digest, lineage.graph), lineage.versions[-1][1])


@pytest.mark.parametrize("pack", [0, 1])
def test_what_is_held_is_not_used_once_a_pack_behind_it_was_written_into(lineage: Lineage, pack: int) -> None:
    lineage.flip(lineage.packs[pack].key, 100_000)
    kept = lineage.save(stepped(lineage.versions[1][1], 2), base=1)

    assert kept.keyframe
    assert same(lineage.fresh().restore(kept.manifest.digest, lineage.graph), lineage.versions[-1][1])


def test_what_is_held_is_not_used_once_a_pack_behind_it_was_replaced_by_its_copy(lineage: Lineage) -> None:
    place = lineage.folder / lineage.packs[1].key
    copy = place.with_name("copy")
    copy.write_bytes(place.read_bytes())
    os.utime(copy, ns=(place.stat().st_atime_ns, place.stat().st_mtime_ns))
    copy.rename(place)
    before = reads(lineage)

    assert lineage.save(stepped(lineage.versions[1][1], 2), base=1).delta
    assert reads(lineage) > before


def test_held_bytes_that_changed_are_not_built_upon(lineage: Lineage) -> None:
    held = lineage.vault._cache._held.chunks
    next(iter(held.values()))[0] ^= 1
    kept = lineage.save(stepped(lineage.versions[1][1], 2), base=1)

    assert kept.keyframe
    assert same(lineage.fresh().restore(kept.manifest.digest, lineage.graph), lineage.versions[-1][1])


def test_no_more_is_held_than_the_bound_and_the_same_part_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "HELD", 1 << 20)
    lineage = Lineage(tmp_path)
    tensors = {f"layer{i}": floats(np.random.default_rng(i).normal(0, 0.02, 30_000)) for i in range(20)}
    lineage.save(tensors)
    for number in range(3):
        tensors = stepped(tensors, number)
        assert lineage.save(tensors, base=number).delta
        held, manifest = lineage.vault._cache._held.chunks, lineage.versions[-1][0]
        assert [manifest.owner(f"layer{i}").digest in held for i in range(20)].count(True) == 8
        assert sum(chunk.nbytes for chunk in held.values()) <= 1 << 20

    for manifest, wanted in lineage.versions:
        assert same(lineage.fresh().restore(manifest.digest, lineage.graph), wanted)


def test_of_two_saves_at_once_the_second_finds_nothing_held() -> None:
    chunks, held = ChunkCache(), HeldChunks({}, {"pack": 1})
    held.put("a", np.arange(9, dtype=np.uint8))
    chunks.give_back(held)

    first, second = (chunks.taken({"a"}, {"pack": 1}) for _ in range(2))

    assert list(first.chunks) == ["a"]
    assert not second.chunks


@pytest.mark.parametrize("stamp", [2, None])
def test_a_pack_of_another_stamp_or_of_none_frees_what_is_held(stamp: int | None) -> None:
    chunks, held = ChunkCache(), HeldChunks({}, {"pack": None if stamp is None else 1})
    held.put("a", np.arange(9, dtype=np.uint8))
    chunks.give_back(held)

    assert not chunks.taken({"a"}, {"pack": stamp}).chunks
