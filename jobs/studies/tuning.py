"""Tuning: a search from what callers ask to the versions that come of it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike, fspath
from typing import Any, Final, Protocol, cast

from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from ...datasets.examination import noted
from ...datasets.selection import selection
from ...errors import Malformed, Refused
from ...models.registry import untrained
from ...results import Version
from ...results.work.studies import StudyRecord
from ...versions.data.named_data import asked_of_worker
from ...versions.studies.opened import OpenStudy
from ...versions.training_rows import KnowsData, training_rows, validation_rows
from ...versions.workspace import Workspace
from ..api import Jobs, check_limits
from .budget import checked_budget, checked_keep, checked_trials, checked_workers
from .definition import SearchDefinition, definition_of
from .earlier import tell_earlier
from .held import Locks, held_study
from .record import EARLIER, VERSION_OF, study_record
from .search import OnTrial, Search
from .trials import DoesTrials, TrialsByJobs, TrialsHere, asked_before, version_before

MOST_EARLIER: Final = 1000


class Trains(KnowsData, Protocol):
    """What of the manager a search asks."""

    @property
    def train(self) -> Callable[..., Any]: ...
    @property
    def jobs(self) -> Jobs: ...


@dataclass(frozen=True)
class Tuning:
    """A search, asked for in one process."""

    manager: Trains
    lock: Locks

    def tune(
        self,
        model: str,
        data: Any,
        labels: Any,
        *,
        name: str | None,
        study: str | None,
        trials: int | None,
        budget: float | str | None,
        workers: int,
        keep: int,
        warm: int,
        branch: str,
        validation: str | None,
        message: str,
        types: Mapping[str, str] | None,
        drop: Sequence[str],
        columns: Sequence[str] | None,
        on_trial: OnTrial | None,
        limits: Mapping[str, Any],
        resumes: bool = True,
        **asked: Any,
    ) -> StudyRecord:
        """Search, and keep the best; see `ModelManager.tune`. One that was stopped is gone on with if it `resumes`."""
        seconds, workers, keep = checked_budget(budget), checked_workers(workers), checked_keep(keep)
        most, begun = checked_trials(trials, seconds), time.monotonic()
        checked_warm(warm)
        check_limits(limits, workers)
        jobs = self.manager.jobs
        workspace = jobs.begun()
        state = workspace.model(name or model)
        chosen = selection(types, drop, columns)
        label = labels if isinstance(labels, str) else None
        definition = definition_of(model, state, study=study, label=label, branch=branch, chosen=chosen, **asked)
        does, digest = self._does(definition, data, labels, validation, workers, limits)
        rows = named_rows(workspace, definition, fspath(cast("str", data))) if digest is None else {"rows": digest}
        with held_study(workspace, self.lock, definition, rows, resumes=resumes) as held:
            if held.new and warm:
                tell_earlier(held.opened.study, definition, state, warm, digest)
            until = math.inf if seconds is None else begun + seconds

            def over() -> bool:
                return time.monotonic() >= until

            Search(definition, held.opened, does, most, over, max(1, workers), held.lock.check, on_trial).run()
            best = _best(held.opened.study, definition, max(1, keep))
            if not best:
                raise Refused(f"no trial of {definition.study} came to a figure{held.why_no_figure('search')}")
            keeping = _Keeping(self.manager, definition, workspace, data, labels, branch, validation, message)
            for trial in best[:keep]:
                keeping.keep(held.opened, trial, workers, limits)
        return study_record(workspace, definition.study)

    def _does(
        self,
        definition: SearchDefinition,
        data: Any,
        labels: Any,
        validation: str | None,
        workers: int,
        limits: Mapping[str, Any],
    ) -> tuple[DoesTrials, str | None]:
        """Who does the trials, and the digest of the rows where they are read here."""
        from ...datasets.tables import fingerprint

        if workers:
            if not isinstance(data, str | PathLike):
                raise Malformed("workers read rows from a file or by a name, not from memory; leave workers out")
            jobs, path = self.manager.jobs, fspath(cast("str", data))
            allowed = jobs._reaching(definition.model_class, jobs._limits(**limits))  # pyright: ignore[reportPrivateUsage]
            return TrialsByJobs(definition, jobs, path, validation, allowed), None
        rows, values = training_rows(self.manager, data, labels, definition.chosen)
        beside = None
        if validation is not None:
            beside = validation_rows((validation, labels), (rows, values), definition.chosen)
        digest = (fingerprint(rows, values) or {}).get("digest")
        return TrialsHere(definition, rows, values, beside), digest


@dataclass(frozen=True)
class _Keeping:
    """Makes versions of trials: each is fitted again with what it tried, under a key of its own."""

    manager: Trains
    definition: SearchDefinition
    workspace: Workspace
    data: Any
    labels: Any
    branch: str
    validation: str | None
    message: str

    def keep(self, opened: OpenStudy, trial: FrozenTrial, workers: int, limits: Mapping[str, Any]) -> Version:
        """The version that a trial is; fitted once, however often it is asked for."""
        search = self.definition
        beside = "" if self.branch == "main" else f"/{self.branch}"  # main has the keys that it always had
        key = f"study/{opened.id}/{trial.number}/version{beside}"
        chosen = search.hyperparameters(trial.params)
        words = self.message or f"trial {trial.number} of study {search.study}"
        common: dict[str, Any] = {"name": search.model, "branch": self.branch, "message": words, "key": key}
        chosen_columns = {"drop": search.chosen.drop, "columns": search.chosen.columns}
        common |= {"better": dict(search.better) or None, "types": dict(search.chosen.types), **chosen_columns}
        if workers:
            asked: dict[str, Any] = common | {"hyperparameters": chosen, "validation": self.validation}
            name = asked_before(self.workspace, key)
            if name is None:
                path = str(self.data)
                name = self.manager.jobs.train(search.model_class, path, search.label, **asked, **limits).job
            ended = self.manager.jobs.wait(name)
            if ended.version is None:
                raise Refused(f"trial {trial.number} could not be kept: {ended.reason or ended.error or ended.status}")
            version = ended.version
        elif (version := version_before(self.workspace, search.model, key)) is None:
            validation = None if self.validation is None else (self.validation, self.labels)
            model = untrained(search.model_class, chosen)
            with noted():  # its trials told what is suspicious about the rows
                version = self.manager.train(model, self.data, self.labels, validation=validation, **common)
        opened.study.set_user_attr(f"{VERSION_OF}{trial.number}", f"{search.model}@{version}")
        return version


def checked_warm(warm: int) -> int:
    """How many earlier versions a search begins with. Raises `Malformed`."""
    if isinstance(warm, bool) or not isinstance(warm, int) or not 0 <= warm <= MOST_EARLIER:  # pyright: ignore
        raise Malformed(f"a search begins with 0 to {MOST_EARLIER:,} earlier versions, not {warm!r}")
    return warm


def named_rows(workspace: Workspace, definition: SearchDefinition, data: str) -> dict[str, str]:
    """The digest of the rows that workers find by a name; nothing is known of a file before it is read."""
    named = asked_of_worker(workspace, data, definition.label)[2]
    if not named:
        return {}
    digest, chosen = str(named["named"]["digest"]), definition.chosen
    whole = not chosen.drop and chosen.columns is None
    return {"named_rows": digest} | ({"rows": digest} if whole else {})


def _best(study: Study, definition: SearchDefinition, most: int) -> list[FrozenTrial]:
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
