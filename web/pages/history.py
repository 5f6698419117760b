"""A model's history: its versions and every move of its names, newest first, beside the tree that they make."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Final, NamedTuple

from ...errors import Unavailable
from ...results import LogEntry
from ...versions.overview import history
from .page import PageRoutes, PageView, Visit
from .tree.kept import Committed
from .tree.rows import TreeRow, row_behind, row_of, width
from .views import columns

pages = PageRoutes()

WINDOW: Final = 50
"""Entries of a page, where nothing else is asked for."""
MOST: Final = 200
_COMMITS: Final = (
    "SELECT version, branch, seq FROM versions WHERE model = ? AND version > ? AND version <= ? ORDER BY 1"
)
_PARENTS: Final = """
    SELECT version, parent FROM version_parents
    WHERE model = ? AND parent_model = model AND version > ? AND version <= ? ORDER BY version, position
"""


class DrawnEntry(NamedTuple):
    """A line of a history with what is drawn beside it, and the events of the version it came from and of a child."""

    entry: LogEntry
    row: TreeRow
    parent: int | None
    child: int | None


@pages.page("/m/{model}/log", "log")
def log(page: Visit, model: str) -> PageView:
    """The history of a model, of a branch of it or of what a revision comes from."""
    most = page.number("most", WINDOW, MOST)
    before = page.number("before", 1, 10**9) if page.asked("before") else None
    rev = page.asked("rev")
    found = page.manager.log(rev or None, model=model, most=most + 1, before=before)
    entries = list(found)[:most]
    older = entries[-1].seq if len(found) > most else None
    drawn = list(_drawn(page, found.model, rev, entries))
    data = {"model": found.model, "rows": drawn, "width": width(each.row for each in drawn), "rev": rev}
    told = {"model": found.model, "entries": [each.to_dict() for each in entries], "before": older}
    branches = sorted(page.manager.branches(model))
    return PageView({**data, "older": older, "branches": branches, "newest": before is None}, told)


def _drawn(page: Visit, model: str, rev: str, entries: Iterable[LogEntry]) -> Iterator[DrawnEntry]:
    scope = history.log_scope(page.workspace, rev or None, model)
    lineage, lanes = page.service.trees.tree(scope, partial(_committed, page))

    def seq(number: int | None) -> int | None:
        return None if number is None else lineage.seqs[number]

    for entry in entries:
        stands = None if entry.version is None else int(entry.version)
        if stands is not None and entry.kind in ("committed", "merged"):
            row = row_of(lanes, stands)
            yield DrawnEntry(entry, row, seq(row.parent), seq(row.child))
        else:
            row = row_behind(lanes, lineage.before(entry.seq, len(scope.model.versions)))
            yield DrawnEntry(entry, row, seq(stands), None)


def _committed(page: Visit, model: str, above: int, up_to: int) -> Iterator[Committed]:
    """Versions as the views tell them, which is sooner than to read each from the log; none where these are away."""
    try:
        commits = columns(page, _COMMITS, model, above, up_to)
        links = columns(page, _PARENTS, model, above, up_to)
    except Unavailable:
        return
    parents: dict[int, list[int]] = {}
    for version, parent in zip(*links, strict=True):
        parents.setdefault(version, []).append(parent)
    for number, (version, branch, seq) in enumerate(zip(*commits, strict=True), above + 1):
        if version != number:
            return
        yield branch, parents.get(number, ()), seq
