"""Rehearsal: head and target of a rollback judged on the same rows before anything moves."""

from __future__ import annotations

from typing import Any

from ..domain.commands import RecordRehearsal
from ..domain.model import Model
from ..errors import GateNotMet, Malformed
from ..results import Rehearsal
from .training import figures, judged
from .workspace import Workspace

METRIC = "f1"


def rehearse(workspace: Workspace, model: Model, head: int, target: int, rows: Any, *, excused: bool) -> Rehearsal:
    """Evaluate both versions on `rows`, (data, labels) or (data, labels, metric), and record the outcome.

    Raises `GateNotMet` where the target's metric is below the head's and nobody gave a reason.
    """
    from ..models.data import fingerprint

    data, labels, metric = _rows(rows)
    metrics_to = figures(judged(workspace, model, target, data, labels))
    metrics_from = figures(judged(workspace, model, head, data, labels))
    if metric not in metrics_to or metric not in metrics_from:
        raise Malformed(f"there is no metric {metric!r} to rehearse by; choose of {', '.join(sorted(metrics_to))}")
    difference = {name: metrics_to[name] - metrics_from[name] for name in metrics_to if name in metrics_from}
    worse = difference[metric] < 0
    workspace.admit(
        RecordRehearsal(
            model=model.name,
            from_version=head,
            to_version=target,
            data=fingerprint(data, labels),
            metrics_from=metrics_from,
            metrics_to=metrics_to,
            difference=difference,
            worse=worse,
        ),
        None,
    )
    rehearsal = Rehearsal(model.name, head, target, metric, metrics_from, metrics_to, difference, worse)
    if worse and not excused:
        raise GateNotMet(
            f"on these rows version {target} has {metric} {metrics_to[metric]:.4f}, below the "
            f"{metrics_from[metric]:.4f} of version {head}; give a `reason` to roll back all the same"
        )
    return rehearsal


def _rows(rows: Any) -> tuple[Any, Any, str]:
    match rows:
        case (data, labels):
            return data, labels, METRIC
        case (data, labels, str() as metric):
            return data, labels, metric
        case _:
            raise Malformed("`rehearse` takes (data, labels) or (data, labels, metric)")
