"""The labelled rows of an order: from its file, or those that bear a name, which are no others than were named."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from ..datasets.types import Kind
    from ..domain.job.kinds import LabelledRows
    from .context import Context


def labelled_rows(payload: LabelledRows, context: Context, schema: Mapping[str, Kind] | None = None) -> tuple[Any, Any]:
    """The columns, an Arrow table, and the labels: by a version's schema, else as they were chosen or named.

    Raises what `datasets.read.labelled` does; `Refused` where other rows lie where named ones did, `Damaged` where
    those that were kept are not what they were.
    """
    from ..datasets.named_rows import KEPT, NamedSource
    from ..datasets.read import labelled
    from ..datasets.selection import Selection, selected_by

    named, plan, chosen = payload.named, context.order.rows, selected_by(payload)
    if named is None:
        return labelled(context.order.source, payload.label, chosen, schema)
    source = NamedSource(
        words=f"{named.name}@{named.version}",
        digest=named.digest,
        rows=named.rows,
        label=named.label,
        chosen=Selection(named.types, named.drop, named.columns),
        path=context.order.source,
        kept=(lambda: memoryview(cast("Any", context.restored(plan)[KEPT].raw()))) if plan else None,
    )
    return source.split(payload.label, chosen, schema)
