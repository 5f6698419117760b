"""How the ledger is: its log, its topic, its views, jobs and spool."""

from __future__ import annotations

from ..page import Page, Pages, Shown

pages = Pages()


@pages.page("/status", "status")
def status(page: Page) -> Shown:
    """How the ledger is now, whatever moment other pages are of: nothing else is known."""
    known = page.present.status()
    return Shown({"status": known, "blocks": list(known.blocks())}, known)
