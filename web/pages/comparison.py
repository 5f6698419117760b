"""Versions side by side: their figures and hyperparameters, and which does best where that is known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from starlette.responses import Response

from ...errors import Malformed
from ...results import Comparison
from ...results.contests.comparison import BEST
from ...results.figures import ABSENT, figure
from .page import PageRoutes, PageView, Visit
from .versions import named

pages = PageRoutes()

MOST: Final = 50
"""Versions that are compared at once."""


class ComparedCell(NamedTuple):
    """A value of a version; whether it is the best of its row, or the letter of the rows that it is of."""

    value: str
    best: bool = False
    letter: str = ""


@pages.page("/m/{model}/compare", "compare")
def compare(page: Visit, model: str) -> PageView | Response:
    """The versions that `v` names; `cols` names what is shown, else it is what differs, or with `all=1` everything."""
    record = page.manager.about(model)
    asked = [rev for words in page.request.query_params.getlist("v") for rev in words.split()]
    if len(asked) > MOST:
        raise Malformed(f"{len(asked)} versions are named; name at most {MOST} at once")
    if any(not rev.isdecimal() or rev != str(int(rev[:9])) for rev in asked):
        return _by_numbers(page, model, asked)
    versions = list(dict.fromkeys(asked))
    columns = [name for name in (each.strip() for each in page.asked("cols").split(",")) if name]
    data: dict[str, Any] = {"record": record, "versions": versions, "columns": columns, "whole": _whole(page)}
    if not versions:
        return PageView(data | {"comparison": None}, {"model": model, "versions": []})
    metric = page.asked("metric") or None
    told = page.manager.compare(*(named(model, each) for each in versions), metric=metric)
    return PageView(data | _tables(told, columns, whole=_whole(page)), told.to_dict() | _unknown(told, columns))


def _by_numbers(page: Visit, model: str, asked: Iterable[str]) -> Response:
    """The same page with the numbers that names stand on now."""
    numbers = [str(page.manager.show(named(model, rev)).version) for rev in asked]
    return page.elsewhere("m", model, "compare", v=list(dict.fromkeys(numbers)))


def _whole(page: Visit) -> bool:
    return page.asked("all") == "1"


def _tables(told: Comparison, columns: Sequence[str], *, whole: bool) -> dict[str, Any]:
    """The rows of figures and of hyperparameters, and what is left out of them as the same."""
    alone = len(told.versions) == 1
    same = {"metrics": (), "hyperparameters": ()} if whole or alone or columns else told.same
    figures = _chosen(told.metrics, columns, same["metrics"], told.metric)
    letters = told.letters(figures)
    marked = {name: _marked(told, name, letters) for name in figures}
    chosen = _chosen(told.hyperparameters, columns, same["hyperparameters"])
    return {
        "comparison": told,
        "figures": marked,
        "hyperparameters": {name: _cells(told.hyperparameters, name) for name in chosen},
        "same": {part: names for part, names in same.items() if names},
        "letters": {letter: words for words, letter in letters.items()},
        "starred": any(cell.best for cells in marked.values() for cell in cells),
        **_unknown(told, columns),
    }


def _chosen(
    of: Sequence[Mapping[str, Any]], columns: Sequence[str], same: Sequence[str], first: str | None = None
) -> list[str]:
    """The names of a table's rows: those that were asked for in that order, else what differs, the ranked one first."""
    names = sorted(set[str]().union(*of))
    if columns:
        return [name for name in columns if name in names]
    return sorted((name for name in names if name not in same or name == first), key=lambda name: name != first)


def _marked(told: Comparison, name: str, letters: Mapping[str, str]) -> list[ComparedCell]:
    marks = told.marks(name, letters)
    cells = zip(_cells(told.metrics, name), marks, strict=True)
    return [ComparedCell(cell.value, mark == BEST, "" if mark == BEST else mark) for cell, mark in cells]


def _cells(of: Sequence[Mapping[str, Any]], name: str) -> list[ComparedCell]:
    return [ComparedCell(figure(each[name]) if name in each else ABSENT) for each in of]


def _unknown(told: Comparison, columns: Sequence[str]) -> dict[str, list[str]]:
    """The columns asked for that none of the versions has."""
    known = set[str]().union(*told.metrics, *told.hyperparameters)
    return {"unknown": [name for name in columns if name not in known]}
