"""The search: trials asked for, done and told, until there are enough, the time is over or it is stopped.

Whoever holds the study's lock searches. A trial's draws depend on the seed, its number and the trials before it, and
its job on its number: killed at any moment and run again, the search goes on with the trials that were at work.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Event, Lock
from typing import Any, Final

from optuna.trial import Trial, TrialState

from ...building.automatic.folded import SETTINGS
from ...building.search.samplers import grid_size, pruner_of, sampler_of
from ...errors import Refused
from ...versions.studies.frozen import STATUS
from ...versions.studies.opened import OpenStudy
from .definition import SearchDefinition
from .record import EARLIER, ERROR
from .trials import BudgetSpent, DoesTrials, OnEpoch, TrialLost, TrialPruned

FIRST: Final = 5
"""Trials that may fail before one comes to a figure; then the search ends."""
REASON: Final = "reason"
"""The attribute that says why a trial was not gone on with, where it did not fall behind."""
FIGURES: Final = "figures"
"""The attribute with all that was measured."""
OnTrial = Callable[[int, str, Sequence[float] | None], None]
log = logging.getLogger("lepton")


@dataclass
class Search:
    """One run of a search."""

    definition: SearchDefinition
    opened: OpenStudy
    does: DoesTrials
    trials: int | None
    over: Callable[[], bool]
    """Whether the time is over, after which no trial begins."""
    workers: int
    check_lock: Callable[[], None]
    on_trial: OnTrial | None = None
    _drawing: Lock = field(default_factory=Lock, init=False)
    """Held while a trial is drawn or told: draws depend on what was told before."""
    _ended: Event = field(default_factory=Event, init=False)

    def run(self) -> None:
        """Search until enough trials came to an end, the time is over, or the study is stopped.

        Raises `Refused` where the first trials all fail, or lack the metric that is searched for.
        """
        self._interrupted = [trial.number for trial in self.opened.study.get_trials(states=(TrialState.RUNNING,))]
        if self.workers == 1:
            self._work()
            return
        with ThreadPoolExecutor(self.workers, "lepton-search") as threads:
            working = [threads.submit(self._work) for _ in range(self.workers)]
            try:
                wait(working, return_when=FIRST_EXCEPTION)
            finally:
                self._ended.set()
        for each in working:
            each.result()

    def _work(self) -> None:
        try:
            while not self._ended.is_set() and (trial := self._next()) is not None:
                self._do(*trial)
        except BaseException:
            self._ended.set()
            raise

    def _next(self) -> tuple[Trial, dict[str, Any]] | None:
        """The next trial with what it tries: one that was at work when a search ended, else a new one."""
        with self._drawing:
            self.check_lock()
            if self.opened.stopped or self.over():
                return None
            if self._interrupted:
                number = self._interrupted.pop(0)
                trial = self._drawn_as(number, lambda: self.opened.again(number))
            elif self._enough():
                return None
            else:
                waiting = self.opened.study.get_trials(deepcopy=False, states=(TrialState.WAITING,))
                number = waiting[0].number if waiting else len(self.opened.study.get_trials(deepcopy=False))
                trial = self._drawn_as(number, self.opened.study.ask)
            return trial, self.definition.space.drawn(trial)

    def _drawn_as(self, number: int, begin: Callable[[], Trial]) -> Trial:
        search = self.definition
        self.opened.study.sampler = sampler_of(
            search.sampler, search.space, search.seed, number, parallel=self.workers > 1
        )
        self.opened.study.pruner = pruner_of(search.pruner)
        return begin()

    def _enough(self) -> bool:
        """Whether no further trial is to begin. Trials that wait are begun all the same, as far as they count."""
        begun = [trial for trial in self.opened.study.get_trials(deepcopy=False) if EARLIER not in trial.user_attrs]
        count = sum(trial.state != TrialState.WAITING for trial in begun)
        most = math.inf if self.trials is None else self.trials
        if self.definition.sampler == "grid":
            most = min(most, grid_size(self.definition.space))
        return count >= most

    def _do(self, trial: Trial, drawn: Mapping[str, Any]) -> None:
        key = f"study/{self.opened.id}/{trial.number}"
        try:
            figures = self.does.measured(key, self.definition.hyperparameters(drawn), self._watch(trial))
            values = self._values(trial, figures)
        except TrialPruned as pruned:
            if reason := str(pruned):
                trial.set_user_attr(REASON, reason)
            self._tell(trial, TrialState.PRUNED)
        except BudgetSpent:
            self.opened.queue(trial)
        except TrialLost as lost:
            log.warning("trial %d of %s failed: %s", trial.number, self.definition.study, lost)
            trial.set_user_attr(ERROR, lost.error)
            self._tell(trial, TrialState.FAIL)
            self._check_hopeful(lost)
        else:
            trial.set_user_attr(FIGURES, dict(figures))
            self._tell(trial, TrialState.COMPLETE, values)

    def _watch(self, trial: Trial) -> OnEpoch:
        """What follows a fit epoch by epoch: it tells the pruner, and ends what falls behind or is out of time."""
        prunes = self.definition.pruner != "none"
        told = self.opened.steps(trial)

        def on_epoch(epoch: int, figures: Mapping[str, float]) -> None:
            if self.workers == 1 and self.over():
                raise BudgetSpent
            value = self.definition.on_the_way(figures)
            if not prunes or value is None or not math.isfinite(value) or epoch in told:
                return
            told.add(epoch)
            trial.report(value, epoch)
            with self._drawing:
                if trial.should_prune():
                    raise TrialPruned

        return on_epoch

    def _values(self, trial: Trial, figures: Mapping[str, float]) -> list[float]:
        values: list[float] = []
        for metric in self.definition.metrics:
            if metric not in figures:
                self._tell(trial, TrialState.FAIL)
                known = ", ".join(sorted({*figures}.difference(SETTINGS))) or "nothing"
                raise Refused(f"no trial measures {metric!r}; trials measure {known}: name one of these")
            values.append(float(figures[metric]))
        if any(math.isnan(value) for value in values):
            raise TrialLost("NotANumber", f"{self.definition.metrics[0]} is not a number")
        return values

    def _tell(self, trial: Trial, state: TrialState, values: list[float] | None = None) -> None:
        with self._drawing:
            self.opened.study.tell(trial, values, state)
        if self.on_trial is not None:
            self.on_trial(trial.number, STATUS[state], values)

    def _check_hopeful(self, lost: TrialLost) -> None:
        """Raise `Refused` once the first trials have all failed."""
        with suppress(ValueError):
            ended = self.opened.study.get_trials(
                deepcopy=False, states=(TrialState.FAIL, TrialState.COMPLETE, TrialState.PRUNED)
            )
            if len(ended) >= FIRST and all(trial.state == TrialState.FAIL for trial in ended):
                raise Refused(
                    f"the first {len(ended)} trials of {self.definition.study} all failed, the last with {lost}; mend "
                    "the data or the space, and search under another name"
                )
