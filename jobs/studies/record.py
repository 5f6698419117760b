"""A study as its events have it: what callers are told, whoever searched. Nothing here needs Optuna."""

from __future__ import annotations

from typing import Final

from ...domain.studies.commands import StopStudy
from ...domain.studies.state import StudyState
from ...errors import UnknownStudy
from ...results.work.studies import StudyRecord, StudySummaries, TrialRecord
from ...versions.studies.known import KnownStudies, study_of
from ...versions.workspace import Workspace

EARLIER: Final = "earlier version"
"""The attribute of a trial that was no trial: it tells of a version that was there before the search."""
ERROR: Final = "error"
"""The attribute of a trial that failed: the class of its error."""
VERSION_OF: Final = "version of trial "
"""How a study's attributes begin that name the version which was kept of a trial."""


def study_record(workspace: Workspace, name: str) -> StudyRecord:
    """A study as it stands. Raises `UnknownStudy` where there is none of that name."""
    return _record(_known(workspace, name))


def study_summaries(workspace: Workspace) -> StudySummaries:
    """The studies that may be read, the newest first."""
    workspace.rights.check("read")
    studies = KnownStudies().every(workspace)
    return StudySummaries(_record(study).summary for study in reversed([*studies]))


def stop(workspace: Workspace, name: str, key: str | None) -> None:
    """Have a search end behind the trials at work. Raises `UnknownStudy` where there is none of that name."""
    study = _known(workspace, name)
    workspace.admit(StopStudy(study=study.name, created=study.created), key)


def _known(workspace: Workspace, name: str) -> StudyState:
    study = study_of(workspace, name)
    if not study.created:
        raise UnknownStudy(f"there is no study {name!r}; `lepton studies` lists them")
    return study


def _record(study: StudyState) -> StudyRecord:
    metrics = study.search.get("metrics", [])
    assert study.begun is not None  # no study that is there lacks it
    return StudyRecord(
        study=study.name,
        model=study.model,
        metrics=tuple(map(str, metrics)) or tuple(f"objective {n}" for n in range(len(study.directions))),
        directions=study.directions,
        created=study.begun,
        stopped=study.stopped,
        trials=tuple(_told(study, number) for number in range(len(study.trials))),
    )


def _told(study: StudyState, number: int) -> TrialRecord:
    trial = study.trials[number]
    kept = study.user.get(f"{VERSION_OF}{number}")
    return TrialRecord(
        trial=number,
        status=trial.status,
        values=trial.values,
        parameters={name: value for name, (value, _) in trial.parameters.items()},
        version=trial.user.get(EARLIER) if kept is None else str(kept),
        error=trial.user.get(ERROR),
        earlier=EARLIER in trial.user,
        started=trial.started,
        ended=trial.ended,
    )
