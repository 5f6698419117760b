"""Robustness of a version: its figure on labelled rows, and on copies of them that are perturbed."""

from __future__ import annotations

from typing import Any

from ...datasets.selection import Selection
from ...domain.model.metric import better_when
from ...domain.model.state import ModelState
from ...results import Robustness
from ..data.named_data import rows_of
from ..rows import as_learnt
from ..workspace import Workspace
from .evaluation import judgeable


def robustness(
    workspace: Workspace,
    model: ModelState,
    number: int,
    data: Any,
    labels: Any,
    *,
    metric: str | None,
    chosen: Selection,
    **asked: Any,
) -> Robustness:
    """How a version does where inputs are wrong. Nothing is recorded."""
    from ...evaluation.robust.robustness import robustness_of

    data, labels, _ = rows_of(workspace, data, labels)
    rows, labels = as_learnt(workspace, model, number, data, labels, chosen)
    subject = judgeable(workspace, model, number)
    return robustness_of(
        subject, rows, labels, figure=metric, direction=lambda name: better_when(name, model.better), **asked
    )
