"""The events of one suite: what versions are judged on by themselves, and what they must come to."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from .event import Branch, Event, Fingerprint, Json, ModelName, Sealed, Task, unsaid

SuiteName = Annotated[str, Field(description="a suite's name, which its stream bears too")]


class SuiteDefined(Event):
    """A suite was defined, or defined anew: each is the suite's next version, the first is 1."""

    free_text: ClassVar = ("source", "message")
    type: Literal["lepton.suite.defined.v1"] = "lepton.suite.defined.v1"
    suite: SuiteName
    data: Fingerprint
    named: str = Field(
        default="", exclude_if=unsaid, description="the named data that the rows are, with its version, if they are"
    )
    source: Sealed = Field(default="", exclude_if=unsaid, description="else where the rows lie, sealed")
    label: str = Field(description="the column of labels")
    selection: Json = Field(default={}, description="what columns hold and which are read, where it was said")
    evaluation: str = Field(description="what its evaluations are called")
    metrics: tuple[str, ...] = Field(default=(), description="the figures that it reports; all where none is named")
    requirements: tuple[str, ...] = Field(
        default=(), description="conditions on figures, as docs/expressions.md has them"
    )
    against: str | None = Field(
        default=None, description="the alias, branch or tag that `against.` stands for in the requirements"
    )
    model: ModelName | None = Field(default=None, description="the model that it watches, if it watches one")
    branch: Branch | None = Field(default=None, description="the branch whose new versions it judges by itself")
    task: Task | None = Field(default=None, description="what versions are judged for, where it was said")
    report: Json = Field(
        default={}, description="what the reports of its evaluations are asked with: draws, groups, sensitive, ..."
    )
    pool: str = Field(default="default", description="the workers that judge versions by it")
    message: Sealed = ""


class SuiteRetired(Event):
    """A suite judges no more versions; defined again it goes on."""

    free_text: ClassVar = ("reason",)
    type: Literal["lepton.suite.retired.v1"] = "lepton.suite.retired.v1"
    reason: Sealed = ""


SuiteEvent = SuiteDefined | SuiteRetired
