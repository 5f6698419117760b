"""A damaged read model is built anew by itself and told once; nobody is blamed for it, and nothing waits for ever."""

from __future__ import annotations

import logging
import os
import random
import shutil
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest

from lepton_ai.errors import Damaged, LeptonError, Malformed, Refused, Unavailable
from lepton_ai.events.model import ModelRegistered
from lepton_ai.projections.check import compare
from lepton_ai.projections.projector import Projection
from lepton_ai.projections.queries.client import Here, Question
from lepton_ai.projections.queries.query import query
from lepton_ai.projections.translation import is_of_file, kinds, of_file, of_query

from ..asking import PATIENCE
from .past import Past
from .test_storage import small_past, versions

COUNTS = "SELECT (SELECT count(*) FROM annotations) AS notes, (SELECT count(*) FROM events) AS events"


def all_errors(kind: type[Exception] = duckdb.Error) -> Iterator[type[Exception]]:
    yield kind
    for each in kind.__subclasses__():
        yield from all_errors(each)


@contextmanager
def in_time(seconds: int) -> Iterator[None]:
    """End the test where something waits for ever."""

    def late(*_: object) -> None:
        raise AssertionError(f"it did not end within {seconds} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def built(folder: Path, past: Past) -> Path:
    with Projection(folder, past, wait=0) as held:
        held.catch_up()
        return held.path


def test_every_class_of_duckdb_error_is_thought_about_and_is_one_sentence() -> None:
    assert {kind.__name__ for kind in all_errors()} == set(kinds())
    for kind in all_errors():
        error = kind("Some Error: it is so\nLINE 1: SELECT 1\n  /srv/secret/path")
        for ours in (of_file(error), of_query(error, "SELECT 1", 3.0)):
            assert isinstance(ours, LeptonError)
            assert "\n" not in str(ours)
            assert "/srv" not in str(ours)
    assert isinstance(of_query(duckdb.BinderException("no such column"), "", 1), Malformed)
    assert isinstance(of_query(duckdb.InterruptException("INTERRUPT"), "", 1), Refused)
    assert isinstance(of_query(duckdb.OutOfMemoryException("Out of Memory"), "", 1), Refused)
    assert is_of_file(of_query(duckdb.IOException("IO Error: Corrupt database file: computed checksum 1"), "", 1))
    assert is_of_file(of_query(duckdb.SerializationException("Serialization Error: Failed to deserialize"), "", 1))
    assert is_of_file(of_query(duckdb.FatalException("database has been invalidated because of an error"), "", 1))
    assert is_of_file(of_query(OSError("IO Error: checksum does not match"), "", 1))
    assert isinstance(of_query(duckdb.IOException("IO Error: No space left on device"), "", 1), Unavailable)
    assert isinstance(of_query(duckdb.ConversionException("Could not cast 'corrupt' to INT"), "", 1), Malformed)


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as bound:
        folder = os.open(path.parent, os.O_RDONLY)
        bound.bind(f"/proc/self/fd/{folder}/{path.name}")
        os.close(folder)


def _link_to_pipe(path: Path) -> None:
    os.mkfifo(path.with_name("pipe"))
    path.symlink_to("pipe")


PLACES: dict[str, Callable[[Path], object]] = {
    "text": lambda path: path.write_text("hello\n" * 1000),
    "empty": lambda path: path.touch(),
    "zeros": lambda path: path.write_bytes(bytes(1 << 20)),
    "folder": lambda path: (path.mkdir(), (path / "x").touch()),
    "pipe": _pipe,
    "socket": _socket,
    "link to nowhere": lambda path: path.symlink_to("nowhere"),
    "link to itself": lambda path: path.symlink_to(path.name),
    "link to a pipe": _link_to_pipe,
    "link to a device": lambda path: path.symlink_to("/dev/zero"),
    "another database": lambda path: duckdb.connect(path).execute("CREATE TABLE t AS SELECT 1").close(),
}


@pytest.mark.parametrize("wal", [False, True], ids=["file", "its log"])
@pytest.mark.parametrize("what", PLACES)
def test_whatever_stands_in_the_place_of_the_file_is_moved_aside_and_the_views_are_built(
    tmp_path: Path, what: str, wal: bool, caplog: pytest.LogCaptureFixture
) -> None:
    past = small_past(60)
    path = built(tmp_path, past)
    place = path.with_name(f"{path.name}.wal") if wal else path
    if not wal:
        path.unlink()
    PLACES[what](place)
    with in_time(300), caplog.at_level(logging.WARNING):
        asked = Here(lambda: Projection(tmp_path, past, wait=0), PATIENCE)
        assert asked.sql(Question(COUNTS), None).to_pylist() == [{"notes": 50, "events": past.end()}]
        with Projection(tmp_path, past, wait=0) as held:
            assert not list(compare(held, past))
            assert held.replaced is None
    assert what == "empty" or wal or "built anew" in caplog.text
    assert caplog.text.count("built anew") <= 1


def test_a_file_of_another_ledger_is_kept_under_its_name(tmp_path: Path) -> None:
    mine, other = small_past(5), Past("0190-other")
    other.add("model/x", ModelRegistered(model="x"))
    path = built(tmp_path, other)
    with Projection(tmp_path, mine, wait=0) as held:
        held.catch_up()
        assert held.replaced is not None
        assert versions(held) == [1]
    kept = path.with_name(f"{path.stem}.other-ledger-1.duckdb")
    with duckdb.connect(kept, read_only=True) as connection:
        assert connection.execute("SELECT model FROM models").fetchall() == [("x",)]


def test_damage_under_an_open_file_is_found_by_the_query_that_meets_it_and_mended(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    past = small_past(2500)
    path = built(tmp_path, past)
    size = path.stat().st_size
    with Projection(tmp_path, past, wait=0) as held, caplog.at_level(logging.WARNING):
        with path.open("r+b") as file:
            for place in range(1 << 17, size, 1 << 12):
                file.seek(place)
                file.write(b"\xa5" * 512)
        answer = held.mended(lambda: query(held, "SELECT count(*) AS n, max(id) AS i, max(data) AS d FROM events"))
        assert answer["n"].to_pylist() == [past.end()]
        assert held.replaced is not None
        assert not list(compare(held, past))
    assert caplog.text.count("built anew") == 1
    assert path.with_name(f"{path.name}.damaged").exists()


def test_a_view_that_is_gone_from_the_file_is_damage_and_no_fault_of_the_query(tmp_path: Path) -> None:
    past = small_past(5)
    path = built(tmp_path, past)
    renamed = "ALTER TABLE store.versions RENAME digest TO x"
    for statement in ("DROP VIEW versions", "DROP TABLE store.versions", renamed):
        with duckdb.connect(path) as stranger:
            stranger.execute(statement)
        with Projection(tmp_path, past, wait=0) as held, pytest.raises(Damaged, match="the read model is damaged"):
            query(held, "SELECT digest FROM versions")
        asked = Here(lambda: Projection(tmp_path, past, wait=0), PATIENCE)
        assert asked.sql(Question("SELECT version FROM versions"), None)["version"].to_pylist() == [1]
        with pytest.raises(Malformed, match="nowhere"):
            asked.sql(Question("SELECT * FROM nowhere"), None)


def test_damages_drawn_at_random_all_end_in_the_right_answer(tmp_path: Path) -> None:
    past, chance = small_past(300), random.Random(2026)
    good = built(tmp_path / "good", past)
    content = good.read_bytes()

    def flipped(raw: bytes) -> bytes:
        place = chance.randrange(len(raw))
        return raw[:place] + bytes([raw[place] ^ 1 << chance.randrange(8)]) + raw[place + 1 :]

    def overwritten(raw: bytes) -> bytes:
        place, size = chance.randrange(len(raw)), chance.choice([8, 512, 65536])
        part = chance.choice([bytes(size), chance.randbytes(size)])
        return (raw[:place] + part + raw[place + size :])[: len(raw)]

    def cut(raw: bytes) -> bytes:
        return raw[: chance.randrange(len(raw))]

    ways = (flipped, overwritten, cut, lambda raw: flipped(raw[:12288]) + raw[12288:])
    for n in range(int(os.environ.get("DAMAGES", "12"))):
        folder = tmp_path / "tried"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        (folder / good.name).write_bytes(ways[n % len(ways)](content))
        with in_time(300):
            asked = Here(lambda folder=folder: Projection(folder, past, wait=0), PATIENCE)
            assert asked.sql(Question(COUNTS), None).to_pylist() == [{"notes": 50, "events": past.end()}], n
