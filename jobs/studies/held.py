"""The study that a search works on: made or found, and locked as long as the search is at work."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from optuna.logging import WARNING, get_verbosity, set_verbosity
from optuna.trial import TrialState

from ...domain.studies.commands import CreateStudy, ResumeStudy
from ...domain.studies.state import StudyState
from ...errors import Refused
from ...events.sql.lock import Held
from ...versions.studies.known import study_of
from ...versions.studies.opened import OpenStudy
from ...versions.workspace import Workspace
from .definition import SearchDefinition
from .record import ERROR

Locks = Callable[[str], Held]
"""Gives a lock of the ledger's; raises `LockHeld` at once where another process holds it."""


@dataclass(frozen=True)
class HeldStudy:
    """A study that nobody else searches now."""

    opened: OpenStudy
    lock: Held
    new: bool
    """Whether it was made for this search."""

    @property
    def complete(self) -> bool:
        """Whether a trial has come to a figure."""
        return bool(self.opened.study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,)))

    def why_no_figure(self, again: str) -> str:
        """Why no trial came to one, and what mends it: to do the thing `again`."""
        if self.opened.stopped:
            return f" before it was stopped; {again} again, and it goes on"
        ended = [each for each in self.opened.study.get_trials(deepcopy=False) if each.state.is_finished()]
        if ended and all(each.state == TrialState.FAIL for each in ended):
            last = ended[-1].user_attrs.get(ERROR, "no reason")
            return f": all of them failed, the last with {last}; mend the data or what is tried, and {again} again"
        return f" in its time; give it more, and {again} again"


@contextmanager
def held_study(
    workspace: Workspace, locks: Locks, definition: SearchDefinition, rows: Mapping[str, str], *, resumes: bool = True
) -> Generator[HeldStudy]:
    """The study of a search on `rows`, by their digests; one that was stopped is gone on with if it `resumes`.

    A new one that comes to no figure is given up where the search is refused, unless somebody stopped it. Raises
    `Refused` where a study of that name searches otherwise, `LockHeld` where another process is at it.
    """
    found, new = _created(workspace, definition, rows)
    lock = locks(f"study-{found.created}")
    try:
        with _quiet():
            if resumes:
                workspace.admit(ResumeStudy(study=found.name, created=found.created), None)
            study = HeldStudy(OpenStudy(workspace, definition.study), lock, new)
            try:
                yield study
            except Refused:
                if new and not study.complete and not study.opened.stopped:
                    study.opened.delete()
                raise
    finally:
        lock.release()


def _created(workspace: Workspace, definition: SearchDefinition, rows: Mapping[str, str]) -> tuple[StudyState, bool]:
    known = study_of(workspace, definition.study)
    if not known.created:
        model = definition.model
        command = CreateStudy(
            study=definition.study, directions=definition.directions, model=model, search={**definition.told(), **rows}
        )
        workspace.admit(command, None)
        return study_of(workspace, definition.study), True
    definition.check_same(known, rows)
    return known, False


@contextmanager
def _quiet() -> Generator[None]:
    """Leave it to Lepton to say how a search goes."""
    level = get_verbosity()
    set_verbosity(WARNING)
    try:
        yield
    finally:
        set_verbosity(level)
