"""Commands as tests ask them: short to write, and whole."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from lepton_ai.domain.commands import Annotate, Commit, Stored
from lepton_ai.domain.model.recipe import Recipe
from lepton_ai.errors import LeptonError
from lepton_ai.events.model import Parent

PATIENCE: Final = 120.0
"""Seconds that only what hangs takes, whatever else the machine does."""
_LOOKS: Final = 0.005


def commit(number: int, *parents: int, model: str = "credit", **fields: Any) -> Commit:
    """A commit on main whose tensors' digest ends in `number`."""
    came_from = tuple(Parent(model=model, version=parent) for parent in parents)
    whole: dict[str, Any] = {
        "branch": "main",
        "asked_parents": None,
        "parents": came_from,
        "tensors": f"blake3:{number:064d}",
        "tensor_count": 1,
        "parameters": 1,
        "bytes": 4,
        "keyframe": True,
        "delta": None,
        "stored": Stored(),
        "recipe": Recipe(),
    }
    return Commit(model=model, **(whole | fields))


def note(value: Any, model: str = "credit") -> Annotate:
    """A note on version 1."""
    return Annotate(model=model, version=1, annotations={"n": value})


def until(condition: Callable[[], bool], seconds: float = PATIENCE) -> None:
    """Return once a condition holds; fail where it does not in time.

    It is looked at 200 times a second: looked at without end it would take the core from whoever is to make it true.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(_LOOKS)


def until_back(
    condition: Callable[[], bool], what: str, *, seconds: float, meanwhile: Callable[[], None] = lambda: None
) -> None:
    """As `until`, whatever is away; `what` says what did not come true. It is looked at 20 times a second."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if condition():
                return
        except LeptonError:  # it is on its way back
            pass
        else:
            meanwhile()
        time.sleep(10 * _LOOKS)
    raise AssertionError(f"it never came true that {what}")


def freeze(process: int) -> None:
    """Stop a process; returns when none of its threads runs any more, which the signal alone does not wait for."""
    os.kill(process, signal.SIGSTOP)
    until(lambda: all(_state(thread) in "TtZX" for thread in Path(f"/proc/{process}/task").iterdir()))


def _state(thread: Path) -> str:
    try:
        return (thread / "stat").read_text().rpartition(")")[2].split()[0]
    except OSError:  # it has ended
        return "X"
