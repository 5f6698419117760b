"""A suite run on a version in this process: all sides judged on its rows, and its gate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ...datasets.selection import ALL
from ...domain.model.state import ModelState
from ...domain.suites.commands import JudgeSuite
from ...domain.suites.judging import sides_of
from ...domain.suites.state import SuiteVersion
from ...errors import Malformed, Refused
from ...results import Gate
from ...results.judging.suites import SuiteRun
from ..data.named_data import NamedFile
from ..judging.evaluation import evaluate, requested
from ..judging.gate import judged_gate
from ..workspace import Workspace
from .known import known_suite, source_of
from .verdicts import reported


def run(workspace: Workspace, name: str, model: ModelState, number: int, key: str | None) -> SuiteRun:
    """Judge a version and those that it is compared with on the suite's rows, each anew, and then its gate.

    Raises `Refused` where the suite is retired, or its data holds other rows than it was defined on. Nothing is
    recorded then.
    """
    definition = known_suite(workspace, name).judging
    sides = sides_of(model, definition, number)
    command = JudgeSuite(
        suite=name, number=definition.number, model=model.name, version=number, against=sides.get("against")
    )
    if not workspace.known(key):
        command = replace(command, rows=_evaluated(workspace, definition, model, dict.fromkeys(sides.values())))
    events = workspace.admit(command, key).events
    state = workspace.model(model.name)
    return SuiteRun(
        suite=name,
        suite_version=definition.number,
        version=workspace.version(state, number),
        metrics=reported(state, number, definition),
        gate=judged_gate(workspace, state, events[0]) if events else None,
    )


def gate(
    workspace: Workspace, name: str, model: ModelState, number: int, others: Mapping[str, Any], key: str | None
) -> Gate:
    """The gate of a suite on a version; `others` is what else a gate may be asked with, and is the suite's to say."""
    if said := [each for each, value in others.items() if value not in (None, "", ())]:
        raise Malformed(f"suite {name!r} says on which rows and what is required; leave {said[0]} out")
    if not known_suite(workspace, name).judging.event.requirements:
        raise Refused(f"suite {name!r} requires nothing, so it has no gate; define it with a requirement")
    gate = run(workspace, name, model, number, key).gate
    assert gate is not None, "it has requirements"
    return gate


def _evaluated(
    workspace: Workspace, definition: SuiteVersion, model: ModelState, numbers: dict[int, None]
) -> dict[int, str]:
    """The digests of the suite's rows as each version reads them, once it was evaluated on them."""
    rows = NamedFile(path=definition.words, source=source_of(workspace, definition))
    found: dict[int, str] = {}
    for number in numbers:
        evaluate(
            workspace,
            model,
            number,
            rows,
            definition.event.label,
            task=definition.event.task,
            chosen=ALL,
            request=requested(definition.event.report),
            name=definition.event.evaluation,
            better={},
            key=None,
        )
        found[number] = _newest_rows(workspace.model(model.name), number, definition.event.evaluation)
    return found


def _newest_rows(model: ModelState, number: int, evaluation: str) -> str:
    """The digest of the rows that an evaluation of a version was of last."""
    figures = [each for each in model.figures_of(number).newest.values() if each.name == f"{evaluation}/{each.metric}"]
    newest = max((each for each in figures if each.rows), key=lambda each: each.seq)
    assert newest.rows is not None
    return newest.rows.digest
