"""Answers: what a worker says of an attempt, as the command that it asks for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final, NamedTuple, TypeVar, cast

from ...domain.commands import Commit, Delta, RecordEvaluation, Stored, job_stream
from ...domain.job.commands import CheckpointJob, FailJob, FinishJob, JobCommand, MeasureJob, StartJob
from ...domain.job.kinds import JudgesVersion, LogsMetrics, MakesVersion, Payload, payload_of
from ...domain.job.state import AT_WORK, JobState
from ...domain.model.recipe import Recipe
from ...domain.names import checked_label
from ...errors import Damaged, Malformed, Refused
from ...events.actor import Actor
from ...events.model import Parent
from ...events.run import MetricsLogged
from ...events.sql.rows import PlacementRow
from ...ledger import Request
from ...tensors.graph import Edge, Graph
from ...tensors.manifest import Manifest
from ...tensors.pack import KnownPlacements, Placement, read_index, told_by
from ...tensors.vault import Vault
from ...versions import save
from ...versions.deltas import graph_of
from ...versions.placements import BothPlacements, StoredPlacements
from ...versions.save_request import Save
from ...versions.source import Subject, without_columns
from ...versions.workspace import Workspace
from ..protocol import messages
from ..protocol.messages import AttemptMessage, Failed, Finished, MadeEvaluation, MadeVersion, Measured, Said, Started

P = TypeVar("P", bound=Payload)
LONGEST_STORY: Final = 8000
"""Characters of why an attempt failed that are kept."""


class KeptPacks(NamedTuple):
    """Bytes that a worker kept, found in the object store: their manifest, and where all of it lies."""

    manifest: Manifest
    stored: Stored
    placements: tuple[PlacementRow, ...]


class Stranger(Refused):
    """A message of one who has nothing to do with the attempt that it names."""


class Receiver:
    """Makes commands of messages, in the name of who asked for the work: for a ledger's assigner, or its intake."""

    def __init__(self, workspace: Workspace, actor: Actor, pause: float) -> None:
        self._workspace = workspace
        self._own = actor
        self._pause = pause

    def asked(self, told: Said, now: datetime) -> Request:
        """The command, keyed by the message's own name, so that one heard twice acts once.

        Raises `Stranger` where there is no such job, or its attempt is another worker's; `Refused` or `Damaged` where
        what the worker says it kept is not there.
        """
        message = cast(AttemptMessage, told.message)
        job = cast(JobState, self._workspace.ledger.state(job_stream(message.job)))
        if job.status == "unknown":
            raise Stranger(f"there is no job {message.job!r}; worker {told.by!r} spoke of it")
        if told.by != job.worker:
            if job.status in AT_WORK and message.epoch == job.epoch:
                raise Stranger(f"attempt {job.epoch} of job {message.job!r} is another worker's than {told.by!r}'s")
            raise Refused(f"attempt {message.epoch} of job {message.job!r} is not worker {told.by!r}'s any more")
        command, placements = self._command(job, message, now)
        return Request(
            command,
            self.actor_of(job),
            f"worker.{message.name}",
            placements=placements,
            traceparent=told.traceparent or job.traceparent,
        )

    def _command(self, job: JobState, told: AttemptMessage, now: datetime) -> tuple[JobCommand, Sequence[PlacementRow]]:
        match told:
            case Started():
                return self._started(job, told), ()
            case Measured():
                return _measured(told), ()
            case messages.Checkpointed():
                held = self._held(job, told, told.kept)
                digest, stored = held.manifest.digest, held.stored
                command = CheckpointJob(job=told.job, epoch=told.epoch, step=told.step, tensors=digest, stored=stored)
                return command, held.placements
            case Finished(made=MadeEvaluation() as made):
                held = None if made.kept is None else self._held(job, told, made.kept)
                finished = self._finished(told, self._evaluation(job, made, held))
                return finished, () if held is None else held.placements
            case Finished(made=MadeVersion() as made):
                held = self._held(job, told, made.kept)
                finished = self._finished(told, self._commit(job, made, held))
                forgotten = self.actor_of(job) is self._own
                message = "" if forgotten else self._workspace.opened(job.actor, job.message)
                return replace(finished, message=message), held.placements
            case Finished():
                _check_result_alone(job)
                return self._finished(told, None), ()
            case Failed():
                return self.failure(told, now), ()
            case _:
                raise Malformed(f"a worker's {told.said!r} asks for nothing")

    def kept(self, job: JobState, made: MadeVersion) -> tuple[Subject, Save]:
        """The version that an attempt made as a save: its tensors, read from the packs, and what was told of it."""
        model = self._workspace.model(job.model)
        digest = made.kept.tensors
        if made.keyframe or made.delta is None or made.base is None:
            graph = Graph({digest: 1}, ())
        else:
            base = model.version(made.base).event.tensors
            graph = graph_of(model, base)
            edge = Edge(base, digest, made.delta.digest, made.delta.bytes, made.delta.two_way)
            graph = Graph(graph.keyframes, (*graph.edges, edge))
        objects = self._workspace.objects
        packs = told_by(objects, (pack.pack for pack in made.kept.packs))
        placements = BothPlacements(StoredPlacements(self._workspace.ledger.store), KnownPlacements(lambda: packs))
        tensors = Vault(objects, placements).restore(digest, graph)
        parts = ("hyperparameters", "architecture", "settings", "data", "metrics", "validation", "task")
        about = ("environment", "code")
        message = "" if self.actor_of(job) is self._own else self._workspace.opened(job.actor, job.message)
        payload = _asked(job, MakesVersion, "version")
        save = Save(
            branch=payload.branch,
            message=message,
            tags=payload.tags,
            better=payload.better,
            run=job.run,
            **{name: getattr(made, name) for name in (*parts, *about)},
        )
        return Subject(name=job.model, named=True, tensors=tensors), save

    def failure(self, told: Failed, now: datetime) -> FailJob:
        """An attempt's end without an answer; the story is cut where it would be too long to keep."""
        return FailJob(
            job=told.job,
            epoch=told.epoch,
            error=told.error,
            reason=told.reason[:LONGEST_STORY],
            again=told.again,
            counted=told.counted,
            now=now,
            pause=self._pause,
            points=told.points,
        )

    def actor_of(self, job: JobState) -> Actor:
        """Who asked for the work; the ledger itself, once they are forgotten."""
        return self._workspace.actors.known(job.actor) or self._own

    def _started(self, job: JobState, told: Started) -> StartJob:
        payload = payload_of(job.kind, job.payload)
        return StartJob(
            job=told.job,
            epoch=told.epoch,
            tells_run=isinstance(payload, LogsMetrics),
            hyperparameters=payload.hyperparameters if isinstance(payload, LogsMetrics) else {},
            environment=told.environment,
            code=told.code,
        )

    def _finished(self, told: Finished, made: Commit | RecordEvaluation | None) -> FinishJob:
        return FinishJob(
            job=told.job, epoch=told.epoch, made=made, result=told.result, points=told.points, remarks=told.remarks
        )

    def _evaluation(self, job: JobState, made: MadeEvaluation, held: KeptPacks | None) -> RecordEvaluation:
        payload = _asked(job, JudgesVersion, "evaluation")
        return RecordEvaluation(
            model=job.model,
            version=payload.judged,
            data=made.data,
            name=payload.name,
            metrics=made.metrics,
            task=made.task,
            better={name: way for name, way in made.better.items() if name in payload.metrics} | payload.better,
            intervals=made.intervals,
            bootstrap=made.bootstrap,
            report=None if held is None else held.manifest.digest,
            stored=Stored() if held is None else held.stored,
        )

    def _commit(self, job: JobState, made: MadeVersion, held: KeptPacks) -> Commit:
        manifest, base, payload = held.manifest, made.base, _asked(job, MakesVersion, "version")
        return Commit(
            model=job.model,
            branch=payload.branch,
            asked_parents=None,
            parents=() if base is None else (Parent(model=job.model, version=base),),
            tensors=manifest.digest,
            tensor_count=len(manifest.tensors),
            parameters=manifest.parameters,
            bytes=manifest.size,
            keyframe=made.keyframe,
            delta=None if made.delta is None else Delta(**made.delta.model_dump()),
            stored=held.stored,
            recipe=Recipe(made.hyperparameters, made.architecture, made.settings, made.data),
            environment=made.environment,
            code=made.code,
            metrics=made.metrics,
            validation=without_columns(made.validation) if made.metrics else None,
            task=made.task if made.metrics else None,
            better=payload.better,
            tags=payload.tags,
        )

    def _held(self, job: JobState, told: AttemptMessage, kept: messages.KeptTensors) -> KeptPacks:
        """What was kept, read from the packs themselves: the ledger records no byte that it has not found."""
        objects, placements = self._workspace.objects, dict[str, Placement]()
        for pack in kept.packs:
            index = read_index(objects, pack.pack)
            if index.digest != pack.index:
                raise Damaged(f"pack {pack.pack}", expected=pack.index, found=index.digest)
            placements |= {place.digest: place for place in index.placements(pack.pack)}
        fresh = kept.tensors in placements
        vault = Vault(objects, KnownPlacements(placements.values)) if fresh else self._workspace.vault
        manifest = vault.manifest(kept.tensors)
        stored = Stored(
            packs=kept.packs,
            manifests=tuple(save.pages(manifest)) if fresh else (),
            relies_on=frozenset(kept.relies_on),
        )
        if job.status in AT_WORK and told.epoch == job.epoch:  # what comes too late is refused, and need not be told
            actor, trace = self.actor_of(job), job.traceparent
            stored = save.told_ahead(
                stored, lambda pages: self._workspace.ledger.admit(pages, actor, traceparent=trace)
            )
        return KeptPacks(manifest, stored, tuple(PlacementRow(*place) for place in placements.values()))


def _asked(job: JobState, makes: type[P], what: str) -> P:
    """What a job was asked with whose kind may make such a thing. Raises `Malformed` where it may not."""
    payload = payload_of(job.kind, job.payload)
    if not isinstance(payload, makes):
        raise Malformed(f"work of kind {job.kind!r} makes no {what}")
    return payload


def _check_result_alone(job: JobState) -> None:
    """Raise `Malformed` where a job's kind makes more than its result, and its worker says nothing of it."""
    if isinstance(payload_of(job.kind, job.payload), MakesVersion | JudgesVersion):
        raise Malformed(f"work of kind {job.kind!r} ends with what it made, and its worker names nothing")


def _measured(told: Measured) -> MeasureJob:
    """The points whose metrics may be called so; of the others how many there were, and why they are not kept."""
    block = told.block
    faults = {name: fault for name in set(block.names) if (fault := _fault(name))}
    if faults:
        kept = [n for n, name in enumerate(block.names) if name not in faults]
        block = MetricsLogged(
            names=tuple(block.names[n] for n in kept),
            steps=tuple(block.steps[n] for n in kept),
            values=tuple(block.values[n] for n in kept),
            times=tuple(block.times[n] for n in kept),
        )
    lost, reason = len(told.block.names) - len(block.names), "; ".join(sorted(faults.values()))[:2000]
    blocks = (block,) if block.names else ()
    return MeasureJob(job=told.job, epoch=told.epoch, blocks=blocks, lost=lost, reason=reason)


def _fault(metric: str) -> str | None:
    """What is wrong with a metric's name, by the rule of `run.log`."""
    try:
        checked_label(metric, "metric")
    except Malformed as error:
        return str(error)
    return None
