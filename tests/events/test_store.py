"""The contract of the event store, on SQLite and on a real PostgreSQL."""

from __future__ import annotations

from hashlib import sha256

import pytest

from lepton_ai.errors import Damaged, Refused
from lepton_ai.events.merkle import Frontier, leaf_hash
from lepton_ai.events.sql.admission import Admission
from lepton_ai.events.sql.rows import Head, Known, NewRow, PlacementRow
from lepton_ai.events.sql.store import Store


def row(seq: int, stream: str, version: int, kind: str = "a", **command: object) -> NewRow:
    envelope = f"{stream} {version}".encode()
    return NewRow(seq, stream, version, kind, leaf_hash(envelope), envelope, **command)  # type: ignore[arg-type]


def append(store: Store, *rows: NewRow, placements: tuple[PlacementRow, ...] = ()) -> None:
    with store.admission([rows[0].key or "unasked"]) as admission:
        frontier, tiles = admission.head.frontier.extended(each.leaf for each in rows)
        admission.append(rows, Head(rows[-1].seq, 7, frontier), tiles, placements)


def test_a_fresh_store_holds_nothing(store: Store) -> None:
    assert store.head() == Head(0, 0, Frontier())
    assert store.end() == 0
    assert store.read(0, 10) == []
    assert store.stream("model/a") == (0, [])
    assert store.streams("model/") == []
    assert store.tiles() == []
    assert store.known("key") is None
    assert store.find(["blake3:00"]) == {}
    assert store.placements() == []


def test_what_is_appended_is_read_in_order_from_any_place(store: Store) -> None:
    append(store, row(1, "a", 1), row(2, "b", 1))
    append(store, row(3, "a", 2))

    assert store.end() == 3
    assert [each.seq for each in store.read(0, 10)] == [1, 2, 3]
    assert [each.seq for each in store.read(1, 1)] == [2]
    assert store.read(3, 10) == []
    assert store.read(0, 1)[0].envelope == b"a 1"
    assert store.read(0, 1)[0].leaf == sha256(b"\0a 1").digest()


def test_a_stream_is_read_behind_any_of_its_versions(store: Store) -> None:
    append(store, row(1, "a", 1), row(2, "b", 1), row(3, "a", 2), row(4, "a", 3))

    version, rows = store.stream("a", 1)

    assert (version, [each.seq for each in rows]) == (3, [3, 4])
    assert store.stream("a", 3) == (3, [])


def test_a_stream_is_read_by_types_without_losing_count_of_its_versions(store: Store) -> None:
    append(store, row(1, "a", 1, "x"), row(2, "a", 2, "y"), row(3, "a", 3, "z"), row(4, "a", 4, "x"))

    version, rows = store.stream("a", 1, ("x", "y"))

    assert (version, [each.seq for each in rows]) == (4, [2, 4])


def test_streams_are_found_by_prefix_in_order(store: Store) -> None:
    append(store, row(1, "model/b", 1), row(2, "model/a/ü", 1), row(3, "run/1", 1), row(4, "model/b", 2))

    assert store.streams("model/") == ["model/a/ü", "model/b"]
    assert store.streams("model/b") == ["model/b"]


def test_streams_are_found_by_a_type_of_event_wherever_in_them_it_stands(store: Store) -> None:
    append(store, row(1, "model/b", 1, "x"), row(2, "model/a", 1, "y"), row(3, "model/c", 1, "y"))
    append(store, row(4, "run/1", 1, "x"), row(5, "model/a", 2, "x"), row(6, "model/b", 2, "y"))

    assert store.streams_holding("model/", "x") == ["model/a", "model/b"]


def test_streams_that_were_begun_last_come_first(store: Store) -> None:
    append(store, row(1, "job/b", 1), row(2, "job/c", 1), row(3, "job/a", 1), row(4, "run/d", 1), row(5, "job/b", 2))

    assert store.newest_streams("job/", 2) == ["job/a", "job/c"]


def test_a_command_is_known_by_its_key(store: Store) -> None:
    append(store, row(1, "a", 1, key="k", digest="d", span=2), row(2, "a", 2))
    append(store, row(3, "a", 3, key="l", digest="e", span=1))

    assert store.known("k") == Known(1, 2, "d")
    with store.admission(["k", "l", "m"]) as admission:
        assert admission.known == {"k": Known(1, 2, "d"), "l": Known(3, 3, "e")}
        assert admission.head.seq == 3


def test_tiles_are_kept_as_they_fill(store: Store) -> None:
    append(store, *(row(n, "a", n) for n in range(1, 300)))

    frontier, tiles = Frontier().extended(each.leaf for each in store.read(0, 1000))
    assert store.tiles() == list(tiles)
    assert len(tiles) == 1
    assert store.head().frontier == frontier


def test_placements_are_found_by_digest_and_the_last_one_counts(store: Store) -> None:
    first, second = PlacementRow("blake3:1", "p", 0, 4), PlacementRow("blake3:2", "p", 4, 4)
    append(store, row(1, "a", 1), placements=(first, second))
    again = PlacementRow("blake3:1", "q", 8, 4)

    assert store.find(["blake3:1", "blake3:3", *map(str, range(1200))]) == {"blake3:1": first}
    append(store, row(2, "a", 2), placements=(again,))
    assert store.find(["blake3:1"]) == {"blake3:1": again}
    assert store.placements() == [second, again]


def fail(admission: Admission, failure: BaseException) -> None:
    admission.append([row(1, "a", 1)], Head(1, 7, Frontier()), [], [])
    raise failure


def test_nothing_of_an_admission_that_fails_is_kept(store: Store) -> None:
    for failure in (Refused("no"), ZeroDivisionError(), KeyboardInterrupt()):
        with pytest.raises(type(failure)), store.admission(["k"]) as admission:
            fail(admission, failure)

    assert store.end() == 0
    append(store, row(1, "a", 1))
    assert store.end() == 1


def test_a_row_that_contradicts_the_head_is_damage(store: Store) -> None:
    append(store, row(1, "a", 1))

    with pytest.raises(Damaged), store.admission(["k"]) as admission:
        admission.append([row(1, "b", 1)], Head(1, 7, admission.head.frontier), [], [])
    with pytest.raises(Damaged), store.admission(["k"]) as admission:
        admission.append([row(2, "a", 1)], Head(2, 7, admission.head.frontier), [], [])

    assert store.end() == 1
