"""The events of one model: its versions, branches, tags, aliases and what was found out about them."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from .event import Annotation, Digest, Event, Json, Metrics, Number, Sealed

Role = Literal["initialised", "trained", "fine_tuned", "pruned", "quantised", "distilled", "merged", "derived"]


class Parent(BaseModel):
    """A version that another came from, and in which role."""

    model_config = ConfigDict(frozen=True)

    version: Number
    role: Role = "trained"


class File(BaseModel):
    """A file kept beside a version's parameters."""

    model_config = ConfigDict(frozen=True)

    name: str
    digest: Digest
    bytes: int = Field(ge=0)


class ModelRegistered(Event):
    """A model's name came into use."""

    type: Literal["lepton.model.registered.v1"] = "lepton.model.registered.v1"
    model: str


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
    type: Literal["lepton.version.committed.v1"] = "lepton.version.committed.v1"
    version: Number
    digest: Digest = Field(description="SHA-256 over manifest, parents' digests and recipe: the same in every ledger")
    branch: str
    parents: tuple[Parent, ...] = ()
    tensors: Digest = Field(description="digest of the tensor manifest")
    tensor_count: int = Field(ge=0)
    parameters: int = Field(ge=0, description="elements of all tensors, shared ones counted once")
    bytes: int = Field(ge=0, description="raw bytes of all tensors, shared ones counted once")
    keyframe: bool = Field(description="whether every chunk is stored whole, so that a restore may start here")
    recipe: Digest = Field(description="SHA-256 of the recipe as RFC 8785 JSON")
    hyperparameters: Json = {}
    architecture: Json = {}
    settings: Json = {}
    data: Json | None = Field(default=None, description="fingerprint of the training data: digest, rows, columns")
    derivation: Json | None = Field(default=None, description="how the bytes came from the parents'")
    environment: Json = {}
    code: Json = Field(default={}, description="git commit, dirty flag and digest of the uncommitted diff")
    metrics: Metrics = {}
    files: tuple[File, ...] = ()
    run: str | None = None
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
    annotations: dict[str, Annotation]


class MetricsRecorded(Event):
    """Figures of a version became known."""

    type: Literal["lepton.metrics.recorded.v1"] = "lepton.metrics.recorded.v1"
    version: Number
    metrics: Metrics


class EvaluationRecorded(Event):
    """A version was evaluated on a data set."""

    type: Literal["lepton.evaluation.recorded.v1"] = "lepton.evaluation.recorded.v1"
    version: Number
    data: Json = Field(description="fingerprint of the data: digest, rows, columns; never a value")
    name: str = Field(default="", description="what the data set is called: validation, production, ...")
    metrics: Metrics


class DeltaRecorded(Event):
    """The exact difference of two versions was kept: Δ = to − from, modulo 2^w over the bits."""

    type: Literal["lepton.delta.recorded.v1"] = "lepton.delta.recorded.v1"
    from_version: Number
    to_version: Number
    digest: Digest
    bytes: int = Field(ge=0, description="as stored")
    elements: int = Field(ge=0, description="how many changed")
    tensors: int = Field(ge=0, description="how many changed")
    two_way: bool = Field(description="whether it also runs from `to_version` back to `from_version`")


class BranchCreated(Event):
    """A branch was opened at a version."""

    type: Literal["lepton.branch.created.v1"] = "lepton.branch.created.v1"
    branch: str
    version: Number


class BranchRolledBack(Event):
    """A branch was put on another version of its past, after that version had been restored and verified."""

    free_text: ClassVar = ("reason",)
    type: Literal["lepton.branch.rolled_back.v1"] = "lepton.branch.rolled_back.v1"
    branch: str
    from_version: Number
    to_version: Number
    replayed: tuple[Digest, ...] = Field(default=(), description="the deltas that the restore replayed, in order")
    reason: Sealed = ""


class BranchDeleted(Event):
    """A branch's name was given up; its versions stay."""

    type: Literal["lepton.branch.deleted.v1"] = "lepton.branch.deleted.v1"
    branch: str
    version: Number


class TagCreated(Event):
    """A name was bound to a version for good."""

    type: Literal["lepton.tag.created.v1"] = "lepton.tag.created.v1"
    tag: str
    version: Number


class TagDeleted(Event):
    """A tag's name was given up."""

    type: Literal["lepton.tag.deleted.v1"] = "lepton.tag.deleted.v1"
    tag: str
    version: Number


class AliasMoved(Event):
    """A moving name, such as production, was put on a version."""

    free_text: ClassVar = ("reason",)
    type: Literal["lepton.alias.moved.v1"] = "lepton.alias.moved.v1"
    alias: str
    from_version: Number | None
    to_version: Number
    reason: Sealed = ""


class AliasRolledBack(Event):
    """An alias was put back on a version it had served, after that version had been restored and verified."""

    free_text: ClassVar = ("reason",)
    type: Literal["lepton.alias.rolled_back.v1"] = "lepton.alias.rolled_back.v1"
    alias: str
    from_version: Number
    to_version: Number
    replayed: tuple[Digest, ...] = ()
    reason: Sealed = ""


class AliasDeleted(Event):
    """An alias was given up."""

    type: Literal["lepton.alias.deleted.v1"] = "lepton.alias.deleted.v1"
    alias: str
    from_version: Number


class RollbackRehearsed(Event):
    """Head and target of a rollback were evaluated on the same data before anything moved."""

    type: Literal["lepton.rollback.rehearsed.v1"] = "lepton.rollback.rehearsed.v1"
    from_version: Number
    to_version: Number
    data: Json
    metrics_from: Metrics
    metrics_to: Metrics
    difference: Metrics = Field(description="metric of the target minus metric of the head, row by row where paired")
    worse: bool


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
    | DeltaRecorded
    | BranchCreated
    | BranchRolledBack
    | BranchDeleted
    | TagCreated
    | TagDeleted
    | AliasMoved
    | AliasRolledBack
    | AliasDeleted
    | RollbackRehearsed
)
