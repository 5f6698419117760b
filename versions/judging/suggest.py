"""Suggesting where to roll back to: the domain's choice, fed with what the ledger knows."""

from __future__ import annotations

from typing import Final

from ...domain.model.figures import Figure
from ...domain.model.metric import goodness
from ...domain.model.state import ModelState
from ...domain.model.suggestion import Advice, Chance
from ...domain.model.suggestion import suggest as weigh
from ...results import Suggestion
from ..workspace import Workspace
from .compare import outcomes_of_rows, told_rows

MOST: Final = 20
"""Candidates that are tested at most: a test draws the rows a thousand times."""


def suggest(workspace: Workspace, model: ModelState, branch: str, metric: str | None) -> Suggestion:
    """The versions of a branch's past, best first, each with its figures and why.

    Candidates whose outcomes of the rows are kept are tested against the best of them.
    """
    now = workspace.now
    suggestion = weigh(model, branch, metric=metric, now=now)
    if chances := _chances(workspace, model, suggestion):
        suggestion = weigh(model, branch, metric=metric, now=now, chances=chances)
    return Suggestion(
        model=model.name,
        branch=branch,
        metric=suggestion.metric,
        rows=told_rows(suggestion.rows),
        candidates=tuple(
            {
                "version": candidate.version,
                "score": candidate.score,
                "performance": candidate.performance,
                "stability": candidate.stability,
                "age": candidate.age,
                "barred": candidate.barred,
                "worse": None if candidate.chance is None else candidate.chance.worse,
                "p": None if candidate.chance is None else candidate.chance.p,
                "words": candidate.words,
            }
            for candidate in suggestion.ranking
        ),
        words=suggestion.words,
    )


def _chances(workspace: Workspace, model: ModelState, advice: Advice) -> dict[int, Chance]:
    """What tests say of the best MOST candidates; nothing where no outcomes of the best one are kept."""
    if advice.figure is None or advice.rows is None:
        return {}
    figures = {each.version: each.measured for each in advice.ranking if each.measured is not None}
    order = sorted(figures, key=lambda number: (goodness(figures[number], advice.better), number), reverse=True)
    measured = {
        number: Figure(advice.figure, advice.figure, figures[number], advice.rows, seq=-1) for number in order[:MOST]
    }
    known = outcomes_of_rows(workspace, model, measured, advice.rows)
    if len(known) < 2 or order[0] not in known:
        return {}
    from .contests import contests

    tests, _ = contests(workspace, model, advice.figure, advice.better, known)
    return {int(each.version): Chance(each.verdict == "worse", each.p) for each in tests}
