"""A study as callers are told of it."""

from __future__ import annotations

from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from ...domain.studies.state import StudyState
from ...errors import UnknownStudy
from ...results.work.studies import StudyRecord, TrialRecord
from ...versions.studies.known import study_of
from ...versions.workspace import Workspace
from .definition import SearchDefinition
from .search import EARLIER

_VERSION_OF = "version of trial "


def best_of(study: Study, definition: SearchDefinition, most: int) -> list[FrozenTrial]:
    """The best trials of a search, the best first; of several metrics those that no other beats in all."""
    own = [
        trial
        for trial in study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
        if EARLIER not in trial.user_attrs
    ]
    if len(definition.metrics) > 1:
        front = {trial.number for trial in study.best_trials}
        own = [trial for trial in own if trial.number in front]
    turned = definition.directions[0] == "maximize"
    return sorted(own, key=lambda trial: (-trial.values[0] if turned else trial.values[0], trial.number))[:most]


def study_record(workspace: Workspace, name: str) -> StudyRecord:
    """A study as it stands. Raises `UnknownStudy` where there is none of that name."""
    study = study_of(workspace, name)
    if not study.created:
        raise UnknownStudy(f'there is no study {name!r}; `lepton sql "FROM studies"` lists them')
    metrics = study.search.get("metrics", [])
    trials = tuple(_told(study, number) for number in range(len(study.trials)))
    return StudyRecord(
        study=study.name,
        model=study.model,
        metrics=tuple(map(str, metrics)) or tuple(f"objective {n}" for n in range(len(study.directions))),
        directions=study.directions,
        trials=trials,
    )


def _told(study: StudyState, number: int) -> TrialRecord:
    trial = study.trials[number]
    kept = study.user.get(f"{_VERSION_OF}{number}")
    return TrialRecord(
        trial=number,
        status=trial.status,
        values=trial.values,
        parameters={name: value for name, (value, _) in trial.parameters.items()},
        version=trial.user.get(EARLIER) if kept is None else str(kept),
        error=trial.user.get("error"),
        earlier=EARLIER in trial.user,
    )
