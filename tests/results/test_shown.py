"""An answer is described once: the terminal, `str` and a notebook show the same of it."""

from __future__ import annotations

import pytest

from lepton_ai import ModelManager
from lepton_ai.results.description import grid, joined, section, text, title
from lepton_ai.results.render import html, plain_text, terminal, width

from ..cli_home import Cli
from ..cli_home import cli as cli
from ..cli_home import made as made


def test_an_answer_prints_as_its_command_shows_it(cli: Cli) -> None:
    with ModelManager(cli.home, actor="ada") as manager:
        answers = {
            "log": manager.log(),
            "show 4": manager.show("credit@4"),
            "diff 1 2": manager.diff("credit@1", "credit@2"),
            "compare 1 2": manager.compare("credit@1", "credit@2"),
            "suggest": manager.suggest_rollback(),
            "rollback 2 --dry-run": manager.rollback("credit@2", dry_run=True),
            "rollback --alias production --dry-run": manager.rollback(model="credit", alias="production", dry_run=True),
            "find 'metric.f1 > 0'": manager.find("metric.f1 > 0"),
            "branch": manager.branches(),
            "tag": manager.tags(),
            "alias": manager.aliases(),
            "jobs": manager.jobs.recent(),
            "runs": manager.runs(most=20),
            "kept": manager.kept(),
            "fsck": manager.fsck(),
            "verify": manager.verify(),
            "sync": manager.sync(),
            "upgrade --dry-run": manager.upgrade(dry_run=True),
        }

    assert {call: str(answer) + "\n" for call, answer in answers.items()} == {call: cli(call).out for call in answers}
    assert all(answer._repr_html_().startswith('<div class="lepton">') for answer in answers.values())


CALLS = (
    "log", "log --graph", "show 4", "show 4 --all", "diff 1 2", "diff 1 6 --all", "compare 1 2 4 6", "compare 1 --all",
    "suggest", "rollback 2 --dry-run", "find 'metric.f1 > 0'", "branch", "models", "jobs", "runs", "kept", "fsck",
    "verify", "status", "events", "upgrade --dry-run", "sql 'select * from versions'",
    "sql 'select * from events limit 3'",
)  # fmt: skip


@pytest.mark.parametrize("columns", ["20", "60"])
def test_no_answer_is_wider_than_the_screen(columns: str, cli: Cli) -> None:
    lines = [(call, line) for call in CALLS for line in cli(call, COLUMNS=columns).out.splitlines()]

    assert [(call, line) for call, line in lines if width(line) > int(columns)] == []


def test_in_a_pipe_a_row_is_a_line(cli: Cli) -> None:
    assert len(cli("sql 'select * from versions'").out.splitlines()) == 1 + 7


def test_a_long_cell_is_cut_with_a_mark_and_says_where_all_of_it_is(cli: Cli) -> None:
    query = "select version, repeat('x', 5000) as long, 'a\nb' as lines from versions limit 1"

    shown = cli(["sql", query]).out

    assert "x" * 1000 + " […]" in shown
    assert "x" * 1001 not in shown
    assert "--format csv shows all of it" in shown
    assert "a\\nb" in shown
    assert "x" * 5000 in cli(["sql", query, "--format", "csv"]).out


def test_few_rows_of_a_query_that_are_too_wide_are_names_and_values(cli: Cli) -> None:
    columns = ", ".join(f"{at} * 1111111 as column_{at}" for at in range(40))

    lines = cli(["sql", f"select {columns}"], COLUMNS="60").out.splitlines()

    assert [line.split() for line in lines] == [[f"column_{at}", str(at * 1111111)] for at in range(40)]


def test_a_list_of_answers_is_still_a_list(cli: Cli) -> None:
    with ModelManager(cli.home) as manager:
        assert manager.branches() == {"main": 7, "risk": 3}
        assert manager.find("metric.f1 > 2") == []
        assert manager.kept() == ()
        assert [run.model for run in manager.runs()] == ["credit"] * len(manager.runs())


def test_columns_align_under_wide_characters_styles_and_missing_cells() -> None:
    rows = grid([("全量", "1"), (title("b"), "22"), ("c",)], head=("name", "n"), right=(1,))

    lines = list(terminal([rows]))

    assert plain_text([rows]) == "name   n\n全量   1\nb     22\nc"
    assert lines[2] == "\x1b[1mb\x1b[0m     22"
    assert width("全量x") == 5


def test_words_that_others_wrote_steer_no_terminal_and_no_page() -> None:
    evil = "a\x1b[2Jb\n<script>"

    assert plain_text([evil]) == "a\\x1b[2Jb\\n<script>"
    assert plain_text([grid([(evil, "c")])]) == "a\\x1b[2Jb\\n<script>  c"
    assert "<script>" not in html([evil, grid([(evil, title(evil))], head=(evil, ""))])


def test_what_is_empty_takes_no_room() -> None:
    assert list(section("none", [])) == []
    assert plain_text(section("one", [("a", "b")])) == "\none\n  a  b"
    assert str(joined(", ", ("a", "", text(), title("b")))) == "a, b"


CODES = [
    "\x1b]0;x\x07", "\x9b31m", "\x9d0;x\x9c", "\x7f", "\r", "\n", "\t", "\u061c", "\u200b", "\u200e", "\u200f",
    "\u2028", "\u2029", "\u202a", "\u202e", "\u2066", "\u2069", "\ufeff", "\udc9b", "\U000e0041",
]  # fmt: skip


@pytest.mark.parametrize("code", CODES, ids=ascii)
def test_no_control_of_any_kind_reaches_a_terminal_or_a_page(code: str) -> None:
    blocks = [f"a{code}b", grid([(f"a{code}b", title(f"a{code}b"))], head=(f"a{code}b", ""))]

    for drawn in (plain_text(blocks), "\n".join(terminal(blocks)), html(blocks)):
        assert f"a{code}b" not in drawn
        assert drawn.count(f"a{code[0].encode('unicode_escape', 'surrogatepass').decode()}") == 4


def test_what_scripts_and_emoji_need_is_shown_as_it_is() -> None:
    words = ["हिन्दी", "می\u200cخواهم", "👩\u200d🔬", "ภาษาไทย", "a\u00a0b"]

    assert plain_text(words) == "\n".join(words)
