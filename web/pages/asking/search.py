"""Search: the versions for which an expression holds, with their names and figures."""

from __future__ import annotations

from typing import Any, Final

from ....domain.expressions.parsing import parsed
from ....domain.expressions.tree import names
from ....errors import Forbidden, Malformed, Refused
from ....versions.overview.summaries import of_versions
from ...problems import kind_of
from ..page import PageRoutes, PageView, Visit

pages = PageRoutes()

SHOWN: Final = 50
"""Versions of a page."""
LONGEST: Final = 4_000
"""Characters of an expression in an address."""
_COLUMNS: Final = 5
"""Figures that the table has columns for."""
EXAMPLES: Final = (
    "f1 > 0.8",
    "metric.f1 > 0.7 and version.actor = 'ada'",
    "version.branch = 'main' and not f1 < 0.75",
    "version.message = 'first model' or note.ticket = 'RISK-12'",
)


@pages.page("/search", "search")
def search(page: Visit) -> PageView:
    """The versions that are searched for, by model and number, as the log stood when the first page was asked for."""
    where, after = page.asked("where").strip(), page.asked("after") or None
    data: dict[str, Any] = {
        "where": where,
        "examples": EXAMPLES,
        "versions": [],
        "columns": [],
        "next": None,
        "sentence": "",
    }
    if not where:
        return PageView({**data, "asked": False}, {"where": "", "versions": [], "next": None})
    data["asked"] = True
    try:
        _check_length(where)
        end = page.number("end", 1, page.end) if page.asked("end") else page.end
        matches = page.manager.find(where, most=SHOWN + 1, after=after, as_of=end)
    except Forbidden:
        raise
    except Refused as error:
        return PageView({**data, "sentence": error.fact}, status=kind_of(error).status, error=error)
    shown = matches[:SHOWN]
    following = f"{shown[-1].model}@{shown[-1]}" if len(matches) > SHOWN else None
    summaries = of_versions(page.workspace if end == page.end else page.workspace.as_of(end), shown)
    known = list(dict.fromkeys(name for each in summaries for name in each.metrics))
    asked = [name.name for name in names(parsed(where, sides=()))]
    columns = sorted(known, key=lambda name: asked.index(name) if name in asked else len(asked))[:_COLUMNS]
    told = {"where": where, "versions": [each.to_dict() for each in summaries], "next": following, "end": end}
    more = page.here(after=following, end=end) if following else None
    return PageView(
        {**data, "versions": summaries, "columns": columns, "hidden": len(known) - len(columns), "next": more}, told
    )


def _check_length(where: str) -> None:
    if len(where) > LONGEST:
        raise Malformed(f"an expression in an address has at most {LONGEST:,} characters; ask by `lepton find`")
