"""Answers of queries show their readers names and words, and say so where nobody can read them any more."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress
from pathlib import Path

import numpy as np
import pytest

from lepton_ai import ModelManager, Refused, settings
from lepton_ai.errors import Malformed
from lepton_ai.projections.queries.child import answer
from lepton_ai.projections.schema import schema
from lepton_ai.wiring import Home

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
    assert not re.search(r"\bbob\b", cli(f"{query} --sealed").out)


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


# ── what is looked for by what it says ───────────────────────────────────────────────────────────────────────────────

LOOKED_FOR = {
    "SELECT version FROM versions WHERE opened(actor) = 'ada'": [1, 2],
    "SELECT version FROM versions WHERE opened(actor) = 'bob'": [],
    f"SELECT version FROM versions WHERE opened(message) = $${WORDS}$$": [1, 2],
    "SELECT count(*) FROM branch_moves WHERE Opened (reason) LIKE 'bob%'": [1],
    "SELECT version FROM versions WHERE opened(actor) = 'ada' AND version > 1": [2],
    "SELECT v.version FROM versions v JOIN runs r ON opened(v.actor) = opened(r.actor) ORDER BY 1": [1, 2],
    "SELECT count(DISTINCT opened(actor)) FROM events": [3],
    "SELECT count(*) FROM events WHERE opened(data) LIKE '%she said%'": [6],
    "SELECT count(*) FROM versions_at(1) WHERE opened(actor) = 'ada'": [0],
    "SELECT opened(NULL) IS NULL": [True],
    "SELECT opened(17) = '17' AND opened('') = '' AND opened('plain') = 'plain'": [True],
    "SELECT 'opened(actor)'": ["opened(actor)"],
}


@pytest.fixture(params=["here", "beside a projector"])
def asked(request: pytest.FixtureRequest, home: Path) -> Iterator[ModelManager]:
    with ExitStack() as stack:
        if request.param != "here":
            stack.enter_context(closing(other := Home(settings.load(home, actor="lepton"))))
            stack.enter_context(other.follower())
        yield stack.enter_context(ModelManager(home, actor="carol"))


def test_a_query_finds_what_is_sealed_by_what_it_says(asked: ModelManager) -> None:
    answers = {query: asked.sql(query).column(0).to_pylist() for query in LOOKED_FOR}

    assert answers == LOOKED_FOR
    assert asked.sql("SELECT count(*) AS n FROM versions WHERE opened(actor) = ?", ["ada"]).to_pylist() == [{"n": 2}]
    stored = asked.sql("SELECT actor FROM versions WHERE opened(actor) = 'ada'", opened=False)
    assert not re.search(r"\bada\b", str(stored.to_pylist())), "the answer shows what is stored, if that is asked for"


def test_find_and_runs_know_who_and_what_was_said(asked: ModelManager) -> None:
    assert asked.find("version.actor = 'ada' and note.n > 1") == [2]
    assert asked.find("actor = 'ada' and branch = 'main'") == [1, 2]
    quoted = WORDS.replace("'", "''")
    assert asked.find(f"version.message = '{quoted}' and version.description = '{quoted}'") == [1]
    assert asked.find("version.actor != 'bob'") == [1, 2]
    assert asked.find("version.actor = 'bob'") == []
    assert [run.status for run in asked.runs("net", actor="ada")] == ["failed"]
    assert not asked.runs(actor="bob")
    with pytest.raises(Malformed, match=r"no version is called 'acter'; did you mean actor\?"):
        asked.find("version.acter = 'ada'")


def test_the_command_line_finds_them_too(home: Path) -> None:
    cli = Cli(home)

    assert [each["version"] for each in cli("find \"version.actor = 'ada'\" --json").json["versions"]] == [1, 2]
    assert cli("runs --by ada --json").json["runs"][0]["model"] == "net"
    assert cli("runs --by bob --json").json["runs"] == []


def test_what_was_forgotten_matches_nothing_and_the_log_is_untouched(tmp_path: Path) -> None:
    for name in ("ada", "bob", "dan"):
        with ModelManager(tmp_path, actor=name) as manager:
            manager.save_version({"w": np.full(1, len(name))}, name=name, message=f"{name} speaks")
    with ModelManager(tmp_path, actor="carol") as manager:
        for name in ("bob", "dan"):
            manager.forget_actor(name)
        root = manager.verify().root

        def count(condition: str) -> int:
            return manager.sql(f"SELECT count(*) AS n FROM versions WHERE {condition}").to_pylist()[0]["n"]

        for words in ("'bob'", "'dan'", "'[forgotten]'"):
            assert count(f"opened(actor) = {words}") == 0
        assert count("opened(actor) != 'ada' OR opened(message) LIKE '%speaks%' AND opened(actor) != 'ada'") == 0
        assert count("opened(actor) IS NULL AND opened(message) IS NULL") == 2
        assert (
            manager.sql("SELECT * FROM versions a JOIN versions b ON opened(a.actor) = opened(b.actor)").num_rows == 1
        )
        assert manager.find("version.actor != 'ada'") == []
        assert manager.find("version.message != 'x'") == [1]
        assert manager.verify().root == root


def test_strangers_without_keys_are_told_that_nothing_opens_there(home: Path, tmp_path: Path) -> None:
    with ModelManager(home) as manager:
        manager.snapshot(tmp_path / "copy.duckdb")

    with pytest.raises(
        Refused, match=r"opened\(\) needs the keys of actors, which are not here; ask with manager\.sql"
    ):
        answer(tmp_path / "copy.duckdb", "SELECT opened(actor) FROM versions")
    assert answer(tmp_path / "copy.duckdb", "SELECT 'opened(actor)' AS a").to_pylist() == [{"a": "opened(actor)"}]


# ── what stays as it is ──────────────────────────────────────────────────────────────────────────────────────────────


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
