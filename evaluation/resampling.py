"""Schemes of the bootstrap: how often each row counts in one draw, by what is independent among the rows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from ..errors import Malformed

Weights = npt.NDArray[np.float64]
Units = npt.NDArray[np.int64]


class Scheme(Protocol):
    """What is drawn again with replacement; the bootstrap repeats `draw`, the jackknife leaves out a unit each."""

    @property
    def method(self) -> str:
        """The scheme's name, as it stands beside an interval."""
        ...

    @property
    def units(self) -> Units:
        """The unit that each row belongs to, shape (n,), counted from 0: what is independent of all others."""
        ...

    def draw(self, generator: np.random.Generator) -> Weights:
        """How often each row counts in one draw, shape (n,)."""
        ...


@dataclass(frozen=True)
class SingleRows:
    """Each row is independent of all others (Efron 1979)."""

    n: int

    @property
    def method(self) -> str:
        return "rows"

    @property
    def units(self) -> Units:
        return np.arange(self.n)

    def draw(self, generator: np.random.Generator) -> Weights:
        return _counted(generator.integers(0, self.n, self.n), self.n)


@dataclass(frozen=True, eq=False)
class Strata:
    """Rows are drawn within their stratum, so that every draw has as many rows of each as the sample has."""

    strata: Units
    """The stratum of each row, shape (n,), counted from 0."""

    @property
    def method(self) -> str:
        return "stratified"

    @property
    def units(self) -> Units:
        return np.arange(len(self.strata))

    @cached_property
    def _members(self) -> list[Units]:
        order = np.argsort(self.strata, kind="stable")
        return np.split(order, np.cumsum(np.bincount(self.strata))[:-1])

    def draw(self, generator: np.random.Generator) -> Weights:
        weights = np.zeros(len(self.strata))
        for members in self._members:
            weights[members] = _counted(generator.integers(0, len(members), len(members)), len(members))
        return weights


@dataclass(frozen=True, eq=False)
class Groups:
    """Whole groups are drawn, since rows of one group (a patient, a customer) depend on each other."""

    groups: Units
    """The group of each row, shape (n,), counted from 0."""

    @property
    def method(self) -> str:
        return "groups"

    @property
    def units(self) -> Units:
        return self.groups

    def draw(self, generator: np.random.Generator) -> Weights:
        count = int(self.groups.max()) + 1
        return _counted(generator.integers(0, count, count), count)[self.groups]


@dataclass(frozen=True)
class Blocks:
    """Blocks of neighbouring rows of a series are drawn, its end joined to its start (Politis and Romano 1992)."""

    n: int
    length: int

    @property
    def method(self) -> str:
        return f"blocks of {self.length}"

    @property
    def units(self) -> Units:
        return np.arange(self.n) // self.length

    def draw(self, generator: np.random.Generator) -> Weights:
        """Blocks are drawn until they cover n rows; the last one is cut, so that every draw has n rows."""
        blocks = -(-self.n // self.length)
        starts = generator.integers(0, self.n, blocks)
        places = (starts[:, None] + np.arange(self.length)).ravel()[: self.n]
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
        if not 1 <= block <= n // 2:
            raise Malformed(f"a block of {block} rows does not fit {n} rows twice; give a length from 1 to {n // 2}")
        return Blocks(n, block)
    return SingleRows(n) if strata is None else Strata(_codes(strata, n, "stratum"))


def block_length(n: int) -> int:
    """The length of blocks where none is given: the cube root of the rows (Hall, Horowitz and Jing 1995)."""
    return max(1, min(round(n ** (1 / 3)), n // 2))


def as_given(values: npt.ArrayLike) -> npt.NDArray[Any]:
    """Values as an array that made no text of what is missing: numpy turns NaN beside texts into "nan"."""
    return np.asarray(values, dtype=None if isinstance(values, np.ndarray) else object)


def missing(array: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Which values of an array are None or NaN, shape (n,)."""
    return np.array([value is None or value != value for value in array.tolist()], bool)


def check_complete(array: npt.NDArray[Any], what: str) -> None:
    """Raise `Malformed` where a row has none of what each must have."""
    if missing(array).any():
        raise Malformed(f"a row has no {what}; name one for every row, or leave out the rows without")


def _codes(values: npt.ArrayLike, n: int, what: str) -> Units:
    array = as_given(values)
    if array.shape != (n,):
        raise Malformed(f"there are {n} rows, and values of shape {array.shape} for their {what}; give one a row")
    check_complete(array, what)
    return np.unique(array.astype(str) if array.dtype.kind == "O" else array, return_inverse=True)[1].astype(np.int64)


def _counted(places: Units, n: int) -> Weights:
    return np.bincount(places, minlength=n).astype(np.float64)
