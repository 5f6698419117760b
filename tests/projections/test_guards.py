"""What a stranger's SQL may not do: each is refused in one sentence, names nothing of the host and changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from lepton_ai.errors import Malformed, Refused
from lepton_ai.events.model import AliasMoved, ModelRegistered
from lepton_ai.projections.projector import Projection
from lepton_ai.projections.queries import query as query_module
from lepton_ai.projections.queries.query import query

from .past import START, Past, committed

HOSTILE = (
    "COPY versions TO '{folder}/stolen.csv'",
    "COPY (SELECT 1) TO '{folder}/stolen.parquet'",
    "COPY versions FROM '/etc/passwd'",
    "EXPORT DATABASE '{folder}/stolen'",
    "IMPORT DATABASE '/etc'",
    "ATTACH '{folder}/other.duckdb'",
    "ATTACH ':memory:' AS other",
    "DETACH main",
    "USE store",
    "INSTALL httpfs",
    "LOAD httpfs",
    "PRAGMA database_list",
    "PRAGMA enable_profiling",
    "CALL pragma_version()",
    "SET memory_limit = '100GB'",
    "SET VARIABLE as_of = 1",
    "RESET ALL",
    "CHECKPOINT",
    "VACUUM",
    "EXPLAIN ANALYZE SELECT 1",
    "BEGIN TRANSACTION",
    "COMMIT",
    "PREPARE p AS SELECT 1",
    "INSERT INTO store.position VALUES (999, 'x')",
    "UPDATE store.versions SET version = 9",
    "DELETE FROM store.events",
    "TRUNCATE store.events",
    "DROP TABLE store.events",
    "DROP VIEW versions",
    "CREATE TABLE mine AS SELECT 1",
    "CREATE TEMP TABLE mine AS SELECT 1",
    "CREATE MACRO mine() AS 1",
    "CREATE SECRET mine (TYPE s3)",
    "ALTER TABLE store.events ADD COLUMN x INT",
    "COMMENT ON TABLE store.events IS 'x'",
    "WITH x AS (INSERT INTO store.position VALUES (999, 'x') RETURNING seq) SELECT * FROM x",
    "WITH x AS (DELETE FROM store.events RETURNING seq) SELECT * FROM x",
    "WITH x AS (UPDATE store.versions SET version = 9 RETURNING version) SELECT * FROM x",
    "SELECT 1; SELECT 2",
    "SELECT 1; DROP TABLE store.events",
    "",
    ";",
    "-- nothing",
    "SELECT * FROM read_csv('/etc/passwd')",
    "SELECT * FROM read_text('/etc/passwd')",
    "SELECT * FROM read_blob('/etc/*')",
    "SELECT * FROM read_json('/etc/passwd')",
    "SELECT * FROM read_parquet('/etc/passwd')",
    "SELECT * FROM parquet_metadata('/etc/passwd')",
    "SELECT * FROM sniff_csv('/etc/passwd')",
    "SELECT * FROM '/etc/passwd'",
    "SELECT * FROM glob('/*')",
    "SELECT * FROM versions WHERE digest IN (SELECT content FROM read_text('/etc/passwd'))",
    "SELECT getenv('HOME')",
    "SELECT current_setting('temp_directory')",
    "SELECT main.current_setting('temp_directory')",
    "SELECT * FROM duckdb_settings()",
    "SELECT * FROM duckdb_databases()",
    "SELECT * FROM duckdb_databases",
    "SELECT * FROM Duckdb_Databases()",
    "SELECT * FROM duckdb_secrets()",
    "SELECT * FROM duckdb_extensions()",
    "SELECT * FROM duckdb_temporary_files()",
    "SELECT * FROM pragma_database_list",
    "SELECT * FROM pg_catalog.pg_settings",
    "SHOW DATABASES",
    "SELECT * FROM query('SELECT * FROM duckdb_settings()')",
    "SELECT * FROM query_table('duckdb_settings')",
    "SELECT * FROM json_execute_serialized_sql(json_serialize_sql('SELECT current_setting(''temp_directory'')'))",
    "SELECT write_log('x')",
    "FROM raw",
    "FROM past",
    "FROM batch",
    "SELECT nothing FROM versions",
    "SELEKT 1",
    "SELECT 1 +",
    "SELECT 'x'::INTEGER",
    "SELECT error('my own words')",
    "SELECT ?",
    "PIVOT versions ON branch USING count(*)",
)


@pytest.fixture
def past() -> Past:
    past = Past()
    past.add("model/credit", ModelRegistered(model="credit"), committed(1), committed(2, parents=(1,)))
    past.add("model/credit", AliasMoved(alias="production", from_version=None, to_version=2))
    return past


@pytest.fixture
def held(past: Past, tmp_path: Path) -> Iterator[Projection]:
    with Projection(tmp_path / "view", past, wait=0, memory_limit="200MB") as held:
        held.catch_up()
        yield held


@pytest.mark.parametrize("sql", HOSTILE)
def test_hostile_sql_is_refused_in_one_sentence_and_changes_nothing(held: Projection, tmp_path: Path, sql: str) -> None:
    sql = sql.format(folder=tmp_path) if "{folder}" in sql else sql
    with pytest.raises(Refused) as refusal:
        query(held, sql, timeout=5)

    said = str(refusal.value)
    assert said
    assert "\n" not in said
    assert str(tmp_path) not in said.replace(sql, "")
    assert "/root" not in said
    assert "/usr" not in said
    assert query(held, "SELECT (SELECT count(*) FROM events) AS n, max(seq) AS p FROM store.position").to_pylist() == [
        {"n": 4, "p": 4}
    ]
    assert query(held, "SELECT version FROM versions ORDER BY 1")["version"].to_pylist() == [1, 2]
    assert [path.name for path in tmp_path.iterdir()] == ["view"]


@pytest.mark.parametrize(
    "sql",
    [
        "WITH RECURSIVE r AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM r) SELECT count(*) FROM r",
        "SELECT count(*) FROM range(1000000000000) AS a (i) WHERE i % 7 = 8",
        "SELECT * FROM range(1000000) AS a (i), range(1000000) AS b (j) WHERE i + j = -1",
    ],
)
def test_an_endless_query_is_stopped_by_its_time_limit(held: Projection, sql: str) -> None:
    with pytest.raises(Refused, match=r"longer than 0\.2 s"):
        query(held, sql, timeout=0.2)


def test_a_greedy_query_is_stopped_by_the_memory_limit(held: Projection) -> None:
    with pytest.raises(Refused, match="memory"):
        query(held, "SELECT string_agg(repeat('x', 1000000) || i, '') FROM range(10000) AS r (i)")


def test_an_answer_may_not_exceed_its_limit(held: Projection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(query_module, "RESULT_LIMIT", 1 << 20)
    with pytest.raises(Refused, match="exceeds 1 MiB"):
        query(held, "FROM range(1000000)")


def test_syntax_errors_keep_the_useful_line(held: Projection) -> None:
    with pytest.raises(Malformed, match='syntax error at or near "selec"'):
        query(held, "selec 1")
    with pytest.raises(Malformed, match="Table with name verions does not exist"):
        query(held, "FROM verions")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM versions -- with a comment; and a semicolon",
        "FROM versions_at(3)",
        "WITH a AS (FROM versions) SELECT count(*) FROM a JOIN aliases USING (model) WHERE message <> 'DROP x; y'",
        "DESCRIBE versions",
        "SUMMARIZE versions",
        "SHOW TABLES",
        "SELECT unnest([1, 2]), 'read_csv(''/etc/passwd'')'",
        "SELECT i, lag(i) OVER (ORDER BY i) FROM range(3) AS r (i)",
        "SELECT column_name FROM duckdb_columns() WHERE table_name = 'versions'",
        "SELECT date_trunc('day', committed), count(*) FROM versions GROUP BY ALL",
        "VALUES (1), (2)",
    ],
)
def test_plain_reading_is_allowed(held: Projection, sql: str) -> None:
    assert query(held, sql).num_rows > 0


def test_parameters_are_bound_by_place_and_by_name(held: Projection) -> None:
    assert query(held, "SELECT version FROM versions WHERE version > ?", [1])["version"].to_pylist() == [2]
    assert query(held, "SELECT version FROM versions WHERE version > $v", {"v": 1})["version"].to_pylist() == [2]


def test_as_of_takes_a_seq_a_time_or_a_day_also_as_text(held: Projection) -> None:
    def seen(as_of: object) -> list[int]:
        return query(held, "SELECT version FROM versions ORDER BY 1", as_of=as_of)["version"].to_pylist()  # type: ignore[arg-type]

    assert [seen(0), seen(2), seen(3), seen(None)] == [[], [1], [1, 2], [1, 2]]
    assert seen(START + timedelta(minutes=2)) == [1]
    assert seen((START + timedelta(minutes=2)).replace(tzinfo=None)) == [1]
    assert seen(START + timedelta(minutes=3) - timedelta(microseconds=1)) == [1]
    assert seen(date(2026, 1, 1)) == [1, 2]
    assert seen(date(2025, 12, 31)) == []
    with pytest.raises(Malformed, match="ends at event 4"):
        seen(5)
    assert [seen("2"), seen("2026-01-01"), seen("2025-12-31")] == [[1], [1, 2], []]
    assert seen((START + timedelta(minutes=2)).isoformat()) == [1]
    for bad in ("yesterday", "", "2026-13-01", "0001-01-01T00:00:00+14:00", "9" * 5000):
        with pytest.raises(Malformed, match="is no place in the log; write an event's number, a date or a time"):
            seen(bad)


def test_as_of_holds_for_one_query_only(held: Projection) -> None:
    assert query(held, "FROM versions", as_of=2).num_rows == 1
    assert query(held, "FROM versions").num_rows == 2
