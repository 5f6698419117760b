"""Optuna's storage over a ledger: what Optuna asks becomes commands, and what it reads is folded from events."""

from __future__ import annotations

from collections.abc import Callable, Container, Generator, Sequence
from contextlib import contextmanager
from copy import deepcopy as deep_copy
from datetime import datetime
from typing import Any, Final
from uuid import uuid4

from optuna.distributions import BaseDistribution
from optuna.exceptions import DuplicatedStudyError, UpdateFinishedTrialError
from optuna.storages import BaseStorage
from optuna.study import StudyDirection
from optuna.study._frozen import FrozenStudy
from optuna.trial import FrozenTrial, TrialState

from ...domain.studies.commands import (
    AnnotateStudy,
    AnnotateTrial,
    BeginTrial,
    CreateStudy,
    DeleteStudy,
    End,
    EndTrial,
    Parameter,
    QueueTrial,
    ReportValues,
    StartTrial,
    StudyCommand,
    Suggest,
)
from ...domain.studies.state import StudyState, Trial
from ...errors import Incompatible, Malformed, StudyExists, TrialFinished, UnknownStudy
from ...events.study import Direction
from ...ledger import Receipt
from ..workspace import Workspace
from .distributions import known_distribution, told_distribution
from .frozen import STATES, STATUS, UNFINISHED, FrozenTrials, frozen
from .known import KnownStudies

_DIRECTIONS: Final[dict[StudyDirection, Direction]] = {
    StudyDirection.MINIMIZE: "minimize",
    StudyDirection.MAXIMIZE: "maximize",
}
_KNOWN_DIRECTIONS: Final = {word: direction for direction, word in _DIRECTIONS.items()}
NAMELESS: Final = "no-name-"
"""How Optuna begins the names of studies that were given none."""


class StudyStorage(BaseStorage):
    """Studies of a ledger for Optuna; safe to share between threads, and opened anew where it is unpickled."""

    def __init__(self, workspace: Callable[[], Workspace]) -> None:
        self._open = workspace
        self._known = KnownStudies()
        self._trials: dict[int, FrozenTrials] = {}

    def create_new_study(self, directions: Sequence[StudyDirection], study_name: str | None = None) -> int:
        name = NAMELESS + str(uuid4()) if study_name is None else study_name
        if unknown := [direction for direction in directions if direction not in _DIRECTIONS]:
            raise Malformed(f"a study minimizes or maximizes; {unknown[0].name} says neither")
        told: tuple[Direction, ...] = tuple(_DIRECTIONS[direction] for direction in directions)
        return self._admit(CreateStudy(study=name, directions=told)).events[0].seq

    def delete_study(self, study_id: int) -> None:
        study = self._study(study_id)
        self._admit(DeleteStudy(study=study.name, created=study_id))
        self._trials.pop(study_id, None)

    def set_study_user_attr(self, study_id: int, key: str, value: Any) -> None:
        self._admit(AnnotateStudy(study=self._study(study_id).name, created=study_id, user={key: value}))

    def set_study_system_attr(self, study_id: int, key: str, value: Any) -> None:
        self._admit(AnnotateStudy(study=self._study(study_id).name, created=study_id, system={key: value}))

    def get_study_id_from_name(self, study_name: str) -> int:
        with _optunas():
            return self._known.named(self._open(), study_name).created

    def get_study_name_from_id(self, study_id: int) -> str:
        return self._study(study_id).name

    def get_study_directions(self, study_id: int) -> list[StudyDirection]:
        return [_KNOWN_DIRECTIONS[word] for word in self._study(study_id).directions]

    def get_study_user_attrs(self, study_id: int) -> dict[str, Any]:
        return dict(self._study(study_id).user)

    def get_study_system_attrs(self, study_id: int) -> dict[str, Any]:
        return dict(self._study(study_id).system)

    def get_all_studies(self) -> list[FrozenStudy]:
        return [
            FrozenStudy(
                study_name=study.name,
                direction=None,
                directions=[_KNOWN_DIRECTIONS[word] for word in study.directions],
                user_attrs=dict(study.user),
                system_attrs=dict(study.system),
                study_id=study.created,
            )
            for study in self._known.every(self._open())
        ]

    def create_new_trial(self, study_id: int, template_trial: FrozenTrial | None = None) -> int:
        place = {"study": self._study(study_id).name, "created": study_id}
        return self._admit(BeginTrial(**place, **_known_of(template_trial))).events[0].seq

    def set_trial_param(
        self, trial_id: int, param_name: str, param_value_internal: float, distribution: BaseDistribution
    ) -> None:
        study, trial = self._trial(trial_id)
        parameters = {param_name: _parameter(distribution.to_external_repr(param_value_internal), distribution)}
        self._admit(Suggest(study=study.name, created=study.created, trial=trial.number, parameters=parameters))

    def get_trial_id_from_study_id_trial_number(self, study_id: int, trial_number: int) -> int:
        with _optunas():
            return self._study(study_id).trial(trial_number).seq

    def get_trial_number_from_id(self, trial_id: int) -> int:
        return self._trial(trial_id)[1].number

    def get_trial_param(self, trial_id: int, param_name: str) -> float:
        trial = self._trial(trial_id)[1]
        value, told = trial.parameters[param_name]
        return known_distribution(told).to_internal_repr(value)

    def set_trial_state_values(self, trial_id: int, state: TrialState, values: Sequence[float] | None = None) -> bool:
        study, trial = self._trial(trial_id)
        place: dict[str, Any] = {"study": study.name, "created": study.created, "trial": trial.number}
        if state.is_finished():
            end = End(status=STATUS[state], values=None if values is None else tuple(values))
            return bool(self._admit(EndTrial(**place, end=end)).events)
        if values is not None:
            raise Malformed("values are of a trial that ends; end it with them")
        return bool(self._admit((StartTrial if state == TrialState.RUNNING else QueueTrial)(**place)).events)

    def set_trial_intermediate_value(self, trial_id: int, step: int, intermediate_value: float) -> None:
        study, trial = self._trial(trial_id)
        reported = {step: intermediate_value}
        self._admit(ReportValues(study=study.name, created=study.created, trial=trial.number, reported=reported))

    def set_trial_user_attr(self, trial_id: int, key: str, value: Any) -> None:
        study, trial = self._trial(trial_id)
        self._admit(AnnotateTrial(study=study.name, created=study.created, trial=trial.number, user={key: value}))

    def set_trial_system_attr(self, trial_id: int, key: str, value: Any) -> None:
        study, trial = self._trial(trial_id)
        self._admit(AnnotateTrial(study=study.name, created=study.created, trial=trial.number, system={key: value}))

    def get_trial(self, trial_id: int) -> FrozenTrial:
        return frozen(self._trial(trial_id)[1])

    def get_all_trials(
        self, study_id: int, deepcopy: bool = True, states: Container[TrialState] | None = None
    ) -> list[FrozenTrial]:
        trials = self._trials.setdefault(study_id, FrozenTrials()).of(self._study(study_id), states)
        return deep_copy(trials) if deepcopy else trials

    def get_n_trials(self, study_id: int, state: tuple[TrialState, ...] | TrialState | None = None) -> int:
        study = self._study(study_id)
        if state is None:
            return len(study.trials)
        wanted = (state,) if isinstance(state, TrialState) else state
        numbers = study.unfinished if set(wanted) <= set(UNFINISHED) else study.trials
        return sum(STATES[study.trials[number].status] in wanted for number in numbers)

    def _study(self, id: int) -> StudyState:
        with _optunas():
            return self._known.study(self._open(), id)

    def _trial(self, id: int) -> tuple[StudyState, Trial]:
        with _optunas():
            return self._known.trial(self._open(), id)

    def _admit(self, command: StudyCommand) -> Receipt:
        with _optunas():
            return self._open().admit(command, None)


def _known_of(template: FrozenTrial | None) -> dict[str, Any]:
    """What a trial begins with that was run, or is to be run, elsewhere."""
    if template is None:
        return {}
    end = None
    if template.state.is_finished():
        values = None if template.values is None else tuple(template.values)
        end = End(status=STATUS[template.state], values=values, ended=_moment(template.datetime_complete))
    return {
        "status": "waiting" if template.state == TrialState.WAITING else "running",
        "started": _moment(template.datetime_start),
        "parameters": {name: _parameter(each, template.distributions[name]) for name, each in template.params.items()},
        "reported": dict(template.intermediate_values),
        "user": dict(template.user_attrs),
        "system": dict(template.system_attrs),
        "end": end,
    }


def _parameter(value: Any, distribution: BaseDistribution) -> Parameter:
    return Parameter(value=value, distribution=told_distribution(distribution))


def _moment(local: datetime | None) -> datetime | None:
    """Optuna's local time with its zone."""
    return None if local is None else local.astimezone()


@contextmanager
def _optunas() -> Generator[None]:
    """Raise Optuna's errors for the ledger's refusals."""
    try:
        yield
    except UnknownStudy as refusal:
        raise KeyError(str(refusal)) from refusal
    except StudyExists as refusal:
        raise DuplicatedStudyError(str(refusal)) from refusal
    except TrialFinished as refusal:
        raise UpdateFinishedTrialError(str(refusal)) from refusal
    except Incompatible as refusal:
        raise ValueError(str(refusal)) from refusal
