"""The events of one study: a search, and each of its trials from its beginning to its end."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from .bounds import Count, Moment, Step
from .event import Annotation, Event, Figure, Json, ModelName, unsaid

StudyName = Annotated[str, Field(description="a study's name, which its stream bears too; any text, an empty one too")]
TrialNumber = Annotated[Count, Field(description="the trial's number within its study, from 0")]
Attributes = Annotated[Json, Field(description="what was noted, by name")]
SystemAttributes = Annotated[Json, Field(description="what samplers and tools noted for themselves, by name")]
Numbers = Annotated[
    tuple[str, ...],
    Field(
        exclude_if=unsaid,
        description="JSON pointers of the texts that stand for numbers: NaN, infinities, those of more than 64 bits",
    ),
]
Direction = Literal["minimize", "maximize"]


class StudyCreated(Event):
    """A search began under a name; its id is the `sequence` of this event."""

    type: Literal["lepton.study.created.v1"] = "lepton.study.created.v1"
    study: StudyName
    directions: tuple[Direction, ...] = Field(description="which way each objective is better")
    model: ModelName | None = Field(default=None, exclude_if=unsaid, description="the model that it is for, if any")
    search: Json = Field(
        default={}, description="what Lepton searches by: metrics, space, sampler, pruner, data, ...; else empty"
    )


class StudyAnnotated(Event):
    """Attributes of a study were set."""

    type: Literal["lepton.study.annotated.v1"] = "lepton.study.annotated.v1"
    user: Attributes = {}
    system: SystemAttributes = {}
    numbers: Numbers = ()


class StudyDeleted(Event):
    """A study's name was given up with all its trials; a study created under it later begins anew."""

    type: Literal["lepton.study.deleted.v1"] = "lepton.study.deleted.v1"


class StudyStopped(Event):
    """A search is to end behind the trials that are at work."""

    type: Literal["lepton.study.stopped.v1"] = "lepton.study.stopped.v1"


class StudyResumed(Event):
    """A search that was stopped is gone on with."""

    type: Literal["lepton.study.resumed.v1"] = "lepton.study.resumed.v1"


class TrialBegun(Event):
    """A trial joined a study; its id is the `sequence` of this event."""

    type: Literal["lepton.trial.begun.v1"] = "lepton.trial.begun.v1"
    trial: TrialNumber
    status: Literal["waiting", "running"] = Field(description="whether somebody runs it, or it waits for that")
    started: Moment | None = Field(
        default=None, exclude_if=unsaid, description="when it began to run, of one that was run elsewhere before"
    )


class SuggestedParameter(BaseModel):
    """A parameter of a trial, and the distribution that it was drawn from."""

    model_config = ConfigDict(frozen=True, extra="allow", ser_json_inf_nan="strings")
    value: Annotation = Field(description="what was suggested")
    distribution: Json = Field(
        description="kind (float, int, categorical) and low, high, step, log, or the choices in order"
    )


class TrialSuggested(Event):
    """Parameters were suggested to a trial."""

    type: Literal["lepton.trial.suggested.v1"] = "lepton.trial.suggested.v1"
    trial: TrialNumber
    parameters: dict[str, SuggestedParameter] = Field(description="by name, in the order of being suggested")
    numbers: Numbers = ()


class TrialStarted(Event):
    """A trial that waited is run by somebody now."""

    type: Literal["lepton.trial.started.v1"] = "lepton.trial.started.v1"
    trial: TrialNumber


class TrialQueued(Event):
    """A trial that was run waits again."""

    type: Literal["lepton.trial.queued.v1"] = "lepton.trial.queued.v1"
    trial: TrialNumber


class TrialReported(Event):
    """A trial told values on its way, by which it may be pruned."""

    type: Literal["lepton.trial.reported.v1"] = "lepton.trial.reported.v1"
    trial: TrialNumber
    steps: tuple[Step, ...] = Field(description="the step of each value")
    values: tuple[Figure, ...] = Field(description="the value at each step; a later one of a step counts")

    @model_validator(mode="after")
    def _columns_have_one_length(self) -> TrialReported:
        if len(self.steps) != len(self.values):
            raise ValueError("the columns differ in length")
        return self


class TrialAnnotated(Event):
    """Attributes of a trial were set."""

    type: Literal["lepton.trial.annotated.v1"] = "lepton.trial.annotated.v1"
    trial: TrialNumber
    user: Attributes = {}
    system: SystemAttributes = {}
    numbers: Numbers = ()


class TrialEnded(Event):
    """A trial came to its one end."""

    type: Literal["lepton.trial.ended.v1"] = "lepton.trial.ended.v1"
    trial: TrialNumber
    status: Literal["complete", "pruned", "failed"] = Field(description="how it ended")
    values: tuple[Figure, ...] | None = Field(
        default=None, description="its objectives in order; null where it came to none"
    )
    ended: Moment | None = Field(
        default=None, exclude_if=unsaid, description="when it ended, of one that was run elsewhere before"
    )


StudyEvent = (
    StudyCreated
    | StudyAnnotated
    | StudyDeleted
    | StudyStopped
    | StudyResumed
    | TrialBegun
    | TrialSuggested
    | TrialStarted
    | TrialQueued
    | TrialReported
    | TrialAnnotated
    | TrialEnded
)
