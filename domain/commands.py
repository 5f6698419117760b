"""What can be asked of the ledger: imperative, frozen, each naming the streams it reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar

from ..events.model import File, Parent
from ..events.objects import ManifestWritten
from ..events.outside import ObservationRecorded
from ..events.run import FileLogged, MetricsLogged
from ..results import LastMove
from .command import Command as Command
from .model.recipe import Recipe
from .stored import Delta as Delta
from .stored import Stored as Stored
from .streams import LEDGER as LEDGER
from .streams import OBJECTS as OBJECTS
from .streams import chain_stream as chain_stream
from .streams import dataset_stream as dataset_stream
from .streams import endpoint_stream as endpoint_stream
from .streams import job_stream as job_stream
from .streams import model_stream as model_stream
from .streams import run_stream as run_stream
from .streams import suite_stream as suite_stream
from .streams import token_stream as token_stream
from .subjects import OfChain as OfChain
from .subjects import OfData as OfData
from .subjects import OfGates as OfGates
from .subjects import OfJob as OfJob
from .subjects import OfModel as OfModel
from .subjects import OfRun as OfRun
from .subjects import OfStudy as OfStudy
from .subjects import OfSuite as OfSuite
from .subjects import OfToken as OfToken

Expected = int | LastMove
"""Where a name must be for a command to move it: on a version (0: nowhere), or where its last move left it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit(OfModel):
    """Keep a model's parameters as the next version of a branch."""

    free_text: ClassVar = ("message",)
    incidental: ClassVar = ("parents", "follows_head", "stored", "keyframe", "delta", "environment", "code", "run")
    joined: ClassVar = ("validation", "better", "task")
    branch: str
    asked_parents: tuple[str, ...] | None
    """What the caller named, None where nothing."""
    parents: tuple[Parent, ...]
    """What that came to when the save began."""
    follows_head: bool = False
    """Whether the parent is the branch's head, whichever that is when the commit is decided: nobody named another of
    the model, and what is saved was never loaded or saved before."""
    expected: Expected | None = None
    tensors: str
    tensor_count: int
    parameters: int
    bytes: int
    keyframe: bool
    delta: Delta | None
    stored: Stored
    recipe: Recipe
    environment: Mapping[str, Any] = field(default_factory=dict[str, Any])
    code: Mapping[str, Any] = field(default_factory=dict[str, Any])
    metrics: Mapping[str, float] = field(default_factory=dict[str, float])
    validation: Mapping[str, Any] | None = None
    """Fingerprint of the rows that the metrics are of."""
    task: str | None = None
    """What the metrics are of: binary, multiclass, regression."""
    better: Mapping[str, str] = field(default_factory=dict[str, str])
    """Which way metrics are better, by name."""
    annotations: Mapping[str, Any] = field(default_factory=dict[str, Any])
    tags: tuple[str, ...] = ()
    files: tuple[File, ...] = ()
    run: str | None = None
    message: str = ""

    @property
    def line(self) -> tuple[Parent, ...]:
        """The parents of its own model: the first is what it goes on from."""
        return tuple(parent for parent in self.parents if parent.model == self.model)

    @property
    def other_parents(self) -> tuple[Parent, ...]:
        """The parents of other models."""
        return tuple(parent for parent in self.parents if parent.model != self.model)

    def reads(self) -> tuple[str, ...]:
        models = dict.fromkeys((self.model, *(parent.model for parent in self.parents)))
        return (*map(model_stream, models), OBJECTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateBranch(OfModel):
    """Open a branch at a version."""

    joined: ClassVar = ("expected",)
    branch: str
    version: int
    expected: Expected | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteBranch(OfModel):
    """Give up a branch's name."""

    joined: ClassVar = ("expected",)
    branch: str
    expected: Expected | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateTag(OfModel):
    """Bind a name to a version for good."""

    joined: ClassVar = ("expected",)
    tag: str
    version: int
    expected: Expected | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteTag(OfModel):
    """Give up a tag's name."""

    joined: ClassVar = ("expected",)
    tag: str
    expected: Expected | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MovesAliases(OfModel):
    """Something that may move aliases, which may be protected."""

    free_text: ClassVar = ("reason",)
    incidental: ClassVar = ("replayed", "from_version", "suites", "compared")
    joined: ClassVar = ("override",)
    reason: str = ""
    override: bool = False
    """Whether protected aliases move without their gate, for the reason."""
    suites: Mapping[str, int] = field(default_factory=dict[str, int])
    """The suites that protect aliases of the model, each with the number of its definition that counts."""
    compared: Mapping[str, str] = field(default_factory=dict[str, str])
    """By suite, the alias, branch or tag that its requirements compare with."""

    def reads(self) -> tuple[str, ...]:
        return (model_stream(self.model), *map(suite_stream, self.suites))


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveAliases(MovesAliases):
    """Put aliases on versions, all or none; `expected` names where they must stand before (0: nowhere)."""

    incidental: ClassVar = ("suites", "compared")
    to: Mapping[str, int]
    expected: Mapping[str, Expected] = field(default_factory=dict[str, "Expected"])


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteAlias(OfModel):
    """Give up an alias."""

    joined: ClassVar = ("expected",)
    alias: str
    expected: Expected | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RollBack(MovesAliases):
    """Put a branch on another version of its past, and with it the aliases named."""

    branch: str
    to: int
    from_version: int
    """Where the branch stood when the restore began."""
    expected: Expected | None = None
    replayed: tuple[str, ...] = ()
    move_aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RollBackAlias(MovesAliases):
    """Put an alias back on a version it has stood on; without `to`, on the one before its last move."""

    alias: str
    to: int
    from_version: int
    expected: Expected | None = None
    replayed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive(OfModel):
    """Close a model to writing."""

    free_text: ClassVar = ("reason",)
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unarchive(OfModel):
    """Open an archived model again."""

    free_text: ClassVar = ("reason",)
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotate(OfModel):
    """Put notes on a version; None takes one off."""

    version: int
    annotations: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Describe(OfModel):
    """Say what a version is, or, without a version, what the model is for."""

    free_text: ClassVar = ("description",)
    version: int | None
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordMetrics(OfModel):
    """Note figures of a version, on the rows of a fingerprint if there is one."""

    joined: ClassVar = ("validation", "better", "task")
    version: int
    metrics: Mapping[str, float]
    validation: Mapping[str, Any] | None = None
    task: str | None = None
    better: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordEvaluation(OfModel):
    """Note how a version did on a data set."""

    incidental: ClassVar = ("intervals", "report", "stored")
    joined: ClassVar = ("better", "task", "bootstrap")
    version: int
    data: Mapping[str, Any]
    name: str = ""
    metrics: Mapping[str, float]
    task: str | None = None
    better: Mapping[str, str] = field(default_factory=dict[str, str])
    intervals: Mapping[str, tuple[float, float]] | None = None
    bootstrap: Mapping[str, Any] | None = None
    report: str | None = None
    """Digest of the manifest that holds the report, and outcomes where they are kept."""
    stored: Stored = Stored()  # noqa: RUF009 - frozen

    def reads(self) -> tuple[str, ...]:
        return OfModel.reads(self) if self.report is None else (*OfModel.reads(self), OBJECTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class DefineMetrics(OfModel):
    """Say which way metrics of a model are better."""

    better: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearVersion(OfModel):
    """Let a version that was rolled back from be suggested again."""

    free_text: ClassVar = ("reason",)
    version: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordRehearsal(OfModel):
    """Note how head and target of a rollback did on the same data."""

    joined: ClassVar = ("test",)
    from_version: int
    to_version: int
    data: Mapping[str, Any]
    metrics_from: Mapping[str, float]
    metrics_to: Mapping[str, float]
    difference: Mapping[str, float]
    worse: bool
    test: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StartRun(OfRun):
    """Open a run."""

    incidental: ClassVar = ("environment", "code", "name", "tags")
    model: str
    name: str | None = None
    tags: tuple[str, ...] = ()
    hyperparameters: Mapping[str, Any] = field(default_factory=dict[str, Any])
    data: Mapping[str, Any] | None = None
    environment: Mapping[str, Any] = field(default_factory=dict[str, Any])
    code: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def reads(self) -> tuple[str, ...]:
        return (run_stream(self.run), model_stream(self.model))


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumeRun(OfRun):
    """Go on with a run that was lost, failed, or never ended."""

    incidental: ClassVar = ("environment", "code")
    environment: Mapping[str, Any] = field(default_factory=dict[str, Any])
    code: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class LoseRun(OfRun):
    """Note that a run was not heard of for longer than its term."""

    heard: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LogMetrics(OfRun):
    """Note points of a run's metrics, at most 1,000 a column block."""

    blocks: tuple[MetricsLogged, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint(OfRun):
    """Keep a run's parameters on the way."""

    incidental: ClassVar = ("stored", "architecture")
    tensors: str
    step: int | None
    stored: Stored
    architecture: Mapping[str, Any] | None = None

    def reads(self) -> tuple[str, ...]:
        return (run_stream(self.run), OBJECTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogFiles(OfRun):
    """Keep files of a run, at most 500."""

    incidental: ClassVar = ("stored",)
    files: tuple[FileLogged, ...]
    stored: Stored

    def reads(self) -> tuple[str, ...]:
        return (run_stream(self.run), OBJECTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishRun(OfRun):
    """Close a run."""

    free_text: ClassVar = ("reason",)
    error: str | None = None
    reason: str = ""
    points: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TellManifest(Command):
    """Tell pages of a manifest ahead of the command that needs them, where it has no room for all."""

    pages: tuple[ManifestWritten, ...]

    def reads(self) -> tuple[str, ...]:
        return (OBJECTS,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Repack(Command):
    """Keep in other packs what a damaged pack held. Where `into` is given, those hold all of it that is needed."""

    pack: str
    stored: Stored = Stored()  # noqa: RUF009 - frozen
    into: tuple[str, ...] | None = None

    def reads(self) -> tuple[str, ...]:
        return (OBJECTS,)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordDataset(Command):
    """Note a data set by its fingerprint."""

    dataset: str
    data: Mapping[str, Any]

    def reads(self) -> tuple[str, ...]:
        return (dataset_stream(self.dataset),)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordObservation(Command):
    """Note what was seen of a version where it serves."""

    endpoint: str
    observed: ObservationRecorded

    def reads(self) -> tuple[str, ...]:
        return (endpoint_stream(self.endpoint), model_stream(self.observed.model))


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateLedger(Command):
    """Bring a ledger into being."""

    ledger: str
    format: int

    def reads(self) -> tuple[str, ...]:
        return (LEDGER,)


@dataclass(frozen=True, slots=True, kw_only=True)
class UpgradeLedger(Command):
    """Let writers use what a newer format brought."""

    format: int

    def reads(self) -> tuple[str, ...]:
        return (LEDGER,)


ModelCommand = (
    Commit
    | CreateBranch
    | DeleteBranch
    | CreateTag
    | DeleteTag
    | MoveAliases
    | DeleteAlias
    | RollBack
    | RollBackAlias
    | Archive
    | Unarchive
    | Annotate
    | Describe
    | RecordMetrics
    | RecordEvaluation
    | DefineMetrics
    | ClearVersion
    | RecordRehearsal
    | OfGates
)
RunCommand = StartRun | ResumeRun | LoseRun | LogMetrics | Checkpoint | LogFiles | FinishRun
OfLedger = CreateLedger | UpgradeLedger
Told = RecordDataset | RecordObservation
OfThings = OfJob | OfData | OfSuite | OfChain | OfStudy | OfToken
AnyCommand = ModelCommand | RunCommand | TellManifest | Repack | Told | OfLedger | OfThings
