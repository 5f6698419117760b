"""Answers of queries show their readers names and words, and say so where nobody can read them any more."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from lepton_ai import ModelManager
from lepton_ai.projections.schema import schema

from ..cli_home import Cli

WORDS = 'why "so", she said\n'
VIEWS = [view.name for view in schema().views]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("unsealed")
    with ModelManager(home, actor="ada") as manager:
        for number in (1.0, 2.0):
            manager.save_version({"w": np.full(1, number)}, name="net", message=WORDS, annotations={"n": number})
        manager.alias("production", "net@2", reason=WORDS)
        manager.tag("v1", "net@1")
        manager.describe("net", WORDS)
        manager.describe("net@1", WORDS)
        with suppress(ValueError), manager.run("net") as run:
            run.log({"loss": 1.0})
            raise ValueError("lost " + WORDS)
    with ModelManager(home, actor="bob") as manager:
        manager.rollback("net@1", move_aliases=["production"], reason="bob's reason")
    return home


@pytest.mark.parametrize("view", VIEWS)
def test_no_view_shows_a_sealed_text_or_a_pseudonym(view: str, home: Path) -> None:
    with ModelManager(home) as manager:
        pseudonyms = set(manager.sql("SELECT actor FROM events", opened=False)["actor"].to_pylist())
        stored = manager.sql(f"FROM {view}", opened=False)
        shown = manager.sql(f"FROM {view}")

    assert shown.schema == stored.schema
    assert shown.num_rows == stored.num_rows
    assert "sealed:v1:" not in str(shown.to_pylist())
    assert not [each for each in pseudonyms if each in str(shown.to_pylist())]
    for name in {"actor"} & set(shown.column_names):
        assert set(shown[name].to_pylist()) <= {"ada", "bob", "lepton"}


def test_lists_structs_and_json_are_opened_too(home: Path) -> None:
    query = """
        SELECT list(reason ORDER BY seq) AS reasons, {'who': first(actor), 'why': first(reason)} AS one,
            to_json({'why': max(reason), 'n': 1})::VARCHAR AS object, map(['k'], [first(reason)]) AS named
        FROM rollbacks WHERE kind = 'branch'
    """
    with ModelManager(home) as manager:
        (row,) = manager.sql(query).to_pylist()

    assert row["reasons"] == ["bob's reason"]
    assert row["one"] == {"who": "bob", "why": "bob's reason"}
    assert json.loads(row["object"]) == {"why": "bob's reason", "n": 1}
    assert row["named"] == [("k", "bob's reason")]


def test_the_command_line_opens_what_it_shows_and_seals_it_where_it_is_told(home: Path) -> None:
    cli, query = Cli(home), "sql 'SELECT * FROM production_history'"

    assert "bob    bob's reason" in cli(query).out
    assert "bob's reason" in cli(f"{query} --format csv").out
    assert cli(f"{query} --json").json["rows"][0]["actor"] == "ada"
    assert "sealed:v1:" in cli(f"{query} --sealed").out
    assert "bob" not in cli(f"{query} --sealed").out


def test_what_was_forgotten_shows_as_forgotten(tmp_path: Path) -> None:
    for name in ("ada", "bob"):
        with ModelManager(tmp_path, actor=name) as manager:
            manager.save_version({"w": np.full(1, len(name))}, name=name, message=f"{name} speaks")
    with ModelManager(tmp_path, actor="carol") as manager:
        manager.forget_actor("bob")
        rows = manager.sql("SELECT actor, message, digest FROM versions ORDER BY seq").to_pylist()

    assert [(row["actor"], row["message"]) for row in rows] == [
        ("ada", "ada speaks"),
        ("[forgotten]", "[forgotten]"),
    ]


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("SELECT union_value(a := 'x') AS u", "x"),
        ("SELECT {'a': 'x', 't': TIMESTAMP 'infinity'} AS s", None),
        ("SELECT {'a': 'x', 'n': 170141183460469231731687303715884105727::HUGEINT} AS s", None),
        ("SELECT 'sealed:v1:' || repeat('A', 60) AS looks_so", "sealed:v1:" + "A" * 60),
        ("SELECT '[' || message || ']' AS m FROM versions", '[a "word"]'),
        ("SELECT message || message AS m FROM versions", 'a "word"a "word"'),
        ("SELECT value FROM annotations", "sealed:v1:" + "A" * 60),
    ],
)
def test_what_is_not_sealed_or_cannot_be_rebuilt_stays_as_it_is(tmp_path: Path, query: str, shown: str | None) -> None:
    with ModelManager(tmp_path / "home") as manager:
        notes = {"a": "sealed:v1:" + "A" * 60}
        manager.save_version({"w": np.ones(2)}, name="net", message='a "word"', annotations=notes)

        answer = manager.sql(query)

        assert answer.num_rows == 1
        if shown is not None:
            assert answer.column(0).to_pylist() == [shown]
