"""What differs between two versions, side by side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from starlette.responses import Response

from ...domain.model.revision import ends
from ...results import Diff
from ...results.contests.diff import PARTS
from ...results.figures import change, figure, short
from .html import translated
from .page import PageRoutes, PageView, Visit
from .versions import qualified, written

pages = PageRoutes()

MOST: Final = 20
"""Tensors, and values of a part, that are shown where more of them differ."""


class ChangedValue(NamedTuple):
    """A value before and after, and the step from one to the other."""

    name: str
    before: str
    after: str
    step: str


@pages.page("/m/{model}/diff/{range}", "diff", few=True)
def diff(page: Visit, model: str, range: str) -> PageView | Response:
    """What differs from `A` to `B` of `A..B`; with `all=1` all of it, and the names of what is the same."""
    first, last = ends(range)
    told = page.manager.diff(qualified(model, first), qualified(model, last))
    number_range = f"{written(told.before, model)}..{written(told.after, model)}"
    if number_range != range:
        return page.elsewhere("m", model, "diff", number_range)
    whole = page.asked("all") == "1"
    values = {part: rows for part in PARTS if (rows := _values(part, told))}
    changed = sorted(told.tensors, key=lambda each: (each.relative is None, each.relative or 0.0), reverse=True)
    data = {
        "diff": told,
        "whole": whole,
        "most": None if whole else MOST,
        "values": values,
        "tensors": list(told.tensors) if whole else changed,
        "same": {part: names for part, names in told.same.items() if names},
        "one_model": told.before.model == told.after.model,
        "swapped": f"{written(told.after, model)}..{written(told.before, model)}",
        "before": written(told.before, model),
    }
    return PageView(data, told)


def _values(part: str, told: Diff) -> list[ChangedValue]:
    """The values of a part that differ; of figures that are of other rows no step is told."""
    changes: Mapping[str, tuple[Any, Any]] = getattr(told, part)
    other_rows = told.other_rows if part == "metrics" else ()
    return [
        ChangedValue(
            name,
            _written(before),
            _written(after),
            translated("rows not shared") if name in other_rows else change(before, after),
        )
        for name, (before, after) in changes.items()
    ]


def _written(value: Any) -> str:
    """A value as it stands beside another: of a digest as much as names it."""
    return short(value) if isinstance(value, str) and value.startswith(("sha256:", "blake3:")) else figure(value)
