"""The drawn history: every line that leaves a version arrives at its parents, read back from the text alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from lepton_ai.results.past.graph import draw

from ..examples import examples

History = list[tuple[int, tuple[int, ...]]]


@st.composite
def histories(draw_from: st.DrawFn) -> History:
    """Versions newest first, each with up to four parents among the older ones."""
    size = draw_from(st.integers(0, 14))
    return [
        (node, tuple(draw_from(st.lists(st.integers(1, node - 1), max_size=4, unique=True)) if node > 1 else ()))
        for node in range(size, 0, -1)
    ]


class Reader:
    """Follows the strokes of a drawing downwards."""

    def __init__(self, lines: Sequence[str], stars: dict[int, int]) -> None:
        self.lines = lines
        self.stars = stars
        """Line to version."""

    def at(self, row: int, place: int) -> str:
        line = self.lines[row] if 0 <= row < len(self.lines) else ""
        return line[place] if 0 <= place < len(line) else " "

    def parents(self, row: int) -> set[int]:
        place = self.lines[row].index("*")
        return set(self._from(row, place, "|"))

    def _from(self, row: int, place: int, came: str) -> Iterator[int]:
        """The versions reached from the foot of `row` at `place`, having come by a stroke of that kind."""
        straight, left, right = self.at(row + 1, place), self.at(row + 1, place - 1), self.at(row + 1, place + 1)
        crossed_left = self.at(row, place + 1) in "/_" if came == "|" else True
        crossed_right = self.at(row, place - 1) in "\\_" if came == "|" else True
        if came == "/" and self.at(row, place - 1) == "_":
            yield from self._from(row, place - 2, "/")
        elif came == "\\" and self.at(row, place + 1) == "_":
            yield from self._from(row, place + 2, "\\")
        elif came == "/" and left == "/":
            yield from self._from(row + 1, place - 2, "/")
        elif came == "\\" and right == "\\":
            yield from self._from(row + 1, place + 2, "\\")
        elif straight == "*":
            yield self.stars[row + 1]
        else:
            if straight == "|":
                yield from self._from(row + 1, place, "|")
            if left == "/" and (straight != "|" or (came == "|" and not crossed_left)):
                yield from self._from(row + 1, place - 2, "/")
            if right == "\\" and (straight != "|" or (came == "|" and not crossed_right)):
                yield from self._from(row + 1, place + 2, "\\")


def read_back(history: History) -> History:
    lines, stars = [], {}
    for row in draw(history):
        stars[len(lines)] = row.node
        lines += [row.line, *row.below]
    reader = Reader(lines, stars)
    return [(node, tuple(sorted(reader.parents(line)))) for line, node in stars.items()]


@settings(max_examples=examples(500), deadline=None)
@given(histories())
def test_a_drawing_says_who_comes_from_whom_and_nothing_else(history: History) -> None:
    assert read_back(history) == [(node, tuple(sorted(parents))) for node, parents in history]


def drawn(history: History) -> str:
    return "\n".join(line for row in draw(history) for line in (f"{row.line} {row.node}", *row.below))


def test_a_line_of_descent_is_a_column() -> None:
    assert drawn([(3, (2,)), (2, (1,)), (1, ())]) == "* 3\n* 2\n* 1"


def test_a_merge_opens_a_column_and_a_fork_closes_it() -> None:
    history: History = [(5, (4, 3)), (4, (2,)), (3, (2,)), (2, (1,)), (1, ())]

    assert drawn(history) == "* 5\n|\\\n* | 4\n| * 3\n|/\n* 2\n* 1"


def test_a_merge_of_what_stands_beside_it_joins_it() -> None:
    history: History = [(6, (4,)), (5, (3, 4)), (4, (2,)), (3, (1,)), (2, (1,)), (1, ())]

    assert drawn(history) == "* 6\n| * 5\n|/|\n* | 4\n| * 3\n* | 2\n|/\n* 1"


def test_a_line_crosses_the_others_on_its_way() -> None:
    history: History = [(6, (1,)), (5, (2,)), (4, (3,)), (9, (1,)), (3, ()), (2, ()), (1, ())]

    assert drawn(history).splitlines()[:6] == ["* 6", "| * 5", "| | * 4", "| | | * 9", "| |_|/", "|/| |"]


def test_a_parent_that_never_comes_is_a_line_to_the_end() -> None:
    rows = list(draw([(3, (2,)), (9, (8,))]))

    assert [row.line for row in rows] == ["*", "| *"]
    assert rows[-1].rails == "| |"
