"""A chain as its events have it: how each step stands, whoever asked for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import cast

from ...domain.chains.state import ChainState, StepOutcome
from ...domain.streams import chain_stream
from ...results import JobRecord
from ...results.work.chains import ChainRecord, ChainRecords, ChainStep
from ...versions.workspace import Workspace

ShowsJob = Callable[[str], JobRecord]
"""Gives a job as it stands."""


def chain_record(workspace: Workspace, show: ShowsJob, name: str) -> ChainRecord:
    """A chain, and how far it has come. Raises `UnknownRevision` where there is none that may be read."""
    workspace.rights.check("read")
    return _record(workspace, show, _readable(workspace, name).known)


def chain_records(workspace: Workspace, show: ShowsJob) -> ChainRecords:
    """The chains that may be read, by name."""
    workspace.rights.check("read")
    names = (stream.removeprefix("chain/") for stream in workspace.ledger.store.streams("chain/"))
    chains = (_readable(workspace, name) for name in names)
    return ChainRecords(_record(workspace, show, chain) for chain in chains if chain.steps)


def lost_need(needs: Iterable[ChainStep]) -> str | None:
    """Why a step cannot be done: one that it needs has ended otherwise than it should. None where none has."""
    lost = next((each for each in needs if each.ended and each.status != "finished"), None)
    return None if lost is None else f"step {lost.step} is {lost.status}"


def of_job(step: ChainStep, job: JobRecord) -> ChainStep:
    """A step that is a job, as that stands."""
    return step.at(job.status, job=job.job, version=job.version, reason=job.reason)


def _readable(workspace: Workspace, name: str) -> ChainState:
    """A chain's state; an empty one where there is none of that name, or it may not be read."""
    chain = cast(ChainState, workspace.ledger.state(chain_stream(name)))
    return chain if workspace.rights.covers(*chain.models) else ChainState(name)


def _record(workspace: Workspace, show: ShowsJob, chain: ChainState) -> ChainRecord:
    steps, outcomes = dict[str, ChainStep](), chain.outcomes
    for step, plan in chain.steps.items():
        needs = [steps[each] for each in plan.needs]
        blank = ChainStep(step, plan.kind, "waiting", plan.needs)
        steps[step] = _stands(workspace, show, blank, outcomes.get(step), needs)
    return ChainRecord(chain.name, tuple(steps.values()))


def _stands(
    workspace: Workspace, show: ShowsJob, step: ChainStep, outcome: StepOutcome | None, needs: Iterable[ChainStep]
) -> ChainStep:
    """A step as it stands, by what became of it and how those stand that it needs."""
    if outcome is None:
        lost = lost_need(needs)
        return step if lost is None else step.at("failed", reason=lost)
    event = outcome.event
    if event.job is not None:
        return of_job(step, show(event.job))
    if event.model is not None and event.version is not None:
        return step.at("finished", version=workspace.version(workspace.any_model(event.model), event.version))
    return step.at("failed", reason=workspace.opened(outcome.actor, event.reason))
