"""Suggesting where to roll back to: the domain's choice, fed with what the ledger knows."""

from __future__ import annotations

from datetime import UTC, datetime

from ...domain.model.state import ModelState
from ...domain.model.suggestion import suggest as weigh
from ...results import Suggestion
from .compare import told_rows


def suggest(model: ModelState, branch: str, metric: str | None) -> Suggestion:
    """The versions of a branch's past, best first, each with its figures and why."""
    suggestion = weigh(model, branch, metric=metric, now=datetime.now(UTC))
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
                "words": candidate.words,
            }
            for candidate in suggestion.ranking
        ),
        words=suggestion.words,
    )
