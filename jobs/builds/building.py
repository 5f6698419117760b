"""Building: the best model of some rows, from what callers ask to the version that comes of it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from os import PathLike, fspath
from pathlib import PurePath
from typing import Any, Final, Protocol, cast

from optuna.trial import FrozenTrial

from ...building.automatic.candidates import Choice, choice_of, suspicions
from ...building.automatic.folded import SETTINGS, FoldedRows
from ...building.automatic.plan import MOST_FOLDS, FoldPlan, usual_folds
from ...building.automatic.question import METRICS
from ...datasets.selection import Selection, selection
from ...datasets.tables import fingerprint
from ...domain.guards import branch_is_open
from ...domain.model.metric import better_when, checked_better
from ...domain.names import DATA_PREFIX, checked_label, checked_model, checked_name
from ...domain.studies.decide import checked_study
from ...errors import Malformed, Refused
from ...results import Version
from ...results.work.builds import BuildRecord, CandidateRecord
from ...versions.training_rows import training_rows
from ...versions.workspace import Workspace
from ..api import check_limits
from ..studies.budget import checked_budget, checked_trials, checked_workers
from ..studies.definition import DIRECTIONS
from ..studies.held import HeldStudy, Locks, held_study
from ..studies.record import VERSION_OF
from ..studies.search import FIGURES, OnTrial, Search
from ..studies.trials import DoesTrials, TrialsByJobs, version_before
from ..studies.tuning import Trains
from .clock import BuildClock
from .definition import BuildDefinition, space_of_choice, study_name
from .last_fit import LastFit
from .leaderboard import leaderboard, left_out
from .trials import FoldsByJobs, FoldsHere

USUAL: Final = 600.0
"""Seconds of a build that nothing bounds."""
_BUILT: Final = "built with a budget of"
"""The attribute of a study whose build came to its end: the budget's seconds, or the trials."""


class Builds(Trains, Protocol):
    """What of the manager a build asks."""

    @property
    def run(self) -> Callable[..., Any]: ...


@dataclass(frozen=True)
class Building:
    """A build, asked for in one process."""

    manager: Builds
    lock: Locks

    def build(
        self,
        data: Any,
        labels: Any,
        *,
        name: str | None,
        task: str,
        positive: Any,
        metric: str | None,
        better: Mapping[str, str] | None,
        budget: float | str | None,
        trials: int | None,
        workers: int,
        candidates: str | Sequence[str] | None,
        folds: int | None,
        groups: str | None,
        time_column: str | None,
        seed: int,
        branch: str,
        message: str,
        types: Mapping[str, str] | None,
        drop: Sequence[str],
        columns: Sequence[str] | None,
        on_trial: OnTrial | None,
        limits: Mapping[str, Any],
    ) -> BuildRecord:
        """Search, fit the best to all rows and keep it; see `ModelManager.build`."""
        begun = time.monotonic()
        seconds = checked_budget(USUAL if budget is None and trials is None else budget)
        most = checked_trials(trials, seconds)
        side_by_side = max(1, workers := checked_workers(workers))
        check_limits(limits, workers)
        if task not in ("auto", *METRICS):
            raise Malformed(f"there is no task {task!r} to build for; there are {', '.join(METRICS)}")
        checked_name(branch, "branch")
        model = _model_name(name, data)
        workspace = self.manager.jobs.begun()
        branch_is_open(workspace.model(model), branch)
        chosen = selection(types, drop, columns)
        rows, values = training_rows(self.manager, data, labels, chosen)
        plan = _plan(len(values), task, positive, folds, groups, time_column, seed)
        folded = FoldedRows.of(rows, values, plan)
        definition = _definition(
            workspace, model, labels, folded, plan, metric=metric, better=better, candidates=candidates, seed=seed,
            chosen=chosen,
        )  # fmt: skip
        said = tuple(suspicions(folded.table, folded.labels))
        with held_study(workspace, self.lock, definition, {"rows": definition.digest}) as held:
            clock = BuildClock(seconds, _seconds_of(held) / side_by_side, lambda: held.complete, begun)
            does = self._does(definition, folded, clock, data, workers, limits)
            bound = seconds or float(most or 0)
            if held.opened.study.user_attrs.get(_BUILT, 0) < bound:
                for start in definition.starts()[:most]:
                    held.opened.study.enqueue_trial(start, skip_if_exists=True)
                over, check = clock.over, held.lock.check
                Search(definition, held.opened, does, most, over, side_by_side, check, on_trial).run()
            version = self._kept(workspace, definition, folded, held, (rows, values), branch, message)
            if not held.opened.stopped:
                held.opened.study.set_user_attr(_BUILT, bound)
            return _record(definition, folded, held, version, said, time.monotonic() - begun)

    def _does(
        self,
        definition: BuildDefinition,
        folded: FoldedRows,
        clock: BuildClock,
        data: Any,
        workers: int,
        limits: Mapping[str, Any],
    ) -> DoesTrials:
        if not workers:
            return FoldsHere(definition, folded, clock)
        if not isinstance(data, str | PathLike):
            raise Malformed("workers read rows from a file or by a name, not from memory; leave workers out")
        allowed = self.manager.jobs._limits(**limits)  # pyright: ignore[reportPrivateUsage]
        path, plan = fspath(cast("str", data)), definition.plan.model_dump(exclude_none=True)
        return FoldsByJobs(definition, TrialsByJobs(definition, self.manager.jobs, path, None, allowed, plan))

    def _kept(
        self,
        workspace: Workspace,
        definition: BuildDefinition,
        folded: FoldedRows,
        held: HeldStudy,
        labelled: tuple[Any, Any],
        branch: str,
        message: str,
    ) -> Version:
        """The version that the best trial is, fitted to all rows; kept once, however often it is asked for."""
        trials = held.opened.study.get_trials(deepcopy=False)
        board = leaderboard(definition, trials)
        if not board or board[0].trial is None:
            raise Refused(f"no candidate of {definition.study} came to a figure{held.why_no_figure('build')}")
        best = trials[board[0].trial]
        key = f"study/{held.opened.id}/{best.number}/{branch}"
        if (version := version_before(workspace, definition.model, key)) is None:
            version = self._saved(definition, folded, best, board, labelled, branch, message, key)
        attribute, named = f"{VERSION_OF}{best.number}", f"{definition.model}@{version}"
        if held.opened.study.user_attrs.get(attribute) != named:
            held.opened.study.set_user_attr(attribute, named)
        return version

    def _saved(
        self,
        definition: BuildDefinition,
        folded: FoldedRows,
        best: FrozenTrial,
        board: Sequence[CandidateRecord],
        labelled: tuple[Any, Any],
        branch: str,
        message: str,
        key: str,
    ) -> Version:
        last = LastFit.of(definition, folded, best)
        told = fingerprint(folded.table, folded.labels)
        with self.manager.run(definition.model, hyperparameters=last.model.hyperparameters, data=told) as run:
            last.learn(*labelled)
            return run.save(
                last.model,
                branch=branch,
                message=message or f"trial {best.number} of {definition.study}",
                metrics=last.figures,
                validation=told,
                better=dict(definition.better) or None,
                annotations={"study": definition.study},
                files={"leaderboard.json": json.dumps([each.to_dict() for each in board], indent=2).encode()},
                key=key,
            )


def _definition(
    workspace: Workspace,
    model: str,
    labels: Any,
    folded: FoldedRows,
    plan: FoldPlan,
    *,
    metric: str | None,
    better: Mapping[str, str] | None,
    candidates: str | Sequence[str] | None,
    seed: int,
    chosen: Selection,
) -> BuildDefinition:
    told = checked_better(better or {})
    usual = METRICS[folded.target.task]
    searched = checked_label(metric or usual, "metric")
    if searched in SETTINGS:
        raise Malformed(f"{searched!r} is what a model is set to, and no figure; name a metric such as {usual}")
    direction = DIRECTIONS[better_when(searched, {**workspace.model(model).better, **told})]
    choice = _chosen(choice_of(folded.table), candidates)
    label = labels if isinstance(labels, str) else None
    definition = BuildDefinition(
        study="", model_class="", model=model, label=label, metrics=(searched,), directions=(direction,), better=told,
        space=space_of_choice(choice), sampler="tpe", pruner="median", seed=seed, fixed={}, chosen=chosen, plan=plan,
        choice=choice, digest=str(fingerprint(folded.table, folded.labels)["digest"]),
    )  # fmt: skip
    turned = {} if direction == _usual_direction(searched) else {"directions": [direction]}
    return replace(definition, study=checked_study(study_name(model, definition.told() | turned)))


def _usual_direction(metric: str) -> Any:
    """Which way a metric is better that nobody said more of; None where that is not known."""
    with suppress(Refused):
        return DIRECTIONS[better_when(metric)]
    return None


def _plan(
    rows: int, task: Any, positive: Any, count: int | None, groups: str | None, time_column: str | None, seed: int
) -> FoldPlan:
    """By which folds candidates are judged. Raises `Malformed`."""
    if groups is not None and time_column is not None:
        raise Malformed("rows are judged by groups or by time; give one of them")
    if not isinstance(seed, int) or isinstance(seed, bool) or not 0 <= seed < 2**31:  # pyright: ignore
        raise Malformed(f"the seed of a build is a whole number from 0 to 2147483647, not {seed!r}")
    if count is None:
        count = usual_folds(rows)
    elif isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= MOST_FOLDS:  # pyright: ignore
        raise Malformed(f"a build has 1 to {MOST_FOLDS} folds, not {count!r}; with 1 a fifth of the rows is held out")
    return FoldPlan(task=task, positive_label=positive, count=count, groups=groups, time=time_column, seed=seed)


def _model_name(name: str | None, data: Any) -> str:
    """The name to keep the version under: that of the data where none is given."""
    if name is not None:
        return checked_model(name)
    if not isinstance(data, str | PathLike):
        return "best-model"
    words = PurePath(fspath(cast("str", data)).removeprefix(DATA_PREFIX)).name.partition(".")[0].partition("@")[0]
    try:
        return checked_model(words)
    except Malformed:
        raise Malformed(
            f"{words!r} cannot name a model",
            python="give one that can by name=",
            cli="give one that can by --name",
        ) from None


def _chosen(choice: Choice, names: str | Sequence[str] | None) -> Choice:
    """The candidates that were named, or all. Raises `Malformed` for one that there is not, `Refused` for none."""
    names = (names,) if isinstance(names, str) else names
    for name in names or ():
        if left := next((each for each in choice.left_out if each.name == name), None):
            raise Refused(f"{name} is not tried here: {left.reason}")
        if name not in (known := [each.name for each in choice.candidates]):
            raise Malformed(f"there is no candidate {name!r}; there are {', '.join(known)}")
    candidates = tuple(each for each in choice.candidates if names is None or each.name in names)
    if not candidates:
        raise Refused(choice.left_out[0].reason if choice.left_out else "no candidate is left; name at least one")
    return Choice(candidates, choice.left_out if names is None else ())


def _seconds_of(held: HeldStudy) -> float:
    """What the trials that came to their end took in earlier runs of the build."""
    trials = held.opened.study.get_trials(deepcopy=False)
    return sum(trial.duration.total_seconds() for trial in trials if trial.duration is not None)


def _record(
    definition: BuildDefinition,
    folded: FoldedRows,
    held: HeldStudy,
    version: Version,
    said: tuple[str, ...],
    seconds: float,
) -> BuildRecord:
    trials = held.opened.study.get_trials(deepcopy=False)
    board = leaderboard(definition, trials)
    return BuildRecord(
        model=definition.model,
        version=version,
        study=definition.study,
        task=folded.target.task,
        label=definition.label,
        positive=str(folded.target.classes[1]) if folded.target.task == "binary" else None,
        metric=definition.metrics[0],
        better="higher" if definition.directions[0] == "maximize" else "lower",
        rows=folded.table.rows,
        columns=len(folded.table.columns),
        folds=len(folded.folds),
        trials=sum(trial.state.is_finished() for trial in trials),
        seconds=seconds,
        metrics=dict(trials[board[0].trial or 0].user_attrs[FIGURES]),
        leaderboard=board,
        left_out=left_out(definition, trials),
        remarks=said,
        stopped=held.opened.stopped,
    )
