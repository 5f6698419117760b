"""Standing by: a server does the jobs that no other worker is there to take, also behind one that ended unheard."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lepton_ai import ModelManager
from lepton_ai.events.sql.leases import Heard
from lepton_ai.jobs.standby import StandingBy
from lepton_ai.supervised import Supervised

from ..asking import until
from ..cli_home import loans
from .identities import incarnation

LONG = 120.0


@pytest.fixture
def manager(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelManager]:
    """A ledger with a job, and with a worker that was heard of just now, whose term is an hour."""
    monkeypatch.setenv("LEPTON_TERM_LEASE", "3600")
    loans(tmp_path / "loans.csv")
    manager = ModelManager(home, actor="ada")
    chosen = {"epochs": 1, "members": 1, "hidden": [4]}
    manager.jobs.train("credit-scoring-model", str(tmp_path / "loans.csv"), "default", hyperparameters=chosen)
    # as it stands in the table where nobody took in what it said as it left
    heard = Heard(incarnation("w"), "default", frozenset({"train"}), 0, int(time.time() * 1_000_000), "key", 1)
    with manager._home.desk.leases.change() as change:
        change.hear(heard)
    yield manager
    manager.close()


@pytest.fixture
def standing(manager: ModelManager) -> StandingBy:
    return StandingBy(manager._home.desk, manager._home.workplace.post())


def test_the_jobs_of_a_worker_that_ended_before_anybody_heard_it_leave_are_done(
    manager: ModelManager, standing: StandingBy
) -> None:
    assert standing.desk.ready() == 1

    with Supervised(standing.run, "standing by", LONG):
        until(lambda: manager.jobs.recent()[0].status == "finished", LONG)


def test_beside_a_worker_where_somebody_gives_jobs_out_nothing_is_done(standing: StandingBy) -> None:
    assert standing.desk.waiting(standing.profile)

    held = standing.desk.lock()
    try:
        assert not standing._alone()
    finally:
        held.release()
    assert standing._alone()
