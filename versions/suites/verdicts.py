"""Suites as they are shown: what each is defined as, and what came of the versions that it judged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, cast

from ...domain.job.state import JobState
from ...domain.model.state import ModelState
from ...domain.streams import job_stream
from ...domain.suites.due import Due
from ...domain.suites.state import SuiteState, SuiteVersion
from ...errors import UnknownRevision
from ...events.actor import FORGOTTEN
from ...events.envelope import decode
from ...events.job import JobSubmitted
from ...events.model import GateJudged
from ...results.judging.suites import SuiteRecord, Suites, SuiteVerdict
from ..workspace import Workspace
from .known import every, known_suite, opened

MOST: Final = 20
"""Versions whose verdicts are shown."""


def listed(workspace: Workspace, *, retired: bool) -> Suites:
    """The suites by name, each with its last verdict; those that were retired only where they are asked for."""
    found = (suite for suite in every(workspace) if retired or suite.retired is None)
    return Suites(_described(workspace, suite, suite.newest, 1) for suite in found)


def show(workspace: Workspace, words: str) -> SuiteRecord:
    """A suite as it is defined, or, by NAME@N, as it was. Raises `UnknownRevision`."""
    name, at, number = words.partition("@")
    suite = known_suite(workspace, name)
    if at and not (number.isascii() and number.isdecimal()):
        raise UnknownRevision(f"{words!r} is no suite; write NAME, or NAME@2 for what it was")
    return _described(workspace, suite, suite.version(int(number)) if at else suite.newest, MOST)


def _described(workspace: Workspace, suite: SuiteState, version: SuiteVersion, most: int) -> SuiteRecord:
    event, texts = version.event, opened(workspace, version)
    actor = workspace.actors.all().get(version.actor)
    retired = None
    if version.until is not None:
        (row,) = workspace.ledger.store.read(version.until - 1, 1)
        retired = decode(row.envelope, row.leaf, row.seq).recorded
    return SuiteRecord(
        suite=suite.name,
        version=version.number,
        versions=len(suite.versions),
        model=event.model,
        branch=event.branch,
        data={"digest": event.data["digest"], "rows": event.data["rows"]},
        named=event.named,
        source=texts.source or None,
        label=event.label,
        evaluation=event.evaluation,
        metrics=event.metrics,
        requirements=event.requirements,
        against=event.against,
        task=event.task,
        report=event.report,
        pool=event.pool,
        message=texts.message,
        actor=actor.name if actor else FORGOTTEN,
        defined=version.recorded,
        retired=retired,
        seq=version.seq,
        verdicts=tuple(_verdicts(workspace, suite, version, most)),
    )


def _verdicts(workspace: Workspace, suite: SuiteState, definition: SuiteVersion, most: int) -> Iterator[SuiteVerdict]:
    """What came of versions, the newest first: of those that the suite watches, and of those that it was run on."""
    names = [definition.event.model] if definition.event.model else workspace.models()
    found = [(model, *each) for model in map(workspace.model, names) for each in _judged(suite, definition, model)]
    found.sort(key=lambda each: each[0].version(each[1]).seq, reverse=True)
    for model, number, gate in found[:most]:
        yield _verdict(workspace, definition, model, number, gate)


def _judged(
    suite: SuiteState, definition: SuiteVersion, model: ModelState
) -> Iterator[tuple[int, tuple[int, GateJudged] | None]]:
    """The versions that a definition judged or has to judge, each with the last gate that it was."""
    for number, version in model.versions.items():
        gates = ((seq, model.gates[seq]) for seq in reversed(model.gated.get(number, ())))
        own = (suite.name, definition.number)
        gate = next((each for each in gates if (each[1].suite, each[1].suite_version) == own), None)
        watched = suite.watching(model.name, version.event.branch, version.seq)
        if gate is not None or (watched is not None and watched.number == definition.number):
            yield number, gate


def _verdict(
    workspace: Workspace,
    definition: SuiteVersion,
    model: ModelState,
    number: int,
    gate: tuple[int, GateJudged] | None,
) -> SuiteVerdict:
    version = model.version(number)
    due = Due(version.seq, definition.event.suite, definition.number, model.name, number)
    submitted = workspace.known(due.key())
    job = cast(JobSubmitted, submitted[0].event).job if submitted else None
    told, metrics = workspace.version(model, number), reported(model, number, definition)
    if gate is not None:
        seq, event = gate
        missed = ", ".join(each.text for each in event.requirements if not each.holds)
        status = "passed" if event.passed else "not passed"
        return SuiteVerdict(told, status, event.passed, metrics, seq, job, missed)
    if job is None:
        return SuiteVerdict(told, "due", None, {}, None, None, "")
    state = cast(JobState, workspace.ledger.state(job_stream(job)))
    if state.status == "finished":
        status = "not judged" if definition.event.requirements else "evaluated"
        return SuiteVerdict(told, status, None, metrics, None, job, "")
    why = workspace.opened(*state.reason) or state.error or ""
    return SuiteVerdict(told, state.status, None, {}, None, job, why if state.ended else "")


def reported(model: ModelState, number: int, definition: SuiteVersion) -> Mapping[str, float]:
    """The figures of a version that a suite reports, as its evaluation found them last."""
    own = f"{definition.event.evaluation}/"
    newest = model.figures_of(number).newest
    found = {each.metric: each.value for name, each in sorted(newest.items()) if name == f"{own}{each.metric}"}
    return {name: found[name] for name in definition.event.metrics or found if name in found}
