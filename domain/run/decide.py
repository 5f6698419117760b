"""How a run's story is decided."""

from __future__ import annotations

from ...errors import Refused
from ...events.run import RunCheckpointed, RunFinished, RunLost, RunResumed, RunStarted
from ...plain import plain
from ..append import Append
from ..commands import OBJECTS, Checkpoint, FinishRun, LogFiles, LogMetrics, LoseRun, ResumeRun, StartRun, run_stream
from ..model.commit import kept
from ..names import checked_file, checked_label, checked_model, checked_run, checked_times
from ..state import Objects
from .state import RunState


def start(run: RunState, command: StartRun) -> tuple[Append, ...]:
    """Open a run."""
    checked_run(command.run)
    checked_model(command.model)
    if run.status != "unknown":
        raise Refused(f"run {command.run!r} exists already; start another")
    event = RunStarted(
        run=command.run,
        model=command.model,
        hyperparameters=plain(command.hyperparameters, "hyperparameters"),
        data=None if command.data is None else plain(command.data, "data"),
        environment=plain(command.environment, "environment"),
        code=plain(command.code, "code"),
        name=None if command.name is None else checked_label(command.name, "run"),
        tags=tuple(checked_label(tag, "run's tag") for tag in command.tags) or None,
    )
    return (Append(run_stream(command.run), event),)


def resume(run: RunState, command: ResumeRun) -> tuple[Append, ...]:
    """Go on with a run, wherever it stands, unless it came to a good end."""
    if run.status in ("unknown", "finished"):
        raise Refused(f"run {command.run!r} is {run.status}; only one that did not finish is resumed: start another")
    environment, code = plain(command.environment, "environment"), plain(command.code, "code")
    return (Append(run_stream(command.run), RunResumed(environment=environment, code=code)),)


def lose(run: RunState, command: LoseRun) -> tuple[Append, ...]:
    """Note that a run is not heard of any more; nothing where it has ended meanwhile."""
    return (Append(run_stream(command.run), RunLost(heard=command.heard)),) if run.status == "open" else ()


def log(run: RunState, command: LogMetrics) -> tuple[Append, ...]:
    """Note points of metrics."""
    late = _open(run, command.run)
    for block in command.blocks:
        for name in set(block.names):
            checked_label(name, "metric")
        checked_times(*block.times)
    return (*late, *(Append(run_stream(command.run), block) for block in command.blocks))


def checkpoint(run: RunState, objects: Objects, command: Checkpoint) -> tuple[Append, ...]:
    """Keep parameters on the way."""
    late = _open(run, command.run)
    architecture = None if command.architecture is None else plain(command.architecture, "architecture")
    event = RunCheckpointed(tensors=command.tensors, step=command.step, architecture=architecture)
    stored = tuple(Append(OBJECTS, each) for each in kept(objects, command.stored))
    return (*late, *stored, Append(run_stream(command.run), event))


def log_files(run: RunState, objects: Objects, command: LogFiles) -> tuple[Append, ...]:
    """Keep files."""
    late = _open(run, command.run)
    for file in command.files:
        checked_file(file.name)
    stored = tuple(Append(OBJECTS, each) for each in kept(objects, command.stored))
    return (*late, *stored, *(Append(run_stream(command.run), file) for file in command.files))


def finish(run: RunState, command: FinishRun) -> tuple[Append, ...]:
    """Close a run."""
    late = _open(run, command.run)
    status = "failed" if command.error else "finished"
    event = RunFinished(status=status, error=command.error, reason=command.reason, points=command.points)
    return (*late, Append(run_stream(command.run), event))


def _open(run: RunState, name: str) -> tuple[Append, ...]:
    """What is told first of a run that says more: one that was taken for lost was not."""
    if run.status == "lost":
        return (Append(run_stream(name), RunResumed()),)
    if run.status != "open":
        raise Refused(f"run {name!r} is {run.status}; only an open run takes more")
    return ()
