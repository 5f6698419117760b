"""Schemes of the bootstrap: how often each row counts in one draw, by what is independent among the rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt

from ..datasets.values.arrays import is_tensor, plain_array
from ..errors import Malformed
from .cells import Cells, Counts, codes_of

Weights = npt.NDArray[np.float64]
Units = npt.NDArray[np.int64]
FEW: Final = 8
"""Cells of so many rows each on the average are drawn as cells, since a row costs as little as an eighth of that."""
_PART: Final = 1 << 16
_TABLE: Final = 1 << 20
"""Elements of a table of groups and cells that is multiplied with draws of the groups."""


Drawer = Callable[[np.random.Generator, int], Counts]
"""As many draws as are asked for, each by how often it has every cell: shape (draws, cells)."""


class Scheme(Protocol):
    """What is drawn again with replacement."""

    @property
    def method(self) -> str:
        """The scheme's name, as it stands beside an interval."""
        ...

    @property
    def n(self) -> int:
        """How many rows there are."""
        ...

    @property
    def freedom(self) -> float:
        """The units that are drawn, less the means that hold still: the degrees of freedom of a spread."""
        ...

    def draw(self, generator: np.random.Generator) -> Weights:
        """How often each row counts in one draw, shape (n,)."""
        ...

    def drawer(self, cells: Cells) -> Drawer:
        """The same draws, of which only the rows' cells are looked at."""
        ...


@dataclass(frozen=True)
class SingleRows:
    """Each row is independent of all others (Efron 1979)."""

    n: int

    @property
    def method(self) -> str:
        return "rows"

    @property
    def freedom(self) -> float:
        return self.n - 1

    def draw(self, generator: np.random.Generator) -> Weights:
        return _drawn(generator, self.n, 1)[0]

    def drawer(self, cells: Cells) -> Drawer:
        if cells.size * FEW <= self.n:
            return lambda generator, draws: _shared(generator, cells.rows, draws)
        return lambda generator, draws: cells.of_ordered(_drawn(generator, self.n, draws))


@dataclass(frozen=True, eq=False)
class Strata:
    """Rows are drawn within their stratum, so that every draw has as many rows of each as the sample has."""

    strata: Units
    """The stratum of each row, shape (n,), counted from 0."""

    @property
    def method(self) -> str:
        return "stratified"

    @property
    def n(self) -> int:
        return len(self.strata)

    @property
    def freedom(self) -> float:
        return max(1, self.n - int(self.strata.max()) - 1)

    def draw(self, generator: np.random.Generator) -> Weights:
        return _within(generator, _members(self.strata), self.n, 1)[0]

    def drawer(self, cells: Cells) -> Drawer:
        n, strata = self.n, int(self.strata.max()) + 1
        if cells.size * strata * FEW <= n:
            codes = self.strata * cells.size + cells.codes
            table = np.bincount(codes, minlength=strata * cells.size).reshape(strata, cells.size)
            return lambda generator, draws: sum(
                (_shared(generator, rows, draws) for rows in table), np.zeros((draws, cells.size))
            )
        members = _members(self.strata[cells.order])
        return lambda generator, draws: cells.of_ordered(_within(generator, members, n, draws))


@dataclass(frozen=True, eq=False)
class Groups:
    """Whole groups are drawn, since rows of one group (a patient, a customer) depend on each other."""

    groups: Units
    """The group of each row, shape (n,), counted from 0."""

    @property
    def method(self) -> str:
        return "groups"

    @property
    def n(self) -> int:
        return len(self.groups)

    @property
    def freedom(self) -> float:
        """Those of a spread to which groups give by the squares of their sizes (Satterthwaite 1946), their rows alike.

        It is one less than there are groups where all have one size, and fewer the more a few large ones weigh.
        """
        sizes = np.bincount(self.groups).astype(np.float64)
        return max(1.0, float((sizes**2).sum() ** 2 / (sizes**4).sum()) - 1)

    @property
    def _count(self) -> int:
        return int(self.groups.max()) + 1

    def draw(self, generator: np.random.Generator) -> Weights:
        return _drawn(generator, self._count, 1)[0, self.groups]

    def drawer(self, cells: Cells) -> Drawer:
        count, ordered = self._count, self.groups[cells.order]
        if cells.size * FEW <= self.n and count * cells.size <= _TABLE:
            codes = self.groups * cells.size + cells.codes
            table = np.bincount(codes, minlength=count * cells.size).reshape(count, cells.size).astype(np.float64)
            return lambda generator, draws: _drawn(generator, count, draws) @ table
        return lambda generator, draws: cells.of_ordered(_drawn(generator, count, draws)[:, ordered])


@dataclass(frozen=True)
class Blocks:
    """Blocks of neighbouring rows of a series are drawn, its end joined to its start (Politis and Romano 1992)."""

    n: int
    length: int

    @property
    def method(self) -> str:
        return f"blocks of {self.length}"

    @property
    def freedom(self) -> float:
        return max(1, self.n // self.length - 1)

    def draw(self, generator: np.random.Generator) -> Weights:
        return self._rows(generator, 1)[0]

    def drawer(self, cells: Cells) -> Drawer:
        return lambda generator, draws: cells.sums(self._rows(generator, draws))

    def _rows(self, generator: np.random.Generator, draws: int) -> Counts:
        """Blocks are drawn until they cover n rows; the last one is cut, so that every draw has n rows."""
        blocks = -(-self.n // self.length)
        starts = generator.integers(0, self.n, (draws, blocks))
        places = (starts[:, :, None] + np.arange(self.length)).reshape(draws, -1)[:, : self.n]
        return _counted(places % self.n, self.n)


@dataclass(frozen=True, eq=False)
class Sampling:
    """How rows depend on each other: by group, by blocks of a series, within strata, or not at all."""

    groups: npt.ArrayLike | None = None
    """What each row belongs to that is independent of others (a patient, a customer), shape (n,)."""
    block: int | None = None
    """The rows of one block of a series in time order."""
    stratified: bool = False
    """Whether as many rows of each class were sampled as was decided before; else intervals would be too narrow."""

    def __post_init__(self) -> None:
        if sum((self.groups is not None, self.block is not None, self.stratified)) > 1:
            raise Malformed("rows are drawn by one scheme; give strata, groups or a block's length, not two of them")

    @cached_property
    def codes(self) -> Units | None:
        """The group of each row, counted from 0; None without groups."""
        return None if self.groups is None else _codes(self.groups, len(as_given(self.groups)), "group")

    def units(self, n: int) -> Units | None:
        """The unit that each of `n` rows depends within: its group or its block; None where rows are independent."""
        return self.codes if self.block is None else np.arange(n) // self.block

    def scheme(self, n: int, strata: npt.ArrayLike) -> Scheme:
        """The scheme by which `n` rows are drawn. Raises `Malformed` where too few units are left to draw from."""
        return scheme_of(n, strata if self.stratified else None, self.groups, self.block)


def scheme_of(
    n: int, strata: npt.ArrayLike | None = None, groups: npt.ArrayLike | None = None, block: int | None = None
) -> Scheme:
    """The scheme that `n` rows call for: by group, by blocks of a series, by stratum, else by row.

    `strata` and `groups` have a value a row, shape (n,). A series in time order has `block` rows in a block.
    Raises `Malformed` where two schemes are asked for, a value is missing, or too few units are left to draw from.
    """
    if sum(each is not None for each in (strata, groups, block)) > 1:
        raise Malformed("rows are drawn by one scheme; give strata, groups or a block's length, not two of them")
    if groups is not None:
        codes = _codes(groups, n, "group")
        if codes.max() < 1:
            raise Malformed("all rows are of one group, and groups are what is drawn; an interval needs at least two")
        return Groups(codes)
    if block is not None:
        if not isinstance(block, int | np.integer):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise Malformed(
                f"a block is a whole number of rows, not {block!r}; {block_length(n)} are usual for {n} rows"
            )
        if n < 2:
            raise Malformed(f"blocks are drawn of a series, and {n} rows are none; give at least 2")
        if not 1 <= block <= n // 2:
            raise Malformed(f"a block of {block} rows does not fit {n} rows twice; give a length from 1 to {n // 2}")
        return Blocks(n, block)
    return SingleRows(n) if strata is None else Strata(_codes(strata, n, "stratum"))


def block_length(n: int) -> int:
    """The length of blocks where none is given: twice the cube root of the rows.

    The cube root (Hall, Horowitz and Jing 1995) estimates a variance best, and makes intervals too narrow: twice that
    trades its error for blocks that Student's t makes up for.
    """
    return max(1, min(round(2 * n ** (1 / 3)), n // 2))


def as_given(values: npt.ArrayLike) -> npt.NDArray[Any]:
    """Values as an array that made no text of what is missing: numpy turns NaN beside texts into "nan"."""
    if is_tensor(values):
        return plain_array(values, "a tensor of one value a row")
    return np.asarray(values, dtype=None if isinstance(values, np.ndarray) else object)


def missing(array: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Which values of an array are None or NaN, shape (n,)."""
    if array.dtype.kind in "biuSU":
        return np.zeros(len(array), bool)
    if array.dtype.kind == "f":
        return np.isnan(array)
    return np.array([_is_gap(value) for value in array.tolist()], bool)


def _is_gap(value: Any) -> bool:
    """Whether a value is None, NaN or NaT, or pandas' NA, which is not even unequal to itself."""
    return value is None or type(value).__name__ == "NAType" or bool(value != value)


def check_complete(array: npt.NDArray[Any], what: str) -> None:
    """Raise `Malformed` where a row has none of what each must have."""
    if missing(array).any():
        raise Malformed(f"a row has no {what}; name one for every row, or leave out the rows without")


def _codes(values: npt.ArrayLike, n: int, what: str) -> Units:
    array = as_given(values)
    if array.shape != (n,):
        raise Malformed(f"there are {n} rows, and values of shape {array.shape} for their {what}; give one a row")
    check_complete(array, what)
    if array.dtype.kind in "biu":  # in their own order, so that codes are their own codes
        return np.unique(array, return_inverse=True)[1].astype(np.int64)
    return codes_of(array)[1]


def _drawn(generator: np.random.Generator, n: int, draws: int) -> Counts:
    """How often each of n things is drawn in n draws of one, shape (draws, n).

    Of many things first how many are drawn of each part, then the things in it, which stay in the cache.
    """
    if n <= _PART:
        return _counted(generator.integers(0, n, (draws, n), dtype=np.uint32), n)
    sizes = np.full(-(-n // _PART), _PART)
    sizes[-1] = n - _PART * (len(sizes) - 1)
    counts = np.empty((draws, n))
    for row, parts in zip(counts, generator.multinomial(n, sizes / n, draws).tolist(), strict=True):
        for place, (size, count) in enumerate(zip(sizes.tolist(), parts, strict=True)):
            begin = place * _PART
            row[begin : begin + size] = _counted(generator.integers(0, size, (1, count), dtype=np.uint16), size)
    return counts


def _within(generator: np.random.Generator, strata: list[Units], n: int, draws: int) -> Counts:
    weights = np.empty((draws, n))
    for members in strata:
        weights[:, members] = _drawn(generator, len(members), draws)
    return weights


def _shared(generator: np.random.Generator, rows: npt.NDArray[np.int64], draws: int) -> Counts:
    """As many rows again, by their cells: the multinomial draw that drawing row by row comes to."""
    return generator.multinomial(rows.sum(), rows / rows.sum(), draws).astype(np.float64)


def _members(strata: Units) -> list[Units]:
    order = np.argsort(strata, kind="stable")
    return np.split(order, np.cumsum(np.bincount(strata))[:-1])


def _counted(places: npt.NDArray[Any], n: int) -> Counts:
    """How often each of n places is among those of every draw, shape (draws, n)."""
    draws = len(places)
    if draws > 1:
        places = places + n * np.arange(draws)[:, None]
    return np.bincount(places.ravel(), minlength=draws * n).reshape(draws, n).astype(np.float64)  # pyright: ignore[reportUnknownArgumentType]
