"""Flips: the chance of the worst slice where rows of one unit (a patient, a block of a series) depend on each other."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from ..cells import Codes
from ..intervals import Progress

Floats = npt.NDArray[np.float64]
_AT_ONCE: Final = 1 << 22
"""Elements of the units' shares that are held at once: 32 MB."""


def flipped(
    loss: Floats,
    members: npt.NDArray[np.bool_],
    codes: Codes,
    units: Codes,
    flips: int,
    seed: int,
    progress: Progress | None = None,
) -> tuple[Floats, Floats]:
    """How far the mean loss of each slice lies above that of all rows, shape (slices,), and what flips make of it.

    `members`, shape (cells, slices), say which cells a slice has, `codes` and `units`, shape (n,), of which cell and
    of which unit each row is. A unit's share in a slice's difference has either sign alike where the slice says
    nothing of the loss, so that shares are flipped unit by unit (Winkler et al. 2014), all slices at once; the answer's
    second part is the greatest score of each flip, shape (flips,). Scores are in the spread of the units' shares.
    """
    n, sizes = len(loss), np.bincount(codes, minlength=len(members)) @ members
    order = np.argsort(units, kind="stable")
    starts: Codes = np.flatnonzero(np.diff(units[order], prepend=-1))
    found, squares = np.zeros(members.shape[1]), np.zeros(members.shape[1])
    sums, generator = np.zeros((flips, members.shape[1])), np.random.default_rng(seed)
    for begin, end in _chunks(np.append(starts, n), max(1, _AT_ONCE // members.shape[1])):
        rows = order[starts[begin] : n if end == len(starts) else starts[end]]
        weights = (members[codes[rows]] / sizes - 1 / n) * (loss[rows] - loss.mean())[:, None]
        shares = np.add.reduceat(weights, starts[begin:end] - starts[begin], axis=0)
        found += shares.sum(axis=0)
        squares += (shares**2).sum(axis=0)
        signs = 1 - 2 * generator.integers(0, 2, (flips, len(shares)), dtype=np.int8)
        sums += signs.astype(np.float64) @ shares
        if progress is not None:
            progress(flips * end // len(starts), flips)
    spread = np.where(squares > 0, np.sqrt(squares), np.inf)
    return found / spread, (sums / spread).max(axis=1)


def _chunks(ends: Codes, rows: int) -> list[tuple[int, int]]:
    """The first unit and the one behind the last of parts with about so many rows; `ends` are the units' bounds."""
    last = int(ends[-1])
    parts = np.unique(np.searchsorted(ends, [*range(0, last, rows), last]))
    return list(zip(parts[:-1].tolist(), parts[1:].tolist(), strict=True))
