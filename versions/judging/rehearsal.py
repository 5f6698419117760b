"""Rehearsal: head and target of a rollback judged on the same rows before anything moves."""

from __future__ import annotations

from typing import Any

from ...domain.commands import RecordRehearsal
from ...domain.model.metric import better_when, goodness
from ...domain.model.state import ModelState
from ...errors import GateNotMet, Malformed, Refused
from ...results import PairedTest, Rehearsal
from ...results.contests.contest import verdict_of
from ..rows import as_learnt
from ..workspace import Workspace


def rehearse(workspace: Workspace, model: ModelState, head: int, target: int, rows: Any) -> Rehearsal:
    """Judge both versions on `rows`, (data, labels) or (data, labels, metric); nothing is recorded.

    The target is worse where it is so beyond chance, by the paired test that the metric calls for; where there is none,
    by the metric alone.
    """
    from .sides import side_of, tested

    data, labels, metric = _rows(rows)
    then, now = (side_of(workspace, model, number, data, labels) for number in (target, head))
    if now.performance.task != then.performance.task:
        raise Refused(
            f"version {head} is judged as {now.performance.task} and version {target} as {then.performance.task}, "
            "whose figures are not compared; leave the rehearsal out"
        )
    metric = metric or then.performance.headline
    metrics_to, metrics_from = then.performance.figures(), now.performance.figures()
    if metric not in metrics_to or metric not in metrics_from:
        raise Malformed(f"there is no metric {metric!r} to rehearse by; choose of {', '.join(sorted(metrics_to))}")
    difference = {name: metrics_to[name] - metrics_from[name] for name in metrics_to if name in metrics_from}
    better = better_when(metric, model.better)
    test, untested = tested(metric, now, then)
    worse = goodness(metrics_to[metric], better) < goodness(metrics_from[metric], better)
    if test is not None:
        worse = verdict_of(test, better) == "worse"
    return Rehearsal(
        model.name, head, target, metric, metrics_from, metrics_to, difference, worse, test, better, untested
    )


def pass_gate(workspace: Workspace, model: ModelState, found: Rehearsal, rows: Any, *, excused: bool) -> None:
    """Record a rehearsal. Raises `GateNotMet` where the target did worse and nobody gave a reason."""
    from ...datasets.tables import fingerprint

    data, labels, _ = _rows(rows)
    data, labels = as_learnt(workspace, model, found.to_version, data, labels)
    command = RecordRehearsal(
        model=found.model,
        from_version=found.from_version,
        to_version=found.to_version,
        data=fingerprint(data, labels),
        metrics_from=found.metrics_from,
        metrics_to=found.metrics_to,
        difference=found.difference,
        worse=found.worse,
        test=_recorded(found.test),
    )
    workspace.admit(command, None)
    if found.worse and not excused:
        side = "below" if found.better == "higher" else "above"
        raise GateNotMet(
            f"on these rows version {found.to_version} has {found.metric} {found.metrics_to[found.metric]:.4f}, {side} "
            f"the {found.metrics_from[found.metric]:.4f} of version {found.from_version}, {_beyond(found)}",
            python="give a reason= to roll back all the same",
            cli="give a --reason to roll back all the same",
        )


def _beyond(found: Rehearsal) -> str:
    """How sure it is that the target does worse."""
    if found.test is None:
        return f"by the figures alone ({found.untested})"
    return f"worse beyond chance (p {found.test.p:.2g} by {found.test.test})"


def _recorded(test: PairedTest | None) -> dict[str, Any] | None:
    """A test as its event has it."""
    if test is None:
        return None
    names = ("test", "figure", "difference", "low", "high", "p", "n", "level")
    return {name: getattr(test, name) for name in names}


def _rows(rows: Any) -> tuple[Any, Any, str | None]:
    match rows:
        case (data, labels):
            return data, labels, None
        case (data, labels, str() as metric):
            return data, labels, metric
        case _:
            raise Malformed("`rehearse` takes (data, labels) or (data, labels, metric)")
