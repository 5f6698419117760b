"""A damaged row is told as damage, by whatever command meets it; never as a fault of Lepton's or of who asks."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

import numpy as np
import pytest

from lepton_ai.errors import Damaged, UnknownRevision
from lepton_ai.manager import ModelManager

from .damaged_rows import VALUES, complaints, damaged, ledger


def test_any_column_of_any_row_may_hold_anything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A value a cell, in turn; `make faults` tries all of them."""
    monkeypatch.setenv("LEPTON_WAIT", "2")
    tried, found = 0, list[str]()
    cells = ledger(tmp_path / "good")
    for place, cell in enumerate(cells[::3]):
        value = VALUES[place * 5 % len(VALUES)]
        if damaged(tmp_path / "good", tmp_path / "home", cell, value):
            tried += 1
            found += [f"{cell} = {value!r}: {what}" for what in complaints(tmp_path / "home")]
    assert found == []
    assert tried > 10


MOVES: Final = {
    "the last version into another model": "UPDATE events SET stream = 'model/x', version = 1 WHERE seq = :seq",
    "the last version behind another": "UPDATE events SET stream = 'model/n', version = 9 WHERE seq = :seq",
    "the last version away": "DELETE FROM events WHERE seq = :seq",
    "all versions into another model": "UPDATE events SET stream = 'model/x' WHERE stream = 'model/m'",
    "all versions away": "DELETE FROM events WHERE stream = 'model/m'",
}


@pytest.mark.parametrize("moved", MOVES)
def test_a_version_whose_row_was_moved_is_damage_and_no_unknown_revision(tmp_path: Path, moved: str) -> None:
    with ModelManager(tmp_path) as manager:
        for n, name in enumerate(("m", "n", "m")):
            manager.save_version({f"w{n}": np.zeros(9, np.float32)}, name=name)  # no delta follows
    with closing(sqlite3.connect(tmp_path / "main.db", isolation_level=None)) as database:
        database.execute(MOVES[moved], {"seq": database.execute("SELECT max(seq) FROM events").fetchone()[0]})
    for act in (
        lambda manager: manager.show("m@2"),
        lambda manager: manager.load_arrays("m@2"),
        lambda manager: manager.tag("t", "m@2"),
        lambda manager: manager.jobs.evaluate("m@2", "rows.csv", "label"),
    ):
        with ModelManager(tmp_path) as manager, pytest.raises(Damaged, match="event"):
            act(manager)


def test_a_revision_that_never_was_is_unknown_however_long_the_log(tmp_path: Path) -> None:
    with ModelManager(tmp_path) as manager:
        manager.save_version({"w": np.zeros(3)}, name="m")
        with manager.run("m") as run:
            for n in range(2100):
                run.log({"loss": n}, step=n)
        for n in range(1200):
            manager.annotate("m@1", {"n": n})
        with pytest.raises(UnknownRevision, match="no version 2"):
            manager.show("m@2")
        with pytest.raises(UnknownRevision, match="for the id of a job"):
            manager.jobs.show("x")
