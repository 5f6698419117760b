"""Slices: the groups of rows on which a model does worst, found by a search that is corrected for itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations, pairwise
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ..errors import Malformed
from ..results import Slice
from .resampling import as_given, missing

Floats = npt.NDArray[np.float64]
Members = npt.NDArray[np.bool_]

LEAST_ROWS: Final = 30
LEVELS: Final = 20
"""The most frequent levels of a column of categories that are looked at."""
QUANTILES: Final = (0.25, 0.5, 0.75)
PERMUTATIONS: Final = 1000
_AT_ONCE: Final = 1 << 24
"""Elements of the permuted losses that are held at once: 128 MB."""


def worst(
    losses: npt.ArrayLike,
    columns: Mapping[str, Sequence[Any] | npt.NDArray[Any]],
    *,
    least: int = LEAST_ROWS,
    pairs: bool = False,
    seed: int = 0,
) -> list[Slice]:
    """The slices that do worse than the other rows, worst p first, each searched slice once.

    `losses`, shape (n,), say how bad each row was judged (1 for a wrong call, a squared error, a log loss); each of
    `columns` has a value a row. Looked at are the levels of a column, quarters of its numbers, missing values, and with
    `pairs` two conditions at once. p is corrected for the whole search by permutation (Westfall and Young 1993, maxT),
    so that columns that say nothing are named at the chance that p states, however many they are.
    Raises `Malformed` where a column's length is another, a loss is no finite number, or there are fewer than 2 rows.
    """
    loss = _losses(losses)
    names, members = _candidates(columns, len(loss), least, pairs)
    if not names or np.ptp(loss) == 0:
        return []
    scores = _scores(loss[None, :], members)[0]
    greatest = _permuted(loss, members, seed)
    ps = (1 + (greatest[None, :] >= scores[:, None]).sum(axis=1)) / (1 + len(greatest))
    sizes, sums = members.sum(axis=1), members @ loss
    order: list[int] = np.argsort(-scores, kind="stable").tolist()
    return [
        Slice(
            names[place],
            int(sizes[place]),
            float(sums[place] / sizes[place]),
            float((loss.sum() - sums[place]) / (len(loss) - sizes[place])),
            float(ps[place]),
        )
        for place in order
        if scores[place] > 0
    ]


def _scores(losses: Floats, members: Members) -> Floats:
    """How far the mean loss of each slice lies above that of all rows, in its spread under permutation.

    `losses` has a permutation a row, shape (m, n); the answer is of shape (m, slices).
    """
    n, sizes = losses.shape[1], members.sum(axis=1)
    means, spread = losses.mean(axis=1, keepdims=True), losses.var(axis=1, ddof=1, keepdims=True)
    sums = losses @ members.T.astype(np.float64)
    return (sums / sizes - means) / np.sqrt(spread * (1 / sizes - 1 / n))


def _permuted(loss: Floats, members: Members, seed: int) -> Floats:
    """The greatest score of each of PERMUTATIONS searches in losses that were dealt to the rows anew."""
    generator = np.random.default_rng(seed)
    at_once = max(1, min(PERMUTATIONS, _AT_ONCE // len(loss)))
    greatest: list[Floats] = []
    for begin in range(0, PERMUTATIONS, at_once):
        count = min(at_once, PERMUTATIONS - begin)
        dealt = generator.permuted(np.broadcast_to(loss, (count, len(loss))), axis=1)
        greatest.append(_scores(dealt, members).max(axis=1))
    return np.concatenate(greatest)


def _candidates(
    columns: Mapping[str, Sequence[Any] | npt.NDArray[Any]], n: int, least: int, pairs: bool
) -> tuple[list[str], Members]:
    """Every slice to look at with its condition, shape (slices, n); slices of the same rows once."""
    single: list[tuple[str, str, Members]] = []
    for name, values in columns.items():
        if len(values) != n:
            raise Malformed(f"column {name!r} has {len(values)} values for {n} rows; give one a row")
        single += [(name, condition, rows) for condition, rows in _conditions(name, values)]
    every = [(condition, rows) for _, condition, rows in single]
    if pairs:
        every += [
            (f"{one[1]}, {other[1]}", one[2] & other[2]) for one, other in combinations(single, 2) if one[0] != other[0]
        ]
    chosen: dict[bytes, tuple[str, Members]] = {}
    for condition, rows in every:
        if least <= rows.sum() <= n - least:
            chosen.setdefault(np.packbits(rows).tobytes(), (condition, rows))
    names = [condition for condition, _ in chosen.values()]
    return names, np.array([rows for _, rows in chosen.values()], bool).reshape(len(names), n)


def _conditions(name: str, values: Sequence[Any] | npt.NDArray[Any]) -> Iterator[tuple[str, Members]]:
    array = as_given(values)  # pyright: ignore[reportArgumentType]
    gaps = missing(array)
    if array.dtype.kind == "O" and all(isinstance(value, int | float) for value in array[~gaps].tolist()):
        array = np.where(gaps, np.nan, array).astype(np.float64)
    if gaps.any():
        yield f"{name} is missing", gaps
    if array.dtype.kind in "iuf" and len(np.unique(array[~gaps])) > LEVELS:
        yield from _quarters(name, array, ~gaps)
        return
    levels, codes = np.unique(array[~gaps].astype(str), return_inverse=True)
    for code in np.argsort(-np.bincount(codes, minlength=len(levels)), kind="stable")[:LEVELS]:
        rows = np.zeros(len(array), bool)
        rows[np.flatnonzero(~gaps)[codes == code]] = True
        yield f"{name} = {levels[code]}", rows


def _quarters(name: str, array: npt.NDArray[Any], known: Members) -> Iterator[tuple[str, Members]]:
    edges = np.unique(np.quantile(array[known].astype(np.float64), QUANTILES))
    for edge in edges:
        yield f"{name} <= {edge:.6g}", known & (array <= edge)
        yield f"{name} > {edge:.6g}", known & (array > edge)
    for low, high in pairwise(edges):
        yield f"{low:.6g} < {name} <= {high:.6g}", known & (array > low) & (array <= high)


def _losses(losses: npt.ArrayLike) -> Floats:
    loss = np.asarray(losses, dtype=np.float64)
    if loss.ndim != 1 or len(loss) < 2:
        raise Malformed(f"losses have shape {loss.shape}; give one a row, and at least two rows")
    if not np.isfinite(loss).all():
        raise Malformed("losses to search must be finite numbers; a row without a prediction has none")
    return loss
