"""How a candidate is judged: by folds in this process, or by a worker as a job."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from ...building.automatic.folded import FoldedRows
from ...errors import Unavailable, recorded
from ..studies.trials import BudgetSpent, OnEpoch, TrialLost, TrialPruned, TrialsByJobs
from .clock import BuildClock
from .definition import BuildDefinition

_MANY: Final = 10_000
"""Rows from which on a fit to a tenth of them tells first how long one takes."""


@dataclass(frozen=True)
class FoldsHere:
    """Candidates judged one after another in this process."""

    definition: BuildDefinition
    rows: FoldedRows
    clock: BuildClock

    def measured(self, key: str, hyperparameters: Mapping[str, Any], on_epoch: OnEpoch) -> Mapping[str, float]:  # noqa: ARG002
        """As `DoesTrials` says; what is cut off is begun anew."""
        candidate, chosen = self.definition.tried(hyperparameters)
        begun, of = time.monotonic(), len(self.rows.folds)
        begun_folds = 1

        def on_fold(fold: int, means: Mapping[str, float]) -> None:
            nonlocal begun_folds
            on_epoch(fold, means)
            if fold < of:
                self.clock.check((time.monotonic() - begun) / fold * of)
            begun_folds = fold + 1

        def within_fold(epoch: int, losses: Mapping[str, float]) -> None:  # noqa: ARG001
            self.clock.check((time.monotonic() - begun) / begun_folds * of)

        try:
            if self.rows.table.rows > _MANY and self.clock.most is not None and self.clock.complete():
                self.clock.check(10 * of * self.rows.seconds_of_a_tenth(candidate.model_class, chosen, within_fold))
                begun = time.monotonic()
            return self.rows.figures(candidate.model_class, chosen, on_fold, within_fold)
        except (TrialPruned, BudgetSpent, Unavailable, MemoryError):
            raise
        except Exception as error:
            raise TrialLost(type(error).__name__, recorded(error)) from error


@dataclass(frozen=True)
class FoldsByJobs:
    """Candidates judged by workers, each as a job."""

    definition: BuildDefinition
    jobs: TrialsByJobs

    def measured(self, key: str, hyperparameters: Mapping[str, Any], on_epoch: OnEpoch) -> Mapping[str, float]:
        """As `DoesTrials` says; a job that was asked for before is waited for."""
        candidate, chosen = self.definition.tried(hyperparameters)
        return self.jobs.done(key, candidate.model_class, chosen, on_epoch)
