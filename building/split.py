"""Rows to learn from and rows held out, drawn by a seed."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ..errors import Malformed

Places = npt.NDArray[np.int64]


class SplitRows(NamedTuple):
    """Places of rows, each part in its order."""

    learn: Places
    held: Places


def split_rows(count: int, share: float, seed: int, strata: npt.NDArray[Any] | None = None) -> SplitRows:
    """Hold a share of rows out, at least one of them; with `strata`, shape (count,), alike of each stratum.

    Raises `Malformed` where there are not two rows.
    """
    if count < 2:
        raise Malformed(f"{count} row is too few to learn from some and to hold some out; give more rows")
    order = np.random.default_rng(seed).permutation(count)
    if strata is not None:
        order = order[np.argsort(strata[order], kind="stable")]
    most = max(1, min(count - 1, round(share * count)))
    held = np.sort(order[np.floor((np.arange(most) + 0.5) * count / most).astype(np.int64)])
    return SplitRows(np.setdiff1d(np.arange(count), held), held)


def split_latest(count: int, share: float) -> SplitRows:
    """Hold the last share of rows out, at least one of them. Raises `Malformed` where there are not two rows."""
    if count < 2:
        raise Malformed(f"{count} row is too few to learn from some and to hold some out; give more rows")
    held = max(1, min(count - 1, round(share * count)))
    return SplitRows(np.arange(count - held), np.arange(count - held, count))
