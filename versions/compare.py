"""Comparing: what differs between two versions, and which of several does best."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from ..domain.model.metric import better_when, goodness
from ..domain.model.state import ModelState, ModelVersion
from ..errors import Malformed, Refused
from ..results import Comparison, Diff, TensorChange
from ..tensors.graph import Graph
from .deltas import graph_of
from .workspace import Workspace

PREFERRED: Final = ("f1", "roc_auc", "accuracy")


def diff(workspace: Workspace, before: ModelVersion, after: ModelVersion) -> Diff:
    """What differs between two versions, of one model or of two; what is equal is left out."""
    one, two = before.event, after.event
    return Diff(
        before=workspace.version(*before),
        after=workspace.version(*after),
        hyperparameters=changes(one.hyperparameters, two.hyperparameters),
        architecture=changes(one.architecture, two.architecture),
        settings=changes(one.settings, two.settings),
        data=changes(one.data or {}, two.data or {}),
        environment=changes(one.environment, two.environment),
        code=changes(one.code, two.code),
        files=changes({f.name: f.digest for f in one.files}, {f.name: f.digest for f in two.files}),
        metrics=changes(before.metrics, after.metrics),
        tensors=_tensor_changes(workspace, before, after),
    )


def changes(before: Mapping[str, Any], after: Mapping[str, Any], prefix: str = "") -> dict[str, tuple[Any, Any]]:
    """Names whose values differ, to (before, after); nested mappings by dotted names."""
    changed: dict[str, tuple[Any, Any]] = {}
    for name in sorted({*before, *after}):
        old, new = before.get(name), after.get(name)
        if isinstance(old, dict) and isinstance(new, dict):
            changed |= changes(old, new, f"{prefix}{name}.")  # pyright: ignore[reportUnknownArgumentType]
        elif old != new and not (old != old and new != new):  # NaN is NaN
            changed[f"{prefix}{name}"] = (old, new)
    return changed


def compare(workspace: Workspace, model: ModelState, numbers: Sequence[int], metric: str | None) -> Comparison:
    """Versions by a metric, best first, the newest of equals; without a metric by f1, ROC AUC or accuracy."""
    if not numbers:
        raise Malformed("nothing to compare; name at least one version")
    figures = {number: dict(model.metrics.get(number, {})) for number in dict.fromkeys(numbers)}
    shared = set[str].intersection(*(set(each) for each in figures.values()))
    chosen = metric or next((name for name in PREFERRED if name in shared), None)
    if chosen not in shared:
        raise Refused(
            f"metric {chosen!r} is not known of every version named; they share {', '.join(sorted(shared)) or 'none'}"
        )
    better = better_when(chosen)
    ranked = sorted(figures, key=lambda number: (goodness(figures[number][chosen], better), number), reverse=True)
    return Comparison(
        model=model.name,
        metric=chosen,
        versions=tuple(workspace.version(model, number) for number in ranked),
        metrics=tuple(figures[number] for number in ranked),
    )


def _tensor_changes(workspace: Workspace, *ends: ModelVersion) -> tuple[TensorChange, ...]:
    one, other = (graph_of(end.model, end.event.tensors) for end in ends)
    graph = Graph({**one.keyframes, **other.keyframes}, {*one.edges, *other.edges})
    before, after = (workspace.vault.manifest(end.event.tensors) for end in ends)
    norms = workspace.vault.norms(before, after, graph)
    changed = (
        TensorChange(each.name, "changed", each.changed, each.l2, each.relative, each.cosine, each.max_abs)
        for each in norms.differing
    )
    others = (("added", norms.added), ("removed", norms.removed), ("reshaped", norms.reshaped))
    return (*changed, *(TensorChange(name, status) for status, names in others for name in names))
