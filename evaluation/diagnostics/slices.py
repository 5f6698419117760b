"""Slices: the groups of rows on which a model does worst, found by a search that is corrected for itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import combinations, pairwise
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from ...errors import Malformed
from ...results import Slice
from ..cells import Cells, Codes, cells_of, codes_of
from ..intervals import Progress
from ..probabilities import read_numbers
from ..resampling import FEW, as_given, missing
from .flips import flipped

Floats = npt.NDArray[np.float64]
Members = npt.NDArray[np.bool_]

LEAST_ROWS: Final = 30
LEVELS: Final = 20
"""The most frequent levels of a column of categories that are looked at."""
QUANTILES: Final = (0.25, 0.5, 0.75)
PERMUTATIONS: Final = 1000
_AT_ONCE: Final = 1 << 18
"""Elements of the permuted losses that are held at once by a thread: 2 MB."""
_FEWEST: Final = 4
"""Permutations at once at least, by which the slices of very many rows are read less often."""


def worst(
    losses: npt.ArrayLike,
    columns: Mapping[str, Sequence[Any] | npt.NDArray[Any]],
    *,
    least: int = LEAST_ROWS,
    pairs: bool = False,
    units: Codes | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> list[Slice]:
    """The slices that do worse than the other rows, worst p first, each searched slice once.

    `losses`, shape (n,), say how bad each row was judged (1 for a wrong call, a squared error, a log loss); each of
    `columns` has a value a row. Looked at are the levels of a column, quarters of its numbers, missing values, and with
    `pairs` two conditions at once. p is corrected for the whole search by permutation (Westfall and Young 1993, maxT),
    so that columns that say nothing are named at the chance that p states, however many they are. Where rows of one of
    `units`, shape (n,), depend on each other, not rows are dealt anew, but the signs of units are flipped.
    Raises `Malformed` where a column's length is another, a loss is no finite number, or there are fewer than 2 rows.
    """
    loss = _losses(losses)
    cells, slices = _candidates(columns, len(loss), least, pairs)
    if not slices or np.ptp(loss) == 0:
        return []
    sizes = np.array([each.rows for each in slices])
    members = _sparse([each.cells for each in slices])
    sums = members @ cells.sums(loss[None])[0]
    if units is None:
        found, chance = _permuted(loss, cells, members, sizes, seed, progress)
    else:
        holds = np.array([each.cells for each in slices]).T
        found, chance = flipped(loss, holds, cells.codes, units, PERMUTATIONS, seed, progress)
    ps = (1 + (chance[None, :] >= found[:, None] - _ROUNDED).sum(axis=1)) / (1 + len(chance))
    order: list[int] = np.argsort(-found, kind="stable").tolist()
    return [
        Slice(
            slices[place].condition,
            int(sizes[place]),
            float(sums[place] / sizes[place]),
            float((loss.sum() - sums[place]) / (len(loss) - sizes[place])),
            float(ps[place]),
        )
        for place in order
        if found[place] > 0
    ]


def _permuted(
    loss: Floats, cells: Cells, members: Any, sizes: Codes, seed: int, progress: Progress | None
) -> tuple[Floats, Floats]:
    """The score of each slice, and the greatest score of each search in losses that were dealt to the rows anew."""
    spread = np.sqrt(loss.var(ddof=1) * (1 / sizes - 1 / len(loss)))

    def scores(dealt: Floats) -> Floats:
        """How far the mean loss of each slice lies above that of all rows, in its spread under permutation."""
        return ((members @ np.ascontiguousarray(dealt.T)).T / sizes - loss.mean()) / spread

    found = scores(cells.sums(loss[None]))[0]
    return found, np.concatenate([*_dealt(loss, cells, seed, progress, lambda dealt: scores(dealt).max(axis=1))])


def _dealt(
    loss: Floats, cells: Cells, seed: int, progress: Progress | None, told: Callable[[Floats], Floats]
) -> Iterator[Floats]:
    """What is `told`, shape (some,), of the losses of each cell, shape (some, cells), where losses were dealt to the
    rows anew, PERMUTATIONS times in all.

    Of two different losses how many rows of a cell get the greater one is hypergeometric, so no row is moved. The
    threads tell what is asked themselves: deals that waited to be looked at would fill the memory.
    """
    levels = np.unique(loss)
    if len(levels) == 2 and cells.size * FEW <= len(loss):
        generator = np.random.default_rng(seed)
        high = int((loss == levels[1]).sum())
        counts = generator.multivariate_hypergeometric(cells.rows, high, PERMUTATIONS, method="marginals")
        yield told(levels[0] * cells.rows + (levels[1] - levels[0]) * counts)
        if progress is not None:
            progress(PERMUTATIONS, PERMUTATIONS)
        return
    at_once = max(_FEWEST, min(PERMUTATIONS, _AT_ONCE // len(loss)))
    counts = [min(at_once, PERMUTATIONS - begin) for begin in range(0, PERMUTATIONS, at_once)]

    def permuted(sequence: np.random.SeedSequence, count: int) -> Floats:
        rows = np.random.default_rng(sequence).permuted(np.broadcast_to(loss, (count, len(loss))), axis=1)
        return told(cells.of_ordered(rows))

    done = 0
    with ThreadPoolExecutor(2) as pool:
        for some in pool.map(permuted, np.random.SeedSequence(seed).spawn(len(counts)), counts):
            yield some
            done += len(some)
            if progress is not None:
                progress(done, PERMUTATIONS)


def _sparse(members: Sequence[Members]) -> Any:
    """Which cells each slice holds, shape (slices, cells): a matrix of many columns' slices would not fit in memory."""
    from scipy.sparse import csr_array

    held = [np.flatnonzero(each).astype(np.int32) for each in members]
    ends = np.concatenate([[0], np.cumsum([len(each) for each in held])])
    places = np.concatenate(held)
    return csr_array((np.ones(len(places)), places, ends), shape=(len(members), len(members[0])))


_ROUNDED: Final = 1e-9
"""Scores closer than this are equal ones, summed in another order."""


class _Candidate(NamedTuple):
    """Rows that a condition holds for: which of the cells they are, and how many."""

    condition: str
    cells: Members
    rows: int


def _candidates(
    columns: Mapping[str, Sequence[Any] | npt.NDArray[Any]], n: int, least: int, pairs: bool
) -> tuple[Cells, list[_Candidate]]:
    """The cells of rows that no condition tells apart, and every slice of them to look at, each one once."""
    parted: list[tuple[str, Codes, list[tuple[str, Members]]]] = []
    for name, values in columns.items():
        array = as_given(values)  # pyright: ignore[reportArgumentType]
        if array.ndim != 1:
            raise Malformed(f"column {name!r} has shape {array.shape}; give one value a row")
        if len(array) != n:
            raise Malformed(f"column {name!r} has {len(array)} values for {n} rows; give one a row")
        codes, conditions = _conditions(name, array)
        parted.append((name, codes, conditions))
    cells, codes = cells_of(np.zeros(n, np.int64), *(each for _, each, _ in parted))
    single = [
        (name, condition, holds[code])
        for (name, _, conditions), code in zip(parted, codes[1:], strict=True)
        for condition, holds in conditions
    ]
    every = [(condition, members) for _, condition, members in single]
    if pairs:
        every += [
            (f"{one[1]}, {other[1]}", one[2] & other[2]) for one, other in combinations(single, 2) if one[0] != other[0]
        ]
    chosen: dict[bytes, _Candidate] = {}
    for condition, members in every:
        rows = int(cells.rows[members].sum())
        if least <= rows <= n - least:
            chosen.setdefault(np.packbits(members).tobytes(), _Candidate(condition, members, rows))
    return cells, list(chosen.values())


def _conditions(name: str, array: npt.NDArray[Any]) -> tuple[Codes, list[tuple[str, Members]]]:
    """The part that each row's value is of, shape (n,), and each condition with the parts that it holds for.

    Part 0 is what is missing.
    """
    gaps = missing(array)
    if array.dtype.kind == "O" and all(isinstance(value, int | float) for value in array[~gaps].tolist()):
        array = np.where(gaps, np.nan, array).astype(np.float64)
    if array.dtype.kind == "f" and np.isinf(array).any():
        raise Malformed(f"column {name!r} holds infinity; give a number, or None where it is unknown")
    codes = np.zeros(len(array), np.int64)
    if array.dtype.kind in "iuf" and len(np.unique(array[~gaps])) > LEVELS:
        codes[~gaps], conditions = _quarters(name, array[~gaps].astype(np.float64))
    else:
        codes[~gaps], conditions = _levels(name, array[~gaps])
    if gaps.any():
        conditions.insert(0, (f"{name} is missing", {0}))
    parts = int(codes.max(initial=0)) + 1
    return codes, [(condition, np.isin(np.arange(parts), list(holds))) for condition, holds in conditions]


def _levels(name: str, array: npt.NDArray[Any]) -> tuple[Codes, list[tuple[str, set[int]]]]:
    """The most frequent levels, each a part, and all others, the last part."""
    levels, codes = codes_of(array)
    usual = np.argsort(-np.bincount(codes, minlength=len(levels)), kind="stable")[:LEVELS]
    parts = np.full(len(levels), len(usual) + 1)
    parts[usual] = np.arange(1, len(usual) + 1)
    names = [_plainly(array, level) for level in levels[usual].tolist()]
    return parts[codes], [(f"{name} = {level}", {place}) for place, level in enumerate(names, start=1)]


def _plainly(array: npt.NDArray[Any], level: str) -> str:
    """A level as people write it: whole numbers without a point, as in 1 for 1.0."""
    return level.removesuffix(".0") if array.dtype.kind == "f" else level


def _quarters(name: str, numbers: Floats) -> tuple[Codes, list[tuple[str, set[int]]]]:
    edges = np.unique(np.quantile(numbers, QUANTILES))
    parts = range(1, len(edges) + 2)
    conditions: list[tuple[str, set[int]]] = []
    for place, edge in enumerate(edges, start=1):
        conditions.append((f"{name} <= {edge:.6g}", set(parts[:place])))
        conditions.append((f"{name} > {edge:.6g}", set(parts[place:])))
    for place, (low, high) in enumerate(pairwise(edges), start=2):
        conditions.append((f"{low:.6g} < {name} <= {high:.6g}", {place}))
    return np.searchsorted(edges, numbers, side="left") + 1, conditions


def _losses(losses: npt.ArrayLike) -> Floats:
    loss = read_numbers(losses, "losses")
    if loss.ndim != 1 or len(loss) < 2:
        raise Malformed(f"losses have shape {loss.shape}; give one a row, and at least two rows")
    if not np.isfinite(loss).all():
        raise Malformed("losses to search must be finite numbers; a row without a prediction has none")
    return loss
