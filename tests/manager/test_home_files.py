"""Files of a home that are moved, replaced or removed while a process works on them: what is gone is told nothing."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from lepton_ai import ModelManager, Refused, Unavailable
from lepton_ai.events.sql import sqlite_file
from lepton_ai.events.sql.address import database_at
from lepton_ai.events.sql.lock import FileLock
from lepton_ai.events.sql.store import Store
from lepton_ai.tensors.folder import FolderStore
from lepton_ai.wiring import Home

from ..asking import commit
from ..faults.homes import disturb


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Where a home will be."""
    return tmp_path / "home"


@pytest.fixture
def manager(place: Path) -> Iterator[ModelManager]:
    """A ledger with two versions, whose process lives on; what is not taken in is raised."""
    with ModelManager(place, strict=True) as manager:
        for n in (1, 2):
            save(manager, n)
        yield manager


def save(manager: ModelManager, n: int) -> int:
    return int(manager.save_version({"w": np.full(3, n, np.float32)}, name="net"))


def versions(home: Path) -> list[int]:
    """The versions that a process opened just now finds, every event verified."""
    with ModelManager(home) as other:
        other.verify()
        return sorted(record.version for record in (other.show(f"net@{n}") for n in range(1, 1 + newest(other))))


def newest(manager: ModelManager) -> int:
    return int(manager.about("net").versions)


def backup(home: Path, to: Path) -> Path:
    """A backup as SQLite makes them: whole in one file."""
    source, target = sqlite3.connect(home / "main.db"), sqlite3.connect(to)
    source.backup(target)
    source.close()
    target.close()
    return to


WRITER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1])
connection.execute("CREATE TABLE another (a)")
print("written", flush=True)
sys.stdin.read()
"""
KILLED = """
import os, sys
from lepton_ai.settings import load
from lepton_ai.wiring import Home
work = Home(load(sys.argv[1])).workspace
os._exit(9)
"""
HOLDER = """
import sys
import numpy as np
from lepton_ai import ModelManager
manager = ModelManager(sys.argv[1], strict=True)
for n in (1, 2):
    print(int(manager.save_version({"w": np.full(3, n, np.float32)}, name="net")), flush=True)
    sys.stdin.readline()
"""
LOGS = {
    "the log": ("main.db-wal",),
    "its index": ("main.db-shm",),
    "both": ("main.db-wal", "main.db-shm"),
}


@pytest.mark.parametrize("removed", LOGS.values(), ids=LOGS)
def test_a_removed_log_loses_nothing(manager: ModelManager, place: Path, removed: tuple[str, ...]) -> None:
    for name in removed:
        (place / name).unlink()

    assert save(manager, 3) == 3
    assert versions(place) == [1, 2, 3]


@pytest.mark.parametrize("removed", LOGS.values(), ids=LOGS)
def test_nothing_is_opened_beside_a_process_whose_log_was_removed(
    place: Path, removed: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    command = (sys.executable, "-c", HOLDER, str(place))
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdin is not None
        assert other.stdout.readline() == "1\n"
        for name in removed:
            (place / name).unlink()
        monkeypatch.setenv("LEPTON_WAIT", "0.1")

        with (
            ModelManager(place, strict=True) as manager,
            pytest.raises(Unavailable, match=f"were removed while process {other.pid} is at work"),
        ):
            save(manager, 3)
        monkeypatch.delenv("LEPTON_WAIT")
        print(file=other.stdin, flush=True)

        assert other.stdout.readline() == "2\n"
        assert versions(place) == [1, 2]


def test_a_log_that_another_process_replaced_is_not_written_any_more(manager: ModelManager, place: Path) -> None:
    (place / "main.db-wal").unlink()
    (place / "main.db-shm").unlink()
    command = (sys.executable, "-c", WRITER, str(place / "main.db"))
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"written\n"

        for _ in range(2):
            with pytest.raises(Unavailable, match="start the process anew"):
                save(manager, 3)
        manager.close()
        assert (place / "main.db-wal").stat().st_size > 0
        other.communicate()


def test_a_home_that_was_moved_away_is_unavailable_until_it_is_back(manager: ModelManager, place: Path) -> None:
    away = place.rename(place.with_name("away"))

    with pytest.raises(Unavailable, match="is gone"):
        save(manager, 3)
    assert not place.exists()
    assert versions(away) == [1, 2]
    away.rename(place)
    assert save(manager, 3) == 3
    assert versions(place) == [1, 2, 3]


def test_no_home_is_made_for_the_spool_of_one_that_is_gone(place: Path) -> None:
    with ModelManager(place) as manager:
        save(manager, 1)
        shutil.rmtree(place)

        with pytest.raises(Unavailable, match="is gone"):
            save(manager, 2)
    assert not place.exists()


def test_a_save_is_spooled_while_the_database_is_away_and_goes_to_it_once_back(place: Path) -> None:
    with ModelManager(place) as manager:
        save(manager, 1)
        away = (place / "main.db").rename(place / "away.db")
        pending = manager.save_version({"w": np.full(3, 2, np.float32)}, name="net")
        away.rename(place / "main.db")

        assert manager.show(pending).version == 2
    assert versions(place) == [1, 2]


def test_a_copy_of_the_same_log_in_its_place_is_gone_on_with(
    manager: ModelManager, place: Path, tmp_path: Path
) -> None:
    copy = backup(place, tmp_path / "copy.db")
    old = (place / "main.db").rename(tmp_path / "old.db")
    copy.rename(place / "main.db")

    assert save(manager, 3) == 3
    assert versions(place) == [1, 2, 3]
    kept = database_at(f"sqlite:///{old}", "main", wait=1)
    assert Store(kept).last_row() == Store(kept).end() > 0
    assert Store(kept).newest_streams("model/", 9) == ["model/net"]
    kept.close()


def test_an_older_state_in_its_place_takes_nothing_of_this_process(
    manager: ModelManager, place: Path, tmp_path: Path
) -> None:
    older = backup(place, tmp_path / "older.db")
    save(manager, 3)
    newer = (place / "main.db").rename(tmp_path / "newer.db")
    older.rename(place / "main.db")

    for _ in range(2):
        with pytest.raises(Unavailable, match="an older state, which lacks event"):
            save(manager, 4)
    assert versions(place) == [1, 2]
    newer.replace(place / "main.db")
    assert save(manager, 4) == 4
    assert versions(place) == [1, 2, 3, 4]


def test_another_ledger_in_its_place_is_refused_and_gets_nothing(
    manager: ModelManager, place: Path, tmp_path: Path
) -> None:
    with ModelManager(tmp_path / "other") as other:
        save(other, 1)
        end = other.verify().size
    (tmp_path / "other" / "main.db").replace(place / "main.db")

    with pytest.raises(Refused, match="the file of another ledger"):
        save(manager, 3)
    with ModelManager(place) as fresh, pytest.raises(Refused, match="is the home of ledger"):
        save(fresh, 3)
    (place / "main.id").unlink()
    with ModelManager(place) as fresh:
        assert fresh.verify().size == end


@pytest.mark.parametrize("content", [b"", None], ids=["empty", "missing"])
@pytest.mark.parametrize("sign", ["main.id", "objects", "read"])
def test_an_empty_database_beside_what_is_another_ledgers_makes_no_new_one(
    manager: ModelManager, place: Path, sign: str, content: bytes | None
) -> None:
    manager.sql("SELECT 1")
    manager.close()
    for name in {"main.id", "objects", "read"} - {sign}:
        shutil.rmtree(place / name) if (place / name).is_dir() else (place / name).unlink()
    (place / "main.db").unlink()
    if content is not None:
        (place / "main.db").write_bytes(content)

    with ModelManager(place) as fresh, pytest.raises(Refused, match=r"holds no ledger, and .* is the home of"):
        save(fresh, 3)


def test_tables_of_something_else_are_left_alone(place: Path) -> None:
    place.mkdir()
    foreign = sqlite3.connect(place / "main.db")
    foreign.execute("CREATE TABLE songs (title)")
    foreign.close()

    with ModelManager(place) as manager, pytest.raises(Refused, match="tables of something else"):
        manager.save_version({"w": np.ones(1)}, name="net")
    with sqlite3.connect(place / "main.db") as foreign:
        assert foreign.execute("PRAGMA journal_mode").fetchone() == ("delete",)


def test_a_commit_into_a_file_that_was_replaced_meanwhile_is_made_again_in_the_right_one(
    place: Path, tmp_path: Path
) -> None:
    home = Home(ModelManager(place)._settings)
    work = home.workspace
    copy = backup(place, tmp_path / "copy.db")
    database, ada = home.database, work.actors.named("Ada")
    begun, swapped = database.begun, threading.Event()

    def swap(connection: object) -> None:
        begun(connection)
        if not swapped.is_set():
            swapped.set()
            (place / "main.db").rename(tmp_path / "old.db")
            copy.rename(place / "main.db")

    database.begun = swap
    receipt = work.ledger.admit(commit(1), ada, key="k")
    home.close()

    assert receipt.events
    other = Home(ModelManager(place)._settings)
    assert other.store.known("k") is not None
    other.close()


def test_a_commit_that_is_lost_with_its_file_tells_what_the_next_file_must_hold(
    manager: ModelManager, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    older = backup(place, tmp_path / "older.db")
    save(manager, 3)
    execute = sqlite_file._execute

    def replaced(connection: sqlite3.Connection, sql: str, *parameters: object) -> sqlite3.Cursor:
        done = execute(connection, sql, *parameters)
        if sql == "COMMIT" and older.exists():
            (place / "main.db").rename(tmp_path / "newer.db")
            older.rename(place / "main.db")
        return done

    monkeypatch.setattr(sqlite_file, "_execute", replaced)
    for _ in range(2):
        with pytest.raises(Unavailable, match="an older state, which lacks event"):
            save(manager, 4)

    assert versions(place) == [1, 2]


def test_the_log_of_another_ledger_is_not_read_into_a_database(place: Path, tmp_path: Path) -> None:
    for home in (place, tmp_path / "other"):
        command = (sys.executable, "-c", KILLED, str(home))
        assert subprocess.run(command, check=False, env=os.environ | {"PYTHONSAFEPATH": "1"}).returncode == 9
        assert (home / "main.db-wal").stat().st_size > 0
        with sqlite3.connect(home / "main.db") as connection:
            connection.execute("PRAGMA wal_checkpoint(FULL)")
            left = (home / "main.db-wal").read_bytes()
        connection.close()
        (home / "main.db-wal").write_bytes(left)
    (tmp_path / "other" / "main.db").replace(place / "main.db")

    with ModelManager(place, strict=True) as manager, pytest.raises(Refused, match="the write-ahead log of ledger"):
        save(manager, 3)


def test_nothing_acknowledged_is_lost_while_homes_are_disturbed(tmp_path: Path) -> None:
    disturb(tmp_path, 8, seed=7, say=print)


def test_a_lock_whose_file_was_removed_shuts_the_next_one_out_again(tmp_path: Path) -> None:
    first = FileLock(tmp_path / "lock", "it", 0)
    (tmp_path / "lock").unlink()

    second = FileLock(tmp_path / "lock", "it", 0)

    with pytest.raises(Unavailable, match="held no more"):
        first.check()
    second.check()
    with pytest.raises(Unavailable, match="is held by process"):
        FileLock(tmp_path / "lock", "it", 0)
    first.release()
    second.check()
    second.release()


def test_a_waiter_gets_the_lock_that_stands_at_the_path_not_the_removed_one(tmp_path: Path) -> None:
    held = FileLock(tmp_path / "lock", "it", 0)
    got: list[FileLock] = []
    waiting = threading.Thread(target=lambda: got.append(FileLock(tmp_path / "lock", "it", 30)))
    waiting.start()
    (tmp_path / "lock").unlink()
    waiting.join()

    assert got[0]._stands()
    for lock in (held, *got):
        lock.release()


def test_a_link_in_the_place_of_a_lock_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "target").write_text("mine")
    (tmp_path / "lock").symlink_to(tmp_path / "target")

    with pytest.raises(Refused, match="is a link"):
        FileLock(tmp_path / "lock", "it", 0)
    assert (tmp_path / "target").read_text() == "mine"


def test_a_replaced_object_folder_is_away_unless_it_holds_what_was_there(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "objects")
    store.put("packs/a", [b"1"])
    (tmp_path / "objects").rename(tmp_path / "away")
    (tmp_path / "objects").mkdir()

    with pytest.raises(Unavailable, match="lacks object packs/a"):
        store.put("packs/b", [b"2"])
    (tmp_path / "objects").rmdir()
    shutil.copytree(tmp_path / "away", tmp_path / "objects")
    store.put("packs/b", [b"2"])
    assert store.get("packs/a") == b"1"


def test_a_save_does_not_lean_on_objects_that_were_removed(manager: ModelManager, place: Path) -> None:
    shutil.rmtree(place / "objects")

    with pytest.raises(Unavailable, match="the object folder is away"):
        save(manager, 3)


def test_a_removed_spool_folder_is_made_again(place: Path) -> None:
    with ModelManager(place) as manager:
        save(manager, 1)
        away = (place / "main.db").rename(place / "away.db")
        for n in (2, 3):
            shutil.rmtree(place / "spool", ignore_errors=True)
            pending = manager.save_version({"w": np.full(3, n, np.float32)}, name="net")
        away.rename(place / "main.db")

        assert manager.show(pending).version == 2


REMOVED: dict[str, Callable[[Path], object]] = {
    "the file": lambda read: next(read.glob("*.duckdb")).unlink(),
    "its lock": lambda read: (read / "main.lock").unlink(),
    "the folder": shutil.rmtree,
}


@pytest.mark.parametrize("remove", REMOVED.values(), ids=REMOVED)
def test_a_projector_goes_on_where_its_files_were_removed(
    manager: ModelManager, place: Path, remove: Callable[[Path], object]
) -> None:
    home = Home(manager._settings)
    with home.projection() as projection:
        projection.catch_up()
        remove(place / "read")
        save(manager, 3)

        projection.catch_up()

        with projection.reading() as cursor:
            assert cursor.execute("SELECT count(*) FROM store.versions").fetchall() == [(3,)]
        assert next((place / "read").glob("*.duckdb")).stat().st_ino == projection.path.stat().st_ino
    home.close()


def test_a_read_model_of_another_ledger_is_moved_aside(manager: ModelManager, place: Path, tmp_path: Path) -> None:
    with ModelManager(tmp_path / "other") as other:
        other.save_version({"w": np.ones(1)}, name="net")
        other.sql("SELECT 1")
    (theirs,) = (tmp_path / "other" / "read").glob("*.duckdb")
    (place / "read").mkdir()
    content = theirs.read_bytes()
    shutil.copy(theirs, place / "read" / theirs.name)
    shutil.copy(theirs, place / "read" / "main-0123456789ab.duckdb")

    assert manager.sql("SELECT count(*) AS n FROM versions").to_pylist() == [{"n": 2}]

    assert [path.read_bytes() for path in (place / "read").glob("*other-ledger-1*")] == [content]
    assert (place / "read" / "main-0123456789ab.duckdb").read_bytes() == content


def test_a_ledger_of_before_there_was_such_a_file_gets_its_home_told_when_it_is_written(
    manager: ModelManager, place: Path
) -> None:
    manager.close()
    (place / "main.id").unlink()

    with ModelManager(place) as fresh:
        save(fresh, 3)
        assert (place / "main.id").read_text().strip() == fresh.verify().ledger
