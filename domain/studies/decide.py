"""How studies and trials are decided: once finished a trial never changes, and a parameter keeps its distribution."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, cast

from ...errors import Incompatible, Malformed, Refused, StudyExists, UnknownStudy
from ...events.event import Event
from ...events.study import (
    StudyAnnotated,
    StudyCreated,
    StudyDeleted,
    StudyResumed,
    StudyStopped,
    TrialAnnotated,
    TrialBegun,
    TrialEnded,
    TrialQueued,
    TrialReported,
    TrialStarted,
    TrialSuggested,
)
from ...plain import plain, plain_text
from ..append import Append
from ..commands import OfStudy
from ..names import checked_model, figure
from ..streams import study_stream
from .commands import (
    AnnotateStudy,
    AnnotateTrial,
    BeginTrial,
    CreateStudy,
    DeleteStudy,
    End,
    EndTrial,
    OfKnownStudy,
    Parameter,
    QueueTrial,
    ReportValues,
    ResumeStudy,
    StartTrial,
    StopStudy,
    StudyCommand,
    Suggest,
)
from .state import StudyState
from .values import in_words

if TYPE_CHECKING:
    from ..state import State

LONGEST: Final = 512
"""Characters of a study's name."""


def decide_study(state: State, asked: OfStudy) -> tuple[Append, ...]:
    """The events that a command becomes, none where there is nothing to do; `Refused` where a rule forbids it."""
    stream, command = study_stream(asked.study), cast(StudyCommand, asked)
    study = cast(StudyState, state[stream])
    if isinstance(command, OfKnownStudy) and study.created != command.created:
        raise UnknownStudy(f"there is no study {command.study!r} any more with the id {command.created}")
    return tuple(Append(stream, event) for event in _events(study, command))


def _events(study: StudyState, command: StudyCommand) -> Iterator[Event]:
    match command:
        case CreateStudy():
            yield _created(study, command)
        case DeleteStudy():
            yield StudyDeleted()
        case StopStudy():
            yield from _stopped(study)
        case ResumeStudy():
            if study.stopped is not None:
                yield StudyResumed()
        case AnnotateStudy(user=user, system=system):
            yield StudyAnnotated.model_validate(_attributes(user, system))
        case BeginTrial():
            yield from _begun(study, command)
        case Suggest(trial=number, parameters=parameters):
            study.open_trial(number)
            yield _suggested(study, number, parameters)
        case StartTrial(trial=number):
            if study.open_trial(number).status == "waiting":
                yield TrialStarted(trial=number)
        case QueueTrial(trial=number):
            if study.open_trial(number).status == "running":
                yield TrialQueued(trial=number)
        case ReportValues(trial=number, reported=reported):
            study.open_trial(number)
            yield _reported(number, reported)
        case AnnotateTrial(trial=number, user=user, system=system):
            study.open_trial(number)
            yield TrialAnnotated.model_validate({"trial": number, **_attributes(user, system)})
        case EndTrial(trial=number, end=end):
            study.open_trial(number)
            yield _ended(number, end)


def checked_study(name: str) -> str:
    """The name of a study, or `Malformed`: any text of at most 512 characters that a database holds."""
    if len(name) > LONGEST or "\0" in name:
        raise Malformed(f"{name[:80]!r} cannot name a study; give at most {LONGEST} characters, none of them null")
    return plain_text(name, "a study's name")


def _created(study: StudyState, command: CreateStudy) -> StudyCreated:
    name = checked_study(command.study)
    if study.created:
        raise StudyExists(f"there is a study {name!r} already; give another name, or go on with that one")
    if not command.directions:
        raise Malformed("a study has at least one objective; give its direction, minimize or maximize")
    return StudyCreated(
        study=name,
        directions=command.directions,
        model=None if command.model is None else checked_model(command.model),
        search=plain(command.search, "search"),
    )


def _stopped(study: StudyState) -> Iterator[StudyStopped]:
    if not study.search:
        raise Refused(
            f"study {study.name!r} is searched by Optuna itself, which hears of no stop; end it where it runs"
        )
    if study.stopped is None:
        yield StudyStopped()


def _begun(study: StudyState, command: BeginTrial) -> Iterator[Event]:
    number = len(study.trials)
    yield TrialBegun.model_validate({"trial": number, "status": command.status, "started": command.started})
    if command.parameters:
        yield _suggested(study, number, command.parameters)
    if command.reported:
        yield _reported(number, command.reported)
    if command.user or command.system:
        yield TrialAnnotated.model_validate({"trial": number, **_attributes(command.user, command.system)})
    if command.end:
        yield _ended(number, command.end)


def _suggested(study: StudyState, number: int, parameters: Mapping[str, Parameter]) -> TrialSuggested:
    given = {name: {"value": each.value, "distribution": each.distribution} for name, each in parameters.items()}
    told, numbers = in_words(given, "parameters")
    event = TrialSuggested(trial=number, parameters=told, numbers=numbers)
    for name, parameter in parameters.items():
        if (before := study.distributions.get(name)) is not None:
            _check_compatible(name, before, parameter.distribution)
    return event


def _check_compatible(name: str, before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Hold that a parameter is drawn from what it was drawn from: bounds may move, kind, scale and choices stay."""
    if before.get("kind") != now.get("kind"):
        raise Incompatible(f"parameter {name!r} is drawn from {before.get('kind')} here, not {now.get('kind')}")
    if before.get("log") != now.get("log"):
        raise Incompatible(f"parameter {name!r} keeps its scale in a study; it was log={before.get('log')}")
    if in_words({"": before.get("choices")}, name) != in_words({"": now.get("choices")}, name):
        raise Incompatible(f"parameter {name!r} keeps its choices and their order in a study")


def _reported(number: int, reported: Mapping[int, float]) -> TrialReported:
    values = tuple(figure(f"step {step}", value) for step, value in reported.items())
    return TrialReported(trial=number, steps=tuple(reported), values=values)


def _ended(number: int, end: End) -> TrialEnded:
    values = None if end.values is None else tuple(figure("objective", value) for value in end.values)
    if end.status not in ("complete", "pruned", "failed"):
        raise Refused(f"a trial ends complete, pruned or failed, not {end.status!r}")
    return TrialEnded(trial=number, status=end.status, values=values, ended=end.ended)


def _attributes(user: Mapping[str, Any], system: Mapping[str, Any]) -> dict[str, Any]:
    told, numbers = in_words({"user": user, "system": system}, "attributes")
    return {**told, "numbers": numbers}
