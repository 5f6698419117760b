"""Trials as Optuna holds them, made of a study's state; those that are finished are made once."""

from __future__ import annotations

from collections.abc import Container, Mapping
from datetime import datetime
from threading import Lock
from typing import Any, Final, cast

from optuna.trial import FrozenTrial, TrialState

from ...domain.studies.state import StudyState, Trial
from .distributions import known_distribution

STATES: Final[Mapping[str, TrialState]] = {
    "waiting": TrialState.WAITING,
    "running": TrialState.RUNNING,
    "complete": TrialState.COMPLETE,
    "pruned": TrialState.PRUNED,
    "failed": TrialState.FAIL,
}
STATUS: Final = {state: status for status, state in STATES.items()}
"""What a state of Optuna's is called in events."""
UNFINISHED: Final = (TrialState.WAITING, TrialState.RUNNING)


class FrozenTrials:
    """The trials of one study, kept as they were made last."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._made: list[FrozenTrial] = []
        self._open: dict[int, Trial] = {}
        """The trials that were not finished when they were made, each as it was."""

    def of(self, study: StudyState, states: Container[TrialState] | None = None) -> list[FrozenTrial]:
        """The study's trials in order, those in some states or all; a list of the caller's own.

        A look at those that are not finished costs as much as there are of these.
        """
        if isinstance(states, tuple) and set(cast("tuple[TrialState, ...]", states)) <= set(UNFINISHED):
            numbers = sorted(study.unfinished)
            return [frozen(study.trials[n]) for n in numbers if STATES[study.trials[n].status] in states]
        with self._lock:
            self._catch_up(study)
            made = self._made[: len(study.trials)]
        return made if states is None else [trial for trial in made if trial.state in states]

    def _catch_up(self, study: StudyState) -> None:
        for number, was in list(self._open.items()):
            if (trial := study.trials.get(number)) is not None and trial is not was:
                self._put(trial)
        for number in range(len(self._made), len(study.trials)):
            self._put(study.trials[number])

    def _put(self, trial: Trial) -> None:
        made = frozen(trial)
        if trial.number < len(self._made):
            self._made[trial.number] = made
        else:
            self._made.append(made)
        if trial.finished:
            self._open.pop(trial.number, None)
        else:
            self._open[trial.number] = trial


def frozen(trial: Trial) -> FrozenTrial:
    """A trial as Optuna holds it, sharing nothing that changes."""
    distributions = {name: known_distribution(told) for name, (_, told) in trial.parameters.items()}
    return FrozenTrial(
        number=trial.number,
        trial_id=trial.seq,
        state=STATES[trial.status],
        value=None,
        values=None if trial.values is None else list(trial.values),
        datetime_start=_local(trial.started),
        datetime_complete=_local(trial.ended),
        params={name: _value(value, trial.parameters[name][1]) for name, (value, _) in trial.parameters.items()},
        distributions=distributions,
        user_attrs=dict(trial.user),
        system_attrs=dict(trial.system),
        intermediate_values=dict(sorted(trial.reported.items())),
    )


def _value(value: Any, distribution: Mapping[str, Any]) -> Any:
    return float(value) if distribution["kind"] == "float" else value


def _local(moment: datetime | None) -> datetime | None:
    """A moment as Optuna has it: this machine's local time, without a zone."""
    return None if moment is None else moment.astimezone().replace(tzinfo=None)
