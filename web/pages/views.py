"""What the views of the read model say, as of the page's moment: for pages that no method of the manager answers.

Whoever asks by this holds the rights itself: it sees all models.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# (pyarrow ships no types)

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from ...events.actor import FORGOTTEN
from ...projections.queries.client import Question

if TYPE_CHECKING:
    from .page import Visit

Row = dict[str, Any]


def rows(page: Visit, query: str, *params: Any) -> Sequence[Row]:
    """The rows that a SELECT answers, by column."""
    question = Question(query, params, None if page.at is None else page.end)
    return cast("list[Row]", page.service.home.read_model().sql(question, None).to_pylist())


def columns(page: Visit, query: str, *params: Any) -> Sequence[Sequence[Any]]:
    """The columns that a SELECT of what never changes answers, whatever moment the page is of."""
    table = page.service.home.read_model().sql(Question(query, params), None)
    return [column.to_pylist() for column in table.columns]


def named(page: Visit, actor: str) -> str:
    """What whoever bears a pseudonym is called."""
    known = page.service.home.workspace.actors.known(actor)
    return FORGOTTEN if known is None else known.name
