"""Optuna's own suite on the ledger's storage, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from optuna.testing.pytest_storages import StorageTestCase

from lepton_ai import ModelManager
from lepton_ai.optuna import LedgerStorage


@pytest.fixture
def storage(url: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LedgerStorage]:
    monkeypatch.setenv("LEPTON_DATABASE", url)
    monkeypatch.setenv("LEPTON_LEDGER", f"t{uuid4().hex[:16]}")
    with ModelManager(home) as manager:
        yield LedgerStorage(manager)


class TestLedgerStorage(StorageTestCase):
    """All that Optuna asks of a storage."""
