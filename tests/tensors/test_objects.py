"""What every store of objects holds to: whole or not there, once and never again, in a folder and in buckets."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lepton_ai.errors import Damaged, Malformed, Refused
from lepton_ai.tensors.address import objects_at
from lepton_ai.tensors.cloud import PART, CloudStore
from lepton_ai.tensors.folder import FolderStore

LARGE = 2 * PART + 4321


@pytest.fixture(params=["folder", "s3", "azure"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> FolderStore | CloudStore:
    url = (tmp_path / "objects").as_uri() if request.param == "folder" else request.getfixturevalue(request.param)
    store = objects_at(url, "main", wait=30)
    assert isinstance(store, FolderStore | CloudStore)
    return store


def test_what_was_put_is_got_whole_and_in_part(store: FolderStore) -> None:
    assert store.put("packs/ab/x", iter([b"hello ", b"world"])) == 11

    assert store.get("packs/ab/x") == b"hello world"
    assert store.get("packs/ab/x", 6) == b"world"
    assert store.get("packs/ab/x", 4, 3) == b"o w"
    assert store.get("packs/ab/x", 4, 0) == b""
    assert store.size("packs/ab/x") == 11


def test_an_object_may_be_empty(store: FolderStore) -> None:
    assert store.put("x", []) == 0

    assert (store.get("x"), store.size("x"), list(store.list(""))) == (b"", 0, ["x"])


def test_a_large_object_comes_back_whole_and_across_the_borders_of_its_parts(store: FolderStore) -> None:
    pieces = [bytes([number % 251]) * 70_001 for number in range(LARGE // 70_001 + 1)]
    whole = b"".join(pieces)

    assert store.put("packs/x", iter(pieces)) == len(whole) == store.size("packs/x")

    assert store.get("packs/x") == whole
    assert store.get("packs/x", PART - 5, PART + 10) == whole[PART - 5 : 2 * PART + 5]
    assert list(store.list("")) == ["packs/x"]
    assert store.leftovers() == []


def test_keys_are_listed_in_order_by_prefix(store: FolderStore) -> None:
    for key in ("b/2", "a", "b/10", "c/b/1", "bc"):
        store.put(key, [b""])

    assert list(store.list("")) == ["a", "b/10", "b/2", "bc", "c/b/1"]
    assert list(store.list("b/")) == ["b/10", "b/2"]
    assert list(store.list("b")) == ["b/10", "b/2", "bc"]
    assert list(store.list("b/1")) == ["b/10"]


@pytest.mark.parametrize("second", [6, LARGE])
@pytest.mark.parametrize("first", [5, LARGE])
def test_a_key_is_used_once(store: FolderStore, first: int, second: int) -> None:
    store.put("x", [b"1" * first])

    with pytest.raises(Refused, match="x stands already"):
        store.put("x", [b"2" * second])
    assert store.size("x") == first
    assert store.get("x", 0, 5) == b"11111"
    assert store.leftovers() == []


@pytest.mark.parametrize("size", [5, LARGE])
def test_of_two_who_write_one_key_at_once_one_wins_and_the_other_is_refused(store: FolderStore, size: int) -> None:
    refused: list[Refused] = []

    def write(data: bytes) -> None:
        try:
            store.put("x", [data])
        except Refused as error:
            refused.append(error)

    def pieces() -> Iterator[bytes]:
        yield b"1" * size
        write(b"2" * size)

    try:
        store.put("x", pieces())
    except Refused as error:
        refused.append(error)

    assert len(refused) == 1
    assert store.get("x") in (b"1" * size, b"2" * size)
    assert store.leftovers() == []


def test_pieces_may_be_read_from_the_same_store(store: FolderStore) -> None:
    store.put("base", [b"1" * LARGE])

    store.put("copy", (store.get("base", offset, min(PART, LARGE - offset)) for offset in range(0, LARGE, PART)))

    assert store.get("copy") == store.get("base")


def test_a_deleted_object_is_missing_and_deleting_twice_is_nothing_new(store: FolderStore) -> None:
    store.put("x", [b"1"])
    store.delete("x")
    store.delete("x")

    with pytest.raises(Damaged, match="pack x is damaged: expected present, found missing"):
        store.get("x")
    with pytest.raises(Damaged, match="missing"):
        store.get("x", 0, 0)
    with pytest.raises(Damaged, match="missing"):
        store.size("x")


def test_an_object_that_ends_too_early_is_damaged(store: FolderStore) -> None:
    store.put("x", [b"12345"])

    for offset, length in ((3, 3), (5, 1), (9, 1), (0, 2**60)):
        with pytest.raises(Damaged, match=f"expected {length} bytes"):
            store.get("x", offset, length)


@pytest.mark.parametrize("key", ["", "/x", "x/", "../x", "a/../b", ".hidden", "a//b", "a b", "ä", "x" * 2000, "a\n"])
def test_a_key_that_could_leave_the_folder_or_hide_in_it_is_malformed(store: FolderStore, key: str) -> None:
    for call in (lambda: store.put(key, []), lambda: store.get(key), lambda: store.delete(key)):
        with pytest.raises(Malformed):
            call()


@pytest.mark.parametrize("raised", [KeyboardInterrupt, Damaged("pack y", expected="1", found="2")])
@pytest.mark.parametrize("size", [5, LARGE])
def test_pieces_that_fail_leave_nothing_and_their_error_comes_out(
    store: FolderStore, size: int, raised: KeyboardInterrupt | Damaged
) -> None:
    def pieces() -> Iterator[bytes]:
        yield b"x" * size
        raise raised

    with pytest.raises((KeyboardInterrupt, Damaged)):
        store.put("a/x", pieces())
    assert list(store.list("")) == []
    assert store.leftovers() == []


def test_two_ledgers_of_one_place_see_nothing_of_each_other(s3: str, azure: str, tmp_path: Path) -> None:
    for url in (s3, azure, tmp_path.as_uri()):
        ours, theirs = (objects_at(url, ledger, wait=30) for ledger in ("main", "main2"))
        ours.put("x", [b"1"])

        assert list(theirs.list("")) == []
        theirs.put("x", [b"2"])
        assert ours.get("x") == b"1"
