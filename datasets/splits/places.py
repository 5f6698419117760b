"""Places of rows to learn from and of rows held out: drawn by a seed, in whole groups, or the latest."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ...errors import Malformed
from ..columns import Column

Places = npt.NDArray[np.int64]


class SplitRows(NamedTuple):
    """Places of rows, each part in its order."""

    learn: Places
    held: Places


def split_rows(count: int, share: float, seed: int, strata: npt.NDArray[Any] | None = None) -> SplitRows:
    """Hold a share of rows out, at least one of them; with `strata`, shape (count,), alike of each stratum.

    Raises `Malformed` where there are not two rows.
    """
    most = _held_rows(count, share)
    order = np.random.default_rng(seed).permutation(count)
    if strata is not None:
        order = order[np.argsort(strata[order], kind="stable")]
    held = np.sort(order[np.floor((np.arange(most) + 0.5) * count / most).astype(np.int64)])
    return SplitRows(np.setdiff1d(np.arange(count), held), held)


def split_latest(count: int, share: float) -> SplitRows:
    """Hold the last of rows that lie in time order out, at least one of them. Raises `Malformed` without two rows."""
    return _parted(np.arange(count) >= count - _held_rows(count, share))


def split_groups(groups: Column, share: float, seed: int) -> SplitRows:
    """Hold whole groups out, drawn by the seed, of about a share of the rows: no group is on both sides.

    Each in its turn is held out where that brings their rows nearer to the share; where none does, the smallest is.
    Raises `Malformed` where a row has no group, or there are not two groups.
    """
    group_of = group_codes(groups)
    sizes = np.bincount(group_of)
    wanted, total, taken = share * len(groups.values), 0, list[int]()
    for group in np.random.default_rng(seed).permutation(len(sizes)).tolist():
        size = int(sizes[group])
        if len(taken) < len(sizes) - 1 and abs(total + size - wanted) < abs(total - wanted):
            taken.append(group)
            total += size
    return _parted(np.isin(group_of, taken or [int(sizes.argmin())]))


def split_time(times: Column, share: float) -> SplitRows:
    """Hold the latest rows out, about a share of all: none is before a learnt one, and those of one time stay together.

    Raises `Malformed` where a row has no time, all have the same, or it is text.
    """
    moment_of = moment_codes(times)
    from_here_on = np.bincount(moment_of)[::-1].cumsum()[::-1][1:]
    cut = int(np.abs(from_here_on - share * len(moment_of)).argmin()) + 1
    return _parted(moment_of >= cut)


def group_codes(groups: Column, least: int = 2) -> Places:
    """The group of each row, numbered from 0, shape (rows,).

    Raises `Malformed` where a row has no group, or there are not at `least` so many.
    """
    if groups.kind == "array":
        raise Malformed(f"column {groups.name!r} holds arrays, which are no groups; name a column of numbers or text")
    return _codes(groups, "group", least)


def moment_codes(times: Column, least: int = 2) -> Places:
    """The place of each row's time among all times, numbered from the earliest, shape (rows,).

    Raises `Malformed` where a row has no time, it is text, or there are not at `least` so many.
    """
    if times.kind not in ("number", "date"):
        raise Malformed(
            f"column {times.name!r} holds {'arrays' if times.kind == 'array' else 'text'}, which no order in time "
            "follows from; give it the type date, or number"
        )
    return _codes(times, "time", least)


def _held_rows(count: int, share: float) -> int:
    """How many of the rows are held out: at least one, and not all. Raises `Malformed` where there are not two."""
    if count < 2:
        raise Malformed(f"{count} row is too few to learn from some and to hold some out; give more rows")
    return max(1, min(count - 1, round(share * count)))


def _codes(column: Column, what: str, least: int) -> Places:
    if lacking := int(column.missing.sum()):
        raise Malformed(f"{lacking} rows have no {what} in column {column.name!r}; drop these rows, or fill them")
    values, codes = np.unique(column.values, return_inverse=True)
    if len(values) == 1:
        raise Malformed(f"column {column.name!r} has one value in all rows; give rows of two {what}s or more")
    if len(values) < least:
        raise Malformed(
            f"column {column.name!r} has {len(values)} {what}s, and {least} are needed; ask for fewer folds"
        )
    return codes


def _parted(held: npt.NDArray[np.bool_]) -> SplitRows:
    return SplitRows(np.flatnonzero(~held), np.flatnonzero(held))
