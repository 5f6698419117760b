"""What others wrote steers nothing: not a terminal, not a page, not a log."""

from __future__ import annotations

import json
import logging
import re
from io import StringIO
from pathlib import Path

import numpy as np
import pytest

from lepton_ai import ModelManager, Refused
from lepton_ai.cli.work.observing import JsonLines
from lepton_ai.escapes import LOGGERS, Lines, escaped_json
from lepton_ai.results.figures import encoded

from .cli_home import Cli

ROOT = Path(__file__).parents[1]
FORGED = "ok\x1b[1A\x1b[2K9  boss  approved\r\n9  boss\u202e \x9b2J"
"""A message that would draw over the line above it."""
STEERING = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]")
CALLS = (
    "log", "log --graph", "log --json", "show", "show --json", "models", "models --json", "diff 1 2", "diff 1 2 --json",
    "events", "events --json", "sql 'from versions'", "sql 'from annotations' --json", "sql 'from hyperparameters'",
    "runs --json", "rollback 1 --dry-run", "suggest", "find 'metric.f1 > 0'", "annotate main a=\x1b[2J",
    "describe main \x1b[2J\u202e", "show \x1b[2J", "\x1b[2J", "rollback \x1b[2J\u202e --yes", "sql 'select \x1b[2J'",
    "sql \"select '\x1b[2J\u202e'\"", "sql \"select '\x9b' as x\"", "sql \"select '\x9b'\" --format json",
)  # fmt: skip


@pytest.fixture(scope="module")
def forged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("forged")
    with ModelManager(home, actor="mallory") as manager:
        for number in (1.0, 2.0):
            asked = {"hyperparameters": {"a": FORGED, "b": {FORGED: FORGED}}, "settings": {FORGED: number}}
            notes = {"ticket": FORGED}
            manager.save_version(
                {"w": np.full(1, number)},
                name="net",
                message=FORGED,
                metrics={"f1": number},
                annotations=notes,
                **asked,
            )
        manager.describe("net", FORGED)
        manager.describe("net@1", FORGED)
        with manager.run("net", hyperparameters={"lr": FORGED}) as run:
            run.log({"loss\u202e": 1.0})
    return home


@pytest.mark.parametrize("line", CALLS, ids=ascii)
def test_no_answer_and_no_refusal_of_the_command_line_steers_a_terminal(line: str, forged: Path) -> None:
    ended = Cli(forged)(line)

    assert STEERING.findall(ended.out + ended.err) == []
    assert "\n9  boss" not in ended.out + ended.err
    if "--json" in line:
        json.loads(ended.out)


def test_json_says_the_same_in_escapes() -> None:
    for words in (FORGED, "\U000e0041\ufeff\u2028", "plain 全量"):
        assert json.loads(encoded({words: words})) == {words: words}
        assert STEERING.findall(encoded({words: words})) == []
    assert escaped_json('{"a": "全量"}\n') == '{"a": "全量"}\n'


def test_nothing_that_notebooks_show_steers_a_page(forged: Path) -> None:
    with ModelManager(forged) as manager:
        for answer in (manager.log(), manager.show("net@2"), manager.runs(), manager.about("net")):
            assert STEERING.findall(answer._repr_html_() + str(answer)) == []


def test_an_error_is_one_sentence_whatever_it_quotes(forged: Path) -> None:
    assert str(Refused(FORGED)) == "ok\\x1b[1A\\x1b[2K9  boss  approved\\r\\n9  boss\\u202e \\x9b2J"


@pytest.mark.parametrize("name", LOGGERS)
def test_what_is_logged_steers_nothing_and_forges_no_line(name: str) -> None:
    sink = StringIO()
    handlers = [logging.StreamHandler(sink), logging.StreamHandler(sink)]
    handlers[1].setFormatter(JsonLines())
    logger = logging.getLogger(name)
    for handler in handlers:
        logger.addHandler(handler)
    try:
        logger.error("%s is %d of %r: %s", FORGED, 3, Refused(FORGED), Lines("first\nsecond"))
        logger.error(f"read {FORGED[:5]}")
        logger.error("raised", exc_info=ValueError(FORGED))
    finally:
        for handler in handlers:
            logger.removeHandler(handler)

    assert STEERING.findall(sink.getvalue()) == []
    assert "approved\\r\\n9  boss\\u202e \\x9b2J is 3 of" in sink.getvalue()
    assert "first\nsecond" in sink.getvalue()


def test_every_logger_that_is_written_to_is_one_that_escapes() -> None:
    code = [path for path in ROOT.rglob("*.py") if not {"tests", ".venv", "bench"} & set(path.relative_to(ROOT).parts)]

    named = {name for path in code for name in re.findall(r"getLogger\(([^)]*)\)", path.read_text())}

    of_others = {'"aiokafka"', '"psycopg"', '"torch.distributed.elastic"'}  # whose level is set, no more
    assert named - {"name", "_name"} - {f'"{each}"' for each in LOGGERS} == of_others
