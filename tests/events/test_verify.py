"""Verification: whatever is altered in the database is found, and named."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lepton_ai.domain.commands import StartRun
from lepton_ai.errors import Damaged, LeptonError
from lepton_ai.events.actor import Actor
from lepton_ai.events.merkle import EMPTY_ROOT, Frontier, leaf_hash
from lepton_ai.events.sql.actors import Actors
from lepton_ai.events.sql.address import database_at
from lepton_ai.events.sql.audit import damages, verify
from lepton_ai.events.sql.creation import open_or_create
from lepton_ai.events.sql.store import Store
from lepton_ai.events.sql.tables import metadata
from lepton_ai.ledger import Ledger, Request

from ..asking import commit, note
from ..examples import examples

SIZE = 602


def fill(store: Store, actor: Actor) -> None:
    """600 events of three streams: two full tiles and a part of one."""
    ledger = Ledger(store)
    ledger.admit(commit(1, annotations={"a": 1}, tags=("v1",)), actor)
    ledger.admit(StartRun(run="r", model="credit"), actor)
    ledger.admit_all(Request(note(n), actor) for n in range(SIZE - 7))
    ledger.admit(commit(1, model="fraud"), actor)


@pytest.fixture
def full(store: Store, actor: Actor) -> Store:
    """A store with something to damage."""
    fill(store, actor)
    return store


def tamper(store: Store, statement: str, *values: Any) -> None:
    """Alter the database behind the ledger's back."""
    with store.database.connection() as connection:
        mark = store.database.mark
        connection.execute(statement.replace("?", mark), values)


def named(store: Store) -> list[str]:
    with pytest.raises(Damaged) as caught:
        verify(store)
    found = list(damages(store))
    assert str(found[0]) == str(caught.value)
    return [damage.thing for damage in found]


def column(store: Store, name: str, seq: int) -> Any:
    with store.database.connection() as connection:
        return connection.execute(f"SELECT {name} FROM events WHERE seq = {seq}").fetchone()[0]


def flipped(data: bytes, place: int) -> bytes:
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


def test_an_empty_log_is_whole(store: Store) -> None:
    assert verify(store)[:2] == (0, EMPTY_ROOT.hex())


def test_a_whole_log_is_whole_and_gives_its_root(full: Store) -> None:
    frontier, _ = Frontier().extended(leaf_hash(row.envelope) for row in full.read(0, SIZE))

    assert verify(full)[:2] == (SIZE, frontier.root().hex())
    assert list(damages(full)) == []


def test_a_log_that_grows_meanwhile_is_whole_up_to_where_it_stood(full: Store, actor: Actor) -> None:
    check = damages(full)
    Ledger(full).admit_all(Request(note(f"more {n}"), actor) for n in range(300))

    assert list(check) == []


@pytest.mark.parametrize("seq", [1, 300, SIZE])
@pytest.mark.parametrize("name", ["envelope", "leaf"])
def test_a_flipped_byte_in_an_event_names_it(full: Store, name: str, seq: int) -> None:
    for place in (0, 15, -1):
        whole = column(full, name, seq)
        tamper(full, f"UPDATE events SET {name} = ? WHERE seq = ?", flipped(whole, place % len(whole)), seq)
        assert f"event {seq}" in named(full)
        tamper(full, f"UPDATE events SET {name} = ? WHERE seq = ?", whole, seq)
    verify(full)


@pytest.mark.parametrize(
    ("change", "thing"),
    [
        ("stream = 'model/other'", "event 300, subject"),
        ("version = 5000", "event 300, streamversion"),
        ("type = 'lepton.tag.created.v1'", "event 300, type"),
        ("key = 'another'", "event 300, commandid"),
        ("digest = 'another'", "event 300, commanddigest"),
        ("span = 2", "event 301"),
        ("key = NULL", "event 300, commandid"),
        ("key = NULL, digest = NULL, span = NULL", "event 300, commandid"),
    ],
)
def test_an_altered_column_names_its_event(full: Store, change: str, thing: str) -> None:
    tamper(full, f"UPDATE events SET {change} WHERE seq = 300")

    assert thing in named(full)


def test_an_event_rewritten_with_its_leaf_is_found_by_the_tree(full: Store) -> None:
    forged = column(full, "envelope", 300).replace(b'"n":', b'"m":')
    tamper(full, "UPDATE events SET envelope = ?, leaf = ? WHERE seq = 300", forged, leaf_hash(forged))

    assert named(full) == ["the tree over events 257 to 512", "the tree over events 1 to 512"]


def test_the_last_event_rewritten_is_found_by_the_head(full: Store) -> None:
    forged = column(full, "envelope", SIZE).replace(b"fraud", b"fraus")
    tamper(full, "UPDATE events SET envelope = ?, leaf = ? WHERE seq = ?", forged, leaf_hash(forged), SIZE)

    assert "the tree over events 601 to 602" in named(full)


@pytest.mark.parametrize("seq", [1, 300, SIZE])
def test_a_deleted_row_is_named(full: Store, seq: int) -> None:
    tamper(full, "DELETE FROM events WHERE seq = ?", seq)

    assert f"event {seq}" in named(full)


def test_rows_that_changed_places_are_named(full: Store) -> None:
    for before, after in ((300, -1), (301, 300), (-1, 301)):
        tamper(full, "UPDATE events SET seq = ? WHERE seq = ?", after, before)

    names = named(full)
    assert "event 300, sequence" in names
    assert "event 301, sequence" in names


@pytest.mark.parametrize(
    ("statement", "thing"),
    [
        ("UPDATE tiles SET hash = (SELECT leaf FROM events WHERE seq = 1) WHERE place = 1", "events 257 to 512"),
        ("DELETE FROM tiles WHERE place = 0", "events 1 to 256"),
        ("INSERT INTO tiles SELECT 0, 2, leaf FROM events WHERE seq = 1", "events 513 to 768"),
        ("INSERT INTO tiles SELECT 1, 0, leaf FROM events WHERE seq = 1", "events 1 to 65536"),
        ("UPDATE head SET recorded_at = recorded_at + 1", "the head's time"),
        ("UPDATE head SET recorded_at = recorded_at - 1", "the head's time"),
        ("UPDATE head SET seq = seq - 1", "the head"),
        ("UPDATE head SET seq = seq - 2", "the head's frontier"),
        ("UPDATE head SET seq = seq + 1", "the head's frontier"),
        ("UPDATE head SET ledger = 'another'", "event 1, source"),
    ],
)
def test_a_tree_or_head_that_was_altered_is_named(full: Store, statement: str, thing: str) -> None:
    tamper(full, statement)

    assert any(name.endswith(thing) for name in named(Store(full.database)))


def test_a_frontier_that_was_altered_is_named_by_the_events_it_covers(full: Store) -> None:
    frontier = full.head().frontier.encode()
    for place, thing in ((0, "events 1 to 512"), (32, "events 513 to 576"), (159, "events 601 to 602")):
        tamper(full, "UPDATE head SET frontier = ?", flipped(frontier, place))
        assert named(full) == [f"the tree over {thing}"]


def test_time_that_runs_backwards_is_named(full: Store) -> None:
    raw = column(full, "envelope", 300)
    place = raw.index(b'"recordedtime":"') + 16
    tamper(full, "UPDATE events SET envelope = ? WHERE seq = 300", raw[:place] + b"1999" + raw[place + 4 :])

    assert any("a time not before" in str(damage) for damage in damages(full))


def test_all_damage_is_named_not_only_the_first(full: Store) -> None:
    tamper(full, "UPDATE events SET type = 'x' WHERE seq = 10")
    tamper(full, "DELETE FROM events WHERE seq = 400")
    tamper(full, "UPDATE events SET leaf = envelope WHERE seq = 600")

    names = named(full)
    assert [name for name in ("event 10, type", "event 400", "event 600") if name not in names] == []


def test_a_ledger_never_folds_a_damaged_event(full: Store, actor: Actor) -> None:
    raw = column(full, "envelope", 300)
    tamper(full, "UPDATE events SET envelope = ? WHERE seq = 300", flipped(raw, 400))
    before = full.head()

    with pytest.raises(Damaged, match="event 300"):
        Ledger(full).admit(note("x"), actor)
    with pytest.raises(Damaged, match="event 300"):
        Ledger(full).state("model/credit")
    assert full.head() == before


def test_a_ledger_never_folds_an_event_of_another_stream(full: Store) -> None:
    tamper(full, "UPDATE events SET stream = 'model/fraud', version = 3 WHERE seq = 300")

    with pytest.raises(Damaged, match="event 300"):
        Ledger(full).state("model/fraud")


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The bytes of a SQLite ledger at rest."""
    path = tmp_path_factory.mktemp("file") / "main.db"
    database = database_at(f"sqlite:///{path}", "main", wait=1)
    open_or_create(database, lambda: str(uuid4()))
    fill(Store(database), Actors(database).named("Ada"))
    database.close()
    return path.read_bytes()


@settings(max_examples=examples(150), deadline=None)
@given(st.data())
def test_any_byte_of_the_file_may_be_damaged_and_no_damaged_fact_is_read(file: bytes, data: st.DataObject) -> None:
    """Either the damage is found, or it hit something that no event depends on."""
    import tempfile

    place = data.draw(st.integers(0, len(file) - 1))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "main.db"
        path.write_bytes(flipped(file, place))
        database = database_at(f"sqlite:///{path}", "main", wait=1)
        try:
            verified = verify(Store(database))
        except LeptonError:
            pass
        else:
            assert verified[:2] == verified_at_rest(file)
        finally:
            database.close()


SCHEMA = "UPDATE sqlite_master SET sql = replace(sql, 'seq INTEGER NOT NULL', 'seq IFTEGER NOT NULL')"
MISTYPED = [
    *(
        f"UPDATE {table.name} SET {column.name} = {value} WHERE rowid = (SELECT min(rowid) FROM {table.name})"
        for table in metadata.sorted_tables
        for column in table.columns
        for value in ("'text'", "x'00ff'", "-1", "9223372036854775807", "1.5")
    ),
    *(f"DELETE FROM {table.name}" for table in metadata.sorted_tables),
]
READINGS: list[Callable[[Store], object]] = [  # what any part begins with
    verify, Store.head, Store.is_empty, Store.pulse, Store.last_row, Store.last_tiles, Store.placements,
    lambda store: store.read(0, 1000), lambda store: store.commands(0, 1000), lambda store: store.whole_rows(0, 9),
]  # fmt: skip


def test_whatever_type_a_column_holds_a_reader_is_told_of_damage(file: bytes, tmp_path: Path) -> None:
    for n, statement in enumerate(MISTYPED):
        path = tmp_path / f"{n}.db"
        path.write_bytes(file)
        with sqlite3.connect(path) as connection, suppress(sqlite3.IntegrityError):
            connection.execute(statement)
        connection.close()
        read_all(path)


def test_a_schema_that_names_another_type_is_damage(file: bytes, tmp_path: Path) -> None:
    path = tmp_path / "main.db"
    path.write_bytes(file)
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        assert connection.execute(SCHEMA).rowcount
    connection.close()
    read_all(path)


def read_all(path: Path) -> None:
    """Read a ledger in every way: of what is wrong with it nothing but Lepton's errors tell."""
    database = database_at(f"sqlite:///{path}", "main", wait=1)
    for reading in READINGS:
        with suppress(LeptonError):
            reading(Store(database, "ledger"))
    database.close()


def verified_at_rest(file: bytes) -> tuple[int, str]:
    connection = sqlite3.connect(":memory:")
    connection.deserialize(file[:18] + b"\x01\x01" + file[20:])  # a database in memory writes no log ahead
    leaves = [row[0] for row in connection.execute("SELECT leaf FROM events ORDER BY seq")]
    connection.close()
    return len(leaves), Frontier().extended(leaves)[0].root().hex()
