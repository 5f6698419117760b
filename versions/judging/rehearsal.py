"""Rehearsal: head and target of a rollback judged on the same rows before anything moves."""

from __future__ import annotations

from typing import Any

from ...domain.commands import RecordRehearsal
from ...domain.model.metric import better_when, goodness
from ...domain.model.state import ModelState
from ...errors import GateNotMet, Malformed, Refused
from ...results import Rehearsal
from ..rows import as_learnt
from ..workspace import Workspace
from .evaluation import judged


def rehearse(workspace: Workspace, model: ModelState, head: int, target: int, rows: Any) -> Rehearsal:
    """Evaluate both versions on `rows`, (data, labels) or (data, labels, metric); nothing is recorded."""
    data, labels, metric = _rows(rows)
    performance = judged(workspace, model, target, data, labels)
    metric = metric or performance.headline
    metrics_to = performance.figures()
    other = judged(workspace, model, head, data, labels)
    if other.task != performance.task:
        raise Refused(
            f"version {head} is judged as {other.task} and version {target} as {performance.task}, whose figures are "
            "not compared; leave the rehearsal out"
        )
    metrics_from = other.figures()
    if metric not in metrics_to or metric not in metrics_from:
        raise Malformed(f"there is no metric {metric!r} to rehearse by; choose of {', '.join(sorted(metrics_to))}")
    difference = {name: metrics_to[name] - metrics_from[name] for name in metrics_to if name in metrics_from}
    better = better_when(metric, model.better)
    worse = goodness(metrics_to[metric], better) < goodness(metrics_from[metric], better)
    return Rehearsal(model.name, head, target, metric, metrics_from, metrics_to, difference, worse)


def pass_gate(workspace: Workspace, model: ModelState, found: Rehearsal, rows: Any, *, excused: bool) -> None:
    """Record a rehearsal. Raises `GateNotMet` where the target did worse and nobody gave a reason."""
    from ...datasets.tables import fingerprint

    data, labels, _ = _rows(rows)
    data, labels = as_learnt(workspace, model, found.to_version, data, labels)
    metric = found.metric
    side = "below" if better_when(metric, model.better) == "higher" else "above"
    command = RecordRehearsal(
        model=found.model,
        from_version=found.from_version,
        to_version=found.to_version,
        data=fingerprint(data, labels),
        metrics_from=found.metrics_from,
        metrics_to=found.metrics_to,
        difference=found.difference,
        worse=found.worse,
    )
    workspace.admit(command, None)
    if found.worse and not excused:
        raise GateNotMet(
            f"on these rows version {found.to_version} has {metric} {found.metrics_to[metric]:.4f}, {side} the "
            f"{found.metrics_from[metric]:.4f} of version {found.from_version}",
            python="give a reason= to roll back all the same",
            cli="give a --reason to roll back all the same",
        )


def _rows(rows: Any) -> tuple[Any, Any, str | None]:
    match rows:
        case (data, labels):
            return data, labels, None
        case (data, labels, str() as metric):
            return data, labels, metric
        case _:
            raise Malformed("`rehearse` takes (data, labels) or (data, labels, metric)")
