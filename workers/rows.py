"""The labelled rows of an order: from its file, or those that bear a name, which are no others than were named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from ..domain.job.kinds import JudgesBySuite
from ..errors import Refused

if TYPE_CHECKING:
    from ..datasets.columns import Column
    from ..datasets.named_rows import NamedSource
    from ..datasets.sources.parquet_rows import ParquetRows
    from ..datasets.types import Kind
    from ..domain.job.kinds import LabelledRows
    from .context import Context


class OrderedRows:
    """The rows that an order is about, read when they are asked for.

    Raises what `datasets.read.labelled` does; `Refused` where other rows lie where named ones did, `Damaged` where
    those that were kept are not what they were.
    """

    def __init__(self, payload: LabelledRows, context: Context) -> None:
        self._payload = payload
        self._path = context.order.source
        self._named = _named(payload, context)

    def labelled(self, schema: Mapping[str, Kind] | None = None) -> tuple[Any, Any]:
        """The columns, an Arrow table, and the labels: by a version's schema, else as they were chosen or named."""
        from ..datasets.read import labelled
        from ..datasets.selection import selected_by

        chosen = selected_by(self._payload)
        if self._named is not None:
            return self._named.split(self._payload.label, chosen, schema)
        return labelled(self._path, self._payload.label, chosen, schema)

    def in_parts(self) -> tuple[ParquetRows, Column]:
        """The rows of a Parquet file that are read as they are learnt from, and the labels."""
        from ..datasets.selection import selected_by
        from ..datasets.sources.parquet_rows import ParquetRows

        label, chosen = self._payload.label, selected_by(self._payload)
        named = self._named
        rows = ParquetRows.opened(self._path, label, chosen) if named is None else named.in_parts(label, chosen)
        return rows, rows.labels()

    def columns(self, names: Sequence[str] | None) -> Any:
        """Columns as what they seem to be, an Arrow table; None for all of them."""
        from ..datasets.read import columns_beside

        return columns_beside(self._path, names) if self._named is None else self._named.columns(names)


def _named(payload: LabelledRows, context: Context) -> NamedSource | None:
    from ..datasets.named_rows import KEPT, NamedSource
    from ..datasets.selection import Selection
    from ..datasets.suite_rows import SuiteSource

    named, plan = payload.named, context.order.rows
    if named is None:
        return None
    suite = isinstance(payload, JudgesBySuite)
    if suite and plan is None and not context.order.source:
        raise Refused(f"nobody can tell any more where the rows of {named.name}@{named.version} lie; define them anew")
    kind = SuiteSource if suite else NamedSource
    return kind(
        words=f"{named.name}@{named.version}",
        digest=named.digest,
        rows=named.rows,
        label=named.label,
        chosen=Selection(named.types, named.drop, named.columns),
        path=context.order.source,
        kept=(lambda: memoryview(cast("Any", context.restored(plan)[KEPT].raw()))) if plan else None,
    )
