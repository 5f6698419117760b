"""The lanes of a tree of versions: interval colouring of the lines that lead from versions to their parents.

A line reaches from the row where it forks to the last commit on it, or to the merge that took it in. Two that share a
row have different lanes. The line of main as it stands has the first lane; what was committed on a branch and rolled
back is a line of its own. Versions are numbered as they were made, and a parent bears the smaller number.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right, insort
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import Final, NamedTuple

MAIN: Final = "main"
MOST: Final = 12
"""Lanes that are drawn."""


@dataclass
class Lineage:
    """What never changes of a model's versions, by number: at 0 stands nothing."""

    branches: list[str] = field(default_factory=lambda: [""])
    parents: list[tuple[int, ...]] = field(default_factory=lambda: [()])
    """Those of the same model, the first parent first."""
    seqs: array[int] = field(default_factory=lambda: array("q", [0]))
    """The events that committed them."""

    def __len__(self) -> int:
        """How many versions are known."""
        return len(self.branches) - 1

    def add(self, branch: str, parents: Iterable[int], seq: int) -> None:
        """The next version."""
        self.branches.append(branch)
        self.parents.append(tuple(parents))
        self.seqs.append(seq)

    def before(self, seq: int, count: int) -> int:
        """The newest of the first `count` versions that was committed before an event, 0 where none was."""
        return bisect_left(self.seqs, seq, 1, count + 1) - 1

    def ancestry(self, tips: Iterable[int], without: Iterable[int] = ()) -> list[int]:
        """Versions and all their ancestors but for some others and theirs, oldest first."""
        wanted, unwanted = set(tips), set(without)
        found: list[int] = []
        for number in range(max(wanted, default=0), 0, -1):
            if not wanted:
                break
            if number in unwanted:
                unwanted.update(self.parents[number])
            elif number in wanted:
                found.append(number)
                wanted.update(self.parents[number])
            wanted.discard(number)
        return found[::-1]


class Line(NamedTuple):
    """A line of the tree, from row to row: versions of one branch, or the way of a merged version to its merge."""

    start: int
    """The version it forks from; its own first where it forks from none."""
    first: int
    """Its own first version; the merge where it has none."""
    last: int
    """Its own last version; 0 where it has none."""
    end: int
    """The last row that it reaches."""


class Lanes:
    """The lines among some versions, each with its lane."""

    def __init__(self, lineage: Lineage, numbers: Sequence[int], heads: Mapping[str, int]) -> None:
        """`numbers` are the versions, oldest first, as a range from 1 where they are all; `heads` says where branches
        stand."""
        self.numbers = numbers
        self.lines: list[Line] = []
        self.lane: list[int] = []
        """By line."""
        self._lineage = lineage
        self._parents: Mapping[int, tuple[int, ...]] | Sequence[tuple[int, ...]] = (
            lineage.parents if isinstance(numbers, range) else _among(lineage, numbers)
        )
        self._next = _places(numbers)
        self._line_of = _places(numbers)
        self._merging: dict[tuple[int, int], int] = {}
        self._forks = defaultdict[int, list[int]](list)
        self._main = 0
        """The newest version of main as it stands."""
        self._lay(heads)
        self._colour()

    @property
    def size(self) -> int:
        """Bytes that it takes, about."""
        return len(self.numbers) * (8 if isinstance(self.numbers, range) else 400) + len(self.lines) * 400 + 1_000

    def parents(self, number: int) -> tuple[int, ...]:
        """A version's parents among these versions."""
        return self._parents[number]

    def child(self, number: int) -> int | None:
        """The version that came of one: the next of its line, else the first of a line that forks there, or a merge."""
        if self._next[number]:
            return self._next[number]
        if forks := self._forks.get(number):
            return self.lines[forks[0]].first
        line = self.lines[self._line_of[number]]
        return line.end if line.end > number else None

    def line_of(self, number: int) -> int:
        """The line that a version is on."""
        return self._line_of[number]

    def forks(self, number: int) -> Sequence[int]:
        """The lines that begin at a version."""
        return self._forks.get(number, ())

    def merges(self, number: int) -> Iterator[int]:
        """The lines that a merge took in."""
        for parent in list(dict.fromkeys(self._parents[number]))[1:]:
            yield self._merging[number, parent]

    def beside(self, number: int) -> Iterator[int]:
        """The lines in lanes that are drawn which pass the row of a version, its own too."""
        return self._reaching(bisect_left, number)

    def behind(self, number: int) -> Iterator[int]:
        """The lines in lanes that are drawn which pass between a version and the next."""
        return self._reaching(bisect_right, number)

    def hidden_beside(self, number: int) -> int:
        """How many lines in lanes that are not drawn touch the row of a version."""
        return bisect_right(self._starts, number) - bisect_left(self._ends, number)

    def hidden_behind(self, number: int) -> int:
        """How many lines in lanes that are not drawn pass between a version and the next."""
        return bisect_right(self._starts, number) - bisect_right(self._ends, number)

    def _reaching(self, counted: Callable[[Sequence[int], int], int], number: int) -> Iterator[int]:
        for starts, lines in self._drawn:
            place = counted(starts, number)
            if place and self.lines[lines[place - 1]].end > number:
                yield lines[place - 1]

    def _lay(self, heads: Mapping[str, int]) -> None:
        on_head, branches, parents, following = self._standing(heads), self._lineage.branches, self._parents, self._next
        line_of = self._line_of
        for number in self.numbers:
            if (of := parents[number]) and branches[of[0]] == branches[number]:
                other = following[of[0]]
                if not other or number in on_head or other not in on_head:
                    following[of[0]] = number
        firsts, starts, lasts, merges = list[int](), list[int](), list[int](), list[int]()
        for number in self.numbers:
            of = parents[number]
            if of and following[of[0]] == number:
                line = line_of[of[0]]
                lasts[line] = number
            else:
                line = len(firsts)
                firsts.append(number)
                lasts.append(number)
                starts.append(of[0] if of else number)
            line_of[number] = line
            if len(of) > 1:
                merges.append(number)
        self._join(merges, firsts, starts, lasts)
        for line, each in enumerate(self.lines):
            if each.start != each.first:
                self._forks[each.start].append(line)

    def _join(self, merges: list[int], firsts: list[int], starts: list[int], lasts: list[int]) -> None:
        """Lead what was merged to its merges: its own line goes on to there where nothing else is behind it."""
        ends, between = list(lasts), list[Line]()
        for number in merges:
            _, *others = dict.fromkeys(self._parents[number])
            for parent in others:
                line = self._line_of[parent]
                if lasts[line] == parent and line != self._line_of[number]:
                    ends[line] = number
                else:
                    line = len(firsts) + len(between)
                    between.append(Line(parent, number, 0, number))
                self._merging[number, parent] = line
        self.lines = [*map(Line, starts, firsts, lasts, ends), *between]

    def _standing(self, heads: Mapping[str, int]) -> set[int]:
        """The versions that lead to where their branch stands, each on that branch."""
        found, branches, parents = set[int](), self._lineage.branches, self._parents
        members = self.numbers if isinstance(parents, Sequence) else parents
        for branch, head in heads.items():
            number = head if head in members else 0
            while branch == MAIN and number and branches[number] != MAIN:
                number = _first(parents[number])
            if branch == MAIN:
                self._main = number
            while number and branches[number] == branch:
                found.add(number)
                number = _first(parents[number])
        return found

    def _colour(self) -> None:
        self.lane = [0] * len(self.lines)
        first = self._first_lane()
        busy, free, lanes = list[tuple[int, int]](), list[int](), 1
        drawn = defaultdict[int, list[int]](list)
        drawn[0] = first
        self._starts, self._ends = list[int](), list[int]()
        taken = set(first)
        for line in sorted(range(len(self.lines)), key=lambda line: self.lines[line].start):
            each = self.lines[line]
            if line in taken:
                continue
            while busy and busy[0][0] < each.start:
                heappush(free, heappop(busy)[1])
            if free:
                lane = heappop(free)
            else:
                lane, lanes = lanes, lanes + 1
            heappush(busy, (each.end, lane))
            self.lane[line] = lane
            if lane < MOST:
                drawn[lane].append(line)
            else:
                self._starts.append(each.start)
                self._ends.append(each.end)
        self._ends.sort()
        self._drawn = [([self.lines[line].start for line in lines], lines) for _, lines in sorted(drawn.items())]

    def _first_lane(self) -> list[int]:
        """The lines of the first lane: main as it stands, and what else was main where that has room."""
        mains = [
            line for line, each in enumerate(self.lines) if each.last and self._lineage.branches[each.last] == MAIN
        ]
        mains.sort(key=lambda line: self.lines[line].last, reverse=True)
        if self._main:
            own = self._line_of[self._main]
            mains.remove(own)
            mains.insert(0, own)
        taken: list[tuple[int, int, int]] = []
        for line in mains:
            each = self.lines[line]
            place = bisect_right(taken, (each.end, len(self.lines), 0))
            if not place or taken[place - 1][1] < each.start:
                insort(taken, (each.start, each.end, line))
        return [line for _, _, line in taken]


def _places(numbers: Sequence[int]) -> array[int] | dict[int, int]:
    """A number for each version, 0 at first: no more of them than there are versions."""
    return array("i", bytes(4 * (len(numbers) + 1))) if isinstance(numbers, range) else dict.fromkeys(numbers, 0)


def _first(parents: tuple[int, ...]) -> int:
    return parents[0] if parents else 0


def _among(lineage: Lineage, numbers: Sequence[int]) -> Mapping[int, tuple[int, ...]]:
    members = set(numbers)
    return {number: tuple(filter(members.__contains__, lineage.parents[number])) for number in numbers}
