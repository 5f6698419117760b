"""The choice of one of several versions: of equals the smallest and oldest; by several figures the Pareto front."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from .metric import Better, better_when, goodness

RESOURCES: Final = ("size", "parameters")
"""What a version takes, known of all of them: bytes and elements of its tensors."""

Column = Mapping[int, float]
"""A figure by version."""


def direction(name: str, defined: Mapping[str, Better]) -> Better:
    """Which way a figure is better; what a version takes is better the less it is."""
    return "lower" if name in RESOURCES else better_when(name, defined)


def ordered(column: Column, better: Better) -> list[int]:
    """The versions from the best to the worst, of equals the oldest first."""
    return sorted(column, key=lambda number: (*_bad(column[number], better), number))


def smallest(numbers: Iterable[int], sizes: Column) -> int:
    """Of versions that are equally good the one of the fewest bytes, of those the oldest."""
    return min(numbers, key=lambda number: (sizes[number], number))


def front(columns: Sequence[tuple[Column, Better]], numbers: Iterable[int]) -> list[int]:
    """The versions that no other one beats: as good by every figure and better by one (Pareto)."""
    known = list(numbers)
    return [one for one in known if not any(_beats(other, one, columns) for other in known if other != one)]


def _beats(one: int, other: int, columns: Sequence[tuple[Column, Better]]) -> bool:
    sides = [(goodness(column[one], better), goodness(column[other], better)) for column, better in columns]
    return all(own >= theirs for own, theirs in sides) and any(own > theirs for own, theirs in sides)


def _bad(figure: float, better: Better) -> tuple[bool, float]:
    known, good = goodness(figure, better)
    return not known, -good
