"""The chains that were run, and one of them: its steps, what waits for what, and what became of each."""

from __future__ import annotations

from ....domain.streams import chain_stream, job_stream
from ....results.work.chains import ChainStep
from ..page import PageRoutes, PageView, Visit
from .drawing import Node, drawing

pages = PageRoutes()


@pages.page("/chains", "chains")
def chains(page: Visit) -> PageView:
    """The chains by name, each as it stands."""
    records = page.manager.chains()
    return PageView({"chains": records}, records.to_dict())


@pages.page("/chains/{chain}", "chain")
def chain(page: Visit, chain: str) -> PageView:
    """One chain as it stands."""
    record = page.manager.show_chain(chain)
    streams = (chain_stream(chain), *(job_stream(step.job) for step in record.steps if step.job))
    shown = {"chain": record, "drawing": drawing(map(_node, record.steps)), "streams": streams}
    return PageView(shown, record.to_dict())


def _node(step: ChainStep) -> Node:
    return Node(step.step, step.needs, step.kind, step.status, step.step)
