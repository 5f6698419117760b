"""A model's history: its versions and every move of its names, newest first, beside the tree that they make."""

from __future__ import annotations

from typing import Final

from ...results import LogEntry
from .page import PageRoutes, PageView, Visit
from .tree import TreeEntry, tree

pages = PageRoutes()

WINDOW: Final = 50
"""Entries of a page, where nothing else is asked for."""
MOST: Final = 200


@pages.page("/m/{model}/log", "log")
def log(page: Visit, model: str) -> PageView:
    """The history of a model, of a branch of it or of what a revision comes from."""
    most = page.number("most", WINDOW, MOST)
    before = page.number("before", 1, 10**9) if page.asked("before") else None
    rev = page.asked("rev")
    found = page.manager.log(rev or None, model=model, most=most + 1, before=before)
    entries = list(found)[:most]
    older = entries[-1].seq if len(found) > most else None
    drawn = tree(map(_commit, entries))
    branches = sorted(page.manager.branches(model))
    data = {"model": found.model, "rows": list(zip(entries, drawn.rows, strict=True)), "tree": drawn, "rev": rev}
    told = {"model": found.model, "entries": [each.to_dict() for each in entries], "before": older}
    return PageView({**data, "older": older, "branches": branches, "newest": before is None}, told)


def _commit(entry: LogEntry) -> TreeEntry | None:
    if entry.version is None or entry.kind not in ("committed", "merged"):
        return None
    return TreeEntry(int(entry.version), entry.version.branch, entry.parents)
