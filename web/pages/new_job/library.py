"""The model library: a card of each class that can be trained, and what may be chosen of one."""

from __future__ import annotations

from ..page import PageRoutes, PageView, Visit

pages = PageRoutes()


@pages.page("/library", "library")
def library(page: Visit) -> PageView:
    """The classes that this server can train, each with its card."""
    entries = page.manager.library()
    return PageView({"library": entries}, entries)


@pages.page("/library/{name}", "library_entry")
def entry(page: Visit, name: str) -> PageView:
    """One class: its whole card and its hyperparameters."""
    found = page.manager.library(name)
    return PageView({"entry": found}, found)
