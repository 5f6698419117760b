"""The runs of training scripts: listed, and one of them with its curves, files, checkpoints and versions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from starlette.responses import Response

from ....domain.streams import job_stream
from ....errors import Malformed
from ....results.work.runs import RunRecord
from ..charts.curve import curve_chart
from ..charts.figure import spec_sent
from ..curves import curves
from ..page import PageRoutes, PageView, Visit
from ..views import Row, rows
from ..work import LISTED, check_state
from .files import files_shown

pages = PageRoutes()

CURVES: Final = 8
"""Of a page."""
OF_RUN: Final = ("running", "finished", "failed", "lost")
_MADE: Final = "SELECT model, version FROM versions WHERE run = ? ORDER BY seq DESC"


@pages.page("/runs", "runs")
def runs(page: Visit) -> PageView:
    """The runs, the newest first: of one state, or of one model, if it is asked for."""
    state, model, before = page.asked("state"), page.asked("model"), page.asked("before")
    check_state(state, OF_RUN)
    some = page.manager.runs(model or None, status=state or None, most=LISTED + 1, before=before or None)  # type: ignore[arg-type]
    more = some[LISTED - 1].run if len(some) > LISTED else None
    shown = {"runs": some[:LISTED], "states": OF_RUN, "state": state, "model": model, "more": more}
    return PageView(shown, {"runs": [each.to_dict() for each in some[:LISTED]], "next": more})


@pages.page("/runs/{run}", "run")
def run(page: Visit, run: str) -> PageView | Response:
    """One run: what it was begun with, its curves, files and checkpoints, and the version that came of it."""
    record = page.manager.show_run(run)
    metric = page.asked("metric")
    drawn = curves(page, record.run, metric, CURVES)
    if metric and not drawn.drawn:
        raise Malformed(f"run {record.run} has no metric {metric[:80]!r}; open the run's page for those it has")
    if spec := spec_sent(page, [curve_chart(each) for each in drawn.drawn]):
        return spec
    made = _made(page, record)
    job = record.run.rpartition(".")[0]
    of_job = job if job and page.workspace.ledger.store.stream(job_stream(job))[0] else None
    files = files_shown(page, record.run)
    shown = {"run": record, "curves": drawn, "metric": metric, "made": made, "of_job": of_job, "files": files}
    told = {"metrics": [each.to_dict() for each in drawn.drawn], "versions": made, "job": of_job, "files": files.told}
    return PageView(shown, record.to_dict() | told)


def _made(page: Visit, record: RunRecord) -> Sequence[Row]:
    """The versions that a run saved, the newest first."""
    return [dict(row) for row in rows(page, _MADE, record.run) if page.workspace.rights.covers(row["model"])]
