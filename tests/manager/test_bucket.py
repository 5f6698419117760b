"""A ledger whose objects lie in a bucket: all that a folder gives, and the way from the one to the other."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from lepton_ai import ModelManager
from lepton_ai.errors import Unavailable
from lepton_ai.tensors.address import objects_at
from lepton_ai.tensors.cloud import CloudStore
from lepton_ai.tensors.folder import FolderStore

from ..buckets import S3
from ..cli_home import Cli
from ..tensors.past import Lineage, network, same, stepped


def weights(shift: float = 0.0) -> dict[str, np.ndarray]:
    """Some layers, in all more than one part, of which the last is the same whatever the shift."""
    fresh = np.random.default_rng(7)
    layers = {f"layer{number}": fresh.normal(size=(512, 512)).astype(np.float32) + shift for number in range(12)}
    return layers | {"frozen": np.ones((64, 64), np.float16)}


def equal(found: dict[str, np.ndarray], wanted: dict[str, np.ndarray]) -> bool:
    return found.keys() == wanted.keys() and all(found[name].tobytes() == wanted[name].tobytes() for name in wanted)


@pytest.fixture(params=["s3", "azure"])
def bucket(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Where LEPTON_OBJECTS says that the objects lie."""
    url = request.getfixturevalue(request.param)
    monkeypatch.setenv("LEPTON_OBJECTS", url)
    return url


def test_a_vault_keeps_deltas_in_a_bucket_and_restores_them_to_the_last_bit(bucket: str, tmp_path: Path) -> None:
    objects = objects_at(bucket, "main", wait=30)
    assert isinstance(objects, CloudStore)
    lineage = Lineage(tmp_path, objects)
    first = lineage.save(network())
    second = lineage.save(stepped(network(), 1), base=0)

    assert first.keyframe
    assert second.delta is not None
    for manifest, tensors in lineage.versions:
        assert same(lineage.fresh().restore(manifest.digest, lineage.graph), tensors)


def test_versions_are_saved_rolled_back_and_found_whole(bucket: str, home: Path) -> None:
    with ModelManager(home) as manager:
        for shift in (0.0, 1e-4, 2e-4):
            manager.save_version(weights(shift), name="net")
        manager.rollback(1, model="net")

    with ModelManager(home) as manager:
        assert equal(manager.load_arrays("net@main"), weights())
        assert equal(manager.load_arrays("net@3"), weights(2e-4))
        assert list(manager.fsck()) == []
    assert not (home / "objects").exists()


def test_a_home_whose_objects_moved_into_a_bucket_is_the_same_home(
    home: Path, s3: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ModelManager(home) as manager:
        manager.save_version(weights(), name="net")
        manager.save_version(weights(1e-4), name="net")
        before = manager.verify()
    move(FolderStore(home / "objects" / "main"), s3)
    shutil.rmtree(home / "objects")
    monkeypatch.setenv("LEPTON_OBJECTS", s3)

    with ModelManager(home) as manager:
        assert equal(manager.load_arrays("net@1"), weights())
        assert equal(manager.load_arrays("net@2"), weights(1e-4))
        assert manager.verify() == before
        manager.save_version(weights(2e-4), name="net")
        assert list(manager.fsck()) == []


def move(folder: FolderStore, url: str) -> None:
    bucket = objects_at(url, "main", wait=30)
    for key in folder.list(""):
        bucket.put(key, [folder.get(key)])


def test_fsck_names_what_is_damaged_in_a_bucket_and_tells_it_from_a_bucket_that_is_away(
    home: Path, s3: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    lepton = Cli(home, LEPTON_OBJECTS=s3)
    monkeypatch.setenv("LEPTON_OBJECTS", s3)
    with ModelManager(home) as manager:
        manager.save_version(weights(), name="net")
    assert lepton("fsck").code == 0

    objects = objects_at(s3, "main", wait=30)
    (key,) = objects.list("packs/")
    whole = objects.get(key)
    objects.delete(key)
    missing = lepton("fsck --objects")
    objects.put(key, [whole[:5000], bytes([whole[5000] ^ 1]), whole[5001:]])
    flipped = lepton("fsck --objects")
    away = lepton("fsck --objects", LEPTON_OBJECTS="s3://nobody-made-it", LEPTON_WAIT="2")

    assert (missing.code, flipped.code, away.code) == (5, 5, 3)
    for answer in (missing, flipped):
        assert key in answer.out + answer.err


def test_a_save_into_a_dead_bucket_is_unavailable_and_records_nothing(
    home: Path, s3: str, s3_server: S3, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEPTON_OBJECTS", s3)
    with ModelManager(home, strict=True) as manager:
        manager.save_version(weights(), name="net")
        monkeypatch.setenv("LEPTON_WAIT", "3")
        s3_server.pause()
        try:
            with ModelManager(home, strict=True) as away, pytest.raises(Unavailable):
                away.save_version(weights(1e-4), name="net")
        finally:
            s3_server.resume()

        assert [int(entry.version) for entry in manager.log(model="net")] == [1]
        assert int(manager.save_version(weights(1e-4), name="net")) == 2
