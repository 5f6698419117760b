"""Events that hold a value which a table cannot hold: found one by one where a batch fails, and set aside by name."""

# pyright: reportUnknownParameterType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# (pyarrow ships no types)

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import pyarrow as pa

_LONGEST: Final = 200
"""Characters of a reason; the value that is quoted in it may have thousands."""

Aside = Mapping[int, str]
"""The reason by `seq`."""


def is_about_values(error: Exception) -> bool:
    """Whether a statement failed for a value that does not fit its column, and for nothing else."""
    import duckdb

    return isinstance(
        error,
        duckdb.DataError | duckdb.ConstraintException | duckdb.InvalidInputException | duckdb.InvalidTypeException,
    )


def found(attempt: Callable[[pa.Table], Exception | None], batch: pa.Table) -> Iterator[tuple[int, str]]:
    """Those events of a batch, by `seq`, that fail even alone, each with the reason; found by halving.

    `attempt` tells what an attempt to fill all tables from a part of the batch failed for. Alone, each event fails for
    the same reason whatever batch it came in, so a rebuild sets the same events aside in the same words.
    """
    error = attempt(batch)
    if error is None:
        return
    if batch.num_rows == 1:
        yield int(batch["seq"][0].as_py()), _reason(error)
        return
    half = batch.num_rows // 2
    yield from found(attempt, batch.slice(0, half))
    yield from found(attempt, batch.slice(half))


def without(batch: pa.Table, aside: Aside) -> pa.Table:
    """A batch without those events."""
    import numpy as np

    kept = ~np.isin(batch["seq"].to_numpy(), np.fromiter(aside, dtype=np.uint64, count=len(aside)))
    return batch.take(kept.nonzero()[0])


def listed(aside: Aside) -> pa.Table:
    """The events and reasons as a table, to be registered as `aside`."""
    import pyarrow as pa

    return pa.table({"seq": pa.array([*aside], pa.uint64()), "reason": pa.array([*aside.values()], pa.string())})


def _reason(error: Exception) -> str:
    said = re.sub(r"\s+", " ", str(error).partition("\n")[0]).strip()
    return said if len(said) <= _LONGEST else f"{said[:_LONGEST]}…"
