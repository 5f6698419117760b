"""Whatever is shown fits the screen that it is shown on, and all of it is there."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import termios
from collections import Counter
from html.parser import HTMLParser
from io import StringIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ipykernel.iostream import OutStream
from rich.cells import cell_len

from lepton_ai.results.description import Grid, grid, text
from lepton_ai.results.layout import fitted, folds, width
from lepton_ai.results.render import html, plain_text, screen, terminal

from ..examples import examples

WIDTHS = st.integers(20, 200)
WORDS = st.text(st.sampled_from("ab .-/全量数据é\u0301한👩\u200d🔬हि\n\x1b")) | st.text(max_size=90)
HEADS = st.lists(st.text("abc全_", min_size=1, max_size=24), min_size=1, max_size=14)


@st.composite
def grids(draw: st.DrawFn) -> Grid:
    """Any cells, with a head or without, some of the columns at the right."""
    head = draw(HEADS)
    rows = draw(st.lists(st.lists(WORDS, max_size=len(head) + 1), max_size=6))
    right = draw(st.sets(st.integers(0, len(head) - 1)))
    return grid(rows, head=head if draw(st.booleans()) else (), right=right, indent=draw(st.sampled_from((0, 2))))


@st.composite
def lettered(draw: st.DrawFn) -> Grid:
    """Rows whose cells are each of a character of its own: wide or narrow, in words and without."""
    columns, rows = draw(st.integers(2, 8)), 5
    shapes = st.lists(st.integers(1, 30), min_size=1, max_size=6)

    def cell(place: int) -> str:
        letter = chr((0x100 if draw(st.booleans()) else 0x4E00) + place)
        return " ".join(letter * long for long in draw(shapes))

    right = draw(st.sets(st.integers(0, columns - 1)))
    head = draw(st.sampled_from(((), ["-"] * columns)))
    return grid([[cell(row * columns + at) for at in range(columns)] for row in range(rows)], head=head, right=right)


@given(grids(), WIDTHS)
def test_no_line_is_wider_than_the_screen(rows: Grid, room: int) -> None:
    for line in plain_text([rows], room).split("\n"):
        assert width(line) <= room


@given(WORDS, WIDTHS)
def test_no_line_of_words_is_wider_and_no_word_is_lost(words: str, room: int) -> None:
    lines = plain_text([words], room).split("\n")

    assert all(width(line) <= room for line in lines)
    assert "".join(lines).replace(" ", "") == plain_text([words]).replace(" ", "")


@settings(max_examples=examples(40))
@given(lettered(), WIDTHS)
def test_every_cell_is_there_and_the_first_column_in_each_block(rows: Grid, room: int) -> None:
    counts = Counter(plain_text([rows], room))

    blocks = {counts[row[0][0]] / str(row[0]).count(str(row[0])[0]) for row in rows.rows if isinstance(row[0], str)}
    assert len(blocks) == 1
    assert min(blocks) >= 1
    assert rows.head or blocks == {1}
    for row in rows.rows:
        for cell in map(str, row[1:]):
            assert counts[cell[0]] == cell.count(cell[0])


@given(st.lists(st.lists(WORDS, min_size=2, max_size=2), min_size=2, max_size=20), WIDTHS)
def test_no_column_is_squeezed_to_a_few_letters(columns: list[list[str]], room: int) -> None:
    for block in fitted(columns, room, frozenset()):
        assert block.places[0] == 0
        assert sum(block.widths) + 2 * (len(block.widths) - 1) <= room
        for place, wide in zip(block.places, block.widths, strict=True):
            assert wide >= min(max(map(width, columns[place])), 20, room // 2 - 2)


@given(WORDS, st.integers(4, 60))
def test_lines_are_broken_at_spaces_or_between_characters(words: str, room: int) -> None:
    lines = folds(words, room)

    assert all(width(words[begin:end]) <= room for begin, end in lines)
    assert "".join(words[begin:end] for begin, end in lines).replace(" ", "") == words.replace(" ", "")


def test_what_is_taken_for_narrow_or_wide_is_so() -> None:
    for character in map(chr, (*range(0x20, 0x3100), *range(0x4E00, 0xA000), *range(0xFF00, 0x10000))):
        assert width(character) == cell_len(character)


def test_few_rows_of_many_columns_are_a_list_of_names_and_values() -> None:
    rows = grid([(f"{at}" * 9 for at in range(1, 9))], head=[f"column_{at}" for at in range(1, 9)])

    assert plain_text([rows], 60).split("\n") == [f"column_{at}  {str(at) * 9}" for at in range(1, 9)]
    assert len(plain_text([rows]).split("\n")) == 2


def test_a_wide_table_of_many_rows_stands_in_blocks_each_with_its_first_column() -> None:
    rows = grid([(f"row{row}", *("7" * 18 for _ in range(4))) for row in range(5)], head=("name", *"abcd"))

    blocks = plain_text([rows], 50).split("\n\n")

    assert [block.split("\n")[0].split() for block in blocks] == [["name", "a", "b"], ["name", "c", "d"]]
    assert all([line.split()[0] for line in block.split("\n")[1:]] == [f"row{n}" for n in range(5)] for block in blocks)


def test_rows_without_a_head_stay_together() -> None:
    rows = grid([("12", "2026-11-29 00:52Z", "ada", "a message of words"), ("7", "2026-11-29 00:51Z", "bob", "")])

    assert plain_text([rows], 28).split("\n") == [
        "12  2026-11-29 00:52Z  ada",
        "    a message of words",
        "7   2026-11-29 00:51Z  bob",
    ]


def test_styles_go_on_over_the_lines_of_a_cell() -> None:
    lines = list(terminal([grid([("a", text("one two three four five", style="red"))])], 20))

    assert lines == ["a  \x1b[31mone two three\x1b[0m", "   \x1b[31mfour five\x1b[0m"]


class Page(HTMLParser):
    """What a page says, which tags it has, and that each is closed in its turn."""

    def __init__(self, content: str) -> None:
        super().__init__()
        self.open, self.tags, self.words = list[str](), Counter[str](), list[str]()
        self.scopes: list[str | None] = []
        self.feed(content)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open.append(tag)
        self.tags[tag] += 1
        self.scopes += [dict(attrs).get("scope")] if tag == "th" else []

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += [] if self.open and self.open[-1] == "style" else [data]


@given(grids())
def test_a_page_holds_every_cell_escaped_and_needs_no_script(rows: Grid) -> None:
    page = Page(html([rows]))

    shown = Counter("".join(page.words))
    assert page.open == []
    assert set(page.tags) <= {"div", "style", "table", "thead", "tbody", "tr", "th", "td", "span"}
    assert set(page.scopes) <= {"col", "row"}
    assert Counter("".join(plain_text([cell]) for row in rows.rows for cell in row)) <= shown


def test_columns_says_how_wide_it_is_also_where_nobody_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "44")
    assert screen() == 44
    monkeypatch.setenv("COLUMNS", "wide")
    assert screen(StringIO()) is None


def test_a_terminal_says_how_wide_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 33))

    with os.fdopen(theirs, "w") as stream:
        assert screen(stream) == 33
    os.close(ours)


def test_what_a_notebook_prints_is_folded_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)

    stream = type("OutStream", (StringIO,), {"__module__": OutStream.__module__})()

    assert screen(stream) == 100


def test_what_is_piped_has_a_row_a_line() -> None:
    code = (
        "from lepton_ai.results.description import grid; from lepton_ai.results.answer import WholeAnswer;"
        "print(WholeAnswer([grid([['a' * 90] * 9] * 3)]))"
    )
    environment = {name: value for name, value in os.environ.items() if name != "COLUMNS"}

    piped = subprocess.run((sys.executable, "-c", code), env=environment, capture_output=True, text=True, check=True)

    assert piped.stdout.count("\n") == 3
