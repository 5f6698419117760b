"""The aggregate of one study: its trials, each as its events left it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from immutables import Map

from ...errors import TrialFinished, UnknownStudy
from ...events.envelope import Recorded
from ...events.study import (
    Direction,
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
from .values import in_numbers

Status = Literal["waiting", "running", "complete", "pruned", "failed"]
Distribution = Mapping[str, Any]
_OfTrial = TrialSuggested | TrialStarted | TrialQueued | TrialReported | TrialAnnotated | TrialEnded


@dataclass(frozen=True, slots=True)
class Trial:
    """What the events of one trial add up to."""

    seq: int
    """The event that began it, which is its id."""
    number: int
    status: Status
    started: datetime | None
    ended: datetime | None = None
    parameters: Mapping[str, tuple[Any, Distribution]] = Map()
    """By name the value and what it was drawn from, in the order of being suggested."""
    reported: Mapping[int, float] = Map()
    user: Mapping[str, Any] = Map()
    system: Mapping[str, Any] = Map()
    values: tuple[float, ...] | None = None

    @property
    def finished(self) -> bool:
        """Whether it came to its end, after which nothing of it changes."""
        return self.status in ("complete", "pruned", "failed")


@dataclass(frozen=True, slots=True)
class StudyState:
    """What a study's events add up to since it was created last."""

    name: str = ""
    created: int = 0
    """The event that created it, which is its id; 0 where there is no such study."""
    begun: datetime | None = None
    actor: str = ""
    directions: tuple[Direction, ...] = ()
    model: str | None = None
    search: Mapping[str, Any] = Map()
    user: Mapping[str, Any] = Map()
    system: Mapping[str, Any] = Map()
    trials: Map[int, Trial] = Map()  # noqa: RUF009 - frozen
    unfinished: Map[int, None] = Map()  # noqa: RUF009
    """The numbers of the trials that came to no end yet."""
    distributions: Map[str, Distribution] = Map()  # noqa: RUF009
    """By parameter what it was drawn from last."""
    stopped: datetime | None = None
    """When its search was stopped; None where it was not, or is gone on with."""

    def trial(self, number: int) -> Trial:
        """A trial by its number. Raises `UnknownStudy`."""
        if (trial := self.trials.get(number)) is None:
            raise UnknownStudy(f"study {self.name!r} has no trial {number}; it has {len(self.trials)}")
        return trial

    def open_trial(self, number: int) -> Trial:
        """As `trial`, of one that did not end. Raises `TrialFinished`."""
        trial = self.trial(number)
        if trial.finished:
            raise TrialFinished(f"trial {number} of study {self.name!r} is {trial.status}; nothing of it changes now")
        return trial


def evolve(study: StudyState, recorded: Recorded) -> StudyState:
    """The study after one more event."""
    match event := recorded.event:
        case StudyCreated():
            place = (event.study, recorded.seq, recorded.time, recorded.actor)
            return StudyState(*place, event.directions, event.model, event.search)
        case StudyDeleted():
            return StudyState(study.name)
        case StudyAnnotated():
            return replace(study, **_annotated(study, event))
        case StudyStopped():
            return replace(study, stopped=recorded.time)
        case StudyResumed():
            return replace(study, stopped=None)
        case TrialBegun():
            started = None if event.status == "waiting" else recorded.time
            trial = Trial(recorded.seq, event.trial, event.status, event.started or started)
            unfinished = study.unfinished.set(event.trial, None)
            return replace(study, trials=study.trials.set(event.trial, trial), unfinished=unfinished)
        case TrialSuggested() | TrialStarted() | TrialQueued() | TrialReported() | TrialAnnotated() | TrialEnded() if (
            event.trial in study.trials
        ):
            return _with_trial(study, event, recorded)
        case _:
            return study


def _with_trial(study: StudyState, event: _OfTrial, recorded: Recorded) -> StudyState:
    trial = _evolved(study.trials[event.trial], event, recorded)
    study = replace(study, trials=study.trials.set(event.trial, trial))
    if isinstance(event, TrialSuggested):
        drawn = {name: distribution for name, (_, distribution) in _suggested(event).items()}
        return replace(study, distributions=study.distributions.update(drawn))
    if trial.finished and trial.number in study.unfinished:
        return replace(study, unfinished=study.unfinished.delete(trial.number))
    return study


def _evolved(trial: Trial, event: _OfTrial, recorded: Recorded) -> Trial:
    match event:
        case TrialSuggested():
            return replace(trial, parameters={**trial.parameters, **_suggested(event)})
        case TrialStarted():
            return replace(trial, status="running", started=recorded.time)
        case TrialQueued():
            return replace(trial, status="waiting")
        case TrialReported():
            told = dict(zip(event.steps, event.values, strict=True))
            return replace(trial, reported=Map(trial.reported).update(told))
        case TrialAnnotated():
            return replace(trial, **_annotated(trial, event))
        case TrialEnded():
            return replace(trial, status=event.status, values=event.values, ended=event.ended or recorded.time)


def _annotated(thing: StudyState | Trial, event: StudyAnnotated | TrialAnnotated) -> dict[str, Map[str, Any]]:
    told = in_numbers({"user": event.user, "system": event.system}, event.numbers)
    return {"user": Map(thing.user).update(told["user"]), "system": Map(thing.system).update(told["system"])}


def _suggested(event: TrialSuggested) -> dict[str, tuple[Any, Distribution]]:
    told = {name: {"value": each.value, "distribution": each.distribution} for name, each in event.parameters.items()}
    return {name: (each["value"], each["distribution"]) for name, each in in_numbers(told, event.numbers).items()}
