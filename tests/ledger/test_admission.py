"""Admission on SQLite and on a real PostgreSQL: what a command becomes, once, whoever else writes."""

from __future__ import annotations

from collections.abc import Generator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Barrier, Event
from typing import Any

import pytest

from lepton_ai.domain.commands import Annotate, CreateBranch, CreateTag, FinishRun, LogMetrics, StartRun
from lepton_ai.domain.run.state import RunState
from lepton_ai.errors import KeyReused, Malformed, Refused, Stale, Unavailable, UnknownRevision
from lepton_ai.events.actor import Actor
from lepton_ai.events.clock import microseconds
from lepton_ai.events.envelope import decode
from lepton_ai.events.merkle import leaf_hash
from lepton_ai.events.run import MetricsLogged
from lepton_ai.events.sql import postgresql
from lepton_ai.events.sql.actors import Actors
from lepton_ai.events.sql.address import database_at
from lepton_ai.events.sql.admission import Admission
from lepton_ai.events.sql.audit import verify
from lepton_ai.events.sql.sqlite import SQLite
from lepton_ai.events.sql.store import Store
from lepton_ai.events.upcast import UPCASTERS, Upcaster
from lepton_ai.ledger import Ledger, Receipt, Request
from lepton_ai.ledger import transaction as ledger_module

from ..asking import PATIENCE, commit, note, until


def test_a_command_becomes_events_in_one_transaction(ledger: Ledger, actor: Actor) -> None:
    receipt = ledger.admit(commit(1), actor, key="k")

    assert [(each.seq, each.stream, each.stream_version) for each in receipt.events] == [
        (1, "model/credit", 1),
        (2, "model/credit", 2),
    ]
    assert [each.event.type for each in receipt.events] == [
        "lepton.model.registered.v1",
        "lepton.version.committed.v2",
    ]
    assert {each.command for each in receipt.events} == {"k"}
    assert not receipt.repeated
    assert ledger.store.end() == 2


def test_a_command_sent_twice_acts_once_and_is_answered_alike(ledger: Ledger, actor: Actor) -> None:
    command = commit(1, message="first", annotations={"a": 1.5}, metrics={"f1": 0.5})
    first = ledger.admit(command, actor, key="k")
    again = ledger.admit(command, actor, key="k")
    elsewhere = Ledger(ledger.store).admit(command, actor, key="k")

    assert again.repeated
    assert elsewhere.repeated
    assert again.events == elsewhere.events == first.events
    assert ledger.store.end() == len(first.events)


def test_a_key_with_another_content_is_refused(ledger: Ledger, actor: Actor) -> None:
    ledger.admit(commit(1), actor, key="k")

    with pytest.raises(KeyReused, match="'k'"):
        ledger.admit(commit(2, 1), actor, key="k")


def test_the_order_of_names_makes_no_other_content(ledger: Ledger, actor: Actor) -> None:
    ledger.admit(commit(1, annotations={"a": 1, "b": 2}), actor, key="k")

    assert ledger.admit(commit(1, annotations={"b": 2, "a": 1}), actor, key="k").repeated


@pytest.mark.parametrize("key", ["a\x00b", "line\nbreak", "x" * 201, "\ud800"])
def test_a_key_that_no_envelope_can_bear_is_refused(ledger: Ledger, actor: Actor, key: str) -> None:
    with pytest.raises(Malformed, match="idempotency key"):
        ledger.admit(commit(1), actor, key=key)


def test_a_command_with_nothing_to_do_is_remembered_nowhere(ledger: Ledger, actor: Actor) -> None:
    ledger.admit(commit(1), actor)
    tag = CreateTag(model="credit", tag="v1", version=1)
    ledger.admit(tag, actor)

    assert ledger.admit(tag, actor, key="k") == Receipt("k", ())
    assert ledger.store.known("k") is None


def test_a_refusal_records_nothing(ledger: Ledger, actor: Actor) -> None:
    ledger.admit(commit(1), actor)

    with pytest.raises(Stale):
        ledger.admit(commit(2), actor, key="k")

    assert ledger.store.end() == 2
    assert ledger.store.known("k") is None


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"bytes": -1}, "VersionCommitted.*'bytes'"),
        ({"environment": {"a": "\ud800"}}, "half a character"),
        ({"message": "\ud800"}, "lone surrogates"),
        ({"annotations": {"a": "x" * 300_000}}, r"of 262,144"),
    ],
)
def test_what_no_envelope_can_hold_is_refused_with_nothing_changed(
    ledger: Ledger, actor: Actor, fields: dict[str, Any], words: str
) -> None:
    ledger.admit(commit(1), actor)
    before = (ledger.store.head(), ledger.state("model/credit"))

    with pytest.raises(Malformed, match=words):
        ledger.admit(commit(2, 1, **fields), actor)

    assert (ledger.store.head(), ledger.state("model/credit")) == before
    ledger.admit(commit(2, 1), actor)
    verify(ledger.store)


def test_state_is_the_fold_of_the_stream_for_whoever_asks(ledger: Ledger, actor: Actor) -> None:
    other = Ledger(ledger.store)
    for number in range(1, 6):
        (ledger, other)[number % 2].admit(commit(number, *([number - 1] if number > 1 else [])), actor)

    assert ledger.state("model/credit") == other.state("model/credit") == Ledger(ledger.store).state("model/credit")


def test_a_run_is_folded_without_its_metrics_and_goes_on(ledger: Ledger, actor: Actor) -> None:
    ledger.admit(StartRun(run="r", model="credit"), actor)
    block = MetricsLogged(names=("loss",), steps=(1,), values=(float("nan"),), times=(datetime.now(UTC),))
    for _ in range(3):
        Ledger(ledger.store).admit(LogMetrics(run="r", blocks=(block, block)), actor)
    ended = Ledger(ledger.store).admit(FinishRun(run="r", points=6), actor)

    assert ended.events[0].stream_version == 8
    with pytest.raises(Refused, match="finished"):
        ledger.admit(LogMetrics(run="r", blocks=(block,)), actor)


def test_a_stream_folded_by_types_takes_in_their_older_versions(
    store: Store, actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run begun by an old Lepton, whose `run.started.v0` called the model `name`, is open today."""

    def change(data: dict[str, Any], _: str) -> dict[str, Any]:
        return {"run": data["run"], "model": data["name"]}

    old = "lepton.run.started.v0"
    started = Ledger(store).admit(StartRun(run="r", model="credit"), actor)
    raw = store.read(0, 1)[0].envelope.replace(b"lepton.run.started.v1", old.encode()).replace(b'"model":', b'"name":')
    mark = store.database.mark
    with store.database.connection() as connection:
        connection.execute(
            f"UPDATE events SET type = {mark}, envelope = {mark}, leaf = {mark}", (old, raw, leaf_hash(raw))
        )
    monkeypatch.setitem(UPCASTERS, old, Upcaster("lepton.run.started.v1", change))

    assert Ledger(store).state("run/r") == RunState("credit", "open")
    assert Ledger(store).admit(FinishRun(run="r"), actor).events[0].stream_version == 2
    assert started.events[0].stream_version == 1


def test_time_never_runs_backwards_along_the_log(store: Store, actor: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    class Late(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:
            return datetime.now(tz) - timedelta(days=2)

    first = Ledger(store).admit(commit(1), actor)
    monkeypatch.setattr("lepton_ai.ledger.transaction.datetime", Late)
    second = Ledger(store).admit(commit(2, 1), actor)

    assert second.events[0].recorded >= first.events[-1].recorded
    assert second.events[0].time < first.events[-1].time


def test_an_outside_event_keeps_its_own_time_and_cause(ledger: Ledger, actor: Actor) -> None:
    then = datetime(2001, 2, 3, 4, 5, 6, 789, tzinfo=UTC)
    receipt = ledger.admit(commit(1), actor, time=then, causation="0190")

    assert {(each.time, each.causation) for each in receipt.events} == {(then, "0190")}
    assert ledger.admit(commit(1), actor, key=receipt.key).events == receipt.events


def test_commands_admitted_together_are_decided_one_after_the_other(ledger: Ledger, actor: Actor) -> None:
    answers = ledger.admit_all(
        [
            Request(commit(1), actor, "a"),
            Request(commit(2, 1), actor, "b"),
            Request(commit(9), actor, "refused"),
            Request(commit(2, 1), actor, "b"),
            Request(commit(3, 2), actor, "b"),
            Request(CreateBranch(model="credit", branch="next", version=2), actor, "c"),
        ]
    )

    one, two, stale, again, reused, branch = answers
    assert isinstance(one, Receipt)
    assert isinstance(two, Receipt)
    assert isinstance(branch, Receipt)
    assert isinstance(stale, Stale)
    assert again == replace(two, repeated=True)
    assert isinstance(reused, KeyReused)
    assert [each.seq for receipt in (one, two, branch) for each in receipt.events] == [1, 2, 3, 4]
    assert ledger.store.end() == 4
    assert Ledger(ledger.store).state("model/credit") == ledger.state("model/credit")
    assert verify(ledger.store).size == 4


def test_admitting_no_commands_is_nothing(ledger: Ledger) -> None:
    assert ledger.admit_all([]) == []


def test_the_same_key_from_two_writers_at_one_moment_acts_once(store: Store, actor: Actor) -> None:
    with ThreadPoolExecutor(2) as pool:
        for n in range(1, 21):
            start = Barrier(2)
            command = commit(n, *([n - 1] if n > 1 else []))

            def send(writer: Ledger, n: int = n, start: Barrier = start, command: Any = command) -> Receipt:
                start.wait()
                return writer.admit(command, actor, key=f"k{n}")

            first, second = pool.map(send, [Ledger(store), Ledger(store)])
            assert first.events == second.events
            assert {first.repeated, second.repeated} == {True, False}

    assert store.end() == 21


def test_a_twin_that_waited_for_the_lock_is_answered_as_repeated(store: Store, actor: Actor) -> None:
    """It began before the first one committed, so it must not answer from what it saw before it waited."""
    ledger, twin = Ledger(store), Ledger(store)
    began, real, asked = Event(), ledger_module.decide, list[Future[Any]]()

    def decide(state: Any, command: Any) -> Any:
        began.set()
        until(lambda: bool(asked) and waiting_for_the_lock(store, asked[0]))
        return real(state, command)

    with ThreadPoolExecutor(2) as pool, pytest.MonkeyPatch.context() as patch:
        patch.setattr(ledger_module, "decide", decide)
        first = pool.submit(ledger.admit, commit(1), actor, key="k")
        assert began.wait(PATIENCE)
        asked.append(pool.submit(twin.admit, commit(1), actor, key="k"))
        assert asked[0].result().events == first.result().events
        assert (first.result().repeated, asked[0].result().repeated) == (False, True)
    assert store.end() == 2


def waiting_for_the_lock(store: Store, asked: Future[Any]) -> bool:
    """Whether a second writer waits for the head's lock. SQLite cannot tell, but its lock comes before any look."""
    if isinstance(store.database, SQLite):
        return not asked.done()
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    with store.database.connection() as connection:
        return connection.execute(waiting).fetchone()[0] > 0


def test_two_writers_never_both_win_a_version_of_a_stream(store: Store, actor: Actor) -> None:
    Ledger(store).admit(commit(1), actor)
    writers = [Ledger(store) for _ in range(4)]

    def write(writer: Ledger) -> int:
        return sum(len(writer.admit(note(f"{id(writer)} {n}"), actor).events) for n in range(15))

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(write, writers)) == 60

    version, rows = store.stream("model/credit")
    assert version == len(rows) == 62
    assert verify(store).size == 62


def test_only_one_of_many_commits_on_one_head_wins(store: Store, actor: Actor) -> None:
    Ledger(store).admit(commit(1), actor)
    start = Barrier(4)

    def save(n: int) -> bool:
        writer = Ledger(store)
        start.wait()
        try:
            writer.admit(commit(n, 1), actor)
        except Stale:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(save, range(2, 6))) == [False, False, False, True]


def test_threads_share_a_ledger(ledger: Ledger, actor: Actor) -> None:
    ledger.admit(commit(1), actor)
    with ThreadPoolExecutor(8) as pool:
        receipts = list(pool.map(lambda n: ledger.admit(note(n), actor), range(64)))

    assert sorted(receipt.events[0].seq for receipt in receipts) == list(range(3, 67))
    assert verify(ledger.store).size == 66


def test_nothing_is_read_of_streams_that_nobody_else_has_written_to(
    ledger: Ledger, actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    stream = Admission.stream

    def counted(self: Admission, name: str, after: int, types: Any) -> Any:
        read.append(name)
        return stream(self, name, after, types)

    ledger.admit(commit(1), actor)
    ledger.admit(commit(1, model="fraud"), actor)
    monkeypatch.setattr(Admission, "stream", counted)
    ledger.admit(note(1), actor)
    ledger.admit(commit(2, 1, model="fraud"), actor)
    ledger.admit(commit(2, 1), actor)
    assert read == []

    Ledger(ledger.store).admit(note(2), actor)
    ledger.admit(note(3), actor)
    assert read == ["model/credit"] * 2

    Ledger(ledger.store).admit(commit(3, 2, model="fraud"), actor)
    del read[:]
    ledger.admit(note(4), actor)
    assert read == []


@pytest.mark.parametrize("refilled", [0, 2, 6])
def test_a_log_that_was_set_back_under_a_process_is_not_decided_on_from_memory(
    store: Store, actor: Actor, refilled: int
) -> None:
    ledger = Ledger(store)
    ledger.admit(commit(1), actor)
    set_back_to = store.end()
    ledger.admit(commit(2, 1), actor)
    ledger.admit(note("forgotten"), actor)
    set_back(store, set_back_to)
    for n in range(refilled):  # others go on from there: short of what was, as far, and beyond
        Ledger(store).admit(note(n), actor)

    with pytest.raises(UnknownRevision):
        ledger.admit(Annotate(model="credit", version=2, annotations={"n": 1}), actor)
    ledger.admit(note("new"), actor)
    ledger.admit(commit(3, 1), actor)

    assert verify(store).size == store.end()
    assert ledger.state("model/credit") == Ledger(store).state("model/credit")


def set_back(store: Store, seq: int) -> None:
    """Leave the database as it was when its log had so many events."""
    frontier = store.frontier(seq)
    with store.database.transaction() as connection:
        mark = store.database.mark
        recorded = decode(store.read(seq - 1, 1)[0].envelope).recorded
        connection.execute(f"DELETE FROM events WHERE seq > {mark}", (seq,))
        connection.execute(store.sql.move_head, (seq, microseconds(recorded), frontier.encode(), None))


def test_a_writer_that_hangs_with_the_lock_in_its_hand_is_cut_off(
    ledger: Ledger, actor: Actor, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if isinstance(ledger.store.database, SQLite):
        pytest.skip("SQLite's writer is a process of this machine")
    monkeypatch.setattr(postgresql, "HUNG", 3.0)
    hanging = database_at(url, ledger.store.database.ledger, wait=0.1)

    ledger.admit(commit(1), actor)
    late = Request(note(2), actor)
    with pytest.raises(Unavailable), Ledger(Store(hanging)).transaction([late]) as transaction:  # noqa: PT012
        transaction.decide(late)
        until(lambda: Ledger(ledger.store).admit(note(1), actor) is not None)
    hanging.close()

    assert ledger.state("model/credit").notes[1]["n"] == 1  # type: ignore[union-attr]


def test_a_command_takes_at_most_three_statements_beside_begin_and_commit(
    ledger: Ledger, actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger.admit(commit(1), actor)
    ledger.admit(note(0), actor)
    said = spoken(ledger.store, monkeypatch)

    ledger.admit(note(1), actor)

    begin = ledger.store.database.begin
    assert tuple(said[: len(begin)]) == begin
    written = ["INSERT", "UPDATE"] if ledger.store.database.dialect == "sqlite" else ["WITH"]
    assert [text.split()[0] for text in said[len(begin) :]] == ["SELECT", *written, "COMMIT"]


def spoken(store: Store, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every statement that the driver is given from now on."""
    said: list[str] = []
    lent = store.database.connection

    class Listening:
        def __init__(self, real: Any) -> None:
            self._real = real

        def execute(self, text: str, *rest: Any) -> Any:
            said.append(text)
            return self._real.execute(text, *rest)

        def executemany(self, text: str, *rest: Any) -> Any:
            said.append(text)
            return self._real.executemany(text, *rest)

        def cursor(self) -> Any:
            return Listening(self._real.cursor())

        def pipeline(self) -> Any:
            return self._real.pipeline()

    @contextmanager
    def connection() -> Generator[Any]:
        with lent() as real:
            yield Listening(real)

    monkeypatch.setattr(store.database, "connection", connection)
    return said


def test_a_lock_is_waited_for_and_then_named(store: Store, actor: Actor, url: str) -> None:
    impatient = database_at(url, store.database.ledger, wait=2)
    with (
        store.admission(["holder"]),
        pytest.raises(Unavailable, match=r"locked by another writer for 2 s") as caught,
    ):
        Ledger(Store(impatient)).admit(commit(1), actor, key="k")
    impatient.close()

    assert caught.value.key == "k"
    assert Ledger(store).admit(commit(1), actor, key="k").events


def test_an_actor_is_made_once_however_many_ask(store: Store) -> None:
    start = Barrier(4)

    def ask(_: int) -> Actor:
        start.wait()
        return Actors(store.database).named("Grace")

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(ask, range(4)))) == 1
