"""Heartbeats of trials for Optuna: a trial that is not heard of any more is failed by whoever searches on.

When a trial was heard of last is no event: it stands in a table beside the log, by the database's own clock.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from optuna.storages._heartbeat import BaseHeartbeat
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from ...errors import Malformed
from ...events.sql.heartbeats import Heartbeats
from ..workspace import Workspace
from .storage import StudyStorage

OnStale = Callable[[Study, FrozenTrial], None]


class HeartbeatStorage(StudyStorage, BaseHeartbeat):
    """Optuna's storage over a ledger, with heartbeats each `interval` seconds where that is given."""

    def __init__(
        self, workspace: Callable[[], Workspace], interval: int | None, grace: int | None, on_stale: OnStale | None
    ) -> None:
        super().__init__(workspace)
        for what, seconds in (("heartbeat_interval", interval), ("grace_period", grace)):
            whole = isinstance(seconds, int) and not isinstance(seconds, bool)
            if seconds is not None and not (whole and seconds > 0):
                raise Malformed(f"{what} is {seconds!r}; give seconds, a whole number above 0")
        self._interval = interval
        self._grace = grace
        self._on_stale = on_stale

    def record_heartbeat(self, trial_id: int) -> None:
        self._trial(trial_id)  # it is there, and may be read
        self._beats.of_trial(trial_id)

    def _get_stale_trial_ids(self, study_id: int) -> list[int]:
        assert self._interval is not None
        study, term = self._study(study_id), self._grace or 2 * self._interval
        running = {study.trials[n].seq for n in study.unfinished if study.trials[n].status == "running"}
        return [trial for trial in self._beats.stale_trials(term) if trial in running]

    def get_heartbeat_interval(self) -> int | None:
        return self._interval

    def get_heartbeat_stale_trial_callback(self) -> OnStale | None:
        return self._on_stale

    def set_trial_state_values(self, trial_id: int, state: TrialState, values: Sequence[float] | None = None) -> bool:
        done = super().set_trial_state_values(trial_id, state, values)
        if self._interval is not None and state.is_finished():
            self._beats.end_trial(trial_id)
        return done

    @property
    def _beats(self) -> Heartbeats:
        return Heartbeats(self._open().ledger.store)
