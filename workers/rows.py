"""The labelled rows of an order: from its file, or those that bear a name, which are no others than were named."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from ..domain.job.kinds import JudgesBySuite
from ..errors import Refused

if TYPE_CHECKING:
    from ..datasets.named_rows import NamedSource
    from ..datasets.types import Kind
    from ..domain.job.kinds import LabelledRows, NamedRowsAsked
    from .context import Context


Columns = Callable[[Sequence[str] | None], Any]
"""Gives columns as they stand among the rows, an Arrow table; None for all of them."""


def labelled_rows(payload: LabelledRows, context: Context, schema: Mapping[str, Kind] | None = None) -> tuple[Any, Any]:
    """The columns, an Arrow table, and the labels: by a version's schema, else as they were chosen or named.

    Raises what `datasets.read.labelled` does; `Refused` where other rows lie where named ones did, `Damaged` where
    those that were kept are not what they were.
    """
    rows, labels, _ = judged_rows(payload, context, schema)
    return rows, labels


def judged_rows(
    payload: LabelledRows, context: Context, schema: Mapping[str, Kind] | None = None
) -> tuple[Any, Any, Columns]:
    """As `labelled_rows`, and what gives other columns of the same rows."""
    from ..datasets.read import labelled, rows_beside
    from ..datasets.selection import selected_by

    chosen, path = selected_by(payload), context.order.source
    if payload.named is None:

        def columns(names: Sequence[str] | None) -> Any:
            return rows_beside(path, {}, names)[1]

        return *labelled(path, payload.label, chosen, schema), columns
    source = _source(payload, payload.named, context)
    return *source.split(payload.label, chosen, schema), source.columns


def _source(payload: LabelledRows, named: NamedRowsAsked, context: Context) -> NamedSource:
    from ..datasets.named_rows import KEPT, NamedSource
    from ..datasets.selection import Selection
    from ..datasets.suite_rows import SuiteSource

    plan = context.order.rows
    if plan is None and not context.order.source:
        raise Refused(f"nobody can tell any more where the rows of {named.name}@{named.version} lie; define them anew")
    kind = SuiteSource if isinstance(payload, JudgesBySuite) else NamedSource
    return kind(
        words=f"{named.name}@{named.version}",
        digest=named.digest,
        rows=named.rows,
        label=named.label,
        chosen=Selection(named.types, named.drop, named.columns),
        path=context.order.source,
        kept=(lambda: memoryview(cast("Any", context.restored(plan)[KEPT].raw()))) if plan else None,
    )
