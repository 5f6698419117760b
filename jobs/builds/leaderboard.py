"""The leaderboard of a build: the best trial of each kind of model, all judged by the same folds."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from optuna.trial import FrozenTrial, TrialState

from ...results.work.builds import BEHIND, FAILED, NOT_REACHED, TOO_LONG, CandidateRecord
from ..studies.search import REASON
from .definition import CANDIDATE, BuildDefinition

_LEVEL = 0.95


def leaderboard(definition: BuildDefinition, trials: Sequence[FrozenTrial]) -> tuple[CandidateRecord, ...]:
    """The kinds that came to a figure, the best first; of equal ones that which is tried first."""
    by_kind = {each.name: _of(trials, each.name) for each in definition.choice.candidates}
    turned = 1 if definition.directions[0] == "minimize" else -1
    best = [
        min(complete, key=lambda trial: (turned * trial.values[0], trial.number))
        for some in by_kind.values()
        if (complete := [trial for trial in some if trial.state == TrialState.COMPLETE])
    ]
    ranked = sorted(best, key=lambda trial: turned * trial.values[0])
    return tuple(_record(definition, trial, ranked[0], len(by_kind[trial.params[CANDIDATE]])) for trial in ranked)


def left_out(definition: BuildDefinition, trials: Sequence[FrozenTrial]) -> tuple[CandidateRecord, ...]:
    """The kinds that were not tried, or came to no figure, and why."""
    told = [CandidateRecord(each.name, each.reason) for each in definition.choice.left_out]
    for each in definition.choice.candidates:
        some = _of(trials, each.name)
        if not any(trial.state == TrialState.COMPLETE for trial in some):
            told.append(CandidateRecord(each.name, _why(some), trials=sum(trial.state.is_finished() for trial in some)))
    return tuple(told)


def fold_scores(trial: FrozenTrial) -> npt.NDArray[np.float64]:
    """The metric of each fold, shape (folds,): a trial tells the mean over the folds so far behind each."""
    means = np.array([trial.intermediate_values[step] for step in sorted(trial.intermediate_values)])
    return np.diff(means * np.arange(1, len(means) + 1), prepend=0.0)


def resampled_difference(gaps: npt.NDArray[np.float64]) -> tuple[float, float | None, float | None]:
    """The mean difference over folds and the ends of its interval of 95 %, by the corrected resampled t-test (Nadeau
    and Bengio 2003), whose variance counts that fits share rows; no ends of a single fold."""
    from scipy.stats import t

    count, mean = len(gaps), float(gaps.mean())
    if count < 2:
        return mean, None, None
    error = math.sqrt((1 / count + 1 / (count - 1)) * float(gaps.var(ddof=1)))
    reach = float(t.ppf((1 + _LEVEL) / 2, count - 1)) * error
    return mean, mean - reach, mean + reach


def _of(trials: Sequence[FrozenTrial], kind: str) -> list[FrozenTrial]:
    return [trial for trial in trials if trial.params.get(CANDIDATE) == kind]


def _why(some: Sequence[FrozenTrial]) -> str:
    reasons = [trial.user_attrs.get(REASON) for trial in some]
    if TOO_LONG in reasons:
        return TOO_LONG
    if any(trial.state == TrialState.FAIL for trial in some):
        return FAILED
    return BEHIND if any(trial.state == TrialState.PRUNED for trial in some) else NOT_REACHED


def _record(definition: BuildDefinition, trial: FrozenTrial, best: FrozenTrial, trials: int) -> CandidateRecord:
    candidate, chosen = definition.tried(trial.params)
    scores = fold_scores(trial)
    difference: Mapping[str, Any] = {}
    if trial is not best and len(scores) == len(other := fold_scores(best)):
        mean, low, high = resampled_difference(scores - other)
        difference = {"difference": mean, "low": low, "high": high}
    return CandidateRecord(
        candidate.name,
        candidate.reason,
        trials=trials,
        trial=trial.number,
        figure=trial.values[0],
        error=float(scores.std(ddof=1) / math.sqrt(len(scores))) if len(scores) > 1 else None,
        seconds=None if trial.duration is None else trial.duration.total_seconds(),
        hyperparameters=chosen,
        **difference,
    )
