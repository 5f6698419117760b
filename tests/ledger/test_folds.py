"""Kept folds: with one, without it, with a stale or a damaged one all answers are the same; less is folded with it."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from functools import reduce
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic_core import from_json, to_json

from lepton_ai import ModelManager
from lepton_ai.domain.model.kept_fold import complete, plain_model, recalled_model
from lepton_ai.domain.model.state import ModelState, evolve
from lepton_ai.errors import Damaged
from lepton_ai.events.envelope import Recorded, decode
from lepton_ai.ledger import folding, folds, ledger
from lepton_ai.ledger.pages import ROWS, Pages, packed

from ..domain.past import CREDIT, Past
from ..domain.test_laws import Ask, lived, pasts
from ..examples import examples


def kept(past: Past, model: ModelState) -> ModelState:
    """A state written as it is on disk, and read again."""
    facts, mappings = plain_model(model)
    indexes, body, start = list[Any](), b"", 0
    for numbered, rows in mappings:
        index, blobs = packed(rows, start, numbered=numbered)
        indexes.append(index)
        body += b"".join(blobs)
        start = len(body)
    told = from_json(to_json({"facts": facts, "pages": indexes}))
    pages = [Pages(index, memoryview(body)) for index in told["pages"]]
    return recalled_model(told["facts"], pages, lambda seq: decode(past.log[seq - 1]))


@given(pasts, st.integers(0, 60), st.integers(0, 60))
@settings(max_examples=examples(80), deadline=None)
def test_folding_on_from_a_kept_fold_gives_the_state_that_folding_all_gives(
    sequence: list[Ask], first: int, second: int
) -> None:
    past = lived(sequence)
    state = ModelState(name="credit")
    for start, end in pairwise((0, *sorted((first, second)), 1000)):
        events = (each for each in map(decode, past.log[start:end]) if each.stream == CREDIT)
        state = kept(past, reduce(evolve, events, state))

    assert state == past.credit
    assert past.credit == state
    assert len(state.versions) == len(past.credit.versions)


def test_everything_that_a_models_state_holds_is_kept() -> None:
    assert complete(), "name what is new in ModelState in domain/model/kept_fold.py, or no fold is kept"


@given(st.dictionaries(st.integers(0, 3000).map(str), st.integers()), st.booleans())
@settings(max_examples=examples(60), deadline=None)
def test_rows_in_pages_are_found_as_in_a_dictionary(rows: dict[str, int], numbered: bool) -> None:
    index, blobs = packed(rows, 0, numbered=numbered)
    pages = Pages(index, memoryview(b"".join(blobs)))

    assert dict(pages) == rows
    assert len(pages) == len(rows)
    assert all(pages[key] == row for key, row in rows.items())
    assert not any(key in pages for key in map(str, range(-2, 3100, 97)) if key not in rows)


def test_of_many_rows_only_the_pages_asked_for_are_parsed() -> None:
    index, blobs = packed({str(n): n for n in range(50 * ROWS)}, 0, numbered=True)
    broken = b"".join([b"?" * len(blobs[0]), *blobs[1:]])  # would not parse

    pages = Pages(index, memoryview(broken))

    assert pages[str(20 * ROWS)] == 20 * ROWS
    with pytest.raises(ValueError, match="expected"):
        pages["0"]


# ── in a home ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of a few versions whose folds are kept after every event."""
    monkeypatch.setattr(ledger, "EVERY", 1)
    with ModelManager(tmp_path / "home") as manager:
        for number in range(4):
            weights = {"w": np.full(8, float(number)), "b": np.arange(3.0)}
            manager.save_version(weights, name="toy", message=f"version {number}", metrics={"f1": 0.5 + number / 10})
        manager.alias("production", "toy@2")
        manager.tag("v1", "toy@1")
        manager.annotate("toy@2", {"ticket": 7})
        manager.rollback("toy@3")
    return tmp_path / "home"


def answers(home: Path) -> Any:
    """What a fresh process answers, and what it would write next."""
    with ModelManager(home) as manager:
        log = [manager.log(rev, model="toy").to_dict() for rev in (None, "main", "main~1", "1..main")]
        shown = [manager.show(f"toy@{number}").to_dict() for number in (1, 4)]
        planned = manager.rollback("toy@1", dry_run=True).to_dict()
        restored = {name: value.tolist() for name, value in manager.load_arrays("toy@production").items()}
        return (
            log,
            shown,
            planned,
            restored,
            manager.about("toy").to_dict(),
            manager.suggest_rollback(model="toy").version,
        )


def files(home: Path) -> list[Path]:
    return sorted((home / "folds" / "main").iterdir())


def folded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The streams of which events are folded from now on, one an event."""
    streams: list[str] = []
    real = folding.evolve

    def noting(state: Any, recorded: Recorded) -> Any:
        streams.append(recorded.stream)
        return real(state, recorded)

    monkeypatch.setattr(folding, "evolve", noting)
    return streams


def test_a_fresh_process_folds_nothing_that_is_kept(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    streams = folded(monkeypatch)
    with ModelManager(home) as manager:
        manager.log("toy@main")
        manager.save_version({"w": np.ones(8)}, name="toy")
    assert "model/toy" not in streams

    with ModelManager(home) as manager:
        assert manager.show("toy@main").version == 5
    assert "model/toy" not in streams


def damaged(home: Path) -> Iterator[None]:
    """Each way in which a kept fold may be no good."""
    whole = {path: path.read_bytes() for path in files(home)}
    for path, raw in whole.items():
        for cut in (b"", raw[: len(raw) // 2], raw + b" ", b"[]\n{}\n"):
            path.write_bytes(cut)
            yield
        for place in range(0, len(raw), max(1, len(raw) // 7)):
            path.write_bytes(raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :])
            yield
        path.unlink()
        path.mkdir()
        yield
        path.rmdir()
        path.symlink_to("/dev/zero")
        yield
        path.unlink()
        path.write_bytes(raw)
    shutil.rmtree(home / "folds")
    yield


def test_answers_are_the_same_with_without_and_with_a_damaged_fold(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with_it = answers(home)
    monkeypatch.setattr(ledger, "EVERY", 10**9)  # what is damaged stays so

    for _ in damaged(home):
        assert answers(home) == with_it


def test_a_fold_of_another_code_ledger_or_stream_is_not_believed(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "EVERY", 10**9)
    right = answers(home)
    path = max(files(home), key=lambda each: each.stat().st_size)
    _, head, body = path.read_bytes().split(b"\n", 2)
    changes: list[dict[str, Any]] = [{"code": "x"}, {"ledger": "x"}, {"stream": "x"}, {"leaf": "00"}, {"version": 3}]
    for change in changes:
        rest = json.dumps(json.loads(head) | change).encode() + b"\n" + body
        path.write_bytes(folds.blake3(rest).hexdigest().encode() + b"\n" + rest)

        streams = folded(monkeypatch)
        assert answers(home) == right
        assert "model/toy" in streams


def test_a_fold_is_not_believed_after_the_log_was_set_back(home: Path, tmp_path: Path) -> None:
    backup = tmp_path / "main.db"
    shutil.copyfile(home / "main.db", backup)
    with ModelManager(home) as manager:
        for number in range(3):
            manager.save_version({"w": np.full(8, 9.0 + number)}, name="toy")
    for each in home.glob("main.db*"):
        each.unlink()
    shutil.copyfile(backup, home / "main.db")
    with ModelManager(home) as manager:
        assert manager.show("toy@main").version == 3
        for number in range(5):
            manager.save_version({"w": np.full(8, 70.0 + number)}, name="toy", message="after")
        messages = [entry.message for entry in manager.log("toy@main", most=5)]

    assert messages == ["after"] * 5
    with ModelManager(home) as manager:
        assert [entry.message for entry in manager.log("toy@main", most=5)] == messages


def test_a_file_in_the_way_of_the_folder_harms_nothing(home: Path) -> None:
    right = answers(home)
    shutil.rmtree(home / "folds")
    (home / "folds").write_text("in the way")

    assert answers(home) == right


def test_a_damaged_event_is_told_when_it_is_asked_for(home: Path) -> None:
    damage = "UPDATE events SET envelope = replace(envelope, 'main', 'mine') WHERE version = 5 AND stream = 'model/toy'"
    with closing(sqlite3.connect(home / "main.db")) as database, database:
        database.execute(damage)

    with ModelManager(home) as manager, pytest.raises(Damaged, match="event"):
        [manager.show(f"toy@{number}") for number in range(1, 5)]


def test_of_a_log_that_was_set_back_nothing_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place, older = tmp_path / "place", tmp_path / "older.db"
    monkeypatch.setattr(ledger, "EVERY", 1)
    with ModelManager(place) as first:
        first.save_version({"w": np.zeros(2)}, name="net")
        first.save_version({"w": np.zeros(2)}, name="other")
    living = ModelManager(place)
    living.annotate("other@1", {"a": 1})
    assert living.tags("net") == {}
    copied(place / "main.db", older)
    with ModelManager(place) as second:
        second.save_version({"w": np.ones(2)}, name="net", message="lost")
        second.tag("good", "net@2")
    assert living.tags("net") != {}
    copied(older, place / "main.db")
    with ModelManager(place) as third:
        for n in (2, 3):
            third.save_version({"w": np.full(2, n)}, name="net", message="kept")
    shutil.rmtree(place / "folds")
    living.close()

    with ModelManager(place) as fresh:
        assert fresh.tags("net") == {}
        assert fresh.show("net@2").message == "kept"


def copied(source: Path, target: Path) -> None:
    """A database into the file of another, as a backup is put back under living processes."""
    with closing(sqlite3.connect(source)) as one, closing(sqlite3.connect(target)) as other:
        one.backup(other)
