"""The aggregate of one model: versions, branches, tags and aliases, folded from its events."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal, NamedTuple

from immutables import Map

from ...errors import UnknownRevision
from ...events.envelope import Recorded
from ...events.model import (
    AliasDeleted,
    AliasMoved,
    AliasProtected,
    AliasRolledBack,
    AliasUnprotected,
    BranchCreated,
    BranchDeleted,
    BranchRolledBack,
    DeltaRecorded,
    EvaluationRecorded,
    GateJudged,
    MetricDefined,
    MetricsRecorded,
    ModelArchived,
    ModelDescribed,
    ModelRegistered,
    ModelUnarchived,
    RollbackRehearsed,
    TagCreated,
    TagDeleted,
    VersionAnnotated,
    VersionCleared,
    VersionCommitted,
    VersionDescribed,
)
from ...results import VersionRef
from .ancestry import Descent, below, comes_from, descent, newest_first
from .figures import KeptReport, VersionFigures, rows_of
from .metric import Better

RefKind = Literal["branch", "alias"]
NameKind = Literal["branch", "tag", "alias"]


@dataclass(frozen=True, slots=True)
class Move:
    """One move of a branch or alias, None standing for nowhere."""

    seq: int
    time: datetime
    kind: Literal["created", "committed", "merged", "moved", "rolled_back", "deleted"]
    from_version: int | None
    to_version: int | None
    actor: str
    reason: str


@dataclass(frozen=True, slots=True)
class Ref:
    """A branch or alias: where it stands (None once deleted), and all its moves, oldest first, by their ordinal."""

    name: str
    version: int | None = None
    moves: Map[int, Move] = Map()  # noqa: RUF009 - immutable
    apart: Map[int, int] = Map()  # noqa: RUF009 - immutable
    """The ordinals of the moves that no commit made, by their own ordinal."""
    stood: Map[int, None] = Map()  # noqa: RUF009 - immutable
    """Every version it has stood on."""
    tips: Map[int, None] = Map()  # noqa: RUF009 - immutable
    """Of those enough that the rest are among their ancestors."""

    def moved(self, move: Move, made: VersionState | None = None) -> Ref:
        """This ref after one more move, which the commit of a version made, or none."""
        ordinal, to = len(self.moves), move.to_version
        apart = self.apart if made else self.apart.set(len(self.apart), ordinal)
        stood, tips = self.stood, self.tips
        if to is not None and to not in stood:
            for parent in made.parents if made else ():
                tips = tips.delete(parent) if parent in tips else tips
            stood, tips = stood.set(to, None), tips.set(to, None)
        return Ref(self.name, to, self.moves.set(ordinal, move), apart, stood, tips)

    def last_move(self, seq: int | None = None) -> Move | None:
        """Its last move, behind event `seq` if one is named."""
        return next(self.history(None if seq is None else seq + 1), None)

    def history(self, before: int | None = None) -> Iterator[Move]:
        """All moves, newest first; with `before` those before event `before`."""
        last = len(self.moves) if before is None else self._first(before)
        return (self.moves[n] for n in range(last - 1, -1, -1))

    def moves_apart(self, before: int | None = None) -> Iterator[Move]:
        """The moves that no commit made, newest first; with `before` those before event `before`."""
        last = len(self.apart)
        if before is not None:
            last = bisect_left(range(last), before, key=lambda n: self.moves[self.apart[n]].seq)
        return (self.moves[self.apart[n]] for n in range(last - 1, -1, -1))

    def move_of(self, seq: int) -> Move:
        """The move that event `seq` made."""
        return self.moves[self._first(seq)]

    def _first(self, seq: int) -> int:
        """The ordinal of the first move that event `seq` or a later one made."""
        return bisect_left(range(len(self.moves)), seq, key=lambda n: self.moves[n].seq)


@dataclass(frozen=True, slots=True)
class VersionState:
    """A version: the event that made it, and its place in the log."""

    ref: VersionRef
    seq: int
    recorded: datetime
    actor: str
    event: VersionCommitted
    descent: Descent

    @property
    def number(self) -> int:
        """The label within the model."""
        return self.ref.number

    @property
    def parents(self) -> tuple[int, ...]:
        """The versions of its model that it came from, first parent first: all that its history goes by."""
        return tuple(parent.version for parent in self.event.parents if parent.model == self.ref.model)

    @property
    def other_parents(self) -> tuple[VersionRef, ...]:
        """The versions of other models that it came from."""
        return tuple(parent.ref for parent in self.event.parents if parent.model != self.ref.model)


@dataclass(frozen=True, slots=True)
class StoredManifest:
    """How tensors are stored that versions of a model hold, told by their manifest."""

    keyframe: int | None = None
    """The bytes that a restore reads, where they were kept whole."""
    deltas: tuple[int, ...] = ()
    """The versions of these tensors that were kept as a delta; hardly ever more than one."""


class ModelState(NamedTuple):
    """What one model's events add up to. All maps are persistent: an event costs the same at any length of history."""

    name: str = ""
    registered: bool = False
    archived: bool = False
    description: tuple[str, str] = ("", "")
    """Who wrote it, and the sealed text."""
    versions: Map[int, VersionState] = Map()
    branches: Map[str, Ref] = Map()
    aliases: Map[str, Ref] = Map()
    tags: Map[str, int] = Map()
    tagged: Map[int, tuple[str, ...]] = Map()
    """The tags by the version they are on."""
    tag_moves: Map[str, tuple[int, ...]] = Map()
    """By tag, also by those given up, the `seq` at which it was bound and given up, oldest first."""
    deltas: Map[int, DeltaRecorded] = Map()
    """By the version they lead to."""
    manifests: Map[str, StoredManifest] = Map()
    """By the manifests of the versions."""
    digests: Map[str, tuple[int, ...]] = Map()
    """The versions by the first 8 digits of their digest, oldest first."""
    figures: Map[int, VersionFigures] = Map()
    """By version."""
    reports: Map[int, tuple[KeptReport, ...]] = Map()
    """By version those of its evaluations, of one name the newest, the newest last."""
    better: Map[str, Better] = Map()
    """Which way metrics are better, as it was defined."""
    cleared: Map[int, int] = Map()
    """The `seq` at which a version was last cleared of the rollbacks from it."""
    notes: Map[int, Map[str, Any]] = Map()
    descriptions: Map[int, tuple[str, str]] = Map()
    rehearsals: Map[int, RollbackRehearsed] = Map()
    """By `seq`."""
    gates: Map[int, GateJudged] = Map()
    """By `seq`."""
    gated: Map[int, tuple[int, ...]] = Map()
    """The gates that a version was held against, oldest first."""
    passed: Map[int, tuple[int, ...]] = Map()
    """The gates that a version passed, oldest first."""
    protected: Map[str, AliasProtected] = Map()
    """By the alias, also where that stands nowhere yet."""
    protection_moves: Map[str, int] = Map()
    """By alias the `seq` of what protected it last, or took that off."""

    @property
    def next_number(self) -> int:
        """The number the next version gets."""
        return len(self.versions) + 1

    def version(self, number: int) -> VersionState:
        """A version by its number, or `UnknownRevision`."""
        if found := self.versions.get(number):
            return found
        raise UnknownRevision(f"{self.name} has no version {number}; `lepton log {self.name}` lists them")

    def figures_of(self, number: int) -> VersionFigures:
        """What is known of how a version does."""
        return self.figures.get(number, VersionFigures())

    def metrics_of(self, number: int) -> dict[str, float]:
        """A version's figures by the names that they are shown under."""
        return {name: figure.value for name, figure in self.figures_of(number).shown().items()}

    def suite_verdicts(self, number: int) -> dict[str, bool]:
        """By suite, with the number of its definition, whether a version passed it last."""
        gates = (self.gates[seq] for seq in self.gated.get(number, ()))
        return {f"{gate.suite}@{gate.suite_version}": gate.passed for gate in gates if gate.suite is not None}

    def head(self, branch: str) -> int | None:
        """The version a branch stands on, None where there is no such branch."""
        ref = self.branches.get(branch)
        return ref.version if ref else None

    def alias(self, name: str) -> int | None:
        """The version an alias stands on, None where there is no such alias."""
        ref = self.aliases.get(name)
        return ref.version if ref else None

    def live(self, kind: RefKind) -> dict[str, int]:
        """Where the branches or aliases stand that are not deleted, by name in order."""
        refs = self.branches if kind == "branch" else self.aliases
        return {name: ref.version for name, ref in sorted(refs.items()) if ref.version is not None}

    def last_move(self, kind: NameKind, name: str) -> int:
        """The `seq` of the last move of a name, 0 where nothing bears it."""
        if kind == "tag":
            return self.tag_moves[name][-1] if name in self.tags else 0
        ref = (self.branches if kind == "branch" else self.aliases).get(name)
        move = ref and ref.last_move()
        return move.seq if move is not None and move.to_version is not None else 0

    def last_of_all(self, kind: NameKind) -> int:
        """The `seq` of the last move of any name of a kind, also of those given up, 0 where there was none."""
        if kind == "tag":
            return max((moves[-1] for moves in self.tag_moves.values()), default=0)
        refs = self.branches if kind == "branch" else self.aliases
        return max((move.seq for ref in refs.values() if (move := ref.last_move())), default=0)

    def last_protection(self, alias: str) -> int:
        """The `seq` of what protects an alias, 0 where nothing does."""
        return self.protection_moves[alias] if alias in self.protected else 0

    def taken(self, name: str) -> RefKind | Literal["tag"] | None:
        """What a name of the one name space is in use for."""
        if name in self.tags:
            return "tag"
        if self.head(name) is not None:
            return "branch"
        return "alias" if self.alias(name) is not None else None

    def ancestry(self, *numbers: int, without: Iterable[int] = (), before: int | None = None) -> Iterator[int]:
        """The versions given and all their ancestors, newest first, each once; `without` some others and theirs.

        With `before` only those before that event, which the newer ones are jumped over to. What is read on to is what
        it costs.
        """
        if before is None:
            return newest_first(self.versions, numbers, without)
        first = self.first_since(before)
        ends = (below(self.versions, some, first) for some in (numbers, without))
        return newest_first(self.versions, *ends)

    def first_since(self, seq: int) -> int:
        """The number that the first version bears which event `seq` or a later one made."""
        return 1 + bisect_left(range(1, self.next_number), seq, key=lambda number: self.versions[number].seq)

    def comes_from(self, number: int, ancestor: int) -> bool:
        """Whether a version is another or has it among its ancestors."""
        return comes_from(self.versions, (number,), ancestor)

    def past(self, branch: str) -> frozenset[int]:
        """Every version a branch ever pointed at, and their ancestors."""
        return frozenset(self.past_newest_first(branch))

    def past_newest_first(self, branch: str, before: int | None = None) -> Iterator[int]:
        """As `past`, one by one, with `before` those before that event; what is read on to is what it costs."""
        ref = self.branches.get(branch)
        return self.ancestry(*ref.tips, before=before) if ref else iter(())

    def committed_newest_first(self, branch: str, before: int | None = None) -> Iterator[int]:
        """The versions that were committed on a branch, newest first; with `before` those before that event."""
        ref = self.branches.get(branch)
        for move in ref.history(before) if ref else ():
            if move.to_version is not None and self.version(move.to_version).seq == move.seq:
                yield move.to_version

    def in_past(self, branch: str, number: int) -> bool:
        """Whether a branch ever pointed at a version, or at one that comes from it."""
        ref = self.branches.get(branch)
        return ref is not None and (number in ref.stood or comes_from(self.versions, ref.tips, number))


class ModelVersion(NamedTuple):
    """One version of a model as the model stands."""

    model: ModelState
    number: int

    @property
    def event(self) -> VersionCommitted:
        """The event that made it."""
        return self.model.version(self.number).event

    @property
    def figures(self) -> VersionFigures:
        """What is known of how it does."""
        return self.model.figures_of(self.number)


def evolve(model: ModelState, recorded: Recorded) -> ModelState:
    """The model after one more event. Accepts every event ever recorded."""
    event = recorded.event
    match event:
        case ModelRegistered(model=name):
            return model._replace(name=name, registered=True)
        case ModelDescribed(description=text):
            return model._replace(description=(recorded.actor, text))
        case ModelArchived():
            return model._replace(archived=True)
        case ModelUnarchived():
            return model._replace(archived=False)
        case VersionCommitted():
            return _committed(model, recorded, event)
        case VersionDescribed(version=number, description=text):
            return model._replace(descriptions=model.descriptions.set(number, (recorded.actor, text)))
        case VersionAnnotated(version=number, annotations=notes):
            known = model.notes.get(number, Map[str, Any]())
            return model._replace(notes=model.notes.set(number, _annotated(known, notes)))
        case MetricsRecorded(version=number, metrics=metrics, validation=rows, task=task):
            return _measured(model, recorded.seq, number, metrics, rows, task)
        case EvaluationRecorded(version=number, metrics=metrics, data=rows, name=data, task=task):
            return _reported(_measured(model, recorded.seq, number, metrics, rows, task, data), recorded.seq, event)
        case MetricDefined(name=name, better=better):
            return model._replace(better=model.better.set(name, better))
        case VersionCleared(version=number):
            return model._replace(cleared=model.cleared.set(number, recorded.seq))
        case DeltaRecorded():
            return _with_delta(model, event)
        case BranchCreated(branch=name, version=number):
            return _moved(model, "branch", name, _move(recorded, "created", None, number))
        case BranchRolledBack(branch=name, from_version=old, to_version=new, reason=reason):
            return _moved(model, "branch", name, _move(recorded, "rolled_back", old, new, reason))
        case BranchDeleted(branch=name, version=number):
            return _moved(model, "branch", name, _move(recorded, "deleted", number, None))
        case TagCreated(tag=name, version=number):
            return _tagged(model, recorded.seq, name, number)
        case TagDeleted(tag=name):
            return _tagged(model, recorded.seq, name, None)
        case AliasMoved(alias=name, from_version=old, to_version=new, reason=reason):
            return _moved(model, "alias", name, _move(recorded, "moved", old, new, reason))
        case AliasRolledBack(alias=name, from_version=old, to_version=new, reason=reason):
            return _moved(model, "alias", name, _move(recorded, "rolled_back", old, new, reason))
        case AliasDeleted(alias=name, from_version=old):
            return _moved(model, "alias", name, _move(recorded, "deleted", old, None))
        case RollbackRehearsed():
            return model._replace(rehearsals=model.rehearsals.set(recorded.seq, event))
        case GateJudged():
            return _gated(model, recorded.seq, event)
        case AliasProtected(alias=name):
            return _protected(model, recorded.seq, name, model.protected.set(name, event))
        case AliasUnprotected(alias=name):
            left = model.protected.delete(name) if name in model.protected else model.protected
            return _protected(model, recorded.seq, name, left)
        case _:
            return model


def _committed(model: ModelState, recorded: Recorded, event: VersionCommitted) -> ModelState:
    ref = VersionRef(model.name, event.version)
    parents = tuple(parent.version for parent in event.parents if parent.model == model.name)
    place = descent(model.versions, parents)
    version = VersionState(ref, recorded.seq, recorded.recorded, recorded.actor, event, place)
    prefix, stored = digest_key(event.digest), model.manifests.get(event.tensors, StoredManifest())
    if event.keyframe:
        stored = replace(stored, keyframe=event.bytes)
    model = model._replace(
        versions=model.versions.set(event.version, version),
        digests=model.digests.set(prefix, (*model.digests.get(prefix, ()), event.version)),
        manifests=model.manifests.set(event.tensors, stored),
    )
    head = model.head(event.branch)
    kind = "merged" if len(parents) > 1 else "committed" if head is not None else "created"
    move = _move(recorded, kind, head, event.version, event.message)
    model = _moved(model, "branch", event.branch, move, version)
    return _measured(model, recorded.seq, event.version, event.metrics, event.validation, event.task)


def digest_key(digest: str) -> str:
    """What a version's digest is looked up by: its first 8 digits, which any prefix that names it has."""
    return digest.removeprefix("sha256:")[:8]


def _with_delta(model: ModelState, event: DeltaRecorded) -> ModelState:
    model = model._replace(deltas=model.deltas.set(event.to_version, event))
    if (version := model.versions.get(event.to_version)) is None:
        return model
    tensors = version.event.tensors
    stored = model.manifests[tensors]
    if event.to_version in stored.deltas:
        return model
    return model._replace(
        manifests=model.manifests.set(tensors, replace(stored, deltas=(*stored.deltas, event.to_version)))
    )


def _tagged(model: ModelState, seq: int, name: str, number: int | None) -> ModelState:
    """The model with a tag on a version, or on none any more."""
    tags, tagged = model.tags, model.tagged
    if (before := tags.get(name)) is not None:
        tags = tags.delete(name)
        tagged = tagged.set(before, tuple(tag for tag in tagged[before] if tag != name))
    if number is not None:
        tags = tags.set(name, number)
        tagged = tagged.set(number, tuple(sorted((*tagged.get(number, ()), name))))
    moves = model.tag_moves.set(name, (*model.tag_moves.get(name, ()), seq))
    return model._replace(tags=tags, tagged=tagged, tag_moves=moves)


def _protected(model: ModelState, seq: int, alias: str, protected: Map[str, AliasProtected]) -> ModelState:
    return model._replace(protected=protected, protection_moves=model.protection_moves.set(alias, seq))


def _gated(model: ModelState, seq: int, event: GateJudged) -> ModelState:
    passed, gated = model.passed, (*model.gated.get(event.version, ()), seq)
    model = model._replace(gated=model.gated.set(event.version, gated))
    if event.passed:
        passed = passed.set(event.version, (*passed.get(event.version, ()), seq))
    return model._replace(gates=model.gates.set(seq, event), passed=passed)


def _measured(
    model: ModelState,
    seq: int,
    number: int,
    metrics: Mapping[str, float],
    rows: Mapping[str, Any] | None,
    task: str | None,
    data: str | None = None,
) -> ModelState:
    figures = model.figures_of(number).measured(metrics, rows_of(rows), seq, data, task)
    return model._replace(figures=model.figures.set(number, figures))


def _reported(model: ModelState, seq: int, event: EvaluationRecorded) -> ModelState:
    others = (each for each in model.reports.get(event.version, ()) if each.name != event.name)
    own = () if event.report is None else (KeptReport(seq, event.name, event.report, rows_of(event.data)),)
    kept = (*others, *own)
    if not kept and event.version not in model.reports:
        return model
    return model._replace(reports=model.reports.set(event.version, kept))


def _annotated(known: Map[str, Any], notes: dict[str, Any]) -> Map[str, Any]:
    for name, value in notes.items():
        if value is not None:
            known = known.set(name, value)
        elif name in known:
            known = known.delete(name)
    return known


def _move(recorded: Recorded, kind: Any, old: int | None, new: int | None, reason: str = "") -> Move:
    return Move(recorded.seq, recorded.recorded, kind, old, new, recorded.actor, reason)


def _moved(model: ModelState, kind: RefKind, name: str, move: Move, made: VersionState | None = None) -> ModelState:
    if kind == "branch":
        return model._replace(branches=model.branches.set(name, model.branches.get(name, Ref(name)).moved(move, made)))
    return model._replace(aliases=model.aliases.set(name, model.aliases.get(name, Ref(name)).moved(move)))
