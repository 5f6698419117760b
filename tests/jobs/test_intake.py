"""What other services tell: taken in once and in order, refusals kept with their reason, nothing lost."""

from __future__ import annotations

import json
from contextlib import nullcontext
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lepton_ai.domain.append import Append
from lepton_ai.errors import Malformed, Refused, Unavailable
from lepton_ai.events.actor import Actor
from lepton_ai.events.inbox import Letter
from lepton_ai.events.sql.actors import Actors
from lepton_ai.events.sql.audit import verify
from lepton_ai.events.sql.rows import Rejected
from lepton_ai.events.sql.store import Store
from lepton_ai.jobs.intake.inbox import Intake, Read
from lepton_ai.jobs.intake.rejected import RefusedMessages
from lepton_ai.ledger import Ledger, Receipt
from lepton_ai.ledger import transaction as ledger_module
from lepton_ai.settings import Terms

from ..asking import commit
from ..examples import examples


def event(id: object, /, **changes: Any) -> dict[str, Any]:
    """A service's metrics of version 1 of credit."""
    whole: dict[str, Any] = {
        "specversion": "1.0",
        "id": str(id),
        "source": "/scoring/eu",
        "type": "lepton.metrics.recorded.v1",
        "subject": "model/credit",
        "time": "2026-01-31T12:00:00Z",
        "data": {"version": 1, "metrics": {"f1": 0.5}},
    }
    return {name: value for name, value in (whole | changes).items() if value is not None}


TOLD = "lepton.evaluation.recorded.v1"
EVALUATED = {"version": 1, "data": {"digest": f"blake3:{'a' * 64}", "rows": 3}, "metrics": {"f1": 0.5}}


def letters(*told: dict[str, Any] | bytes, start: int = 0) -> list[Letter]:
    """Messages in structured mode, one behind the other."""
    raw = [each if isinstance(each, bytes) else json.dumps(each).encode() for each in told]
    return [Letter(position, each) for position, each in enumerate(raw, start)]


def nested(levels: int) -> Any:
    """A list of that many levels."""
    value: Any = 0
    for _ in range(levels):
        value = [value]
    return value


def opened(ledger: Ledger, rejected: Rejected) -> Letter | str:
    """A rejected message, as far as it can be read yet."""
    return RefusedMessages(ledger.store, Actors(ledger.store.database), Terms().rejected).opened(rejected)


@pytest.fixture
def intake(ledger: Ledger, actor: Actor) -> Intake:
    """The intake of a ledger whose model credit has one version."""
    ledger.admit(commit(1), actor)
    return Intake(ledger, Actors(ledger.store.database), "inbox")


def test_an_outside_event_is_recorded_with_where_it_came_from(intake: Intake, ledger: Ledger) -> None:
    (answer,) = intake.take(letters(event("a", correlationid="c-1", traceparent="00-1-2-01")), None)

    assert isinstance(answer, Receipt)
    envelope = json.loads(ledger.store.read(ledger.store.end() - 1, 1)[0].envelope)
    assert (envelope["inboxsource"], envelope["inboxid"]) == (envelope["authid"], "a")
    assert (envelope["correlationid"], envelope["traceparent"]) == ("c-1", "00-1-2-01")
    assert (envelope["authtype"], envelope["time"]) == ("service_account", "2026-01-31T12:00:00.000000Z")
    assert intake.position() == 1
    assert verify(ledger.store).size == 3


def test_binary_mode_says_the_same(intake: Intake) -> None:
    told = event("b")
    headers = [(f"ce_{name}", str(value).encode()) for name, value in told.items() if name != "data"]
    raw = json.dumps(told["data"]).encode()

    (answer,) = intake.take([Letter(0, raw, (*headers, ("content-type", b"application/json")))], None)

    assert isinstance(answer, Receipt)
    assert answer.events[0].event.type == "lepton.metrics.recorded.v1"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"specversion": "0.3"}, "specversion is '0.3'"),
        ({"specversion": None}, "specversion is None"),
        ({"id": None}, "id is missing"),
        ({"source": ""}, "source is a text of 0 characters"),
        ({"source": "x" * 600}, "source is"),
        ({"source": "x" * 201}, "source has 201 characters"),
        ({"source": ["x"]}, "source is a JSON list"),
        ({"time": "0001-01-01T00:00:00+14:00"}, "time is '0001-01-01"),
        ({"time": "9999-12-31T23:59:59-14:00"}, "time is '9999-12-31"),
        ({"time": "2026-01-31T12:00:00+24:00"}, "time is"),
        ({"time": 10**400}, "beyond 64 bits"),
        ({"time": [1]}, "time is"),
        ({"data": {"version": 2**64, "metrics": {"f1": 1}}}, "beyond 64 bits"),
        ({"data": {"version": 1, "metrics": {"f1": 1e308}, "note": "half \ud800 a pair"}}, "half a character"),
        ({"data": {"version": 1, "metrics": {"f1": 1}, "more": "nul \0"}}, "NUL character"),
        ({"data": {"version": 1, "metrics": {"f\0": 1}}}, "NUL character"),
        ({"data": {"version": 1, "metrics": {"f1": 1}, "deep": nested(65)}}, "nested too deeply"),
        ({"type": "lepton.dataset.recorded.v1", "subject": "dataset/d", "data": {"data": {"n": 10**30}}}, "64 bits"),
        ({"type": "lepton.version.committed.v2"}, "none that others may send"),
        ({"type": "com.example.thing"}, "none that others may send"),
        ({"type": TOLD, "data": EVALUATED | {"name": "n" * 201}}, "cannot name a set of rows; give a text of at most"),
        ({"type": TOLD, "data": EVALUATED | {"name": "a\nb"}}, "leave out its control characters"),
        ({"type": TOLD, "data": EVALUATED | {"intervals": {"f1": [1, 0]}}}, "its ends are finite and rise"),
        ({"type": TOLD, "data": EVALUATED | {"intervals": {"f1": ["NaN", 0]}}}, "should be a finite number"),
        ({"subject": "run/1"}, "belong to model/"),
        ({"subject": "model/"}, "belong to model/"),
        ({"subject": "model/../x"}, "cannot name a model"),
        ({"subject": "model/nobody"}, "there is no model"),
        ({"time": "yesterday"}, "time is 'yesterday'"),
        ({"time": "2026-01-31T12:00:00"}, "time is"),
        ({"data": None}, "data is no JSON object"),
        ({"data": [1]}, "data is no JSON object"),
        ({"data": {"version": 1}}, "metrics: field required"),
        ({"data": {"version": 0, "metrics": {}}}, "version: input should be"),
        ({"data": {"version": 9, "metrics": {"f1": 1}}}, "no version 9"),
        ({"data": {"version": 1, "metrics": {"f1": "high"}}}, "metrics.f1: input should be"),
        ({"data": {"version": 1, "metrics": {"f 1\n": 1}}}, "cannot name a metric"),
    ],
)
def test_what_breaks_a_rule_is_kept_with_its_reason(
    intake: Intake, ledger: Ledger, changes: dict[str, Any], reason: str
) -> None:
    end = ledger.store.end()
    answers = intake.take(letters(event("bad", **changes), event("good")), None)

    assert reason in str(answers[0])
    assert "\n" not in str(answers[0])
    assert isinstance(answers[1], Receipt)
    assert ledger.store.end() == end + 1
    assert ledger.store.rejected_count() == 1
    assert reason in ledger.store.rejected()[0][1].reason


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[]",
        b"null",
        b'{"a":"\\ud800"}',
        b'{"a":1e999}',
        b'{"a":NaN}',
        b"[" * 200_000,
        b'{"a":' * 30_000,
        b"x" * (256 * 1024 + 1),
        json.dumps({"specversion": "1.0"}).encode("utf-16"),
        b'{"specversion":"1.0","source":"/a","source":"/b"}',
    ],
)
def test_what_is_no_event_at_all_is_kept_as_it_came(intake: Intake, ledger: Ledger, raw: bytes) -> None:
    (answer,) = intake.take(letters(raw), None)

    assert isinstance(answer, Refused)
    ((_, rejected, _),) = ledger.store.rejected()
    assert len(raw) < 4 or raw not in rejected.raw  # a few bytes may stand in any ciphertext
    assert opened(ledger, rejected) == Letter(0, raw)
    assert intake.position() == 1


def test_the_same_bytes_again_are_skipped_and_other_bytes_under_one_id_are_refused(
    intake: Intake, ledger: Ledger
) -> None:
    same = [event("a")] * 10_000
    intake.take(letters(*same), None)
    end = ledger.store.end()

    other = event("a", data={"version": 1, "metrics": {"f1": 0.9}})
    (again, reused) = intake.take(letters(event("a"), other, start=10_000), 10_000)

    assert isinstance(again, Receipt)
    assert again.repeated
    assert "used for another event" in str(reused)
    assert ledger.store.end() == end == 3


def test_a_refused_message_leaves_its_id_free_and_can_be_tried_again(
    intake: Intake, ledger: Ledger, actor: Actor
) -> None:
    told = event("a", data={"version": 2, "metrics": {"f1": 0.9}})
    intake.take(letters(told), None)
    ((number, _, _),) = ledger.store.rejected()
    with pytest.raises(AssertionError):
        assert isinstance(intake.retry(number), Receipt)
    ledger.admit(commit(2, 1), actor)

    assert isinstance(intake.retry(number), Receipt)

    assert ledger.store.rejected_count() == 0
    with pytest.raises(Refused, match="nothing left to do"):
        intake.retry(number)
    with pytest.raises(Refused, match="no rejected message"):
        intake.retry(99)


def test_two_intakes_of_one_topic_cannot_both_move_it(intake: Intake, ledger: Ledger) -> None:
    intake.take(letters(event("a")), None)
    other = Intake(ledger, Actors(ledger.store.database), "inbox")
    for expected in (None, 0):
        with pytest.raises(Unavailable, match="another process takes in"):
            other.take(letters(event("b")), expected)

    assert ledger.store.end() == 3
    assert isinstance(other.take(letters(event("b"), start=1), 1)[0], Receipt)


def test_data_sets_and_observations_are_told_too(intake: Intake, ledger: Ledger) -> None:
    dataset = event(
        "d",
        type="lepton.dataset.recorded.v1",
        subject="dataset/loans",
        data={"data": {"digest": "blake3:1", "rows": 9}},
    )
    seen = event(
        "o",
        type="lepton.observation.recorded.v1",
        subject="endpoint/scoring",
        data={
            "model": "credit",
            "version": 1,
            "since": "2026-01-01T00:00:00Z",
            "until": "2026-01-02T00:00:00Z",
            "rows": 10,
            "metrics": {"latency_ms": 3.5},
        },
    )
    backwards = seen | {"id": "o2", "data": seen["data"] | {"until": "2025-01-01T00:00:00Z"}}

    answers = intake.take(letters(dataset, dataset | {"id": "d2"}, seen, backwards), None)

    streams = [recorded.stream for answer in answers if isinstance(answer, Receipt) for recorded in answer.events]
    assert streams == ["dataset/loans", "endpoint/scoring"]
    assert "`until` is before `since`" in str(answers[3])


@settings(max_examples=examples(60), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(raw=st.lists(st.binary(max_size=60) | st.text(max_size=60).map(str.encode), max_size=5))
def test_no_bytes_stop_the_intake(intake: Intake, raw: list[bytes]) -> None:
    answers = intake.take(letters(*raw, start=intake.position() or 0), intake.position()) if raw else []

    assert len(answers) == len(raw)


OBSERVED: dict[str, Any] = {
    "model": "credit",
    "version": 1,
    "since": "2026-01-01T00:00:00Z",
    "until": "2026-01-02T00:00:00Z",
    "rows": 10,
    "metrics": {"latency_ms": 3.5},
}


@pytest.mark.parametrize(
    "changes",
    [
        {"since": "0001-01-01T00:00:00+14:00"},
        {"until": "9999-12-31T23:59:59-14:00"},
        {"since": -1e300},
        {"until": 10**18},
        {"rows": -1},
        {"metrics": {"x" * 300: 1}},
        {"metrics": {"f1": True, "f2": [1]}},
        {"version": 1.5},
        {"model": "nobody"},
    ],
)
def test_no_time_or_number_in_an_observation_stops_what_comes_behind_it(
    intake: Intake, ledger: Ledger, changes: dict[str, Any]
) -> None:
    bad = event("o", type="lepton.observation.recorded.v1", subject="endpoint/e", data=OBSERVED | changes)

    answers = intake.take(letters(bad, event("good")), None)

    assert isinstance(answers[0], Refused)
    assert isinstance(answers[1], Receipt)
    assert intake.position() == 2


@pytest.mark.parametrize("id", ["\U0001f600" * 500, "x" * 500])
def test_the_longest_id_is_one_that_the_tables_can_look_up(intake: Intake, id: str) -> None:
    same = event(id, source="\U0001f600" * 200)

    answers = intake.take(letters(same, same, event("next")), None)

    assert [isinstance(each, Receipt) for each in answers] == [True] * 3
    assert [each.repeated for each in answers if isinstance(each, Receipt)] == [False, True, False]


@pytest.mark.parametrize(
    ("where", "raised"), [("deciding", OverflowError()), ("reading", MemoryError()), ("writing", ValueError())]
)
def test_whatever_a_message_raises_it_alone_is_rejected_and_the_rest_goes_on(
    intake: Intake, ledger: Ledger, monkeypatch: pytest.MonkeyPatch, raised: Exception, where: str
) -> None:
    class Poisonous(Intake):
        """An intake for which one message is poison in a way that no rule names."""

        def _read(self, letter: Letter, actors: dict[str, Actor]) -> Read:
            read = super()._read(letter, actors)
            if where == "reading" and b'"poison"' in letter.raw:
                raise raised
            return read

    decide = ledger_module.decide

    def poisoned(state: Any, command: Any) -> Any:
        if where == "deciding" and command.metrics == {"poison": 1.0}:
            raise raised
        appends = decide(state, command)
        if where == "writing" and command.metrics == {"poison": 1.0}:
            return (*appends, Append("model/" + "\0" * 5, appends[0].event), Append(None, appends[0].event))  # type: ignore[arg-type]
        return appends

    monkeypatch.setattr(ledger_module, "decide", poisoned)
    poisonous = Poisonous(ledger, Actors(ledger.store.database), "inbox")
    told = [event(n) for n in range(150)]
    told[77] = event("bad", data={"version": 1, "metrics": {"poison": 1}})
    end = ledger.store.end()

    answers = poisonous.take(letters(*told), None)

    assert [n for n, answer in enumerate(answers) if not isinstance(answer, Receipt)] == [77]
    ((number, rejected, _),) = ledger.store.rejected()
    assert "unforeseen" in rejected.reason
    assert opened(ledger, rejected) == letters(*told)[77]
    assert (ledger.store.end(), poisonous.position()) == (end + 149, 150)
    assert isinstance(poisonous.retry(number), Refused)
    monkeypatch.setattr(ledger_module, "decide", decide)
    assert isinstance(intake.retry(number), Receipt)
    assert verify(ledger.store).size == end + 150


@pytest.mark.parametrize("value", ["nul \0", "long", object()])
def test_a_value_that_no_column_holds_is_malformed_and_no_outage(store: Store, value: Any) -> None:
    if value == "long":  # for an index; random, for PostgreSQL compresses
        value = "".join(chr(0x4E00 + n) for n in Random(1).choices(range(20_000), k=6_000))
    taken = store.database.dialect == "sqlite" and isinstance(value, str)

    with nullcontext() if taken else pytest.raises(Malformed, match="cannot hold a value"):  # noqa: SIM117
        with store.database.connection() as connection:
            connection.execute(store.sql.insert_seen, ("a", value, "d"))


def test_no_outside_service_names_rows_or_says_where_they_lie(intake: Intake, ledger: Ledger) -> None:
    data = {"digest": "blake3:" + "1" * 64, "rows": 3}
    kept = {"kept": "blake3:" + "2" * 64, "source": "file:///etc/passwd", "profile": {"rows": 3}}

    told = intake.take(
        letters(
            event("a", type="lepton.data.named.v1", subject="data/holdout", data={"version": 1, "data": data}),
            event("b", type="lepton.dataset.recorded.v1", subject="data/holdout", data={"data": data}),
            event("c", type="lepton.dataset.recorded.v1", subject="dataset/holdout", data={"data": data, **kept}),
        ),
        None,
    )

    assert [type(each).__name__ for each in told] == ["Malformed", "Malformed", "Receipt"]
    assert ledger.store.streams("data/") == []
    envelope = json.loads(ledger.store.read(ledger.store.end() - 1, 1)[0].envelope)
    assert envelope["data"] == {"data": data}
