"""kill -9 at every line of an upgrade: the ledger is in the old format or in the new one, whole, and goes on."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from lepton_ai import ModelManager
from lepton_ai.events.ledger import FORMAT
from lepton_ai.events.sql.address import database_at
from lepton_ai.events.sql.upgrade import standing

from ..homes import kept
from ..servers import PostgreSQL
from .upgraders import killed_at, moments


@pytest.mark.parametrize("of", kept.FORMATS)
def test_an_upgrade_killed_at_any_line_is_whole_and_goes_on(of: str, tmp_path: Path) -> None:
    told, before = kept.expected(of, "home"), kept.FORMATS[of]
    original = kept.home(of, tmp_path / "original")
    lines = moments(shutil.copytree(original, tmp_path / "first"))
    assert len(lines) > 60
    formats = []
    # every line from the newest of the old formats; the way from the others is the same but for its migrations
    for number, line in enumerate(lines if before == max(kept.FORMATS.values()) else lines[::4]):
        home = tmp_path / f"{number}"
        home.mkdir()
        shutil.copy(original / "main.db", home)

        killed_at(home, line)

        found = standing(database_at(f"sqlite:///{home / 'main.db'}", "main", wait=5))
        formats.append(found.format)
        assert found.format == found.announced
        if found.format == before:
            assert (found.events, f"sha256:{found.tree.root().hex()}") == (told["events"], told["root"])
        with ModelManager(home, actor="dora") as manager:
            assert manager.upgrade().done == (found.format == before)
            assert manager.verify().size == told["events"] + 1
        assert {path.name for path in home.iterdir()} >= {"main.db", f"main.db.format-{before}"}
        assert not list(home.glob("main.db.format-*.new"))
        shutil.rmtree(home)

    assert formats == sorted(formats)
    assert set(formats) == {before, FORMAT}


@pytest.mark.parametrize("of", kept.FORMATS)
def test_an_upgrade_on_postgresql_killed_before_its_commit_did_not_happen(
    of: str, postgresql: PostgreSQL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told, before = kept.expected(of, "postgresql"), kept.FORMATS[of]
    monkeypatch.setenv("LEPTON_DATABASE", kept.postgresql(of, postgresql))
    lines = moments(tmp_path / "first")
    monkeypatch.setenv("LEPTON_DATABASE", url := kept.postgresql(of, postgresql))
    commit = next(place for place, line in enumerate(lines) if '"COMMIT"' in source(*line))
    for line in (lines[commit // 4], lines[commit // 2], lines[commit - 1], lines[commit], lines[commit + 1]):
        killed_at(tmp_path / "home", line)

        found = standing(database_at(url, "main", wait=30))
        if line == lines[commit + 1]:
            assert found.current
        else:
            assert (found.format, found.announced, found.events) == (before, before, told["events"])

    with ModelManager(tmp_path / "home", actor="dora") as manager:
        assert not manager.upgrade().done
        assert manager.verify().size == told["events"] + 1


def source(file: str, line: int) -> str:
    """A line of code."""
    return Path(file).read_text().splitlines()[line - 1]
