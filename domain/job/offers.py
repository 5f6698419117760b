"""How a version that was trained elsewhere is taken up: as told, and as a job that looks at its file."""

from __future__ import annotations

from typing import Any, Final, cast

from ...errors import Refused
from ...events.job import JobSubmitted
from ...events.outside import VersionOffered
from ...plain import plain
from ..append import Append
from ..commands import job_stream, model_stream
from ..guards import limits, unused, writable
from ..model.commit import check_tags
from ..model.metric import checked_better
from ..model.state import ModelState
from ..names import checked_metrics, checked_model, checked_name, checked_run, checked_task
from ..state import State
from .commands import OfferVersion
from .kinds import checked_payload
from .state import JobState
from .waiting import check_needed

IMPORT: Final = "verify"
"""The kind of work that looks at what was offered, by its stored name."""
LIMITS: Final = "limits"
"""In the payload of a job: it looks at what an outside service offered, which may be so much and no more."""


def offer(state: State, job: JobState, command: OfferVersion) -> tuple[Append, ...]:
    """What was offered and the job that looks at it, in one append; nothing where that job stands already.

    A model that nobody knows is registered with its first version, and not by the offer.
    Raises `Refused` for what would be refused whatever the file holds.
    """
    if job.status != "unknown":
        return ()
    checked_run(command.job)
    checked_model(command.model)
    _fits(cast(ModelState, state[model_stream(command.model)]), command)
    said = _said(command)
    sealed: dict[str, Any] = {"source": command.source, "message": command.message}
    offered = VersionOffered.model_validate(said | sealed)
    payload: dict[str, Any] = said if command.limits is None else said | {LIMITS: dict(command.limits)}
    check_needed(state, command, command.model, checked_payload(IMPORT, payload))
    job_of_it = JobSubmitted(
        job=command.job, kind=IMPORT, model=command.model, payload=payload, **sealed, **limits(command)
    )
    return Append(model_stream(command.model), offered), Append(job_stream(command.job), job_of_it)


def _fits(model: ModelState, command: OfferVersion) -> None:
    """Hold that the model, the branch and the tags can take a version."""
    checked_name(command.branch, "branch")
    writable(model)
    if model.head(command.branch) is None:
        unused(model, command.branch)
        if model.versions:
            raise Refused(
                f"{model.name} has no branch {command.branch!r}; open it with `lepton branch`, or offer the version on "
                "one that stands"
            )
    check_tags(model, command.branch, command.tags)


def _said(command: OfferVersion) -> dict[str, Any]:
    """What is told of the version, without where it lies. `Malformed` where it could never be committed."""
    command.recipe.digest()
    recipe = command.recipe.plain()
    return {
        "digest": command.digest,
        "branch": command.branch,
        **{name: recipe[name] for name in ("hyperparameters", "architecture", "settings", "data")},
        "metrics": checked_metrics(command.metrics),
        "tags": list(command.tags),
        **{name: value for name, value in _of_metrics(command).items() if value},
    }


def _of_metrics(command: OfferVersion) -> dict[str, Any]:
    """What is told of the metrics: the rows and the task that they are of, and which way they are better."""
    return {
        "validation": None if command.validation is None else plain(command.validation, "validation"),
        "task": checked_task(command.task),
        "better": checked_better(command.better),
    }
