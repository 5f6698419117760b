"""The studies that were made, and one of them: its best trial, how the search went, and all it tried."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final
from uuid import uuid4

from starlette.responses import Response

from ....domain.streams import study_stream
from ....errors import Malformed
from ....results.work.studies import StudyRecord, StudySummaries, TrialRecord
from ....versions.studies.known import study_of
from ..charts.figure import figures, spec_sent
from ..page import PageRoutes, PageView, Visit
from ..views import named
from .charts import charts_of
from .importance import importances

pages = PageRoutes()

LISTED: Final = 50
"""Trials of a page."""
COLUMNS: Final = 12
"""Hyperparameters that the table of trials has columns for."""
ORDERS: Final = ("newest", "best", "longest")


@pages.page("/studies", "studies")
def studies(page: Visit) -> PageView:
    """The studies, the newest first, each as it stands: of one model, if it is asked for."""
    model = page.asked("model")
    records = StudySummaries(each for each in page.manager.studies() if model in ("", each.model))
    return PageView({"studies": records, "model": model}, records.to_dict())


@pages.page("/studies/{study}", "study")
def study(page: Visit, study: str) -> PageView | Response:
    """One study as it stands."""
    record = page.manager.show_study(study)
    known = study_of(page.workspace, study)
    metric = page.asked("metric") or record.metrics[0]
    if metric not in record.metrics:
        raise Malformed(f"the study has no metric {metric[:80]!r}; it has {', '.join(record.metrics)}")
    objective = record.metrics.index(metric)
    important = importances(page.workspace, record, objective)
    charts = [*charts_of(record, known, important.shares, objective)]
    if spec := spec_sent(page, charts):
        return spec
    order, first = page.asked("order") or ORDERS[0], page.number("from", 1, 10**6) - 1
    if order not in ORDERS:
        raise Malformed(f"{order[:40]!r} is no order; it is one of {', '.join(ORDERS)}")
    trials = _ORDERED[order](record, objective)
    some = trials[first : first + LISTED]
    shown = {
        "study": record, "search": known.search, "who": named(page, known.actor), "metric": metric,
        "best": _best(record, objective), "figures": [] if page.is_json else figures(page, charts),
        "important": important,
        "trials": some, "names": _names(some)[:COLUMNS], "order": order, "orders": ORDERS,
        "next": first + LISTED + 1 if len(trials) > first + LISTED else None, "first": first + 1,
        "stream": _followed(study), "key": str(uuid4()),
        "may_stop": record.stopped is None and bool(known.search) and page.may("write", record.model),
    }  # fmt: skip
    told = {"trials": [each.to_dict() for each in some], "next": shown["next"], "importances": dict(important.shares)}
    return PageView(shown, record.to_dict() | {"counts": dict(record.counts)} | told)


@pages.act("/studies/{study}/stop", "study", study)
def stop(page: Visit, said: Mapping[str, str], study: str) -> str:
    """End a search behind the trials that are at work."""
    page.present.stop_study(study, key=said.get("key") or None)
    return page.link("studies", study)


def _followed(study: str) -> str:
    """The stream whose events change the page; of a name that a list of streams cannot hold, all studies."""
    stream = study_stream(study)
    return "study/*" if any(letter.isspace() for letter in stream) or stream.endswith("*") else stream


def _best(record: StudyRecord, objective: int) -> Sequence[TrialRecord]:
    """The best trial; of several metrics those that no other beats in all."""
    if len(record.metrics) > 1:
        return record.front[:LISTED]
    return _by_value(record, objective)[:1] if record.best else ()


def _newest(record: StudyRecord, objective: int) -> Sequence[TrialRecord]:  # noqa: ARG001
    return record.trials[::-1]


def _by_value(record: StudyRecord, objective: int) -> Sequence[TrialRecord]:
    """The best first, then those without a value."""
    sign = -1.0 if record.directions[objective] == "maximize" else 1.0

    def cost(trial: TrialRecord) -> float:
        value = trial.values[objective] if trial.values and trial.status == "complete" else math.nan
        return math.inf if math.isnan(value) else sign * value

    return sorted(record.trials, key=cost)


def _longest(record: StudyRecord, objective: int) -> Sequence[TrialRecord]:  # noqa: ARG001
    return sorted(record.trials, key=lambda trial: -1.0 if trial.seconds is None else trial.seconds, reverse=True)


_ORDERED: Final[Mapping[str, Callable[[StudyRecord, int], Sequence[TrialRecord]]]] = {
    "newest": _newest,
    "best": _by_value,
    "longest": _longest,
}


def _names(trials: Sequence[Any]) -> list[str]:
    """The hyperparameters of some trials."""
    return list(dict.fromkeys(name for trial in trials for name in trial.parameters))
