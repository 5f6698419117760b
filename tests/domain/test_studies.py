"""Studies decided: a trial ends once, one that waits is run by one, and a parameter keeps its distribution."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lepton_ai.domain.studies.commands import (
    AnnotateTrial,
    BeginTrial,
    CreateStudy,
    DeleteStudy,
    End,
    EndTrial,
    Parameter,
    QueueTrial,
    ReportValues,
    ResumeStudy,
    StartTrial,
    StopStudy,
    StudyCommand,
    Suggest,
)
from lepton_ai.domain.studies.values import in_numbers, in_words
from lepton_ai.errors import Incompatible, Malformed, Refused, StudyExists, TrialFinished, UnknownStudy
from lepton_ai.events.study import StudyCreated, StudyResumed, StudyStopped, TrialEnded, TrialStarted

from .past import Past

FLOAT = {"kind": "float", "low": 0.0, "high": 1.0, "step": None, "log": False}
CREATED = CreateStudy(study="s", directions=("minimize",))
DONE = End(status="complete", values=(0.5,))


def begun(*commands: Any) -> tuple[Past, dict[str, Any]]:
    """A past in which a study was created, and the place of its trial 0."""
    past = Past(CREATED)
    created = past.state("study/s").created
    for command in commands:
        past.ask(command(created))
    return past, {"study": "s", "created": created, "trial": 0}


def running(created: int) -> StudyCommand:
    return BeginTrial(study="s", created=created)


def waiting(created: int) -> StudyCommand:
    return BeginTrial(study="s", created=created, status="waiting")


def test_a_trial_ends_once_and_nothing_of_it_changes_then() -> None:
    past, place = begun(running)
    ((_, ended),) = past.ask(EndTrial(**place, end=DONE))

    assert ended == TrialEnded(trial=0, status="complete", values=(0.5,))
    for command in (
        EndTrial(**place, end=DONE),
        StartTrial(**place),
        QueueTrial(**place),
        ReportValues(**place, reported={1: 0.5}),
        AnnotateTrial(**place, user={"a": 1}),
        Suggest(**place, parameters={"x": Parameter(value=0.5, distribution=FLOAT)}),
    ):
        with pytest.raises(TrialFinished):
            past.ask(command)


def test_a_trial_that_waits_is_started_by_the_first_alone() -> None:
    past, place = begun(waiting)

    assert [event for _, event in past.ask(StartTrial(**place))] == [TrialStarted(trial=0)]
    assert past.ask(StartTrial(**place)) == ()


def test_a_study_is_created_once_and_after_it_was_deleted_begins_anew() -> None:
    past, place = begun(running)
    with pytest.raises(StudyExists):
        past.ask(CREATED)
    past.ask(DeleteStudy(study="s", created=place["created"]))

    ((_, again),) = past.ask(CREATED)

    assert again == StudyCreated(study="s", directions=("minimize",))
    assert len(past.state("study/s").trials) == 0
    with pytest.raises(UnknownStudy):
        past.ask(EndTrial(**place, end=DONE))


def test_a_search_is_stopped_once_and_gone_on_with_once() -> None:
    past = Past(CreateStudy(study="s", directions=("minimize",), search={"metrics": ["f1"]}))
    place = {"study": "s", "created": past.state("study/s").created}

    asked = [past.ask(kind(**place)) for kind in (ResumeStudy, StopStudy, StopStudy, ResumeStudy, ResumeStudy)]

    assert [[event for _, event in each] for each in asked] == [[], [StudyStopped()], [], [StudyResumed()], []]
    with pytest.raises(Refused, match="is searched by Optuna"):
        Past(CREATED).ask(StopStudy(study="s", created=1))


@pytest.mark.parametrize(
    ("other", "fits"),
    [
        (FLOAT | {"low": -9.0, "step": 0.5}, True),
        (FLOAT | {"log": True}, False),
        (FLOAT | {"kind": "int"}, False),
        ({"kind": "categorical", "choices": [0.5]}, False),
    ],
)
def test_a_parameter_keeps_what_it_is_drawn_from(other: dict[str, Any], fits: bool) -> None:
    past, place = begun(running)
    past.ask(Suggest(**place, parameters={"x": Parameter(value=0.5, distribution=FLOAT)}))
    again = Suggest(**place, parameters={"x": Parameter(value=0.5, distribution=other)})

    if fits:
        assert past.ask(again)
    else:
        with pytest.raises(Incompatible):
            past.ask(again)


def test_a_study_without_an_objective_is_refused() -> None:
    with pytest.raises(Malformed, match="at least one objective"):
        Past().ask(CreateStudy(study="s", directions=()))


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("a/~0", max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text("a/~1", max_size=3), PLAIN, max_size=4))
def test_values_come_back_as_they_were_told(values: dict[str, Any]) -> None:
    told, numbers = in_words(values, "attributes")

    assert repr(in_numbers(told, numbers)) == repr(values)
    assert all(math.isfinite(each) for each in told.values() if isinstance(each, float))
