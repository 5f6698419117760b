"""Searches as jobs: asked for at once with all that could be refused, and run where jobs are given out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from ...datasets.selection import selected_by, selection
from ...domain.job.kinds import SEARCH, SEARCHES, NamedRowsAsked
from ...domain.studies.commands import ResumeStudy
from ...results import JobRecord
from ...results.work.studies import StudyRecord
from ...versions.data.named_data import asked_of_worker
from ...versions.studies.known import study_of
from ..api import JobLimits, Jobs, submit
from .budget import checked_budget, checked_keep, checked_trials, checked_workers
from .definition import definition_of
from .tuning import Tuning, checked_warm

if TYPE_CHECKING:
    from ...workers.tasks.tune import Tune


def submit_search(
    jobs: Jobs,
    model: str,
    data: str,
    label: str | None,
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
    key: str | None,
    limits: JobLimits,
    **asked: Any,
) -> JobRecord:
    """Ask for a search; a study that was stopped is gone on with from here on. See `Jobs.tune`."""
    workspace, seconds = jobs.begun(), checked_budget(budget)
    checked_trials(trials, seconds)
    state, chosen = workspace.model(name or model), selection(types, drop, columns)
    source, label, named = asked_of_worker(workspace, data, label)
    definition = definition_of(model, state, study=study, label=label, branch=branch, chosen=chosen, **asked)
    known = study_of(workspace, definition.study)
    if known.created:
        definition.check_same(known.search, known.directions)
    trial = jobs._reaching(definition.model_class, limits)  # pyright: ignore[reportPrivateUsage]
    told = {each: value for each, value in asdict(trial).items() if each != "after"}
    payload = {
        "class": definition.model_class, "label": label, "study": definition.study, "metric": [*definition.metrics],
        "better": dict(definition.better), "trials": trials, "budget": seconds,
        "workers": max(1, checked_workers(workers)),
        "space": asked["space"], "hyperparameters": dict(definition.fixed), "sampler": definition.sampler,
        "pruner": definition.pruner, "seed": definition.seed, "warm": checked_warm(warm), "keep": checked_keep(keep),
        "branch": branch, "limits": told, **named, **chosen.to_dict(),
    }  # fmt: skip
    record = submit(
        workspace, SEARCH, definition.model, source, payload,
        JobLimits(pool=SEARCHES, retries=limits.retries, after=limits.after),
        message=message, validation=validation, key=key,
    )  # fmt: skip
    if known.created:
        workspace.admit(ResumeStudy(study=known.name, created=known.created), None if key is None else f"{key}/resume")
    return record


def run_search(tuning: Tuning, payload: Tune, model: str, source: str, validation: str, message: str) -> StudyRecord:
    """Run a search as its job asks for it, or go on with it."""
    chosen = selected_by(payload)
    return tuning.tune(
        payload.model_class,
        source if payload.named is None else _named(payload.named),
        payload.label,
        name=model,
        study=payload.study or None,
        metric=payload.metric or None,
        better=payload.better,
        trials=payload.trials,
        budget=payload.budget,
        workers=payload.workers,
        keep=payload.keep,
        warm=payload.warm,
        branch=payload.branch,
        validation=validation or None,
        message=message,
        types=chosen.types,
        drop=chosen.drop,
        columns=chosen.columns,
        space=payload.space,
        sampler=payload.sampler,
        pruner=payload.pruner,
        seed=payload.seed,
        hyperparameters=payload.hyperparameters,
        on_trial=None,
        limits=payload.limits,
        resumes=False,
    )


def _named(rows: NamedRowsAsked) -> str:
    return f"{rows.name}@{rows.version}"
