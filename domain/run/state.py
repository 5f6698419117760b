"""The aggregate of one run: whether it is open. Its metrics are never folded; they live in the read model."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Literal

from ...events.envelope import Recorded
from ...events.run import RunFinished, RunLost, RunResumed, RunStarted


@dataclass(frozen=True, slots=True)
class RunState:
    """What a run's events add up to, as far as a decision needs it."""

    folds: ClassVar[tuple[type, ...]] = (RunStarted, RunFinished, RunLost, RunResumed)
    """The only types it is folded from: a run's metrics may be many."""

    model: str = ""
    status: Literal["unknown", "open", "finished", "failed", "lost"] = "unknown"


def evolve(run: RunState, recorded: Recorded) -> RunState:
    """The run after one more event."""
    match recorded.event:
        case RunStarted(model=model):
            return RunState(model, "open")
        case RunFinished(status=status):
            return replace(run, status=status)
        case RunLost():
            return replace(run, status="lost")
        case RunResumed():
            return replace(run, status="open")
        case _:
            return run
