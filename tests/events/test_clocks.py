"""Clocks that are wrong: the log's time never decreases, and as-of by date sees what came after all the same."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lepton_ai import ModelManager
from lepton_ai.errors import Malformed, Refused
from lepton_ai.events.clock import JUMP, moment, stamped, trusted_after
from lepton_ai.events.inbox import Letter
from lepton_ai.events.sql.audit import verify
from lepton_ai.jobs.intake.inbox import Intake
from lepton_ai.ledger import Receipt

from ..cli_home import Cli
from ..examples import examples
from ..jobs.test_intake import event

FAR = datetime(2099, 1, 1, tzinfo=UTC)
TODAY = datetime(2026, 11, 28, 12, tzinfo=UTC)
Set = Callable[[datetime], None]


@pytest.fixture
def manager(url: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelManager]:
    monkeypatch.setenv("LEPTON_LEDGER", f"c{abs(hash(str(home))) % 10**12}")
    monkeypatch.setenv("LEPTON_DATABASE", url)
    with ModelManager(home, actor="ada") as manager:
        yield manager


@pytest.fixture
def clock(manager: ModelManager, monkeypatch: pytest.MonkeyPatch) -> Set:
    """Sets the clock that the ledger goes by: the database's own, or this machine's where it has none."""

    class Told(datetime):
        now_is = TODAY

        @classmethod
        def now(cls, tz: Any = None) -> datetime:
            return cls.now_is

    def set_to(now: datetime) -> None:
        Told.now_is = now
        if manager._home.database.clock != "NULL":
            manager._home.database.clock = f"{int(now.timestamp() * 10**6)}"  # type: ignore[misc]

    monkeypatch.setattr("lepton_ai.ledger.transaction.datetime", Told)
    set_to(TODAY)
    return set_to


def save(manager: ModelManager, number: int) -> int:
    return int(manager.save_version({"w": np.full(2, number, "float32")}, name="net"))


def seen(manager: ModelManager, by: str) -> list[int]:
    """The versions that were there by a date."""
    return manager.sql("SELECT version FROM versions ORDER BY version", as_of=by).column("version").to_pylist()


def recorded(manager: ModelManager) -> list[str]:
    return [each["recordedtime"] for each in manager.events()]


def test_a_clock_in_2099_hides_nothing_that_comes_after_it(manager: ModelManager, clock: Set) -> None:
    save(manager, 1)
    clock(FAR)
    save(manager, 2)
    assert seen(manager, "2026-11-29") == [1]

    clock(TODAY + timedelta(days=1))
    save(manager, 3)
    clock(TODAY + timedelta(days=2))
    save(manager, 4)

    assert [seen(manager, f"2026-11-{day}") for day in (27, 28, 29, 30)] == [[], [1], [1, 2, 3], [1, 2, 3, 4]]
    assert [manager.show(f"net@main@{{2026-11-{day}}}").version for day in (28, 29, 30)] == [1, 3, 4]
    assert [entry.time.year for entry in manager.log(model="net").entries] == [2026, 2026, 2099, 2026]
    assert recorded(manager) == sorted(recorded(manager))
    assert manager.fsck() == []
    assert manager.suggest_rollback(model="net").branch == "main"


def test_a_clock_that_is_behind_makes_the_past_no_fuller(manager: ModelManager, clock: Set) -> None:
    save(manager, 1)
    for behind in (timedelta(seconds=2), timedelta(hours=3), timedelta(days=300), timedelta(days=20_000)):
        clock(TODAY - behind)
        save(manager, int(behind.total_seconds()) % 1000 + 2)

    assert seen(manager, "2026-11-27") == []
    assert len(seen(manager, "2026-11-28")) > 1
    assert recorded(manager) == sorted(recorded(manager))
    assert not any("clocktime" in each for each in manager.events())


def test_a_clock_that_is_behind_after_one_that_was_ahead_makes_the_past_no_fuller(
    manager: ModelManager, clock: Set
) -> None:
    save(manager, 1)
    clock(FAR)
    save(manager, 2)
    clock(TODAY - timedelta(days=300))
    save(manager, 3)

    assert seen(manager, "2026-11-27") == []
    assert seen(manager, "2026-11-28") == [1]


def test_a_ledger_restored_from_its_topic_measures_clocks_as_before(manager: ModelManager, clock: Set) -> None:
    from lepton_ai.events.kafka.restore import restore
    from lepton_ai.events.sql.address import database_at
    from lepton_ai.events.sql.creation import open_or_create
    from lepton_ai.events.sql.store import Store

    for number, now in enumerate((TODAY, FAR, TODAY + timedelta(days=1))):
        clock(now)
        save(manager, number)
    store = manager._home.store
    database = database_at(f"sqlite:///{manager._home.settings.home / 'restored.db'}", "again", wait=5)
    open_or_create(database, lambda: store.ledger_id)
    again = Store(database)

    restore(again, store)

    assert again.head() == store.head()
    assert again.head().trusted == int((TODAY + timedelta(days=1)).timestamp() * 10**6)
    assert verify(again)[:2] == verify(store)[:2]


def test_the_answer_says_which_event_a_date_stood_for(
    manager: ModelManager, clock: Set, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(manager, 1)
    end = manager.verify().size
    told = manager.sql("SELECT 1", as_of="2026-11-29").schema.metadata
    assert json.loads(told[b"lepton.as_of"]) == {"seq": end, "recorded": "2026-11-28T12:00:00+00:00"}
    assert manager.sql("SELECT 1", as_of=end).schema.metadata is None

    cli = Cli(manager._home.settings.home)
    query = "sql 'select count(*) from versions' --as-of 2026-11-28"
    assert f"as of event {end}, recorded 2026-11-28 12:00:00" in cli(query).out
    assert cli(f"{query} --json").json["as_of"] == {"seq": end, "recorded": "2026-11-28T12:00:00+00:00"}
    assert f"as of event {end}, recorded 2026-11-28 12:00:00" in cli(f"{query} --format csv").err
    assert cli("sql 'select 1' --as-of 2001-01-01 --json").json["as_of"] == {"seq": 0, "recorded": None}
    assert "as of before the first event" in cli("sql 'select 1' --as-of 2001-01-01").out


def test_on_postgresql_the_databases_clock_counts_and_a_wrong_one_is_recorded_beside_it(
    manager: ModelManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    if manager._home.database.clock == "NULL":
        pytest.skip("SQLite has no clock but this machine's")

    class Ahead(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:
            return FAR

    monkeypatch.setattr("lepton_ai.ledger.transaction.datetime", Ahead)
    before = datetime.now(UTC) - timedelta(minutes=5)
    save(manager, 1)

    last = list(manager.events())[-1]
    assert before < datetime.fromisoformat(last["recordedtime"]) < datetime.now(UTC) + timedelta(minutes=5)
    assert last["time"].startswith("2099")
    assert "clocktime" not in last


@pytest.mark.parametrize(
    ("time", "complaint"),
    [
        ("2099-01-01T00:00:00Z", r"time is 2099-01-01.* and here it is 2026-11-28.*set the clock of its producer"),
        ("2026-12-01T00:00:00Z", "time is 2026-12-01"),
        ("1969-12-31T23:59:59Z", "no year before 1971"),
        ("0001-01-01T00:00:00+14:00", "no year before 1971"),
        ("9999-12-31T23:59:59-14:00", "time is"),
    ],
)
def test_what_a_service_says_happened_in_the_future_or_before_all_services_is_rejected(
    manager: ModelManager, clock: Set, time: str, complaint: str
) -> None:
    save(manager, 1)
    work = manager._workspace
    intake = Intake(work.ledger, work.actors, "inbox")
    letters = [event("1", subject="model/net", time=time), event("2", subject="model/net", time="2026-11-29T11:00:00Z")]

    bad, good = intake.take([Letter(place, json.dumps(each).encode()) for place, each in enumerate(letters)], None)

    assert isinstance(good, Receipt)
    with pytest.raises((Refused, Malformed), match=complaint):
        raise bad  # type: ignore[misc]


@given(st.lists(st.integers(10**15, 5 * 10**15) | st.integers(10**15, 10**15 + 10 * JUMP), min_size=1, max_size=30))
@settings(max_examples=examples(200))
def test_whatever_the_clocks_say_time_never_decreases_and_no_reading_is_older_than_what_was_trusted(
    clocks: list[int],
) -> None:
    last, trusted, floor = 0, None, 0
    for now in clocks:
        stamp = stamped(last, trusted, now)
        assert stamp.recorded == max(last, now)
        if stamp.clock is not None:
            assert trusted is not None
            assert trusted <= stamp.clock == now < stamp.recorded
        last, trusted = stamp.recorded, trusted_after(last, trusted, stamp)
        assert trusted is None or trusted <= last
        floor = max(floor, now)
    assert last == floor
    assert moment(last).tzinfo is UTC
