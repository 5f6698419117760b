"""Picking: which of several versions to take, by requirements and figures on the same rows, and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from ...domain.expressions.judging import judge, requirement
from ...domain.expressions.tree import Condition, names
from ...domain.model.choice import RESOURCES, direction, front, ordered, smallest
from ...domain.model.figures import Rows, VersionFigures
from ...domain.model.metric import Better
from ...domain.model.state import ModelState
from ...errors import Malformed, Refused
from ...evaluation.outcomes import Outcomes
from ...results import Contest, LeftOut, Pick, Version
from ...results.contests.pick import Rule
from ..workspace import Workspace
from .compare import (
    JudgedVersions,
    Rivals,
    basis_of,
    judged_for,
    outcomes_of_rows,
    terms_of,
    told_rows,
    values,
    with_own,
)
from .contests import TestTerms, contests

SPEED: Final = "latency"
"""Metrics whose names begin so are of no rows: they are compared as they were recorded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PickRequest:
    """What a pick is asked with; see `ModelManager.pick`."""

    by: tuple[str, ...]
    require: tuple[str, ...] = ()
    in_order: bool = False
    rows: tuple[Any, Any] | None = None
    test: Mapping[str, Any] = field(default_factory=dict[str, Any])


class PickFigure(NamedTuple):
    """A figure of all versions that are left, and what is known of the rows it is of."""

    name: str
    column: dict[int, float]
    better: Better
    rows: Rows | None = None
    figure: str = ""
    """What was measured, without an evaluation's name."""
    outcomes: Mapping[int, Outcomes] = {}


class Best(NamedTuple):
    """The versions that are no worse than the best by one figure, and the tests that say so."""

    numbers: list[int]
    tests: tuple[Contest, ...]
    tested: bool


def pick(workspace: Workspace, model: ModelState, numbers: Sequence[int], request: PickRequest) -> Pick:
    """Pick a version: of those that meet every requirement the best by one figure, by several the Pareto front.

    Raises `Refused` where a figure is not known of all of them on the same rows, or nobody said which way it is better.
    """
    model = with_own(model, request.by)
    conditions, terms = _checked(model, numbers, request)
    judged = judged_for(workspace, model, numbers, Rivals(rows=request.rows, test=request.test), request.by)
    known = {number: _figures(model, number, judged) for number in numbers}
    left_out = [each for number in numbers for each in _left_out(workspace, model, number, conditions, known[number])]
    rest = [number for number in numbers if number not in {int(each.version) for each in left_out}]
    measured = [_measured(workspace, model, name, rest, judged) for name in request.by] if rest else []
    rule, picked, equals, tests, untested = _decided(workspace, model, rest, measured, request, terms)
    return Pick(
        model=model.name,
        by=request.by,
        require=request.require,
        rule=rule,
        picked=None if picked is None else workspace.version(model, picked),
        front=_versions(workspace, model, equals),
        figures=tuple(
            (version, {each.name: each.column[int(version)] for each in measured})
            for version in _versions(workspace, model, ordered(measured[0].column, measured[0].better) if rest else [])
        ),
        left_out=tuple(left_out),
        tests=tests,
        on=next((told_rows(each.rows) for each in measured if each.rows is not None), None),
        untested=untested,
    )


def _decided(
    workspace: Workspace,
    model: ModelState,
    rest: Sequence[int],
    measured: Sequence[PickFigure],
    request: PickRequest,
    terms: TestTerms,
) -> tuple[Rule, int | None, list[int], tuple[Contest, ...], bool]:
    """By which rule which version is picked, which are as good, the tests, and whether rows were compared without."""
    sizes = {number: float(model.version(number).event.bytes) for number in rest}
    if len(rest) < 2:
        return ("only" if rest else "none"), next(iter(rest), None), [*rest], (), False
    if len(measured) > 1 and not request.in_order:
        best = front([(each.column, each.better) for each in measured], rest)
        return ("every", best[0], best, (), False) if len(best) == 1 else ("front", None, best, (), False)
    pool, tests, untested = [*rest], (), False
    for each in measured:
        found = _best(workspace, model, each, pool, terms)
        pool, tests = found.numbers, (*tests, *found.tests)
        untested = untested or (each.rows is not None and not found.tested)
    picked = smallest(pool, sizes)
    if len(measured) > 1:
        return "order", picked, pool, tests, untested
    return ("equal" if len(pool) > 1 else "best" if tests else "figures"), picked, pool, tests, untested


def _best(workspace: Workspace, model: ModelState, of: PickFigure, pool: Sequence[int], terms: TestTerms) -> Best:
    """The best of a pool by a figure, and those that are no worse beyond chance."""
    order = ordered({number: of.column[number] for number in pool}, of.better)
    first = order[0]
    alike = [number for number in order if of.column[number] == of.column[first]]
    known = {number: of.outcomes[number] for number in order if number in of.outcomes}
    if first not in known or len(known) < 2:
        return Best(alike, (), len(pool) == 1)
    tests, _ = contests(workspace, model, of.figure, of.better, known, None, terms)
    equals = [int(each.version) for each in tests if each.verdict != "worse"]
    return Best(list(dict.fromkeys([*alike, *equals])), tests, len(tests) == len(pool) - 1)


def _measured(
    workspace: Workspace, model: ModelState, name: str, rest: Sequence[int], judged: JudgedVersions | None
) -> PickFigure:
    """A figure of all versions. Raises `Refused` where it is not known of each of them on the same rows."""
    better = direction(name, model.better)
    if name in RESOURCES:
        return PickFigure(name, {number: _resources(model, number)[name] for number in rest}, better)
    sides = {number: judged.figures[number] if judged else model.figures_of(number) for number in rest}
    if (basis := basis_of(model, sides, name)) is not None:
        column = {number: figure.value for number, figure in basis.figures.items()}
        outcomes = judged.outcomes if judged else outcomes_of_rows(workspace, model, basis.figures, basis.rows)
        return PickFigure(name, column, better, basis.rows, basis.metric, outcomes)
    every = {number: _figures(model, number, judged) for number in rest}
    lacking = [number for number in rest if name not in every[number]]
    if name.rpartition("/")[2].startswith(SPEED) and not lacking:
        return PickFigure(name, {number: every[number][name] for number in rest}, better)
    some = f"version {lacking[0]} has none" if lacking else "they are of other rows"
    raise Refused(
        f"{name!r} is not known of all these versions on the same rows ({some}); evaluate them on the same rows, "
        "give the rows here where versions learnt other columns, or leave out those without"
    )


def _checked(model: ModelState, numbers: Sequence[int], request: PickRequest) -> tuple[list[Condition], TestTerms]:
    """The requirements, read, and how tests are made; refused before anything is judged."""
    if not numbers:
        raise Malformed(f"{model.name} has no version to pick from; save one")
    if not request.by or not all(request.by):
        raise Malformed("a version is picked by a figure; name one, such as f1 or size")
    for name in request.by:
        direction(name, model.better)
    conditions = [requirement(text) for text in request.require]
    for condition in conditions:
        if other := next((name for name in names(condition) if name.side is not None), None):
            raise Malformed(f"{other} is another version's, and each version is picked by its own; leave the side out")
    return conditions, terms_of(request.test)


def _left_out(
    workspace: Workspace, model: ModelState, number: int, conditions: Sequence[Condition], known: Mapping[str, float]
) -> Iterator[LeftOut]:
    """The first requirement that a version does not meet, or that nobody knows of."""
    for condition in conditions:
        found = judge(condition, {None: known})
        if found.holds:
            continue
        failed = [each for each in found.compared if not each.holds] or found.compared
        sums = ", ".join(f"{each.left:.5g} in {each.text}" for each in failed if each.left is not None)
        words = "; ".join(found.unknown) if found.holds is None else sums
        yield LeftOut(workspace.version(model, number), str(condition), found.holds is not None, words)
        return


def _figures(model: ModelState, number: int, judged: JudgedVersions | None) -> dict[str, float]:
    """All figures of a version by the names that `show` tells, and what it takes."""
    of: VersionFigures | None = judged.figures[number] if judged else None
    return values(model.figures_of(number).shown()) | (values(of.shown()) if of else {}) | _resources(model, number)


def _resources(model: ModelState, number: int) -> dict[str, float]:
    event = model.version(number).event
    return {"size": float(event.bytes), "parameters": float(event.parameters)}


def _versions(workspace: Workspace, model: ModelState, numbers: Sequence[int]) -> tuple[Version, ...]:
    return tuple(workspace.version(model, number) for number in numbers)
