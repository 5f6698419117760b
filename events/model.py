"""The events of one model: its versions, branches, tags, aliases and what was found out about them."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from ..results import VersionRef
from .bounds import Count, Finite
from .event import (
    Alias,
    Annotation,
    Branch,
    Code,
    Digest,
    Environment,
    Event,
    Fingerprint,
    From,
    Hyperparameters,
    Json,
    Metrics,
    ModelName,
    Number,
    Replayed,
    RunId,
    Sealed,
    Tag,
    Task,
    To,
    unsaid,
)

Requirements = Annotated[tuple[str, ...], Field(description="conditions on figures, as docs/expressions.md has them")]
Passage = Annotated[
    Count | None, Field(exclude_if=unsaid, description="the event of the gate that a protected alias moved by")
]
Override = Annotated[
    bool, Field(exclude_if=unsaid, description="whether a protected alias moved without its gate, for the reason given")
]


class Parent(BaseModel):
    """A version that another came from, of its own model or of another, and in which role."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    model: ModelName
    version: Number
    role: str = Field(
        default="trained", description="what was done to it, or what it was: trained, merged, teacher, ..."
    )

    @property
    def ref(self) -> VersionRef:
        """Which version it is."""
        return VersionRef(self.model, self.version)


class File(BaseModel):
    """A file kept beside a version's parameters."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    name: str = Field(description="its name, no path of a host")
    digest: Digest
    bytes: Count = Field(description="its size")


class ModelRegistered(Event):
    """A model's name came into use."""

    type: Literal["lepton.model.registered.v1"] = "lepton.model.registered.v1"
    model: ModelName


class ModelDescribed(Event):
    """Somebody said what a model is for."""

    free_text: ClassVar = ("description",)
    type: Literal["lepton.model.described.v1"] = "lepton.model.described.v1"
    description: Sealed


class ModelArchived(Event):
    """A model was closed to writing and left out of listings."""

    free_text: ClassVar = ("reason",)
    type: Literal["lepton.model.archived.v1"] = "lepton.model.archived.v1"
    reason: Sealed = ""


class ModelUnarchived(Event):
    """An archived model was opened again."""

    free_text: ClassVar = ("reason",)
    type: Literal["lepton.model.unarchived.v1"] = "lepton.model.unarchived.v1"
    reason: Sealed = ""


class VersionCommitted(Event):
    """A model's parameters were kept as a version."""

    free_text: ClassVar = ("message",)
    type: Literal["lepton.version.committed.v2"] = "lepton.version.committed.v2"
    version: Number
    digest: Digest = Field(description="SHA-256 over manifest, parents' digests and recipe: the same in every ledger")
    branch: Branch
    parents: tuple[Parent, ...] = Field(
        default=(), description="what it came from: those of its own model, the first of them its line, then others"
    )
    tensors: Digest = Field(description="digest of the tensor manifest")
    tensor_count: Count = Field(description="tensors by name, shared ones counted each")
    parameters: Count = Field(description="elements of all tensors, shared ones counted once")
    bytes: Count = Field(description="raw bytes of all tensors, shared ones counted once")
    keyframe: bool = Field(description="whether every chunk is stored whole, so that a restore may start here")
    recipe: Digest = Field(description="SHA-256 of the recipe as RFC 8785 JSON")
    hyperparameters: Hyperparameters = {}
    architecture: Json = Field(default={}, description="the model's family and shape, from which it is built again")
    settings: Json = Field(default={}, description="how it was trained: epochs, batch size, seed, ...")
    data: Json | None = Field(default=None, description="fingerprint of the training data: digest, rows, columns")
    derivation: Json | None = Field(default=None, description="how the bytes came from the parents'")
    environment: Environment = {}
    code: Code = {}
    metrics: Metrics = {}
    validation: Fingerprint | None = Field(
        default=None,
        exclude_if=unsaid,
        description="fingerprint of the rows that the metrics are of, where it is known",
    )
    task: Task | None = Field(default=None, exclude_if=unsaid, description="what the metrics are of, where it is known")
    files: tuple[File, ...] = Field(default=(), description="what was kept beside the parameters")
    run: RunId | None = Field(default=None, description="the run that made it, if one did")
    message: Sealed = ""


class VersionDescribed(Event):
    """Somebody said what a version is."""

    free_text: ClassVar = ("description",)
    type: Literal["lepton.version.described.v1"] = "lepton.version.described.v1"
    version: Number
    description: Sealed


class VersionAnnotated(Event):
    """Notes were put on a version; a null takes one off."""

    type: Literal["lepton.version.annotated.v1"] = "lepton.version.annotated.v1"
    version: Number
    annotations: dict[str, Annotation] = Field(description="notes by name; null takes one off")


class MetricsRecorded(Event):
    """Figures of a version became known."""

    type: Literal["lepton.metrics.recorded.v1"] = "lepton.metrics.recorded.v1"
    version: Number
    metrics: Metrics
    validation: Fingerprint | None = Field(
        default=None, exclude_if=unsaid, description="fingerprint of the rows that they are of, where it is known"
    )
    task: Task | None = Field(default=None, exclude_if=unsaid, description="what the metrics are of, where it is known")


class Bootstrap(BaseModel):
    """How intervals were found: what is drawn again (rows, groups, ...), how often, at which level, from which seed."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    scheme: str = Field(description="what was drawn: rows, stratified, groups, blocks of 12")
    draws: Count = Field(description="how often it was drawn")
    level: float = Field(gt=0, le=1, description="the confidence of the intervals")
    seed: Count = Field(description="what the draws were made from; the same gives the same")


class EvaluationRecorded(Event):
    """A version was evaluated on a data set."""

    type: Literal["lepton.evaluation.recorded.v1"] = "lepton.evaluation.recorded.v1"
    version: Number
    data: Fingerprint
    name: str = Field(default="", description="what the data set is called: validation, production, ...")
    metrics: Metrics
    task: Task | None = Field(default=None, exclude_if=unsaid, description="what the metrics are of, where it is known")
    intervals: dict[str, tuple[Finite, Finite]] | None = Field(
        default=None, exclude_if=unsaid, description="ends of the intervals of metrics, by name"
    )
    bootstrap: Bootstrap | None = Field(
        default=None, exclude_if=unsaid, description="how the intervals were found, where there are any"
    )
    report: Digest | None = Field(
        default=None,
        exclude_if=unsaid,
        description="manifest of the report as it is kept, and of each row's outcome where these are kept too",
    )


class MetricDefined(Event):
    """Somebody said which way a metric of the model is better."""

    type: Literal["lepton.metric.defined.v1"] = "lepton.metric.defined.v1"
    name: str = Field(description="the metric, as its figures are named")
    better: Literal["higher", "lower"] = Field(description="which way it is better")


class VersionCleared(Event):
    """A version that was rolled back from may be suggested again."""

    free_text: ClassVar = ("reason",)
    type: Literal["lepton.version.cleared.v1"] = "lepton.version.cleared.v1"
    version: Number
    reason: Sealed = ""


class DeltaRecorded(Event):
    """The exact difference of two versions was kept: Δ = to − from, modulo 2^w over the bits."""

    type: Literal["lepton.delta.recorded.v1"] = "lepton.delta.recorded.v1"
    from_version: From
    to_version: To
    digest: Digest
    bytes: Count = Field(description="as stored")
    elements: Count = Field(description="how many changed")
    tensors: Count = Field(description="how many changed")
    two_way: bool = Field(description="whether it also runs from `to_version` back to `from_version`")


class BranchCreated(Event):
    """A branch was opened at a version."""

    type: Literal["lepton.branch.created.v1"] = "lepton.branch.created.v1"
    branch: Branch
    version: Number


class BranchRolledBack(Event):
    """A branch was put on another version of its past, after that version had been restored and verified."""

    free_text: ClassVar = ("reason",)
    type: Literal["lepton.branch.rolled_back.v1"] = "lepton.branch.rolled_back.v1"
    branch: Branch
    from_version: From
    to_version: To
    replayed: Replayed = ()
    reason: Sealed = ""


class BranchDeleted(Event):
    """A branch's name was given up; its versions stay."""

    type: Literal["lepton.branch.deleted.v1"] = "lepton.branch.deleted.v1"
    branch: Branch
    version: Number


class TagCreated(Event):
    """A name was bound to a version for good."""

    type: Literal["lepton.tag.created.v1"] = "lepton.tag.created.v1"
    tag: Tag
    version: Number


class TagDeleted(Event):
    """A tag's name was given up."""

    type: Literal["lepton.tag.deleted.v1"] = "lepton.tag.deleted.v1"
    tag: Tag
    version: Number


class AliasMoved(Event):
    """A moving name, such as production, was put on a version."""

    free_text: ClassVar = ("reason",)
    type: Literal["lepton.alias.moved.v1"] = "lepton.alias.moved.v1"
    alias: Alias
    from_version: Number | None = Field(description="the version before, null where the alias is new")
    to_version: To
    reason: Sealed = ""
    gate: Passage = None
    override: Override = False


class AliasRolledBack(Event):
    """An alias was put back on a version it had served, after that version had been restored and verified."""

    free_text: ClassVar = ("reason",)
    type: Literal["lepton.alias.rolled_back.v1"] = "lepton.alias.rolled_back.v1"
    alias: Alias
    from_version: From
    to_version: To
    replayed: Replayed = ()
    reason: Sealed = ""
    gate: Passage = None
    override: Override = False


class AliasDeleted(Event):
    """An alias was given up."""

    type: Literal["lepton.alias.deleted.v1"] = "lepton.alias.deleted.v1"
    alias: Alias
    from_version: From


class AliasProtected(Event):
    """An alias moves from now on only to versions that passed a gate with these requirements."""

    free_text: ClassVar = ("reason",)
    type: Literal["lepton.alias.protected.v1"] = "lepton.alias.protected.v1"
    alias: Alias
    requirements: Requirements = ()
    against: str | None = Field(
        default=None,
        description="the alias, branch or tag that `against.` stands for: where it stands when the alias moves",
    )
    suite: str | None = Field(
        default=None, exclude_if=unsaid, description="the suite whose gate it is, where it is one's"
    )
    reason: Sealed = ""


class AliasUnprotected(Event):
    """An alias moves freely again."""

    free_text: ClassVar = ("reason",)
    type: Literal["lepton.alias.unprotected.v1"] = "lepton.alias.unprotected.v1"
    alias: Alias
    reason: Sealed = ""


class JudgedRequirement(BaseModel):
    """A requirement of a gate, and whether the version met it."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    text: str = Field(description="the condition, as docs/expressions.md has it")
    holds: bool | None = Field(description="whether it is met; null where a figure that it hangs on is missing")


class GateJudged(Event):
    """A version was held against requirements, on the same rows as those that it was compared with."""

    type: Literal["lepton.gate.judged.v1"] = "lepton.gate.judged.v1"
    version: Number
    against: Number | None = Field(default=None, description="the version that `against.` stands for")
    parent: Number | None = Field(default=None, description="the version that `parent.` stands for")
    name: str = Field(default="", description="what the evaluation is called that bare names are figures of")
    requirements: tuple[JudgedRequirement, ...] = Field(description="what was required, and what of it is met")
    metrics: Metrics = Field(default={}, description="the version's figures, by the names in the requirements")
    metrics_against: Metrics = Field(default={}, description="those of `against.`, by the names behind it")
    metrics_parent: Metrics = Field(default={}, description="those of `parent.`, by the names behind it")
    rows: tuple[str, ...] = Field(default=(), description="digests of the rows that the figures are of")
    passed: bool = Field(description="whether every requirement is met")
    suite: str | None = Field(default=None, exclude_if=unsaid, description="the suite that asked for it")
    suite_version: Number | None = Field(default=None, exclude_if=unsaid, description="that suite's version")


class RehearsalTest(BaseModel):
    """Whether target and head of a rollback differ in a figure by more than chance, on the same rows."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    test: str = Field(description="its name: DeLong, McNemar, Diebold-Mariano, paired bootstrap, ...")
    figure: str = Field(description="what was tested")
    difference: Finite = Field(description="figure of the target minus figure of the head")
    low: Finite | None = Field(default=None, description="lower end of the difference's interval, where known")
    high: Finite | None = Field(default=None, description="upper end of it")
    p: float = Field(ge=0, le=1, description="chance of a difference as large where there is none; two-sided")
    n: Count = Field(description="rows")
    level: float = Field(gt=0, le=1, description="confidence of the interval; beyond chance is p <= 1 - level")


class RollbackRehearsed(Event):
    """Head and target of a rollback were evaluated on the same data before anything moved."""

    type: Literal["lepton.rollback.rehearsed.v1"] = "lepton.rollback.rehearsed.v1"
    from_version: From
    to_version: To
    data: Fingerprint
    metrics_from: Metrics = Field(description="figures of the head")
    metrics_to: Metrics = Field(description="figures of the target")
    difference: Metrics = Field(description="metric of the target minus metric of the head, both over the same rows")
    worse: bool = Field(
        description="whether the target did worse than the head: beyond chance where there is a test, else by figures"
    )
    test: RehearsalTest | None = Field(
        default=None, exclude_if=unsaid, description="the paired test of both, where outcomes of single rows are known"
    )


ModelEvent = (
    ModelRegistered
    | ModelDescribed
    | ModelArchived
    | ModelUnarchived
    | VersionCommitted
    | VersionDescribed
    | VersionAnnotated
    | MetricsRecorded
    | EvaluationRecorded
    | MetricDefined
    | VersionCleared
    | DeltaRecorded
    | BranchCreated
    | BranchRolledBack
    | BranchDeleted
    | TagCreated
    | TagDeleted
    | AliasMoved
    | AliasRolledBack
    | AliasDeleted
    | AliasProtected
    | AliasUnprotected
    | GateJudged
    | RollbackRehearsed
)
