"""How a run's story is decided."""

from __future__ import annotations

from ..errors import Refused
from ..events.run import RunCheckpointed, RunFinished, RunStarted
from .append import Append
from .commands import OBJECTS, Checkpoint, FinishRun, LogMetrics, StartRun, run_stream
from .commit import kept
from .names import checked_label, checked_model, checked_run, checked_times
from .objects import Objects
from .plain import plain
from .run import Run


def start(run: Run, command: StartRun) -> tuple[Append, ...]:
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
    )
    return (Append(run_stream(command.run), event),)


def log(run: Run, command: LogMetrics) -> tuple[Append, ...]:
    """Note points of metrics."""
    _open(run, command.run)
    for block in command.blocks:
        for name in set(block.names):
            checked_label(name, "metric")
        checked_times(*block.times)
    return tuple(Append(run_stream(command.run), block) for block in command.blocks)


def checkpoint(run: Run, objects: Objects, command: Checkpoint) -> tuple[Append, ...]:
    """Keep parameters on the way."""
    _open(run, command.run)
    event = RunCheckpointed(tensors=command.tensors, step=command.step)
    stored = tuple(Append(OBJECTS, each) for each in kept(objects, command.stored))
    return (*stored, Append(run_stream(command.run), event))


def finish(run: Run, command: FinishRun) -> tuple[Append, ...]:
    """Close a run."""
    _open(run, command.run)
    status = "failed" if command.error else "finished"
    event = RunFinished(status=status, error=command.error, reason=command.reason, points=command.points)
    return (Append(run_stream(command.run), event),)


def _open(run: Run, name: str) -> None:
    if run.status != "open":
        raise Refused(f"run {name!r} is {run.status}; only an open run takes more")
