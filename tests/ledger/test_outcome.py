"""COMMITs whose outcome is unknown: the wire is really cut while one is under way."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import pytest

from lepton_ai.errors import Unavailable
from lepton_ai.events.sql.actors import Actors
from lepton_ai.events.sql.address import database_at
from lepton_ai.events.sql.audit import verify
from lepton_ai.events.sql.creation import open_or_create
from lepton_ai.events.sql.sqlite import SQLite
from lepton_ai.events.sql.store import Store
from lepton_ai.ledger import Ledger

from ..asking import commit, note
from ..servers import PASSWORD, CuttingProxy, PostgreSQL

Cut = Literal["before", "after"]


@pytest.fixture
def proxy(postgresql: PostgreSQL) -> Iterator[CuttingProxy]:
    """A wire to the server that can be cut."""
    proxy = CuttingProxy(postgresql.port)
    yield proxy
    proxy.close()


@pytest.fixture
def cut_off(proxy: CuttingProxy, request: pytest.FixtureRequest) -> Iterator[Ledger]:
    """A ledger at the other end of that wire."""
    url = f"postgresql://lepton:{PASSWORD}@127.0.0.1:{proxy.port}/postgres"
    database = database_at(url, f"cut{proxy.port}", wait=5)
    open_or_create(database, lambda: "a-ledger")
    yield Ledger(Store(database))
    database.close()


@pytest.mark.parametrize("cut", ["before", "after"])
def test_a_commit_whose_answer_is_lost_is_looked_up(cut_off: Ledger, proxy: CuttingProxy, cut: Cut) -> None:
    actor = Actors(cut_off.store.database).named("Ada")
    cut_off.admit(commit(1), actor)
    proxy.cut_next_commit(cut, for_good=False)

    receipt = cut_off.admit(note(1), actor, key="k")

    assert [each.seq for each in receipt.events] == [3]
    assert receipt.repeated is (cut == "after")
    assert cut_off.admit(note(1), actor, key="k").events == receipt.events
    assert verify(cut_off.store).size == 3
    assert cut_off.state("model/credit") == Ledger(cut_off.store).state("model/credit")


@pytest.mark.parametrize("cut", ["before", "after"])
def test_where_the_look_up_fails_too_the_error_carries_the_key(
    cut_off: Ledger, proxy: CuttingProxy, cut: Cut, postgresql: PostgreSQL
) -> None:
    actor = Actors(cut_off.store.database).named("Ada")
    cut_off.admit(commit(1), actor)
    proxy.cut_next_commit(cut, for_good=True)
    with pytest.raises(Unavailable, match="whether the command was recorded is unknown") as caught:
        cut_off.admit(note(1), actor, key="k")

    assert caught.value.key == "k"
    assert PASSWORD not in str(caught.value)
    database = database_at(postgresql.url(), cut_off.store.database.ledger, wait=5)
    receipt = Ledger(Store(database)).admit(note(1), actor, key="k")
    assert receipt.repeated is (cut == "after")
    assert [each.seq for each in receipt.events] == [3]
    database.close()


def test_a_backend_killed_in_the_middle_of_a_command_leaves_nothing(store: Store, postgresql: PostgreSQL) -> None:
    if isinstance(store.database, SQLite):
        pytest.skip("SQLite has no backend")
    actor = Actors(store.database).named("Ada")
    kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE state = 'idle in transaction'"
    with pytest.raises(Unavailable), store.database.connection() as other, store.admission(["k"]) as admission:
        admission.stream("model/credit", len(other.execute(kill).fetchall()), None)

    assert Ledger(store).admit(commit(1), actor).events[0].seq == 1
