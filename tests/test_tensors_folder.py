"""The folder of objects: whole or not there, once and never again, and told apart from a disk that is away."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lepton_ai.errors import Damaged, Malformed, Refused, Unavailable
from lepton_ai.tensors.folder import FolderStore


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "objects")


def test_what_was_put_is_got_whole_and_in_part(store: FolderStore) -> None:
    assert store.put("packs/ab/x", iter([b"hello ", b"world"])) == 11

    assert store.get("packs/ab/x") == b"hello world"
    assert store.get("packs/ab/x", 6) == b"world"
    assert store.get("packs/ab/x", 4, 3) == b"o w"
    assert store.size("packs/ab/x") == 11


def test_keys_are_listed_in_order_by_prefix(store: FolderStore) -> None:
    for key in ("b/2", "a", "b/10", "c/b/1"):
        store.put(key, [b""])

    assert list(store.list("")) == ["a", "b/10", "b/2", "c/b/1"]
    assert list(store.list("b/")) == ["b/10", "b/2"]


def test_a_key_is_used_once(store: FolderStore) -> None:
    store.put("x", [b"first"])

    with pytest.raises(Refused, match="x stands already"):
        store.put("x", [b"second"])
    assert store.get("x") == b"first"
    assert store.leftovers() == []


def test_a_deleted_object_is_missing_and_deleting_twice_is_nothing_new(store: FolderStore) -> None:
    store.put("x", [b"1"])
    store.delete("x")
    store.delete("x")

    with pytest.raises(Damaged, match="pack x is damaged: expected present, found missing"):
        store.get("x")
    with pytest.raises(Damaged, match="missing"):
        store.size("x")


def test_an_object_that_ends_too_early_is_damaged(store: FolderStore) -> None:
    store.put("x", [b"12345"])

    for offset, length in ((3, 3), (9, 1), (0, 2**60)):
        with pytest.raises(Damaged, match=f"expected {length} bytes"):
            store.get("x", offset, length)


@pytest.mark.parametrize("key", ["", "/x", "x/", "../x", "a/../b", ".hidden", "a//b", "a b", "ä", "x" * 2000, "a\n"])
def test_a_key_that_could_leave_the_folder_or_hide_in_it_is_malformed(store: FolderStore, key: str) -> None:
    for call in (lambda: store.put(key, []), lambda: store.get(key), lambda: store.delete(key)):
        with pytest.raises(Malformed):
            call()


def test_pieces_that_fail_leave_nothing(store: FolderStore) -> None:
    def pieces() -> Iterator[bytes]:
        yield b"x" * 5_000_000
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.put("a/x", pieces())
    assert list(store.list("")) == []
    assert store.leftovers() == []


def test_a_folder_that_is_away_is_no_damage(store: FolderStore, tmp_path: Path) -> None:
    store.put("x", [b"1"])
    (tmp_path / "objects").rename(tmp_path / "elsewhere")

    for call in (lambda: store.get("x"), lambda: store.size("x"), lambda: list(store.list(""))):
        with pytest.raises(Unavailable):
            call()


def test_no_message_tells_the_path(store: FolderStore, tmp_path: Path) -> None:
    (tmp_path / "objects" / "packs").write_text("a file where a folder should be")

    with pytest.raises(Unavailable) as caught:
        store.put("packs/x", [b"1"])
    assert str(tmp_path) not in str(caught.value)


KILLED = """
import sys, time
from lepton_ai.tensors.folder import FolderStore
def pieces():
    yield b"x" * 3_000_000
    print("half", flush=True)
    sys.stdin.read()
FolderStore(sys.argv[1]).put("packs/x", pieces())
"""


def test_a_writer_killed_in_the_middle_leaves_no_object_and_a_leftover_told_apart(tmp_path: Path) -> None:
    command = (sys.executable, "-c", KILLED, str(tmp_path))
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"half\n"
        writer.send_signal(signal.SIGKILL)
        writer.wait()

    store = FolderStore(tmp_path)
    assert list(store.list("")) == []
    assert len(store.leftovers()) == 1
    store.put("packs/x", [b"whole"])
    assert store.get("packs/x") == b"whole"


FULL = """
import resource, signal, sys
from lepton_ai.errors import Unavailable
from lepton_ai.tensors.folder import FolderStore
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, 2_000_000))
store = FolderStore(sys.argv[1])
try:
    store.put("packs/x", (b"x" * 1_000_000 for _ in range(5)))
except Unavailable as error:
    print(error)
print(list(store.list("")), store.leftovers())
"""


def test_a_disk_that_fills_up_is_unavailable_and_leaves_nothing(tmp_path: Path) -> None:
    command = (sys.executable, "-c", FULL, str(tmp_path))
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout

    assert "make room, then try again" in told
    assert told.endswith("[] []\n")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written_is_unavailable(store: FolderStore, tmp_path: Path) -> None:
    (tmp_path / "objects").chmod(0o500)
    try:
        with pytest.raises(Unavailable, match="EACCES"):
            store.put("x", [b"1"])
    finally:
        (tmp_path / "objects").chmod(0o700)
