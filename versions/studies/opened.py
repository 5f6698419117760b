"""A study that is worked on: Optuna's, over the ledger, with what a search needs beside."""

from __future__ import annotations

from optuna.samplers import RandomSampler
from optuna.study import Study
from optuna.trial import Trial, TrialState

from ..workspace import Workspace
from .known import study_of
from .storage import StudyStorage


class OpenStudy:
    """A study by its name; whoever works on it holds its lock."""

    def __init__(self, workspace: Workspace, name: str) -> None:
        self._workspace = workspace
        self._storage = StudyStorage(lambda: workspace)
        self.study = Study(name, self._storage, sampler=RandomSampler(0))
        self.id = self._storage.get_study_id_from_name(name)

    @property
    def stopped(self) -> bool:
        """Whether somebody stopped the search."""
        return study_of(self._workspace, self.study.study_name).stopped is not None

    def again(self, number: int) -> Trial:
        """A trial that was at work when whoever did it ended, to be gone on with."""
        return Trial(self.study, self._storage.get_trial_id_from_study_id_trial_number(self.id, number))

    def queue(self, trial: Trial) -> None:
        """Let a trial wait for whoever goes on."""
        self._storage.set_trial_state_values(self._id_of(trial), TrialState.WAITING)

    def steps(self, trial: Trial) -> set[int]:
        """The steps for which a trial has told values."""
        return set(self._storage.get_trial(self._id_of(trial)).intermediate_values)

    def delete(self) -> None:
        """Give up the study."""
        self._storage.delete_study(self.id)

    def _id_of(self, trial: Trial) -> int:
        return self._storage.get_trial_id_from_study_id_trial_number(self.id, trial.number)
