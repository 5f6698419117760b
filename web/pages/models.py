"""Models: which there are, and one of them with its names, its versions by metric and what happened last."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from ...versions.overview import history
from .charts.figure import figures, spec_sent
from .charts.metric import metric_by_version
from .page import PageRoutes, PageView, Visit
from .views import rows

pages = PageRoutes()

LISTED: Final = 50
"""Models of a page."""
NAMES: Final = 5
"""Aliases, and branches, of a model in the list; its page of names has all."""
LIVE: Final = 20
"""Aliases of a model whose last move stands beside them."""
NEWEST: Final = 8
"""Entries of a model's history on its own page."""
_SEARCHED: Final = "SELECT study FROM studies WHERE model = ? AND deleted IS NULL LIMIT 1"


@pages.page("/", "models")
def models(page: Visit) -> PageView:
    """The models, or those whose name has what is looked for: where their names stand and what moved last."""
    after, archived, find = page.asked("after"), page.asked("archived") == "1", page.asked("find").strip()
    workspace, actors = page.workspace, page.workspace.actors.all()
    names = [name for name in workspace.models() if name > after and find.casefold() in name.casefold()]
    states = [workspace.model(name) for name in names[: LISTED + 1]]
    records = [history.about(workspace, each, actors) for each in states]
    more = records[LISTED - 1].model if len(records) > LISTED else None
    shown = [each for each in records[:LISTED] if archived or not each.archived]
    last = history.latest(workspace, states[:LISTED], actors)
    hidden = sum(each.archived for each in records[:LISTED])
    told = {"models": [each.to_dict() for each in shown], "next": more}
    data = {"models": shown, "last": last, "more": more, "hidden": 0 if archived else hidden, "find": find}
    return PageView({**data, "is_search": bool(find or after), "names": NAMES}, told)


@pages.page("/m/{model}", "model")
def model(page: Visit, model: str) -> PageView | Response:
    """One model: its names, its newest versions with their figures, what happened last."""
    record = page.manager.about(model)
    versions = page.manager.versions(model, most=NEWEST)
    log = page.manager.log(model=model, most=NEWEST)
    metrics = list(dict.fromkeys(name for each in versions for name in each.metrics))[:4]
    aliases = page.manager.aliases(model=model)
    told = {**record.to_dict(), "newest": versions.to_dict(), "log": log.to_dict()}
    last = {name: page.manager.moves(name, "alias", model=record.model, most=1) for name in list(record.aliases)[:LIVE]}
    put = {name: move for name, moves in last.items() for move in moves}
    data = {"put": put, "record": record, "versions": versions, "log": log, "metrics": metrics, "aliases": aliases}
    by_version = metric_by_version(page, record.model)
    charts = [by_version.chart] if by_version.chart else []
    if spec := spec_sent(page, charts):
        return spec
    data |= {"by_version": by_version, "is_searched": bool(rows(page, _SEARCHED, record.model))}
    return PageView(data | {"figures": [] if page.is_json else figures(page, charts)}, told)
