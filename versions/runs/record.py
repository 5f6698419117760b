"""Runs as the ledger tells them: found, listed, their checkpoints read back, and what resuming one needs to know."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final, TypeVar, cast

from ...domain.commands import job_stream, run_stream
from ...domain.job.state import JobState
from ...errors import Refused, UnknownRevision
from ...events.clock import moment
from ...events.envelope import Recorded, decode
from ...events.run import MetricsLogged, RunCheckpointed, RunFinished, RunLost, RunResumed, RunStarted
from ...events.sql.heartbeats import Heartbeats
from ...results import CheckpointRecord, CheckpointRecords, RunRecord, RunRecords
from ...results.work.runs import Status
from ...tensors.graph import Graph
from ..filling import Empty, all_converted, checkpoint_loaded, parameters
from ..workspace import Workspace
from .points import Resumed

T = TypeVar("T")
_STORY: Final = tuple(kind.type_name() for kind in (RunStarted, RunCheckpointed, RunFinished, RunLost, RunResumed))


def record(workspace: Workspace, run: str, *, silent: frozenset[str] = frozenset()) -> RunRecord:
    """A run as it stands; one that is silent for longer than its term is lost, though nobody has written so yet.

    Raises `UnknownRevision` where there is none.
    """
    story = list(_story(workspace, run))
    begun = next((each for each in story if isinstance(each.event, RunStarted)), None)
    if begun is None:
        raise UnknownRevision(f"there is no run {run!r}; `lepton runs` lists them")
    started = cast(RunStarted, begun.event)
    last = next(each for each in reversed(story) if not isinstance(each.event, RunCheckpointed))
    ended = last.event if isinstance(last.event, RunFinished) else None
    status = _status(last, silent=run in silent)
    beat = Heartbeats(workspace.ledger.store).of(run)
    actor = workspace.actors.all().get(begun.actor)
    return RunRecord(
        run=run,
        name=started.name,
        model=started.model,
        status=status,
        tags=started.tags or (),
        actor=actor.name if actor else "[forgotten]",
        started=begun.recorded,
        heard=moment(beat.heard) if beat else last.event.heard if isinstance(last.event, RunLost) else None,
        ended=last.recorded if isinstance(last.event, RunFinished | RunLost) else None,
        resumed=tuple(each.recorded for each in story if isinstance(each.event, RunResumed)),
        error=ended.error if ended else None,
        reason=workspace.opened(last.actor, ended.reason) if ended else "",
        points=ended.points if ended else None,
        hyperparameters=started.hyperparameters,
        data=started.data,
        environment=started.environment,
        code=started.code,
        checkpoints=CheckpointRecords(
            _checkpoint(run, each) for each in story if isinstance(each.event, RunCheckpointed)
        ),
    )


def listed(workspace: Workspace, runs: Iterable[str], status: Status | None, most: int, term: float) -> RunRecords:
    """Those of the runs that stand so, in their order, as many as are asked for."""
    silent = frozenset(run for run, _ in Heartbeats(workspace.ledger.store).stale(term))
    records: list[RunRecord] = []
    for run in runs:
        if len(records) == most:
            break
        each = record(workspace, run, silent=silent)
        records += [each] if status in (None, each.status) else []
    return RunRecords(records)


def resumable(workspace: Workspace, run: str) -> tuple[RunRecord, Resumed]:
    """A run that may be gone on with, and how far it came. `Refused` where it finished, or is a job's attempt."""
    run_record = record(workspace, run)
    if run_record.status == "finished":
        raise Refused(f"run {run!r} is finished; only one that did not finish is resumed: start another")
    job = cast(JobState, workspace.ledger.state(job_stream(run.rpartition(".")[0])))
    if job.status != "unknown":
        raise Refused(f"run {run!r} is an attempt at a job, which goes on by itself; `lepton jobs` tells how it stands")
    points, step = 0, None
    for row in workspace.ledger.store.stream(run_stream(run), 0, (MetricsLogged.type_name(),))[1]:
        event = cast(MetricsLogged, decode(row.envelope, row.leaf, row.seq).event)
        points += len(event.names)
        step = max((each for each in (step, *event.steps) if each is not None), default=None)
    return run_record, Resumed(run, points, step)


def tensors(workspace: Workspace, run: str, step: int | None, empty: Empty[T]) -> dict[str, T]:
    """The tensors that a run kept at a step, or last, each verified; as torch's or numpy's."""
    digest = checkpoint(workspace, run, step).tensors
    names = parameters(workspace.vault, digest)
    return all_converted(workspace.vault, digest, Graph({digest: 1}, ()), names, empty)


def load(workspace: Workspace, run: str, step: int | None = None, into: Any = None, optimizer: Any = None) -> Any:
    """A checkpoint filled into an object that the caller built, or rebuilt where its class is registered here."""
    kept = checkpoint(workspace, run, step)
    graph, architecture = Graph({kept.tensors: 1}, ()), kept.architecture or {}
    given = lambda: record(workspace, run).hyperparameters  # noqa: E731
    return checkpoint_loaded(workspace.vault, kept.tensors, graph, run, architecture, given, into, optimizer)


def checkpoint(workspace: Workspace, run: str, step: int | None) -> CheckpointRecord:
    """What a run kept last, or at a step. Raises `UnknownRevision` where it kept nothing then."""
    kept = record(workspace, run).checkpoints
    matching = [each for each in kept if step is None or each.step == step]
    if not matching:
        steps = ", ".join(str(each.step) for each in kept) or "none"
        where = "" if step is None else f" of step {step}"
        raise UnknownRevision(f"run {run!r} has no checkpoint{where}; it has {steps}")
    return matching[-1]


def _story(workspace: Workspace, run: str) -> Iterator[Recorded]:
    for row in workspace.ledger.store.stream(run_stream(run), 0, _STORY)[1]:
        yield decode(row.envelope, row.leaf, row.seq)


def _status(last: Recorded, *, silent: bool) -> Status:
    match last.event:
        case RunFinished(status=status):
            return status
        case RunLost():
            return "lost"
        case _:
            return "lost" if silent else "running"


def _checkpoint(run: str, kept: Recorded) -> CheckpointRecord:
    event = cast(RunCheckpointed, kept.event)
    return CheckpointRecord(run, event.step, kept.recorded, event.tensors, event.architecture)
