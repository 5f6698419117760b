"""Reports and model cards on the command line: shown, written whole, or refused before any work is done."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

from ..cli_home import Cli
from ..cli_home import cli as cli
from ..cli_home import made as made

EVALUATE = "evaluate 4 loans.csv --label default --name holdout --draws 30 --cost FN=5 --slice kind"


@pytest.fixture(scope="module")
def kept(made: Path) -> Path:
    """The folder with that version judged, once a module."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(made)
        ended = Cli(made / "home")(f"{EVALUATE} --html at-once.html --json")
    assert ended.code == 0, ended.err
    assert ended.json["files"] == ["at-once.html"]
    return made


@pytest.fixture
def judged(kept: Path, cli: Cli) -> Cli:
    return cli


def test_a_report_is_shown_and_written_to_files(judged: Cli) -> None:
    shown = judged("report 4")
    written = judged("report 4 --name holdout --html r.html --markdown r.md --plot roc.svg --chart roc")
    answer = judged("report 4 --plot all.png --json").json

    assert "95% interval" in Path("r.html").read_text()
    assert Path("r.html").read_text() == Path("at-once.html").read_text()
    assert Path("r.md").read_text().startswith("## credit@4, holdout\n")
    assert "120 rows, blake3:" in Path("r.md").read_text()
    assert "ROC curve" in Path("roc.svg").read_text()
    assert written.out == "r.html, r.md, roc.svg written\n"
    assert "bootstrap over single rows, 30 draws" in shown.out
    assert answer["report"]["costs"]["costs"]
    assert answer["files"] == ["all.png"]
    assert "每行最低成本" in judged("report 4", LEPTON_LANG="zh").out


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("--html r.pdf", "end it in .html"),
        ("--markdown r.html", "end it in .md"),
        ("--plot r.gif", "end it in .svg, .png"),
        ("--plot nowhere/r.svg", "cannot be written"),
        ("--html taken.html", "--force replaces it"),
        ("--chart roc", "name a file"),
        ("--name noon", "no report of an evaluation called 'noon'; it has 'holdout'"),
        ("--plot r.svg --chart residuals", "it has roc, precision_recall"),
    ],
)
def test_what_cannot_be_written_is_one_sentence_and_leaves_nothing(judged: Cli, options: str, words: str) -> None:
    Path("taken.html").write_text("mine")
    before = {path.name for path in Path().iterdir()}

    refused = judged(f"report 4 {options}")

    assert refused.code in (1, 2)
    assert words in refused.err
    assert refused.err.count("\n") == 1
    assert {path.name for path in Path().iterdir()} == before
    assert Path("taken.html").read_text() == "mine"
    assert judged("report 4 --html taken.html --force").code == 0


def test_nothing_is_judged_where_the_report_could_not_be_written(cli: Cli) -> None:
    before = cli.end()

    assert "end it in .html" in cli(f"{EVALUATE} --html r.txt").err
    assert "leave --detach out" in cli(f"{EVALUATE} --html r.html --detach").err
    assert cli.end() == before


def test_nothing_is_judged_where_nothing_draws_charts(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    before = cli.end()
    monkeypatch.setitem(sys.modules, "altair", None)

    refused = cli(f"{EVALUATE} --html r.html")

    assert (refused.code, refused.err) == (3, "lepton: charts need Altair; install lepton-ai-sdk[plot]\n")
    assert cli.end() == before


def test_a_version_that_nobody_judged_has_no_report(cli: Cli) -> None:
    assert "version 2 of credit has no report" in cli("report 2").err


@pytest.mark.parametrize(("language", "heading"), [("en", "## Evaluation"), ("zh", "## 评估")])
def test_a_card_is_written_in_either_language(judged: Cli, language: str, heading: str) -> None:
    judged("annotate 4 intended_use='scoring of loans'")

    printed = judged("card 4", LEPTON_LANG=language).out
    assert judged("card 4 -o README.md", LEPTON_LANG=language).code == 0

    assert heading in printed
    assert "scoring of loans" in printed
    assert Path("README.md").read_text() == printed
    assert json.loads(judged("card 4 --json").out)["metadata"]["model-index"][0]["name"] == "credit@4"
    assert "--force replaces it" in judged("card 4 -o README.md").err
    results = judged("card 4 --json", LEPTON_LANG=language).json["metadata"]["model-index"][0]["results"]
    assert {each["dataset"]["type"] for each in results} == {"validation", "holdout"}
    if language == "zh":
        words = re.sub(r"`[^`]*`|^---.*?^---|^```.*?^```|scoring of loans|out of fold", "", printed, flags=re.M | re.S)
        assert re.findall(r"[a-z]{2,} [a-z]{2,} [a-z]{2,}", words) == []
