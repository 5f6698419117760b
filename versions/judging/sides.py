"""The sides of a comparison: what each of several versions says of the same labelled rows."""

from __future__ import annotations

from typing import Any, NamedTuple

from ...datasets.selection import ALL, Selection
from ...domain.model.state import ModelState
from ...errors import LeptonError, Malformed, Refused
from ...evaluation.contest import paired_test
from ...evaluation.outcomes import Outcomes
from ...evaluation.subjects import outcomes_of
from ...results import PairedTest, TaskPerformance
from ..rows import as_learnt, to_judge
from ..train import judged
from ..workspace import Workspace

UNTOLD = "the class judges itself and says nothing of single rows"
"""Why there is no test of a version whose class has an `evaluate` of its own."""


class Side(NamedTuple):
    """How a version did on labelled rows."""

    version: int
    performance: TaskPerformance
    outcomes: Outcomes | None
    """What it said of each row; None where its class judges itself by figures alone."""


def side_of(
    workspace: Workspace, model: ModelState, number: int, data: Any, labels: Any, chosen: Selection = ALL
) -> Side:
    """Judge a version on labelled rows; nothing is recorded. Raises what `judged` does."""
    subject = to_judge(workspace, model, number)
    if not says_of_rows(subject):
        return Side(number, judged(workspace, model, number, data, labels), None)
    outcomes = outcomes_of(subject, *as_learnt(workspace, model, number, data, labels, chosen))
    return Side(number, outcomes.performance, outcomes)


def says_of_rows(subject: Any) -> bool:
    """Whether a model tells the outcome of each row: not where its class judges itself by an `evaluate` of its own."""
    if not callable(getattr(subject, "outcomes", None)):
        return False
    order = type(subject).__mro__
    own, told = (next((place for place, each in enumerate(order) if name in vars(each)), len(order))
                 for name in ("evaluate", "outcomes"))  # fmt: skip
    return told <= own


def tested(figure: str, one: Side, other: Side) -> tuple[PairedTest | None, str]:
    """The test of two sides by a figure, or None and why there is none."""
    for side in (one, other):
        if side.outcomes is None:
            return None, UNTOLD
    assert one.outcomes is not None
    assert other.outcomes is not None
    try:
        return paired_test(figure, one.outcomes, other.outcomes), ""
    except (Malformed, Refused) as refusal:
        return None, reason_of(refusal)


def reason_of(refusal: LeptonError) -> str:
    """A refusal as a part of a sentence: without what to do about it."""
    return str(refusal).partition(";")[0]
