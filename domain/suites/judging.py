"""The verdict of a suite on a version: its requirements held against figures of the suite's rows."""

from __future__ import annotations

from collections.abc import Mapping

from ...errors import Stale, UnknownRevision
from ...events.model import GateJudged, JudgedRequirement
from ..append import Append
from ..expressions.judging import Figures, judge, requirement
from ..expressions.tree import Side, names, written
from ..guards import writable
from ..model.state import ModelState
from ..streams import model_stream
from .commands import JudgeSuite
from .state import SuiteState, SuiteVersion


def judged(suite: SuiteState, model: ModelState, command: JudgeSuite) -> tuple[Append, ...]:
    """The gate that a suite's requirements are, nothing where it has none.

    A figure that is missing leaves its requirement unmet: a first version, say, is no better than its parent.
    """
    definition = suite.version(command.number)
    if not model.registered:
        raise UnknownRevision(f"there is no model {command.model!r}; `lepton models` lists them")
    writable(model)
    sides = sides_of(model, definition, command.version)
    against, name = sides.get("against"), definition.event.against or "against"
    if against != command.against:
        raise Stale(name, command.against or "nowhere", against or "nowhere", "judge it again, compared with that")
    trees = {written(tree): tree for tree in map(requirement, definition.event.requirements)}
    if not trees:
        return ()
    figures: Figures = {side: _figures(model, definition, number, command.rows) for side, number in sides.items()}
    requirements = tuple(JudgedRequirement(text=text, holds=judge(tree, figures).holds) for text, tree in trees.items())
    used: dict[Side | None, dict[str, float]] = {None: {}, "against": {}, "parent": {}}
    for tree in trees.values():
        for name in names(tree):
            if (value := figures.get(name.side, {}).get(name.name)) is not None:
                used[name.side][name.name] = value
    event = GateJudged(
        version=command.version,
        against=against,
        parent=sides.get("parent"),
        name=definition.event.evaluation,
        requirements=requirements,
        metrics=used[None],
        metrics_against=used["against"],
        metrics_parent=used["parent"],
        rows=tuple(sorted({command.rows[number] for number in sides.values() if number in command.rows})),
        passed=all(each.holds for each in requirements),
        suite=command.suite,
        suite_version=command.number,
    )
    return (Append(model_stream(command.model), event),)


def sides_of(model: ModelState, definition: SuiteVersion, number: int) -> dict[Side | None, int]:
    """The versions that a suite's requirements name when it judges one; without those that there are not."""
    version = model.version(number)
    wanted = {name.side for tree in map(requirement, definition.event.requirements) for name in names(tree)}
    there: dict[Side | None, int | None] = {None: version.number}
    if "parent" in wanted:
        there["parent"] = version.parents[0] if version.parents else None
    if "against" in wanted and definition.event.against is not None:
        there["against"] = standing(model, definition.event.against)
    return {side: known for side, known in there.items() if known is not None}


def standing(model: ModelState, name: str) -> int | None:
    """Where an alias, branch or tag stands, None where there is none of that name."""
    return model.tags.get(name) or model.head(name) or model.alias(name)


def _figures(model: ModelState, definition: SuiteVersion, number: int, rows: Mapping[int, str]) -> dict[str, float]:
    """A version's figures on the suite's rows, by what was measured and as they are shown, `nightly/f1`."""
    judged = model.figures_of(number).judged.get(rows.get(number, ""), {})
    newest = sorted(
        judged.values(), key=lambda figure: (figure.name.startswith(f"{definition.event.evaluation}/"), figure.seq)
    )
    by_metric = {figure.metric: figure.value for figure in newest}
    return by_metric | {f"{definition.event.evaluation}/{metric}": value for metric, value in by_metric.items()}
