"""History: what happened to a model, and all that one version recorded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Final, NamedTuple

from ...domain.model.moves import RefMove, all_moves, moves_between, moves_of_branch, moves_up_to
from ...domain.model.resolve import resolve, split_range
from ...domain.model.state import ModelState, Move, NameKind, Ref, RefKind
from ...errors import Malformed
from ...events.actor import Actor
from ...results import Log, LogEntry, ModelRecord, Version, VersionRecord, VersionRef
from ..judging.compare import rows_by_name, values
from ..made_by_job import numbered
from ..workspace import Workspace

POLL: Final = 0.2
"""Seconds between two looks for more events."""


def log(workspace: Workspace, model: ModelState, moves: Iterable[RefMove], most: int | None = None) -> Log:
    """Moves of a model's branches and aliases as its history; the first `most` of them, else all."""
    if most is not None and most < 1:
        raise Malformed(f"most is {most}; give how many entries to take, at least 1")
    reader = _MoveReader(workspace, model, workspace.actors.all())
    return Log(model.name, tuple(reader.entry(*each) for each in islice(moves, most)))


def latest(
    workspace: Workspace, models: Iterable[ModelState], actors: Mapping[str, Actor]
) -> dict[str, LogEntry | None]:
    """What happened last to each of some models, by name."""
    newest = ((model, next(all_moves(model), None)) for model in models)
    return {
        model.name: None if move is None else _MoveReader(workspace, model, actors).entry(*move)
        for model, move in newest
    }


def about(workspace: Workspace, model: ModelState, actors: Mapping[str, Actor] | None = None) -> ModelRecord:
    """A model at a glance; `actors` may be at hand."""
    newest = model.versions.get(len(model.versions))

    def versions(names: Mapping[str, int]) -> dict[str, Version]:
        return {name: workspace.version(model, number) for name, number in sorted(names.items())}

    return ModelRecord(
        model=model.name,
        description=workspace.opened(*model.description, actors),
        archived=model.archived,
        versions=len(model.versions),
        changed=newest.recorded if newest else None,
        branches=versions(model.live("branch")),
        tags=versions(model.tags),
        aliases=versions(model.live("alias")),
        better=dict(sorted(model.better.items())),
        protected={alias: each.requirements for alias, each in sorted(model.protected.items())},
    )


def show(workspace: Workspace, model: ModelState, number: int) -> VersionRecord:
    """All that a version recorded."""
    version, actors = model.version(number), workspace.actors.all()
    event, delta, figures = version.event, model.deltas.get(number), model.figures_of(number)
    manifest = workspace.vault.manifest(event.tensors)
    return VersionRecord(
        version=workspace.version(model, number),
        seq=version.seq,
        time=version.recorded,
        actor=_name(actors, version.actor),
        message=workspace.opened(version.actor, event.message, actors),
        description=workspace.opened(*model.descriptions.get(number, ("", "")), actors),
        tags=_tags(model, number),
        branches=_at(model.live("branch"), number),
        aliases=_at(model.live("alias"), number),
        hyperparameters=event.hyperparameters,
        architecture=event.architecture,
        settings=event.settings,
        data=event.data,
        derivation=event.derivation,
        environment=event.environment,
        code=event.code,
        metrics=values(figures.shown()),
        rows=rows_by_name(figures.shown()),
        logged=values(figures.apart()),
        annotations=dict(sorted(model.notes.get(number, {}).items())),
        files=tuple(file.model_dump() for file in event.files),
        tensors=tuple(
            {"name": t.name, "dtype": t.dtype, "shape": list(t.shape), "bytes": t.nbytes, "digest": t.digest}
            for t in manifest.tensors
        ),
        parameters=event.parameters,
        bytes=event.bytes,
        keyframe=event.keyframe,
        delta=delta.model_dump(exclude={"type"}) if delta else None,
        run=event.run,
        suites=model.suite_verdicts(number),
        protected={
            alias: each.requirements for alias, each in sorted(model.protected.items()) if model.alias(alias) == number
        },
    )


@dataclass(frozen=True, slots=True)
class _MoveReader:
    """Turns moves into lines, with names and texts opened for whoever reads."""

    workspace: Workspace
    model: ModelState
    actors: Mapping[str, Actor]
    live: dict[RefKind, Mapping[str, int]] = field(default_factory=dict["RefKind", Mapping[str, int]])
    """Where branches and aliases stand, once asked."""

    def entry(self, kind: NameKind, ref: Ref, move: Move) -> LogEntry:
        committed = move.kind in ("committed", "merged") or self._opened_branch(move)
        number = move.to_version
        return LogEntry(
            seq=move.seq,
            time=move.time,
            kind=move.kind if move.kind != "created" or not committed else "committed",
            actor=_name(self.actors, move.actor),
            message=self.workspace.opened(move.actor, move.reason, self.actors),
            version=self.workspace.version(self.model, number) if number is not None else None,
            from_version=move.from_version,
            ref=f"{kind} {ref.name}",
            parents=self.model.version(number).parents if committed and number is not None else (),
            other_parents=self._others(number) if committed and number is not None else (),
            tags=_tags(self.model, number) if committed and number else (),
            branches=_at(self._live("branch"), number) if committed else (),
            aliases=_at(self._live("alias"), number) if committed else (),
            metrics=self.model.metrics_of(number) if committed and number else {},
        )

    def _others(self, number: int) -> tuple[VersionRef, ...]:
        """The parents of other models, as far as these may be read."""
        others = self.model.version(number).other_parents
        return tuple(each for each in others if self.workspace.rights.covers(each.model))

    def _live(self, kind: RefKind) -> Mapping[str, int]:
        if kind not in self.live:
            self.live[kind] = self.model.live(kind)
        return self.live[kind]

    def _opened_branch(self, move: Move) -> bool:
        """Whether a branch was opened by the commit of its first version."""
        return move.to_version is not None and self.model.version(move.to_version).seq == move.seq


def _name(actors: Mapping[str, Actor], id: str) -> str:
    return actors[id].name if id in actors else "[forgotten]"


def _tags(model: ModelState, number: int | None) -> tuple[str, ...]:
    return model.tagged.get(number, ()) if number is not None else ()


def _at(refs: Mapping[str, int], number: int | None) -> tuple[str, ...]:
    return tuple(name for name, on in refs.items() if on == number)


class LogScope(NamedTuple):
    """What a log is asked of: all of a model, or some versions and what they come from, but for others and theirs."""

    model: ModelState
    tips: tuple[int, ...] | None = None
    without: tuple[int, ...] = ()
    branch: str | None = None
    """The branch that the tips are of, whose own moves are of interest too."""

    def moves(self, before: int | None) -> Iterator[RefMove]:
        """The moves, newest first; with `before` those before that event."""
        match self:
            case LogScope(tips=None):
                return all_moves(self.model, before)
            case LogScope(branch=str() as branch):
                return moves_of_branch(self.model, branch, before)
            case LogScope(tips=(tip,), without=(start,)):
                return moves_between(self.model, start, tip, before)
            case LogScope(tips=(tip,)):
                return moves_up_to(self.model, tip, before)
            case _:
                raise AssertionError(self)


def asked(
    workspace: Workspace, rev: str | int | None, name: str | None, most: int | None = None, before: int | None = None
) -> Log:
    """The log that `ModelManager.log` is asked for."""
    if before is not None and before < 1:
        raise Malformed(f"before is {before}; give the number of an event, at least 1")
    scope = log_scope(workspace, rev, name)
    return log(workspace, scope.model, scope.moves(before), most)


def log_scope(workspace: Workspace, rev: str | int | None, name: str | None) -> LogScope:
    """What a log of a branch, a revision, a range `A..B` or, with None, a whole model is of."""
    if isinstance(rev, str) and ".." in rev:
        models = [name] if name else workspace.models()
        model_name, first, last = split_range(numbered(workspace, rev), models, workspace.archived)
        model = workspace.known_model(model_name)
        start, end = resolve(model, first).version, resolve(model, last).version
        return LogScope(model, (end,), (start,))
    if rev is None:
        return LogScope(workspace.known_model(name))
    model_name, revision = workspace.split(rev, name)
    model = workspace.known_model(model_name)
    if not revision.steps and isinstance(revision.base, str) and model.taken(revision.base) == "branch":
        return LogScope(model, tuple(model.branches[revision.base].tips), branch=revision.base)
    return LogScope(model, (resolve(model, revision).version,))
