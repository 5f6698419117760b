"""Work that an outage ended is begun again, and why is told without filling the log."""

from __future__ import annotations

import logging
import threading

import pytest

from lepton_ai import retries
from lepton_ai.errors import Unavailable
from lepton_ai.retries import Retries


@pytest.mark.parametrize(("recovered", "lines"), [(0.0, 5), (1e6, 1)], ids=["after work", "without work"])
def test_an_outage_is_told_once_until_there_was_work_again(
    recovered: float, lines: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def work() -> None:
        falls.append(1)
        if len(falls) <= 5:
            raise Unavailable("the database is away")

    falls: list[int] = []
    monkeypatch.setattr(retries, "PAUSE", 0.0)
    monkeypatch.setattr(retries, "RECOVERED", recovered)

    with caplog.at_level(logging.WARNING):
        Retries("relay", logging.getLogger("lepton.relay")).run(work, threading.Event())

    assert len(falls) == 6
    assert [record.getMessage() for record in caplog.records if record.name == "lepton.relay"] == [
        "the relay is begun anew: the database is away"
    ] * lines
