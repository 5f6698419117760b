"""The model card of a version, filled from the ledger."""

from __future__ import annotations

from collections.abc import Iterator

from ...domain.model.figures import UNNAMED, Figure, rows_of
from ...domain.model.state import ModelState
from ...results.pages.card import Card, JudgedRows
from ...results.words import Language, language
from ..overview.history import show
from ..workspace import Workspace
from .evaluation import kept_reports, report_of_kept


def card(workspace: Workspace, model: ModelState, number: int, into: Language | None = None) -> Card:
    """What the ledger knows of a version, with the reports that were kept of its evaluations."""
    return Card(
        record=show(workspace, model, number),
        purpose=workspace.opened(*model.description),
        tensors=model.version(number).event.tensors,
        judged=tuple(_judged(workspace, model, number)),
        language=into or language(),
    )


def _judged(workspace: Workspace, model: ModelState, number: int) -> Iterator[JudgedRows]:
    """The figures of each set of rows apart, the version's own first."""
    learnt = rows_of(model.version(number).event.data)
    by_name: dict[str, list[Figure]] = {}
    for figure in model.figures_of(number).shown().values():
        by_name.setdefault(figure.name.removesuffix(figure.metric).removesuffix("/"), []).append(figure)
    for name, figures in sorted(by_name.items()):
        newest = max(figures, key=lambda figure: figure.seq)
        rows = newest.rows
        of_these = {each.metric: each.value for each in figures if each.rows == rows}
        told = None if rows is None else {"digest": rows.digest, "rows": rows.size}
        kept = next((each for each in reversed(kept_reports(model, number)) if (each.name or UNNAMED) == name), None)
        of_rows = kept is not None and kept.rows is not None and rows is not None and kept.rows.same(rows)
        report = report_of_kept(workspace, model, number, kept) if kept and of_rows else None
        same = rows is not None and learnt is not None and rows.same(learnt)
        yield JudgedRows(name, newest.task, told, of_these, same, report)
