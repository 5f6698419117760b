"""The file of the read model: who may hold it, and what it survives."""

from __future__ import annotations

import logging
import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from lepton_ai.errors import Damaged, NewerLedger, Refused, Unavailable
from lepton_ai.events.log import Row
from lepton_ai.events.merkle import leaf_hash
from lepton_ai.events.model import ModelRegistered, TagCreated, VersionAnnotated
from lepton_ai.events.run import MetricsLogged, RunStarted
from lepton_ai.events.sql.lock import FileLock
from lepton_ai.events.upcast import UPCASTERS, Upcaster
from lepton_ai.projections.check import compare
from lepton_ai.projections.export import snapshot
from lepton_ai.projections.projector import Projection
from lepton_ai.projections.queries.query import query
from lepton_ai.projections.translation import of_file

from .past import START, Past, committed


def small_past(notes: int = 3) -> Past:
    past = Past()
    past.add("model/credit", ModelRegistered(model="credit"), committed(1))
    past.add("model/credit", *(VersionAnnotated(version=1, annotations={f"n{i % 50}": i}) for i in range(notes)))
    return past


def versions(held: Projection) -> list[int]:
    return query(held, "SELECT version FROM versions ORDER BY 1")["version"].to_pylist()


def changed(row: Row, old: bytes, new: bytes) -> Row:
    raw = row.envelope.replace(old, new)
    assert raw != row.envelope
    return Row(row.seq, leaf_hash(raw), raw)


# Who may hold it


def test_a_second_holder_is_told_who_holds_it(tmp_path: Path) -> None:
    with (
        Projection(tmp_path, small_past(), wait=0),
        pytest.raises(Unavailable, match=f"held by process {os.getpid()}; "),
    ):
        Projection(tmp_path, small_past(), wait=0.05)
    Projection(tmp_path, small_past(), wait=0).close()


def test_a_second_holder_waits_for_the_first(tmp_path: Path) -> None:
    first = Projection(tmp_path, small_past(), wait=0)
    threading.Timer(0.1, first.close).start()
    with Projection(tmp_path, small_past(), wait=30) as second:
        assert second.catch_up() == 5


def test_a_lock_dies_with_its_holder(tmp_path: Path) -> None:
    code = (
        "import os, signal, sys; from pathlib import Path; from lepton_ai.events.sql.lock import FileLock\n"
        "lock = FileLock(Path(sys.argv[1]), 'it', 0); os.kill(os.getpid(), signal.SIGKILL)"
    )
    assert subprocess.run([sys.executable, "-c", code, str(tmp_path / "lock")], check=False).returncode == -9
    FileLock(tmp_path / "lock", "it", 0).release()


def test_a_forked_child_does_not_keep_the_lock(tmp_path: Path) -> None:
    code = (
        "import os, sys; from pathlib import Path; from lepton_ai.events.sql.lock import FileLock\n"
        "lock = FileLock(Path(sys.argv[1]), 'it', 0)\n"
        "if os.fork() == 0: os.close(1); sys.stdin.read(); os._exit(0)\n"
        "lock.release(); FileLock(Path(sys.argv[1]), 'it', 20); print('free')"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "lock")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "free\n"
    child.communicate("")


def test_threads_query_while_the_file_is_rebuilt(tmp_path: Path) -> None:
    with Projection(tmp_path, small_past(), wait=0) as held:
        held.catch_up()
        answers: list[list[int]] = []
        readers = [threading.Thread(target=lambda: answers.extend(versions(held) for _ in range(8))) for _ in range(3)]
        for reader in readers:
            reader.start()
        held.rebuild()
        for reader in readers:
            reader.join()
        assert answers == [[1]] * 24


def test_a_wait_for_an_event_has_a_deadline(tmp_path: Path) -> None:
    past = small_past()
    with Projection(tmp_path, past, wait=0) as held:
        with pytest.raises(Unavailable, match=r"event 6 did not reach the read model within 0.03 s"):
            held.catch_up(wait_for=6, deadline=0.03)
        threading.Timer(0.05, lambda: past.add("model/credit", TagCreated(tag="v1", version=1))).start()
        assert held.catch_up(wait_for=6, deadline=30) == 6


# What it refuses to take for a fact


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (
            lambda row: Row(row.seq, row.leaf, row.envelope.replace(b'"n1"', b'"n2"')),
            r"event 4 is damaged: expected sha256:",
        ),
        (lambda row: Row(row.seq + 1, row.leaf, row.envelope), r"event 4 is damaged: expected present, found a gap"),
        (
            lambda row: changed(row, b"/lepton/0190-past", b"/lepton/another"),
            r"event 4 .* found source /lepton/another",
        ),
        (
            lambda row: changed(row, b'"sequence":"00000000000000000004"', b'"sequence":"00000000000000000009"'),
            "event 4",
        ),
        (lambda row: changed(row, b'"version":1', b'"version":"one"'), r"event 4 is damaged"),
        (lambda row: changed(row, b'{"specversion"', b'["specversion"'), r"event 4 is damaged"),
        (lambda row: changed(row, b'"n1"', b'"\xff"'), r"event 4 is damaged"),
    ],
)
def test_damage_is_named_and_nothing_of_its_batch_is_applied(
    tmp_path: Path, spoil: Callable[[Row], Row], says: str
) -> None:
    past = small_past()
    past.rows[3] = spoil(past.rows[3])
    with Projection(tmp_path, past, wait=0) as held:
        held.apply(past.rows[:2])
        with pytest.raises(Damaged, match=says):
            held.catch_up()
        assert held.position == 2
        assert query(held, "FROM annotations").num_rows == 0


def test_an_unknown_type_asks_for_a_newer_lepton(tmp_path: Path) -> None:
    past = small_past()
    past.rows[4] = changed(past.rows[4], b"lepton.version.annotated.v1", b"lepton.version.praised.v7")
    with Projection(tmp_path, past, wait=0) as held:
        with pytest.raises(NewerLedger, match=r"lepton.version.praised.v7.*update the package"):
            held.catch_up()
        assert held.position == 0


def test_old_types_are_brought_up_and_shown_as_stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    past = small_past()
    stored = b'lepton.tag.bound.v1","dataschema":"tag:lepton-ai,2026:lepton.tag.bound.v1'
    past.add("model/credit", TagCreated(tag="v1", version=1))
    current = b'lepton.tag.created.v1","dataschema":"tag:lepton-ai,2026:lepton.tag.created.v1'
    past.rows[5] = changed(changed(past.rows[5], current, stored), b'"tag":"v1"', b'"name":"v1"')
    step = Upcaster("lepton.tag.created.v1", lambda data, _: {"tag": data["name"], "version": data["version"]})
    monkeypatch.setitem(UPCASTERS, "lepton.tag.bound.v1", step)
    with Projection(tmp_path, past, wait=0) as held:
        held.catch_up()
        assert query(held, "SELECT tag FROM tags")["tag"].to_pylist() == ["v1"]
        assert query(held, "SELECT type, data ->> 'name' AS name FROM events WHERE seq = 6").to_pylist() == [
            {"type": "lepton.tag.bound.v1", "name": "v1"}
        ]


def test_a_batch_of_more_points_than_a_row_group_is_seen_at_once(tmp_path: Path) -> None:
    past = small_past()
    past.add("run/r1", RunStarted(run="r1", model="credit"))
    points = MetricsLogged(names=("f1",) * 1000, steps=tuple(range(1000)), values=(0.5,) * 1000, times=(START,) * 1000)
    past.add("run/r1", *(points for _ in range(260)))
    count = "SELECT count(*) AS n, sum(value) AS total FROM metrics WHERE name = 'f1'"
    with Projection(tmp_path, past, wait=0) as held:
        held.catch_up()
        assert query(held, count).to_pylist() == [{"n": 260_000, "total": 130_000.0}]
        held.rebuild()
        assert query(held, count).to_pylist() == [{"n": 260_000, "total": 130_000.0}]
        assert not list(compare(held, past))


# What it is built anew for


@pytest.mark.parametrize("kind", ["cut", "zeros", "text", "middle", "empty"])
def test_a_damaged_file_is_built_anew_with_a_log_line(
    tmp_path: Path, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    past = small_past(3000)
    with Projection(tmp_path, past, wait=0) as held:
        held.catch_up()
        path = held.path
    good = path.read_bytes()
    middle = good[:4096] + b"\xa5" * (len(good) - 4096)
    path.write_bytes(
        {"cut": good[: len(good) // 3], "zeros": bytes(len(good)), "text": b"hello", "middle": middle, "empty": b""}[
            kind
        ]
    )
    with caplog.at_level(logging.WARNING), Projection(tmp_path, past, wait=0) as held:
        held.catch_up()
        assert query(held, "FROM annotations").num_rows == 50
        assert not list(compare(held, past))
    assert kind == "empty" or "built anew" in caplog.text


def test_a_file_of_another_history_is_built_anew(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with Projection(tmp_path, small_past(5), wait=0) as held:
        held.catch_up()
    for other in (small_past(1), Past("another"), small_past(5)):
        other.add("model/credit" if other.rows else "model/x", ModelRegistered(model="x"))
        other.rows = other.rows[: max(1, other.end())]
        with Projection(tmp_path, other, wait=0) as held:
            assert held.catch_up() == other.end()
            assert not list(compare(held, other))
    assert "built anew" in caplog.text


def test_other_sql_gets_another_file_and_the_old_one_goes(tmp_path: Path) -> None:
    old = tmp_path / "main-0123456789ab.duckdb"
    duckdb.connect(old).close()
    keep = [tmp_path / "other-0123456789ab.duckdb", tmp_path / "main-notes.txt"]
    for path in keep:
        path.touch()
    with Projection(tmp_path, small_past(), wait=0) as held:
        assert old.exists()
        held.catch_up()
        assert not old.exists()
        assert all(path.exists() for path in keep)


def test_compare_names_table_and_first_event_that_differ(tmp_path: Path) -> None:
    past = small_past(40)
    with Projection(tmp_path, past, wait=0) as held:
        held.catch_up()
    with duckdb.connect(held.path) as stranger:
        stranger.execute("UPDATE store.annotations SET value = 'forged' WHERE seq IN (17, 30)")
        stranger.execute("DELETE FROM store.versions")
    with Projection(tmp_path, past, wait=0) as held:
        assert list(compare(held, past)) == [
            "table annotations differs from a rebuild first at event 17; run `lepton rebuild`",
            "table versions differs from a rebuild first at event 2; run `lepton rebuild`",
        ]
        held.rebuild()
        assert not list(compare(held, past))


# What it survives

KILLED = """
import pickle, sys
from pathlib import Path
from lepton_ai.events.log import Row
from lepton_ai.projections.projector import Projection

class Log:
    ledger_id = "0190-past"
    rows = [Row(*row) for row in pickle.loads(Path(sys.argv[2]).read_bytes())]
    def end(self): return len(self.rows)
    def read(self, after, limit): return self.rows[after : after + limit]

held = Projection(Path(sys.argv[1]), Log(), wait=0)
print("open", flush=True)
if sys.argv[3] == "rebuild":
    held.rebuild()
else:
    for start in range(0, len(Log.rows), 300):
        held.apply(Log.rows[start : start + 300])
print("done", flush=True)
"""


@pytest.mark.parametrize("act", ["catch_up", "rebuild"])
def test_a_process_killed_at_any_time_leaves_a_usable_file(tmp_path: Path, act: str) -> None:
    past = small_past(6000)
    rows, view = tmp_path / "rows", tmp_path / "view"
    rows.write_bytes(pickle.dumps([tuple(row) for row in past.rows]))
    if act == "rebuild":
        with Projection(view, past, wait=0) as held:
            held.catch_up()
    killed = 0
    for milliseconds in (5, 40, 90, 160, 250):
        child = subprocess.Popen(
            [sys.executable, "-c", KILLED, str(view), str(rows), act], stdout=subprocess.PIPE, text=True
        )
        assert child.stdout is not None
        assert child.stdout.readline() == "open\n"
        try:
            child.wait(milliseconds / 1000)
        except subprocess.TimeoutExpired:
            child.kill()
            killed += 1
        child.communicate()
        with Projection(view, past, wait=0) as held:
            assert act == "catch_up" or held.position == past.end()
            held.catch_up()
            assert not list(compare(held, past))
            assert {path.suffix for path in view.iterdir()} <= {".duckdb", ".wal", ".lock"}
        if act == "catch_up":
            for path in view.iterdir():
                path.unlink()
    assert killed


@pytest.mark.parametrize("reason", ["No space left on device", "File too large", "Disk quota exceeded"])
def test_a_full_disk_is_no_damage(reason: str) -> None:
    assert isinstance(of_file(duckdb.IOException(f'Could not write file "x": {reason}')), Unavailable)


def test_a_snapshot_is_a_whole_file_of_its_own_and_overwrites_nothing(tmp_path: Path) -> None:
    past = small_past()
    with Projection(tmp_path / "view", past, wait=0) as held:
        held.catch_up()
        (tmp_path / "copy.duckdb.part").write_text("somebody's")
        snapshot(held, tmp_path / "copy.duckdb")
        with pytest.raises(Refused, match=r"copy.duckdb exists"):
            snapshot(held, tmp_path / "copy.duckdb")
        with pytest.raises(Unavailable, match="No such file"):
            snapshot(held, tmp_path / "nowhere" / "copy.duckdb")
        assert versions(held) == [1]
        with duckdb.connect(tmp_path / "copy.duckdb", read_only=True) as copy:
            assert copy.execute("SELECT version FROM versions").fetchall() == [(1,)]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copy.duckdb", "copy.duckdb.part", "view"]
    assert (tmp_path / "copy.duckdb.part").read_text() == "somebody's"
