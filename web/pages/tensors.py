"""The tensors of a version, and how far each of them changed against another version."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from starlette.responses import Response

from ...results import Diff, TensorChange, VersionRecord
from ...results.figures import size
from .page import PageRoutes, PageView, Visit
from .versions import first_parent, named, qualified, sent_on, written

pages = PageRoutes()

LISTED: Final = 200
"""Tensors of a page."""
_MOST: Final = 1_000_000
"""Pages, at most."""


@dataclass(frozen=True, slots=True)
class TensorRow:
    """A tensor, of this version or, where it was removed, of the other."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    bytes: int
    change: TensorChange | None
    """None where it is the same, or nothing stands beside it."""
    heat: float = 0.0
    """How long its bar is, of 100: by the change's size beside the tensor's own, to that which changed the most."""

    @property
    def parameters(self) -> int:
        """How many elements it has."""
        return math.prod(self.shape)

    @property
    def size(self) -> str:
        """Its bytes, in words."""
        return size(self.bytes)

    def to_dict(self) -> dict[str, Any]:
        """The tensor and its change, JSON-ready."""
        told = {"name": self.name, "dtype": self.dtype, "shape": list(self.shape), "bytes": self.bytes}
        return told | {"change": None if self.change is None else self.change.to_dict()}


@pages.page("/m/{model}/v/{rev}/tensors", "tensors", few=True)
def tensors(page: Visit, model: str, rev: str) -> PageView | Response:
    """All tensors, beside the version that `with` names, else beside the first parent; `by=change` the most changed
    first."""
    record = page.manager.show(named(model, rev))
    if elsewhere := sent_on(page, record.version, model, rev, "tensors"):
        return elsewhere
    beside = page.asked("with").strip() or first_parent(record.version)
    other = page.manager.show(qualified(model, beside)) if beside else None
    told = other and page.manager.diff(named(other.version.model, str(other.version)), named(model, rev))
    rows = _rows(record, other, told)
    if page.asked("by") == "change":
        rows.sort(key=_extent, reverse=True)
    place = page.number("page", 1, _MOST)
    last = max(1, math.ceil(len(rows) / LISTED))
    some = rows[(place - 1) * LISTED : place * LISTED]
    data = {
        "record": record,
        "version": record.version,
        "first": first_parent(record.version),
        "size": size(record.bytes),
        "other": other and other.version,
        "beside": written(other.version, model) if other else "",
        "rows": some,
        "counts": _counts(rows, told),
        "all": len(rows),
        "place": place,
        "last": last,
    }
    told_as = {"version": record.version.to_dict(), "with": other and other.version.to_dict()}
    pages_told = {"page": place, "pages": last}
    return PageView(data, {**told_as, **pages_told, "tensors": [each.to_dict() for each in some]})


def _rows(record: VersionRecord, other: VersionRecord | None, told: Diff | None) -> list[TensorRow]:
    """The version's tensors in their order, then those that only the other has."""
    changes = {each.name: each for each in told.tensors} if told else {}
    most = max((_finite(each) for each in changes.values()), default=0.0)
    own = list(record.tensors)
    known = {str(each["name"]) for each in own}
    removed = [each for each in (other.tensors if other else ()) if each["name"] not in known]
    return [_row(each, changes.get(str(each["name"])), most) for each in (*own, *removed)]


def _row(tensor: Mapping[str, Any], change: TensorChange | None, most: float) -> TensorRow:
    heat = 0.0 if change is None else 100.0
    if change is not None and change.status == "changed" and most > 0:
        heat = 100 * min(1.0, _finite(change) / most) if _is_finite(change.relative) else 100.0
    return TensorRow(tensor["name"], tensor["dtype"], tuple(tensor["shape"]), tensor["bytes"], change, round(heat, 2))


def _counts(rows: list[TensorRow], told: Diff | None) -> dict[str, int]:
    """How many tensors changed in which way, and how many are the same; nothing where nothing stands beside."""
    if told is None:
        return {}
    states = [each.change.status if each.change else "same" for each in rows]
    return {state: states.count(state) for state in dict.fromkeys(sorted(states))}


def _extent(row: TensorRow) -> tuple[int, float]:
    """What sorts rows: those of another shape, added or removed first, then by how far they changed."""
    if row.change is None:
        return 0, 0.0
    return (1, _finite(row.change)) if _is_finite(row.change.relative) else (2, 0.0)


def _finite(change: TensorChange) -> float:
    return change.relative if change.relative is not None and _is_finite(change.relative) else 0.0


def _is_finite(value: float | None) -> bool:
    return value is not None and math.isfinite(value)
