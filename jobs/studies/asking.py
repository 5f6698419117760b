"""Searches as jobs: asked for at once with all that could be refused, and run where jobs are given out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from ...datasets.selection import selection
from ...domain.job.kinds import SEARCH, SEARCHES
from ...domain.names import checked_pool
from ...domain.studies.commands import ResumeStudy
from ...results import JobRecord
from ...versions.data.named_data import asked_of_worker
from ...versions.studies.known import study_of
from ..api import JobLimits, Jobs, submit
from .budget import checked_budget, checked_keep, checked_trials, checked_workers
from .definition import definition_of
from .tuning import checked_warm, named_rows


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
    checked_pool(limits.pool)
    state, chosen = workspace.model(name or model), selection(types, drop, columns)
    source, label, named = asked_of_worker(workspace, data, label)
    definition = definition_of(model, state, study=study, label=label, branch=branch, chosen=chosen, **asked)
    known = study_of(workspace, definition.study)
    if known.created:
        definition.check_same(known, named_rows(workspace, definition, data))
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
