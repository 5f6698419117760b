"""A folder of objects, beyond what every store holds to: a disk that is away, full or closed, a writer killed."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from lepton_ai.errors import Damaged, Refused, Unavailable
from lepton_ai.events.sql.sqlite import SQLite
from lepton_ai.tensors.folder import FolderStore


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "objects")


def test_a_folder_that_is_away_is_no_damage(store: FolderStore, tmp_path: Path) -> None:
    store.put("x", [b"1"])
    (tmp_path / "objects").rename(tmp_path / "elsewhere")

    calls = (
        lambda: store.get("x"),
        lambda: store.size("x"),
        lambda: list(store.list("")),
        lambda: store.put("y", [b"2"]),
    )
    for call in calls:
        with pytest.raises(Unavailable):
            call()
    assert not (tmp_path / "objects").exists()


def test_no_message_tells_the_path(store: FolderStore, tmp_path: Path) -> None:
    (tmp_path / "objects").mkdir()
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
from lepton_ai.errors import Damaged, Refused, Unavailable
from lepton_ai.events.sql.sqlite import SQLite
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


def test_a_folder_that_may_not_be_written_is_unavailable() -> None:
    root = os.geteuid() == 0  # who may write anywhere
    with TemporaryDirectory(dir="/tmp") as made:
        folder = Path(made)
        store = FolderStore(folder)
        folder.chmod(0o555)
        try:
            if root:
                os.seteuid(65534)
            with pytest.raises(Unavailable, match="EACCES"):
                store.put("x", [b"1"])
        finally:
            if root:
                os.seteuid(0)
            folder.chmod(0o700)


@pytest.mark.parametrize("what", ["pipe", "socket", "folder", "device", "link to a pipe", "link to itself"])
def test_what_is_no_file_in_the_place_of_a_pack_is_damage_and_is_not_waited_for(tmp_path: Path, what: str) -> None:
    store = FolderStore(tmp_path)
    place = tmp_path / "packs" / "ab"
    place.parent.mkdir()
    match what:
        case "pipe":
            os.mkfifo(place)
        case "socket":
            with socket.socket(socket.AF_UNIX) as bound:
                bound.bind(str(place))
        case "folder":
            place.mkdir()
        case "device":
            place.symlink_to("/dev/zero")
        case "link to a pipe":
            os.mkfifo(tmp_path / "pipe")
            place.symlink_to(tmp_path / "pipe")
        case _:
            place.symlink_to(place)
    for read in (lambda: store.get("packs/ab"), lambda: store.get("packs/ab", 0, 4), lambda: store.size("packs/ab")):
        with pytest.raises(Damaged, match="pack packs/ab is damaged: expected a file"):
            read()


@pytest.mark.parametrize("part", ["", "-wal", "-shm"])
def test_what_is_no_file_in_the_place_of_the_database_is_refused_and_not_waited_for(tmp_path: Path, part: str) -> None:
    os.mkfifo(tmp_path / f"main.db{part}")
    with pytest.raises(Refused, match="is no file"):
        SQLite(f"sqlite:///{tmp_path / 'main.db'}", "main", wait=1.0).connect()
