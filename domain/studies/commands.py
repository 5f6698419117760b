"""What is asked of studies and their trials."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ...events.study import Direction
from ..commands import OfStudy

Attributed = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateStudy(OfStudy):
    """Begin a search under a name that no study has."""

    directions: tuple[Direction, ...]
    model: str | None = None
    search: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class OfKnownStudy(OfStudy):
    """Something asked of one study as it was created: of a later one of the same name it is refused."""

    created: int
    """The study's id: the `seq` of the event that created it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteStudy(OfKnownStudy):
    """Give up a study's name with all its trials."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StopStudy(OfKnownStudy):
    """End a search behind the trials that are at work; nothing where it is stopped already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumeStudy(OfKnownStudy):
    """Go on with a search; nothing where it is not stopped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnotateStudy(OfKnownStudy):
    """Set attributes of a study."""

    user: Attributed = field(default_factory=dict[str, Any])
    system: Attributed = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A parameter's value and its distribution, as `TrialSuggested` has them."""

    value: Any
    distribution: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """How a trial ended."""

    status: str
    values: tuple[float, ...] | None = None
    ended: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BeginTrial(OfKnownStudy):
    """Let a trial join a study, with what is known of it already."""

    status: str = "running"
    started: datetime | None = None
    parameters: Mapping[str, Parameter] = field(default_factory=dict[str, Parameter])
    reported: Mapping[int, float] = field(default_factory=dict[int, float])
    user: Attributed = field(default_factory=dict[str, Any])
    system: Attributed = field(default_factory=dict[str, Any])
    end: End | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OfTrial(OfKnownStudy):
    """Something asked of one trial of a study."""

    trial: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggest(OfTrial):
    """Give a trial parameters."""

    parameters: Mapping[str, Parameter]


@dataclass(frozen=True, slots=True, kw_only=True)
class StartTrial(OfTrial):
    """Run a trial that waits; nothing where somebody else was faster."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueTrial(OfTrial):
    """Let a trial wait again for somebody who runs it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportValues(OfTrial):
    """Tell values of a trial on its way, by step."""

    reported: Mapping[int, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnotateTrial(OfTrial):
    """Set attributes of a trial."""

    user: Attributed = field(default_factory=dict[str, Any])
    system: Attributed = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class EndTrial(OfTrial):
    """End a trial."""

    end: End


StudyCommand = (
    CreateStudy
    | DeleteStudy
    | StopStudy
    | ResumeStudy
    | AnnotateStudy
    | BeginTrial
    | Suggest
    | StartTrial
    | QueueTrial
    | ReportValues
    | AnnotateTrial
    | EndTrial
)
