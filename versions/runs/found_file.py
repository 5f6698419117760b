"""Which of a run's files is meant."""

from __future__ import annotations

from ...errors import UnknownRevision
from ...results import RunFileRecord, RunFileRecords


def found(files: RunFileRecords, run: str, name: str, step: int | None) -> RunFileRecord:
    """The file of a name that was logged at a step, or last. Raises `UnknownRevision` where there is none."""
    named = [each for each in files if each.name == name]
    matching = [each for each in named if step is None or each.step == step]
    if not matching:
        where = f"no file {name[:200]!r}" if not named else f"no file {name[:200]!r} of step {step}"
        raise UnknownRevision(f"run {run!r} has {where}; `lepton runs files {run}` lists those it has")
    return max(matching, key=lambda each: each.time)
