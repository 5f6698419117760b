"""Real outages for tests: a SQLite that another writer keeps, an object folder that is gone; and whom they befall."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lepton_ai import ModelManager
from lepton_ai.versions.runs import points


@contextmanager
def locked(home: Path) -> Iterator[None]:
    """Keep the ledger's database as another writer would, beyond any LEPTON_WAIT."""
    writer = sqlite3.connect(home / "main.db", isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        writer.execute("ROLLBACK")
        writer.close()


@contextmanager
def objects_away(home: Path) -> Iterator[None]:
    """Put the object folder out of reach."""
    objects = home / "objects"
    objects.rename(home / "elsewhere")
    objects.write_text("no folder")
    try:
        yield
    finally:
        objects.unlink()
        (home / "elsewhere").rename(objects)


def entries(home: Path) -> list[Path]:
    """What waits in the spool, in order."""
    spool = home / "spool" / "main"
    return sorted(path for path in spool.iterdir() if path.name[0].isdecimal()) if spool.is_dir() else []


@pytest.fixture(autouse=True)
def impatient(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever imports it waits for nothing that is locked; a server that has stopped refuses at once."""
    monkeypatch.setenv("LEPTON_WAIT", "10" if "postgresql" in request.fixturenames else "0.05")
    monkeypatch.setattr(points, "SECONDS", 600.0)  # no points are told for being old
    monkeypatch.setenv("LEPTON_LANG", "en")


@pytest.fixture
def manager(home: Path) -> ModelManager:
    """A home with one version of `net`."""
    manager = ModelManager(home, actor="ada")
    manager.save_version(weights(0), name="net")
    return manager


def weights(number: float) -> dict[str, Any]:
    """Something small to be saved."""
    return {"w": np.full((3, 2), number, "float32")}
