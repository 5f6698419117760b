"""How gates are decided, and who protects an alias by one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import assert_never, cast

from ...errors import Malformed, Refused, UnknownRevision
from ...events.event import Event
from ...events.model import AliasProtected, AliasUnprotected, GateJudged, JudgedRequirement
from ..commands import OfGates
from ..expressions.judging import judge, requirement
from ..expressions.tree import Condition, Side, names, written
from ..guards import stands, unused
from ..model.state import ModelState
from ..names import checked_name
from .commands import GateCommand, JudgeGate, ProtectAlias, UnprotectAlias
from .figures import basis

MOST = 100
"""Requirements of a gate."""


def decide_gates(model: ModelState, command: OfGates) -> tuple[Event, ...]:
    """What a command on a model's gates becomes."""
    of_gates = cast(GateCommand, command)
    match of_gates:
        case JudgeGate():
            return (judged(model, of_gates),)
        case ProtectAlias():
            return _protect(model, of_gates)
        case UnprotectAlias(alias=alias):
            stands(f"the protection of alias {alias!r}", of_gates.expected, None, model.last_protection(alias))
            if alias not in model.protected:
                raise Refused(f"alias {alias!r} of {model.name} is not protected; there is nothing to take off")
            return (AliasUnprotected(alias=alias, reason=of_gates.reason),)
        case _:
            assert_never(of_gates)


def judged(model: ModelState, command: JudgeGate) -> GateJudged:
    """A gate as it is judged by the figures that are recorded. Raises `Refused` where it cannot be judged at all."""
    trees = checked_gate(command)
    sides = sides_of(model, command, trees)
    found = basis(model, trees, sides, command.name, command.rows)
    requirements = tuple(
        JudgedRequirement(text=text, holds=judge(tree, found.figures).holds)
        for text, tree in {written(tree): tree for tree in trees.values()}.items()
    )
    return GateJudged(
        version=command.version,
        against=command.against,
        parent=sides.get("parent"),
        name=command.name,
        requirements=requirements,
        metrics=dict(found.figures[None]),
        metrics_against=dict(found.figures.get("against", {})),
        metrics_parent=dict(found.figures.get("parent", {})),
        rows=found.rows,
        passed=all(each.holds for each in requirements),
        suite=command.suite,
        suite_version=command.suite_version,
    )


def checked_gate(command: JudgeGate) -> dict[str, Condition]:
    """The requirements of a gate by their texts, or `Malformed`."""
    trees = {text: requirement(text) for text in command.requirements}
    if not 0 < len(trees) <= MOST:
        raise Malformed(f"a gate has {MOST} requirements at most, and one at least, such as 'f1 >= against.f1 - 0.01'")
    return trees


def named_sides(trees: Mapping[str, Condition]) -> set[Side]:
    """The sides that requirements compare with."""
    return {name.side for tree in trees.values() for name in names(tree) if name.side is not None}


def first_parent(model: ModelState, number: int) -> int:
    """The version that `parent.` stands for. Raises `Refused` where there is none."""
    parents = model.version(number).parents
    if not parents:
        raise Refused(
            f"version {number} of {model.name} has no parent to be compared with; compare it with another version by "
            "against."
        )
    return parents[0]


def sides_of(model: ModelState, command: JudgeGate, trees: Mapping[str, Condition]) -> dict[Side | None, int]:
    """The versions that a gate is about, by side. Raises `Refused` where there is none for one."""
    sides: dict[Side | None, int] = {None: model.version(command.version).number}
    if command.against is not None:
        if command.against == command.version:
            raise Malformed(
                f"version {command.version} of {model.name} is not gated against itself; name the version that it is "
                "to follow"
            )
        sides["against"] = model.version(command.against).number
    wanted = named_sides(trees)
    if "against" in wanted and command.against is None:
        raise Malformed(
            "a requirement compares with against., and there is no version for it",
            python="name one by against=",
            cli="name one by --against REV",
        )
    if "parent" in wanted:
        sides["parent"] = first_parent(model, command.version)
    return sides


def _protect(model: ModelState, command: ProtectAlias) -> tuple[Event, ...]:
    alias = checked_name(command.alias, "alias")
    stands(f"the protection of alias {alias!r}", command.expected, None, model.last_protection(alias))
    if model.taken(alias) != "alias" and alias not in model.protected:
        unused(model, alias)
    trees = {text: requirement(text) for text in command.requirements}
    if not trees and command.suite is None:
        raise Malformed(
            f"say what a version must meet for {alias} to move to it",
            python="as in require=['f1 >= against.f1 - 0.01']",
            cli="as in --require 'f1 >= against.f1 - 0.01'",
        )
    if len(trees) > MOST:
        raise Malformed(f"a gate has {MOST} requirements at most")
    compares = "against" in named_sides(trees)
    if command.against is not None and not compares and command.suite is None:
        raise Malformed(
            f"no requirement compares with against., so {command.against!r} says nothing; leave it out, or require "
            "something of it"
        )
    against = command.against or (alias if compares else None)
    if against is not None and against != alias and model.taken(against) is None:
        raise UnknownRevision(
            f"{model.name} has no alias, branch or tag {against!r} to compare with; name one, or leave it out to "
            f"compare with where {alias} stands"
        )
    protected = AliasProtected(
        alias=alias,
        requirements=tuple(dict.fromkeys(map(written, trees.values()))),
        against=against,
        suite=command.suite,
        reason=command.reason,
    )
    standing = model.protected.get(alias)
    same = standing is not None and standing.model_copy(update={"reason": command.reason}) == protected
    return () if same else (protected,)
