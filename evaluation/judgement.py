"""A judgement: figures of a model on labelled rows, their report, and what is kept and recorded of both."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from ..datasets.columns import Table
from ..errors import Damaged, LeptonError, Refused
from ..results import Gap, Report, TaskPerformance
from .outcomes import Outcomes
from .own.cost_matrix import cost_matrix_of
from .own.metrics import Better, own_metrics
from .report import report_of
from .request import ReportRequest
from .subjects import outcomes_of, own_performance

REPORT: Final = "report"
"""The array of bytes that holds the report, as JSON; the others are the outcomes'."""


@dataclass(frozen=True, eq=False)
class Judgement:
    """How a model did; of one whose class judges itself, figures alone."""

    performance: TaskPerformance
    outcomes: Outcomes | None = None
    report: Report | None = None

    @property
    def figures(self) -> dict[str, float]:
        """What is recorded: the task's figures, those of one's own, and gaps between groups as `COLUMN/GAP`."""
        own = self.outcomes.own_figures if self.outcomes else {}
        gaps = {name: gap.value for name, gap in self._gaps() if gap.value is not None}
        return self.performance.figures() | own | gaps

    def _gaps(self) -> Iterator[tuple[str, Gap]]:
        if self.report is not None:
            for column, fairness in self.report.fairness.items():
                yield from ((f"{column}/{gap.name}", gap) for gap in fairness.gaps)

    @property
    def better(self) -> dict[str, Better]:
        """Which way figures of one's own are better."""
        return {metric.name: metric.better for metric in self.outcomes.own} if self.outcomes else {}

    def arrays(self, *, with_outcomes: bool) -> dict[str, Any]:
        """What is kept: the report and, unless they are not to be kept, the outcomes. None of figures alone."""
        if self.report is None or self.outcomes is None:
            return {}
        told = json.dumps(self.report.to_dict(), allow_nan=False).encode()
        return (self.outcomes.tensors() if with_outcomes else {}) | {REPORT: np.frombuffer(told, np.uint8)}

    def intervals(self) -> dict[str, Any]:
        """The intervals and how they were found, as an event has them; empty without."""
        report = self.report
        if report is None or not report.intervals:
            return {}
        ends = {name: (each.low, each.high) for name, each in report.intervals.items()}
        gaps = ((name, gap.low, gap.high) for name, gap in self._gaps())
        ends |= {name: (low, high) for name, low, high in gaps if low is not None and high is not None}
        found = {"scheme": report.method, "draws": report.draws, "level": report.level, "seed": report.seed}
        return {"intervals": ends, "bootstrap": found}


def judge_subject(
    subject: Any, rows: Any, labels: Any, task: str | None, request: ReportRequest, beside: Table | None
) -> Judgement:
    """Judge whatever predicts on labelled rows; `beside` holds the columns that the request names.

    Raises `Refused` where slices, groups or costs are asked of a class that tells figures alone.
    """
    if (performance := own_performance(subject, rows, labels)) is None:
        sampling = request.sampling(beside)
        return judge_outcomes(outcomes_of(subject, rows, labels, task, sampling, request.outputs), request, beside)
    if request.named or request.slices or request.costs is not None or request.metrics or request.cost_matrix:
        raise Refused(
            "this version's class judges itself and tells figures alone; it needs predict, and no evaluate of its own, "
            "for slices, groups, costs and metrics of your own"
        )
    return Judgement(performance)


def judge_outcomes(outcomes: Outcomes, request: ReportRequest, beside: Table | None) -> Judgement:
    """Judge outcomes that are at hand."""
    own = own_metrics(request.metrics, outcomes.task)
    if request.cost_matrix is not None:
        own = (*own, cost_matrix_of(request.cost_matrix).metric(outcomes))
    outcomes = replace(outcomes, own=own)
    return Judgement(outcomes.performance, outcomes, report_of(outcomes, request.asked(beside)))


def report_in(arrays: Mapping[str, Any]) -> Report:
    """The report among arrays that were kept. Raises `Damaged` where it is none."""
    try:
        return Report.of_dict(json.loads(arrays[REPORT].tobytes()))
    except (KeyError, ValueError, RecursionError, LeptonError) as error:
        raise Damaged("the report of an evaluation", expected="a report", found=str(error)) from error
