"""The short form of `make faults`: a kill of everything, on each database, with a quarter of its events."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from .broker import Kafka
from .conftest import running
from .faults.kills import Parts, environment, ordeal


@pytest.fixture(scope="module")
def broker() -> Iterator[Kafka]:
    """A broker of these tests' own, which they may kill. Where none can run they are skipped; in CI that fails."""
    yield from running(Kafka)


def test_nothing_acknowledged_is_lost_or_doubled_when_everything_is_killed(
    broker: Kafka, url: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = Parts(broker)
    for name, value in environment(home, parts, url).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("LEPTON_KAFKA_PREFIX", f"t{uuid4().hex[:16]}")
    monkeypatch.setenv("LEPTON_LEDGER", f"faults{abs(hash(str(home))) % 10**9}")

    ordeal(parts, kills=1, broker_kills=1, seed=7, say=print, rate=50)
