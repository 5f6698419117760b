"""One language at a time: a ledger's whole life in Chinese and in English, and no word of the one in the other."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import numpy as np
import pytest

from lepton_ai import ModelManager
from lepton_ai.results.chinese import CHINESE
from lepton_ai.results.words import of_locale

from ..cli_home import Cli
from ..cli_home import cli as cli
from ..cli_home import made as made

ROOT = Path(__file__).parents[2]
LIFE = (
    "log", "log --graph", "show 4", "show 5", "diff 1 2", "compare 1 2 4",
    "compare 1 2 4 --data loans.csv --label default --metric accuracy",
    "pick 1 2 4 --by f1,size --require 'size > 1' --data loans.csv --label default", "branch", "tag", "alias", "models",
    "library", "library credit-scoring-model", "library table-model", "library text-model",
    "metric", "branch hotfix 2", "tag v3 3", "alias staging 4", "branch -d hotfix", "tag -d v3", "alias -d staging",
    "annotate 4 seen=true", "describe 4 good", "archive", "unarchive", "metric define credit fid --better lower",
    "gate 4 --require 'f1 > 0' --require 'f1 > parent.f1 - 1'",
    "alias protect production --require 'f1 > 0'", "alias", "alias unprotect production",
    "rollback 4 --dry-run", "rollback 4 --yes --move-alias production", "rollback 4 --yes",
    "merge risk --strategy ours", "suggest", "evaluate 4 loans.csv --label default", "report 4", "card 4",
    "find 'metric.f1 > 0'", "find 'metric.f1 > 5'", "jobs", "runs",
    "train credit-scoring-model loans.csv --label default --set epochs=2 --set members=1 --name credit",
    "train credit-scoring-model loans.csv --label default --name credit --pool night --detach",
    "predict 4 loans.csv -o told.csv", "checkout 4 out", "save out", "export 4 -o out.safetensors",
    "clear 6 --reason x", "sql 'from branches limit 0'", "sql 'from branches' --format csv -o b.csv",
    "snapshot views.duckdb", "rebuild", "verify", "fsck", "status",
    "sign-head --make-key ledger.key", "sign-head --key ledger.key -o head", "prove production -o p.json",
    "prove --since head -o p.json", "verify p.json", "verify --against head", "sync", "kept",
    "upgrade --dry-run", "init",
    "rejected", "suite", "suite show trial", "suite run trial 4", "suite retire trial",
    "suite define weekly --data quarter --require 'f1 > 0' --against production --model credit --draws 0",
    "suite define weekly --data quarter --require 'f1 > 0' --against production --model credit --draws 0",
)  # fmt: skip
WRITTEN = ("first fit", "lower dropout", "faster steps", "take the faster steps in", "slow steps", "careful retry",
           "worse in production", "good enough", "全量数据重新训练", "out of fold")  # fmt: skip
"""What people wrote, and what was recorded, in whatever language."""
SENTENCE = re.compile(r"\b(?!lepton\b)[a-z]{2,} [a-z]{2,} [a-z]{2,}\b", re.IGNORECASE)
CHINESE_WORD = re.compile(r"[\u4e00-\u9fff，。；：（）]")


def told(cli: Cli, language: str) -> list[tuple[str, str]]:
    """What each command prints, without what people wrote and what is to be typed."""
    life: list[tuple[str, str]] = []
    for line in LIFE:
        ended = cli(line, LEPTON_LANG=language)
        assert ended.code == 0, (line, ended.err)
        words = re.sub(r"`[^`]*`|'[^']*'", "", ended.out)
        for written in WRITTEN:
            words = words.replace(written, "")
        life.append((line, words))
    return life


def test_english_output_has_no_chinese_in_it(cli: Cli) -> None:
    assert [(line, words) for line, words in told(cli, "en") if CHINESE_WORD.search(words)] == []


def test_chinese_output_has_no_english_sentence_in_it(cli: Cli) -> None:
    life = dict(told(cli, "zh"))

    assert [(line, found[0]) for line, words in life.items() if (found := SENTENCE.search(words))] == []
    silent = {line for line, words in life.items() if not CHINESE_WORD.search(words)}
    assert silent <= {"alias", "branch", "sql 'from branches limit 0'", "metric"}, "these say nothing in Chinese"
    assert "别名 production 已移动" in life["log"]
    assert "分支 risk" in life["log"] or "新建分支 risk" in life["log"]


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({}, "en"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "LANGUAGE": "en"}, "en"),
        ({"LANG": "en_GB.UTF-8", "LANGUAGE": "zh"}, "zh"),
        ({"LC_ALL": "zh_TW.UTF-8", "LANG": "de_DE"}, "zh"),
    ],
)
def test_where_nothing_is_said_the_locale_decides(environment: dict[str, str], language: str, tmp_path: Path) -> None:
    unset = dict.fromkeys(("LEPTON_LANG", "LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"))
    with ModelManager(tmp_path / "home") as manager:
        manager.save_version({"w": np.ones(1)}, name="net")

    shown = Cli(tmp_path / "home")("tag v1 main", **(unset | environment)).out

    assert of_locale(environment) == language
    assert shown == ("标签 v1 指向 net 的版本 1\n" if language == "zh" else "tag v1 bound to version 1 of net\n")


def test_every_sentence_that_is_said_has_its_chinese() -> None:
    said = {
        (path.name, argument.value)
        for room in ("cli", "results", "jobs", "versions")
        for path in (ROOT / room).rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in ("say", "word")
        for argument in call.args[:1]
        if isinstance(argument, ast.Constant)
    }

    assert [sentence for sentence in said if sentence[1] not in CHINESE] == []
    parts = re.compile(r"\{(\w+)\}")
    assert [
        english for english, chinese in CHINESE.items() if {*parts.findall(english)} != {*parts.findall(chinese)}
    ] == []
