"""The sides of a comparison: what each of several versions says of the same labelled rows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from ...datasets.selection import ALL, Selection
from ...domain.model.figures import Rows, rows_of
from ...domain.model.state import ModelState
from ...errors import Malformed, Refused
from ...evaluation.contests.contest import paired_test
from ...evaluation.outcomes import Outcomes
from ...evaluation.request import ReportRequest
from ...evaluation.resampling import Sampling
from ...evaluation.subjects import outcomes_of, own_performance
from ...results import PairedTest, TaskPerformance
from ..data.named_data import rows_of as rows_called
from ..rows import as_learnt
from ..workspace import Workspace
from .compare import UNTOLD
from .evaluation import columns_beside, judgeable, without_extra


class JudgedSide(NamedTuple):
    """How a version did on labelled rows."""

    version: int
    performance: TaskPerformance
    outcomes: Outcomes | None
    """What it said of each row; None where its class judges itself by figures alone."""


def side_of(
    workspace: Workspace,
    model: ModelState,
    number: int,
    data: Any,
    labels: Any,
    chosen: Selection = ALL,
    sampling: Sampling | None = None,
) -> JudgedSide:
    """Judge a version on labelled rows of which nothing is recorded. Raises `Refused` where it says nothing of any."""
    data, labels = as_learnt(workspace, model, number, data, labels, chosen)
    subject = judgeable(workspace, model, number)
    if (performance := own_performance(subject, data, labels)) is not None:
        return JudgedSide(number, performance, None)
    outcomes = outcomes_of(subject, data, labels, sampling=sampling)
    return JudgedSide(number, outcomes.performance, outcomes)


def judged_here(
    workspace: Workspace, model: ModelState, numbers: Iterable[int], data: Any, labels: Any, request: ReportRequest
) -> tuple[dict[int, JudgedSide], Rows | None]:
    """Each version judged on labelled rows of which nothing is recorded, and the identity of these rows."""
    from ...datasets.tables import fingerprint

    data, labels, _ = rows_called(workspace, data, labels)
    if labels is None:
        raise Malformed("data and labels go together; give both, or neither for the figures that are recorded")
    beside = columns_beside(data, request, labels)
    sampling = request.sampling(beside)
    sides: dict[int, JudgedSide] = {}
    rows: Rows | None = None
    for number in numbers:
        learnt = without_extra(model, number, data, request)
        sides[number] = side = side_of(workspace, model, number, learnt, labels, ALL, sampling)
        if side.outcomes is not None:
            _ = side.outcomes.scheme  # raises where rows cannot be drawn so
        rows = rows or rows_of(fingerprint(*as_learnt(workspace, model, number, learnt, labels)))
    return sides, rows


def tested(figure: str, one: JudgedSide, other: JudgedSide) -> tuple[PairedTest | None, str]:
    """The test of two sides by a figure, or None and why there is none."""
    for side in (one, other):
        if side.outcomes is None:
            return None, UNTOLD
    assert one.outcomes is not None
    assert other.outcomes is not None
    try:
        return paired_test(figure, one.outcomes, other.outcomes), ""
    except Refused as refusal:
        return None, str(refusal).partition(";")[0]  # without what to do about it
