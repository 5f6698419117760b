"""The events of one chain: the steps that it has, and what became of each."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from .event import Event, ModelName, Number, Sealed, unsaid

ChainName = Annotated[str, Field(description="a chain's name, which its stream bears too")]
StepName = Annotated[str, Field(description="a step's name within its chain")]


class ChainStepPlan(BaseModel):
    """One step of a chain, as it was written."""

    model_config = ConfigDict(frozen=True, extra="allow", defer_build=True)

    step: StepName
    kind: str = Field(description="train, evaluate, gate, tag, alias, ...")
    needs: tuple[StepName, ...] = Field(default=(), description="the steps that must have finished before")
    digest: str = Field(description="digest of what it is asked with, by the key of whoever asks")


class ChainDefined(Event):
    """A chain's steps were asked for, or others than before; what became of those before counts no more."""

    type: Literal["lepton.chain.defined.v1"] = "lepton.chain.defined.v1"
    chain: ChainName
    steps: tuple[ChainStepPlan, ...] = Field(description="each behind those that it needs")


class ChainAdvanced(Event):
    """A step was asked for as a job, was done on a version, or was refused."""

    free_text: ClassVar = ("reason",)
    type: Literal["lepton.chain.advanced.v1"] = "lepton.chain.advanced.v1"
    step: StepName
    job: str | None = Field(default=None, exclude_if=unsaid, description="the job that it is, where it is one")
    model: ModelName | None = Field(default=None, exclude_if=unsaid, description="the model that it is about")
    version: Number | None = Field(default=None, exclude_if=unsaid, description="the version that it was done on")
    reason: Sealed = Field(default="", exclude_if=unsaid, description="why it was refused, sealed")


ChainEvent = ChainDefined | ChainAdvanced
