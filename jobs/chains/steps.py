"""The kinds of steps: what each is asked with, as commands and job kinds have it, and how it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, ClassVar, Final, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field, create_model

from ...domain.job.kinds import REPORT_OPTIONS, Directions, JudgesVersion
from ...results import JobRecord, Version
from ...results.judging.gate import Gate

STEP_PREFIX: Final = "step:"
"""Before the name of a step, where a version is asked for: the one that the step makes, or is about."""


class AsksForJobs(Protocol):
    """What of `jobs.api.Jobs` a chain asks."""

    @property
    def train(self) -> Callable[..., JobRecord]: ...
    @property
    def evaluate(self) -> Callable[..., JobRecord]: ...
    @property
    def show(self) -> Callable[[str], JobRecord]: ...
    @property
    def wait(self) -> Callable[..., JobRecord]: ...


class AsksForMoves(Protocol):
    """What of the manager a chain asks, beside its jobs."""

    @property
    def gate(self) -> Callable[..., Gate]: ...
    @property
    def tag(self) -> Callable[..., Version]: ...
    @property
    def alias(self) -> Callable[..., Version]: ...


class StepRequest(BaseModel):
    """What every step is asked with; a subclass names its kind."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)
    versions: ClassVar[tuple[str, ...]] = ()
    """The fields that hold a revision."""

    kind: Any
    after: tuple[str, ...] = ()
    """Steps that must have finished before."""

    @property
    def taken(self) -> dict[str, str]:
        """The fields that take the version of another step, each with that step."""
        said = {name: str(getattr(self, name)) for name in self.versions}
        return {name: text.removeprefix(STEP_PREFIX) for name, text in said.items() if text.startswith(STEP_PREFIX)}

    @property
    def upstream(self) -> tuple[str, ...]:
        """The steps that it needs, each once."""
        return tuple(dict.fromkeys((*(name.removeprefix(STEP_PREFIX) for name in self.after), *self.taken.values())))

    def asked(self, versions: Mapping[str, str]) -> dict[str, Any]:
        """What was said of it, with the versions that it takes from others in place of their steps."""
        said = self.model_dump(by_alias=True, exclude_unset=True, exclude={"kind", "after"})
        return said | {field: versions[step] for field, step in self.taken.items()}


class JobStep(StepRequest):
    """A step that is a job on labelled rows."""

    data: str
    label: str | None = None
    types: dict[str, str] = {}
    drop: tuple[str, ...] = ()
    columns: tuple[str, ...] | None = None
    better: Directions = {}
    message: str = ""
    pool: str = "default"
    needs: tuple[str, ...] = ()
    memory: int | None = None
    seconds: float | None = None
    retries: int = 3

    def ask(self, jobs: AsksForJobs, asked: dict[str, Any], **more: Any) -> JobRecord:
        """Ask for the job, once under its key."""
        raise NotImplementedError


class TrainStep(JobStep):
    """A training: `class` is what is trained, `model` the name that its version is kept under."""

    kind: Literal["train"] = "train"
    model_class: Annotated[str, Field(alias="class")]
    model: str | None = None
    hyperparameters: dict[str, Any] = {}
    branch: str = "main"
    tags: tuple[str, ...] = ()
    validation: str | None = None

    def ask(self, jobs: AsksForJobs, asked: dict[str, Any], **more: Any) -> JobRecord:
        what, data, label = asked.pop("class"), asked.pop("data"), asked.pop("label", None)
        return jobs.train(what, data, label, name=asked.pop("model", None), **asked, **more)


class JudgingStep(JobStep):
    """An evaluation of a version."""

    versions: ClassVar = ("version",)
    kind: Literal["evaluate"] = "evaluate"
    version: str | int
    name: str = ""
    task: str | None = None

    def ask(self, jobs: AsksForJobs, asked: dict[str, Any], **more: Any) -> JobRecord:
        rev, data, label = asked.pop("version"), asked.pop("data"), asked.pop("label", None)
        return jobs.evaluate(rev, data, label, **asked, **more)


_OPTIONS: Final[dict[str, Any]] = {
    name: (field.rebuild_annotation(), field)
    for name, field in JudgesVersion.model_fields.items()
    if name in REPORT_OPTIONS
}
EvaluateStep: Final = create_model("EvaluateStep", __base__=JudgingStep, __doc__=JudgingStep.__doc__, **_OPTIONS)
"""With what a report is asked with, as the job kind has it."""


class MoveStep(StepRequest):
    """A step that whoever runs the chain does, at once: it is no job."""

    versions: ClassVar = ("version",)
    version: str | int

    def do(self, moves: AsksForMoves, asked: dict[str, Any], key: str) -> Version:
        """Do it, once under its key, and say of which version it is. Raises `Refused` where it cannot be."""
        raise NotImplementedError


class GateStep(MoveStep):
    """A gate; the step fails where a requirement is not met."""

    versions: ClassVar = ("version", "against")
    kind: Literal["gate"] = "gate"
    require: str | tuple[str, ...] = ()
    against: str | int | None = None
    data: str | None = None
    label: str | None = None
    name: str = ""
    suite: str | None = None

    def do(self, moves: AsksForMoves, asked: dict[str, Any], key: str) -> Version:
        judged = moves.gate(asked.pop("version"), labels=asked.pop("label", None), key=key, **asked)
        judged.check()
        return judged.version


class TagStep(MoveStep):
    """A tag, which stays."""

    kind: Literal["tag"] = "tag"
    tag: str

    def do(self, moves: AsksForMoves, asked: dict[str, Any], key: str) -> Version:
        return moves.tag(asked["tag"], asked["version"], key=key)


class AliasStep(MoveStep):
    """An alias that moves to the version."""

    kind: Literal["alias"] = "alias"
    alias: str
    reason: str = ""

    def do(self, moves: AsksForMoves, asked: dict[str, Any], key: str) -> Version:
        return moves.alias(asked.pop("alias"), asked.pop("version"), key=key, **asked)


KINDS_OF_STEPS: Final[Mapping[str, type[StepRequest]]] = {
    "train": TrainStep,
    "evaluate": EvaluateStep,
    "gate": GateStep,
    "tag": TagStep,
    "alias": AliasStep,
}
