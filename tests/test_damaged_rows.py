"""A damaged row is told as damage, by whatever command meets it; never as a fault of Lepton's or of who asks."""

from __future__ import annotations

from pathlib import Path

import pytest

from .damaged_rows import VALUES, complaints, damaged, ledger


def test_any_column_of_any_row_may_hold_anything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A value a cell, in turn; `make faults` tries all of them."""
    monkeypatch.setenv("LEPTON_WAIT", "2")
    tried, found = 0, list[str]()
    cells = ledger(tmp_path / "good")
    for place, cell in enumerate(cells[::2]):
        value = VALUES[place * 5 % len(VALUES)]
        if damaged(tmp_path / "good", tmp_path / "home", cell, value):
            tried += 1
            found += [f"{cell} = {value!r}: {what}" for what in complaints(tmp_path / "home")]
    assert found == []
    assert tried > 10
