"""How the ledger is: its log, its topic, its views, jobs and spool."""

from __future__ import annotations

from ..page import PageRoutes, PageView, Visit

pages = PageRoutes()


@pages.page("/status", "status")
def status(page: Visit) -> PageView:
    """How the ledger is now, whatever moment other pages are of: nothing else is known."""
    known = page.present.status()
    return PageView({"status": known, "blocks": list(known.blocks())}, known)
