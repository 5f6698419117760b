"""Ancestry: which versions come from which, asked of a few versions however many there are.

A version's parents bear smaller numbers than it, so that numbers order a walk from versions to their ancestors. Each
version knows one far ancestor on its line of first parents (Myers, "An applicative random-access stack", Information
Processing Letters 17, 1983), so that a line of n versions is crossed in about 2 log2(n) jumps.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from .state import VersionState

Versions = Mapping[int, "VersionState"]


class Descent(NamedTuple):
    """A version's place on its line of first parents."""

    depth: int = 0
    """How many first parents lead from it to the line's first version."""
    jump: int = 0
    """A far ancestor on the line, 0 for the line's first version."""
    merges: int = 0
    """How many versions of the line up to it have more than one parent."""


def descent(versions: Versions, parents: tuple[int, ...]) -> Descent:
    """The place of a version with these parents."""
    merged = len(parents) > 1
    if not parents or (parent := versions.get(parents[0])) is None:
        return Descent(merges=merged)
    depth, jump, merges = parent.descent
    far = versions[jump].descent if jump else None
    leaps = far is not None and far.jump and depth - far.depth == far.depth - versions[far.jump].descent.depth
    return Descent(depth + 1, far.jump if far and leaps else parent.number, merges + merged)


def first_parents_ago(versions: Versions, number: int, n: int) -> int:
    """The version that n first parents lead to; n is at most the version's depth."""
    at = versions[number]
    depth = at.descent.depth - n
    while at.descent.depth > depth:
        far = versions[at.descent.jump]
        at = far if far.descent.depth >= depth else versions[at.parents[0]]
    return at.number


def comes_from(versions: Versions, numbers: Iterable[int], ancestor: int) -> bool:
    """Whether a version is one of these or an ancestor of one."""
    waiting = {number for number in numbers if number >= ancestor}
    queue = [-number for number in waiting]
    heapify(queue)
    while queue:
        if (number := -heappop(queue)) == ancestor:
            return True
        at = versions[number]
        jump = at.descent.jump
        # between a version and its far ancestor lie first parents only, where none of them is a merge
        straight = jump >= ancestor and jump and versions[jump].descent.merges == at.descent.merges
        for parent in (jump,) if straight else at.parents:
            if parent >= ancestor and parent not in waiting:
                waiting.add(parent)
                heappush(queue, -parent)
    return False


def below(versions: Versions, numbers: Iterable[int], first: int) -> set[int]:
    """The nearest of these versions and their ancestors that bear smaller numbers than `first`: all others that do
    come from them. Lines of first parents are jumped along, so that it costs what merges there are above."""
    queue = [-number for number in set(numbers)]
    known, nearest = set(queue), set[int]()
    heapify(queue)
    while queue:
        if (number := -heappop(queue)) < first:
            nearest.add(number)
            continue
        at = versions[number]
        jump = at.descent.jump
        straight = jump >= first and jump and versions[jump].descent.merges == at.descent.merges
        for parent in (jump,) if straight else at.parents:
            if -parent not in known:
                known.add(-parent)
                heappush(queue, -parent)
    return nearest


def newest_first(versions: Versions, numbers: Iterable[int], without: Iterable[int] = ()) -> Iterator[int]:
    """These versions and their ancestors, each once, without some others and theirs: as far as the caller reads on."""
    colours = dict.fromkeys(numbers, True) | dict.fromkeys(without, False)
    queue = [-number for number in colours]
    heapify(queue)
    wanted = sum(colours.values())
    while wanted:
        number = -heappop(queue)
        taken = colours[number]
        wanted -= taken
        if taken:
            yield number
        for parent in versions[number].parents:
            known = colours.get(parent)
            if known is None:
                heappush(queue, -parent)
            if known is None or (known and not taken):
                colours[parent] = taken
                wanted += taken if known is None else -1
