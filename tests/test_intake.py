"""What other services tell: taken in once and in order, refusals kept with their reason, nothing lost."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lepton_ai.errors import Refused, Unavailable
from lepton_ai.events.actors import Actor, Actors
from lepton_ai.events.inbox import Letter
from lepton_ai.events.verify import verify
from lepton_ai.ledger import Ledger, Receipt
from lepton_ai.workers.intake import Intake

from .asking import commit


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


def letters(*told: dict[str, Any] | bytes, start: int = 0) -> list[Letter]:
    """Messages in structured mode, one behind the other."""
    raw = [each if isinstance(each, bytes) else json.dumps(each).encode() for each in told]
    return [Letter(position, each) for position, each in enumerate(raw, start)]


@pytest.fixture
def intake(ledger: Ledger, actor: Actor) -> Intake:
    """The intake of a ledger whose model credit has one version."""
    ledger.admit(commit(1), actor)
    return Intake(ledger, Actors(ledger.store.database), "inbox")


def test_an_outside_event_is_recorded_with_where_it_came_from(intake: Intake, ledger: Ledger) -> None:
    (answer,) = intake.take(letters(event("a", correlationid="c-1", traceparent="00-1-2-01")), None)

    assert isinstance(answer, Receipt)
    envelope = json.loads(ledger.store.read(ledger.store.end() - 1, 1)[0].envelope)
    assert (envelope["inboxsource"], envelope["inboxid"]) == ("/scoring/eu", "a")
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
        ({"id": None}, "id is 'None'"),
        ({"source": ""}, "source is ''"),
        ({"source": "x" * 600}, "source is"),
        ({"type": "lepton.version.committed.v1"}, "none that others may send"),
        ({"type": "com.example.thing"}, "none that others may send"),
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


@pytest.mark.parametrize("raw", [b"", b"{", b"\xff\xfe", b"[]", b"null", b'{"a":"\\ud800"}', b"x" * (256 * 1024 + 1)])
def test_what_is_no_event_at_all_is_kept_as_it_came(intake: Intake, ledger: Ledger, raw: bytes) -> None:
    (answer,) = intake.take(letters(raw), None)

    assert isinstance(answer, Refused)
    ((_, rejected, _),) = ledger.store.rejected()
    assert rejected.raw == raw
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


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(raw=st.lists(st.binary(max_size=60) | st.text(max_size=60).map(str.encode), max_size=5))
def test_no_bytes_stop_the_intake(intake: Intake, raw: list[bytes]) -> None:
    answers = intake.take(letters(*raw, start=intake.position() or 0), intake.position()) if raw else []

    assert len(answers) == len(raw)
