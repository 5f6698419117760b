"""Processes that upgrade a ledger and are killed meanwhile, at a line of the upgrade's own code or at any moment."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any, Final

from lepton_ai import ModelManager
from lepton_ai.events.sql import copies, upgrade
from lepton_ai.versions.maintenance import upgrade as work

CODE: Final = frozenset(str(module.__file__) for module in (copies, upgrade, work))
"""The modules whose every line is a moment to be killed at."""
Moment = tuple[str, int]
"""A file and a line of it."""


def moments(home: Path) -> list[Moment]:
    """Upgrade a ledger whole: the lines that it came by, in order, each once."""
    passed: dict[Moment, None] = {}

    def note(frame: FrameType) -> None:
        passed.setdefault((frame.f_code.co_filename, frame.f_lineno))

    with ModelManager(home, actor="dora") as manager:
        _traced(manager.upgrade, note)
    return list(passed)


def killed_at(home: Path, moment: Moment) -> None:
    """Upgrade a ledger in a process that is killed with -9 when it comes to a line."""

    def kill(frame: FrameType) -> None:
        if (frame.f_code.co_filename, frame.f_lineno) == moment:
            os.kill(os.getpid(), signal.SIGKILL)

    child = os.fork()
    if not child:
        try:
            _traced(ModelManager(home, actor="dora").upgrade, kill)
        finally:
            os._exit(1)
    assert os.waitpid(child, 0)[1] == signal.SIGKILL, f"it ended by itself before {moment}"


def _traced(act: Callable[[], object], see: Callable[[FrameType], None]) -> None:
    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        if frame.f_code.co_filename not in CODE:
            return None
        if event == "line":
            see(frame)
        return trace

    sys.settrace(trace)
    try:
        act()
    finally:
        sys.settrace(None)
