"""What a store acknowledged counts once it is seen to be there, and is looked at again before it is relied on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lepton_ai import ModelManager
from lepton_ai.errors import Damaged, Unavailable
from lepton_ai.tensors.address import objects_at
from lepton_ai.tensors.cloud import PART
from lepton_ai.tensors.sent import SentObject

from ..buckets import S3
from ..faulty_s3 import Fault, FaultyS3

LARGE = 2 * PART + 4321


@pytest.fixture
def faulty(s3_server: S3, s3: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyS3]:
    """A way to S3 that does no harm yet."""
    proxy = FaultyS3(s3_server.port, lambda path, number: None)
    for name, value in s3_server.environment(proxy.port).items():
        monkeypatch.setenv(name, value)
    yield proxy
    proxy.close()


def once(fault: Fault) -> Callable[[str, int], Fault | None]:
    """The fault at the first PUT of a pack, or of a part of one."""
    left = [fault]
    return lambda path, number: left.pop() if left and ".lepton-claims" not in path else None


def weights(shift: float = 0.0) -> dict[str, np.ndarray]:
    fresh = np.random.default_rng(5)
    return {f"layer{n}": fresh.normal(size=(64, 64)).astype(np.float32) + np.float32(shift) for n in range(3)}


@pytest.mark.parametrize("size", [5, 100_000, LARGE])
@pytest.mark.parametrize("fault", ["drop", "halve", "flip"])
def test_what_was_acknowledged_but_did_not_arrive_whole_is_unavailable_and_leaves_nothing(
    faulty: FaultyS3, s3: str, fault: Fault, size: int
) -> None:
    store = objects_at(s3, "main", wait=30)
    faulty.fault = once(fault)

    with pytest.raises(Unavailable):
        store.put("packs/x", [b"0123456789" * (size // 10 + 1)])

    assert faulty.done == {fault: 1}
    assert list(store.list("")) == []
    assert store.put("packs/x", [b"again"]) == 5


@pytest.mark.parametrize("size", [5, LARGE])
@pytest.mark.parametrize("fault", ["error", "cut"])
def test_what_failed_and_said_so_is_sent_again(faulty: FaultyS3, s3: str, fault: Fault, size: int) -> None:
    store = objects_at(s3, "main", wait=30)
    faulty.fault = once(fault)

    store.put("packs/x", [b"x" * size])

    assert faulty.done == {fault: 1}
    assert store.get("packs/x") == b"x" * size


def test_every_request_that_brings_bytes_bears_a_checksum_that_s3_compares(faulty: FaultyS3, s3: str) -> None:
    store = objects_at(s3, "main", wait=30)

    store.put("small", [b"12345"])
    store.put("large", [b"x" * LARGE])

    assert len(faulty.headers) == 4
    assert all("x-amz-checksum-sha256" in headers for headers in faulty.headers)


def test_a_store_whose_etag_is_no_digest_is_read_back(azure: str) -> None:
    store = objects_at(azure, "main", wait=30)

    assert store.put("packs/x", [b"x" * LARGE]) == LARGE
    assert store.get("packs/x", LARGE - 3) == b"xxx"


@given(st.lists(st.binary(max_size=40)), st.integers(1, 16))
def test_the_etag_of_parts_does_not_depend_on_the_pieces(pieces: list[bytes], part: int) -> None:
    whole, cut = SentObject(part), SentObject(part)
    whole.add(b"".join(pieces))
    for _ in cut.passing(pieces):
        pass

    assert (whole.etag, whole.digest, whole.size) == (cut.etag, cut.digest, cut.size)


def test_a_save_that_did_not_arrive_is_spooled_and_delivered_whole(
    faulty: FaultyS3, s3: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEPTON_OBJECTS", s3)
    with ModelManager(home) as manager:
        manager.save_version(weights(), name="net")
        faulty.fault = once("drop")
        pending = manager.save_version(weights(1.0), name="net")
        manager.sync()

        assert faulty.done == {"drop": 1}
        assert str(pending)
        assert manager.load_arrays("net@2")["layer0"].tobytes() == weights(1.0)["layer0"].tobytes()
        assert manager.fsck() == []


def packs(home: Path) -> list[Path]:
    return sorted(path for path in (home / "objects" / "main" / "packs").rglob("*") if path.is_file())


@pytest.mark.parametrize("harm", ["gone", "empty", "halved", "another"])
def test_saving_the_same_again_stores_anew_what_was_lost(home: Path, harm: str) -> None:
    with ModelManager(home) as manager:
        manager.save_version(weights(), name="net")
    (pack,) = packs(home)
    whole = pack.read_bytes()
    pack.unlink()
    if harm != "gone":
        pack.write_bytes({"empty": b"", "halved": whole[: len(whole) // 2], "another": whole[::-1]}[harm])

    with ModelManager(home) as manager:
        with pytest.raises(Damaged):
            manager.load_arrays("net@1")
        again = manager.save_version(weights(), name="net")

        assert again == 1
        assert all(manager.load_arrays("net@1")[name].tobytes() == part.tobytes() for name, part in weights().items())


@pytest.mark.parametrize("lost", [0, 1, 2])
def test_a_version_in_the_middle_of_a_line_of_deltas_is_healed_by_saving_it_again(home: Path, lost: int) -> None:
    known: set[Path] = set()
    made: list[list[Path]] = []
    with ModelManager(home) as manager:
        for number in range(3):
            manager.save_version(weights(number * 1e-5), name="net")
            made.append([path for path in packs(home) if path not in known])
            known.update(packs(home))
    for path in made[lost]:
        path.unlink()

    with ModelManager(home) as manager:
        manager.branch("there", f"net@{lost + 1}")
        assert manager.save_version(weights(lost * 1e-5), name="net", branch="there") == lost + 1
        for number in range(3):
            found = manager.load_arrays(f"net@{number + 1}")
            assert all(found[name].tobytes() == part.tobytes() for name, part in weights(number * 1e-5).items())


def test_a_new_version_does_not_rest_on_a_pack_that_is_gone(home: Path) -> None:
    with ModelManager(home) as manager:
        manager.save_version(weights(), name="net")
    for path in packs(home):
        path.unlink()

    with ModelManager(home) as manager:
        second = manager.save_version(weights(1e-5) | {"more": np.ones(3, np.float32)}, name="net")

        assert second == 2
        assert manager.load_arrays("net@2")["layer0"].tobytes() == weights(1e-5)["layer0"].tobytes()


def test_a_keyframe_does_not_rest_on_a_pack_that_went_after_it_was_seen(home: Path) -> None:
    with ModelManager(home) as manager:
        manager.save_version(weights(), name="net")
        for path in packs(home):
            path.unlink()
        more = weights() | {"more": np.ones(3, np.float32)}

        assert manager.save_version(more, name="other") == 1
        assert all(manager.load_arrays("other@1")[name].tobytes() == part.tobytes() for name, part in more.items())
        assert manager.save_version(weights(), name="net") == 1
        assert manager.load_arrays("net@1")["layer0"].tobytes() == weights()["layer0"].tobytes()
