"""What a projector raises arrives over its socket with its sentence and its fields."""

from __future__ import annotations

import json

import pytest

from lepton_ai.errors import (
    Condemned,
    Damaged,
    KeyReused,
    LeptonError,
    LockHeld,
    NotInPast,
    Refused,
    Stale,
    TooLarge,
    Unavailable,
)
from lepton_ai.sent_errors import raised, told

ERRORS = (
    Unavailable("away"),
    Unavailable("away", key="k"),
    LockHeld("held"),
    Stale("branch 'main'", 1, None, "look again"),
    NotInPast(3, "main"),
    KeyReused("k"),
    Condemned(["a", "b"]),
    TooLarge("LogMetrics", 7, 100),
    Damaged("pack a", expected="x", found="y"),
    Refused("no", python="call", cli="type"),
)


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_an_error_that_was_sent_arrives_with_its_fields(error: LeptonError) -> None:
    found = raised(json.loads(json.dumps(told(error))))

    assert (type(found), str(found)) == (type(error), str(error))
    assert {"python": "", "cli": "", **vars(found)} == {"python": "", "cli": "", **vars(error)}


def test_a_field_that_is_no_json_arrives_as_text() -> None:
    found = raised(json.loads(json.dumps(told(Stale("it", frozenset(), 2, "look")))))

    assert isinstance(found, Stale)
    assert (found.expected, found.found) == ("frozenset()", 2)
