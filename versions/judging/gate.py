"""Gates: a version held against requirements, by figures of the same rows on all sides."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from ...domain.expressions.judging import Figures, judge, requirement
from ...domain.expressions.tree import Side
from ...domain.gates.commands import JudgeGate, ProtectAlias, UnprotectAlias
from ...domain.gates.decide import checked_gate, sides_of
from ...domain.model.revision import parts
from ...domain.model.state import ModelState
from ...errors import Malformed, Refused
from ...events.envelope import Recorded
from ...events.model import AliasProtected, GateJudged, JudgedRequirement
from ...results import Gate, GateRequirement, LastMove, Protection, Protections
from ..suites.known import known_suite
from ..workspace import Workspace

Evaluate = Callable[[int], object]
"""Judges a version on the rows of a gate, and records the figures."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GateAim:
    """What a gate is asked for; see `ModelManager.gate`."""

    version: int
    against: int | None = None
    requirements: Sequence[str]
    name: str = ""
    asked: Mapping[str, Any]
    """The caller's words for the versions."""


def gate(workspace: Workspace, model: ModelState, aim: GateAim, evaluate: Evaluate | None, key: str | None) -> Gate:
    """Judge a gate and record it; with `evaluate` every side is judged anew first."""
    command = JudgeGate(
        model=model.name,
        version=aim.version,
        against=aim.against,
        requirements=tuple(aim.requirements),
        name=aim.name,
        asked=aim.asked,
    )
    if evaluate is not None and not workspace.known(key):
        command = _evaluated(workspace, model, command, evaluate)
    (recorded,) = workspace.admit(command, key).events
    return judged_gate(workspace, workspace.model(model.name), recorded)


def judged_gate(workspace: Workspace, model: ModelState, recorded: Recorded) -> Gate:
    """A gate as its event tells it."""
    event = cast(GateJudged, recorded.event)
    figures: Figures = {None: event.metrics, "against": event.metrics_against, "parent": event.metrics_parent}
    return Gate(
        version=workspace.version(model, event.version),
        against=None if event.against is None else workspace.version(model, event.against),
        parent=None if event.parent is None else workspace.version(model, event.parent),
        name=event.name,
        requirements=tuple(_told(each, figures) for each in event.requirements),
        rows=event.rows,
        passed=event.passed,
        seq=recorded.seq,
        suite=event.suite,
    )


def protect(
    workspace: Workspace, model: ModelState, alias: str, asked: Mapping[str, Any], key: str | None
) -> Protection:
    """Let an alias move only to versions that passed a gate."""
    against = asked.get("against")
    if (suite := asked.get("suite")) is not None:
        if asked.get("requirements") or against is not None:
            raise Malformed("an alias is protected by a suite or by requirements of its own; give one of the two")
        _check_suite(workspace, suite, model.name)
    told: dict[str, Any] = {**asked, "against": None if against is None else _of_model(model.name, against)}
    receipt = workspace.admit(ProtectAlias(model=model.name, alias=alias, **told), key)
    if receipt.events:
        recorded = receipt.events[0]
        return _protection(model.name, cast(AliasProtected, recorded.event), recorded.seq)
    model = workspace.model(model.name)
    return _protection(model.name, model.protected[alias], model.last_protection(alias))


def _check_suite(workspace: Workspace, name: str, model: str) -> None:
    """Hold that versions of a model can pass a suite at all."""
    suite = known_suite(workspace, name).judging.event
    if not suite.requirements:
        raise Refused(f"suite {name!r} requires nothing, so no version passes it; define it with a requirement")
    if suite.model not in (None, model):
        raise Refused(f"suite {name!r} watches {suite.model}, and the alias is one of {model}; name another suite")


def unprotect(
    workspace: Workspace, model: ModelState, alias: str, reason: str, expected: LastMove | None, key: str | None
) -> None:
    """Let an alias move freely again."""
    workspace.admit(UnprotectAlias(model=model.name, alias=alias, reason=reason, expected=expected), key)


def protections(model: ModelState) -> Protections:
    """The protected aliases of a model, by name."""
    return Protections(
        {
            alias: _protection(model.name, each, model.last_protection(alias))
            for alias, each in sorted(model.protected.items())
        }
    )


def _protection(model: str, event: AliasProtected, seq: int) -> Protection:
    return Protection(model, event.alias, event.requirements, event.against, event.suite, seq)


def _evaluated(workspace: Workspace, model: ModelState, command: JudgeGate, evaluate: Evaluate) -> JudgeGate:
    """The gate with the rows that its sides were judged on just now; what is refused is refused before that."""
    sides = dict.fromkeys(sides_of(model, command, checked_gate(command)).values())
    rows: dict[int, str] = {}
    for number in sides:
        evaluate(number)
        newest = workspace.model(model.name).figures_of(number).newest.values()
        rows[number] = max((each.seq, each.rows.digest) for each in newest if each.rows is not None)[1]
    return JudgeGate(
        model=command.model,
        version=command.version,
        against=command.against,
        requirements=command.requirements,
        name=command.name,
        rows=rows,
        asked=command.asked,
    )


def _told(judged: JudgedRequirement, figures: Mapping[Side | None, Mapping[str, float]]) -> GateRequirement:
    """A requirement with the numbers behind what it came to."""
    found = judge(requirement(judged.text), figures)
    compared = tuple(
        {"text": each.text, "operator": each.operator, "left": each.left, "right": each.right, "holds": each.holds}
        for each in found.compared
    )
    failed = [each for each in found.compared if not each.holds] or found.compared
    numbers = ((each.left, each.operator, each.right) for each in failed)
    sums = (f"{left:.5g} {sign} {right:.5g}" for left, sign, right in numbers if left is not None and right is not None)
    words = "; ".join(found.unknown) if judged.holds is None else f"{'' if judged.holds else 'not '}{', '.join(sums)}"
    return GateRequirement(judged.text, judged.holds, found.numbers, compared, words)


def _of_model(model: str, name: str) -> str:
    """The name of an alias, branch or tag, which may bear its model's name in front."""
    named, base, steps = parts(name)
    if named not in (None, model):
        raise Refused(f"{name!r} is of model {named}, and the alias is one of {model}; name one of its own")
    if steps:
        raise Malformed(f"{name!r} is no alias, branch or tag; name one, for what stands there when the alias moves")
    return str(base)
