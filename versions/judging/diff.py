"""Differences: what two versions have that is not the same, and how far they do differently by a paired test."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, cast

from ...domain.model.figures import shared
from ...domain.model.state import ModelVersion
from ...errors import Refused
from ...results import Diff, PairedTest, TensorChange
from ...tensors.graph import Graph
from ..deltas import graph_of
from ..workspace import Workspace
from .compare import basis_of, flat, readable_outcomes, values

if TYPE_CHECKING:
    pass

log = logging.getLogger("lepton")


def diff(workspace: Workspace, before: ModelVersion, after: ModelVersion) -> Diff:
    """What differs between two versions, of one model or of two; what is equal is left out."""
    one, two = before.event, after.event
    old, new = before.figures.shown(), after.figures.shown()
    for name, (one_figure, other_figure) in shared([before.figures, after.figures]).items():
        old[name], new[name] = one_figure, other_figure
    parts: dict[str, tuple[Mapping[str, Any], Mapping[str, Any]]] = {
        "hyperparameters": (one.hyperparameters, two.hyperparameters),
        "architecture": (one.architecture, two.architecture),
        "settings": (one.settings, two.settings),
        "data": (one.data or {}, two.data or {}),
        "metrics": (values(old), values(new)),
        "files": ({file.name: file.digest for file in one.files}, {file.name: file.digest for file in two.files}),
        "code": (one.code, two.code),
        "environment": (one.environment, two.environment),
    }
    other_rows = tuple(name for name in old if name in new and not old[name].comparable(new[name]))
    differing = {part: changes(*ends) for part, ends in parts.items()}
    differing["data"] = _data_changes(one.data or {}, two.data or {})
    tensors = _tensor_changes(workspace, before, after)
    same = {
        part: _same(flat(first), flat(second), {*differing[part], *other_rows})
        for part, (first, second) in parts.items()
    }
    old_names, new_names = (_tensor_names(workspace, end) for end in (before, after))
    same["tensors"] = _same(old_names, new_names, {tensor.name for tensor in tensors})
    return Diff(
        before=workspace.version(*before),
        after=workspace.version(*after),
        other_rows=other_rows,
        tensors=tensors,
        same=same,
        test=_test_of_kept(workspace, before, after),
        **differing,
    )


def _test_of_kept(workspace: Workspace, before: ModelVersion, after: ModelVersion) -> PairedTest | None:
    """The test by the usual figure of rows that both were judged on, where outcomes of these are kept of both."""
    if not (before.model.reports.get(before.number) and after.model.reports.get(after.number)):
        return None
    basis = basis_of(after.model, {0: before.figures, 1: after.figures}, None)
    if basis is None or before == after:
        return None
    from ...evaluation.contests.contest import paired_test

    one, other = (
        readable_outcomes(workspace, *end, basis.rows, basis.figures[side]) for side, end in enumerate((before, after))
    )
    try:
        return None if one is None or other is None else paired_test(basis.metric, one, other)
    except Refused:
        return None


def _same(one: Collection[str], other: Collection[str], differing: Collection[str]) -> tuple[str, ...]:
    return tuple(name for name in one if name in other and name not in differing)


def _tensor_names(workspace: Workspace, end: ModelVersion) -> dict[str, None]:
    return dict.fromkeys(entry.name for entry in workspace.vault.manifest(end.event.tensors).tensors)


def _data_changes(*fingerprints: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """How fingerprints differ, column by column; only by what both say, for they may be of two versions."""
    one, two = ({**_rest(told, "version", "v1"), **_by_name(told.get("columns"))} for told in fingerprints)
    changed = changes(one, two)
    if "labels" in one and "labels" in two:
        return changed
    # version 1 has no digests of columns and labels
    return {name: each for name, each in changed.items() if not name.startswith("labels") and not _of_column(name)}


def _by_name(columns: Any) -> dict[str, Any]:
    if not isinstance(columns, list):
        return {}
    named = [cast("dict[str, Any]", each) for each in cast("list[Any]", columns) if isinstance(each, dict)]
    return {"columns": {str(each["name"]): _rest(each, "name") for each in named if "name" in each}}


def _of_column(name: str) -> bool:
    return name.startswith("columns.") and name.endswith(".digest")


def _rest(told: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in told.items() if name not in names}


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
